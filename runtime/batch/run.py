"""The `run` command: every picture of a source through one model, results written one after another."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hemonode.errors import HemonodeError, InterruptedByUser, OutputError, PictureError
from hemonode.runtime.batch import report
from hemonode.runtime.batch.files import write_text
from hemonode.runtime.batch.names import printable
from hemonode.runtime.batch.outputs import OutputFolder
from hemonode.runtime.batch.page import render_page
from hemonode.runtime.batch.sources import Item, Source, open_source
from hemonode.runtime.batch.summary import Failure, ImageRecord, State, Summary, summarise
from hemonode.runtime.batch.undisturbed import undisturbed
from hemonode.runtime.bundle.reader import open_bundle
from hemonode.runtime.counting.cells import tally
from hemonode.runtime.engines.contract import AskedPrecision
from hemonode.runtime.introduction import introduction
from hemonode.runtime.segment import Segmenter


@dataclass(frozen=True)
class Request:
    """What was asked on the command line."""

    source: str
    out: Path
    bundle: Path | None
    engine: str
    setting: str | None
    precision: AskedPrecision
    red_cell_px: float | None
    um_per_px: float | None
    threads: int | None
    every: int
    overlays: bool
    overwrite: bool
    as_json: bool


def run_batch(request: Request) -> None:
    """Segment a source into a folder; one bad picture never stops the others.

    Raises:
        PictureError: there is nothing to work on, or some pictures failed (after all others are done).
        OutputError: results cannot be written.
        InterruptedByUser: Ctrl-C; what was done is complete.
        BundleError, EngineError: the model cannot be opened.
    """
    source = open_source(request.source, request.every)
    bundle = open_bundle(request.bundle)
    with Segmenter(
        bundle,
        engine=request.engine,
        setting=request.setting,
        precision=request.precision,
        threads=request.threads,
        tell=report.open_console().print,
    ) as segmenter:
        batch = _Batch(request, segmenter)
        try:
            batch.work(source)
        except KeyboardInterrupt as error:
            done = report.counted(len(batch.conclude("interrupted").images), "picture")
            raise InterruptedByUser(f"stopped by Ctrl-C after {done}; what is in {request.out} is complete") from error
        except BaseException:
            with contextlib.suppress(OutputError):  # the disk is full, say: the first error is the one to tell
                batch.conclude("stopped")
            raise
        summary = batch.conclude("finished")
    if summary.failures:
        raise PictureError(
            f"{len(summary.failures)} of {len(summary.failures) + len(summary.images)} pictures failed; "
            f"{request.out / 'summary.json'} lists them with their causes"
        )


class _Batch:
    """A batch in work: its output folder, and what came of each picture so far."""

    def __init__(self, request: Request, segmenter: Segmenter) -> None:
        self._request = request
        self._segmenter = segmenter
        classes = segmenter.bundle.manifest.classes
        self._folder = OutputFolder(request.out, classes, overwrite=request.overwrite, overlays=request.overlays)
        self._console = report.open_console()
        self._images: list[ImageRecord] = []
        self._failures: list[Failure] = []
        self._started = _now()

    def work(self, source: Source) -> None:
        """Every item of the source; failures are listed, and the rest goes on."""
        for line in introduction(self._segmenter):
            self._console.print(line)
        with report.progress_bar(self._console) as bar:
            task = bar.add_task("Segmenting", total=source.expected)
            try:
                for item in source.items:
                    self._attempt(item)
                    bar.advance(task)
            except PictureError as error:  # the source itself: a video that ends too early
                path = Path(self._request.source)
                self._fail(path.stem, path, str(error))

    def conclude(self, state: State) -> Summary:
        """Close the tables, write summary and page, and say what was done."""
        with undisturbed():
            self._folder.close()
            summary = summarise(
                printable(self._request.source),
                self._segmenter,
                self._images,
                self._failures,
                state=state,
                started=self._started,
                ended=_now(),
            )
            written = summary.model_dump_json(indent=2)
            write_text(self._request.out / "summary.json", written + "\n")
            if self._request.overlays:
                page = render_page(summary, self._segmenter.bundle.manifest.classes)
                write_text(self._request.out / "index.html", page)
            if self._request.as_json:
                print(written)
            report.conclude(summary, self._request.out, self._console)
        return summary

    def _attempt(self, item: Item) -> None:
        try:
            self._segment(item)
        except OutputError:
            raise
        except HemonodeError as error:
            sentence = str(error)
            self._fail(item.name, item.path, sentence if str(item.path) in sentence else f"{item.path}: {sentence}")
        except Exception as error:  # what no one foresaw in one picture must not cost the others of a long batch
            self._fail(item.name, item.path, f"{item.path}: unexpected {type(error).__name__}: {error}; report it")

    def _segment(self, item: Item) -> None:
        started = time.perf_counter()
        pixels = item.read()
        note = item.note()
        request, countable = self._request, self._folder.countable
        found = self._segmenter.segment(pixels, red_cell_px=request.red_cell_px, um_per_px=request.um_per_px)
        counts = tally(list(found.cells), tuple(entry.id for entry in countable))
        milliseconds = (time.perf_counter() - started) * 1000
        names = {entry.id: entry.name for entry in countable}
        record = ImageRecord(
            image=item.name,
            source=printable(str(item.path)),
            visible={names[key]: value for key, value in counts.visible.items()},
            in_frame={names[key]: value for key, value in counts.in_frame.items()},
            red_cell_px=round(found.red_cell_px, 2),
            scale_source=found.scale_source,
            milliseconds=round(milliseconds, 2),
            note=note,
        )
        with undisturbed():
            self._folder.write(item.name, record.source, pixels, found, counts, milliseconds)
            self._images.append(record)
        if note:
            self._console.print(printable(f"{item.path}: {note}"))

    def _fail(self, name: str, path: Path, sentence: str) -> None:
        failure = Failure(image=printable(name), source=printable(str(path)), error=printable(sentence))
        self._failures.append(failure)
        self._console.print(f"hemonode: {failure.error}", style="red")


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")
