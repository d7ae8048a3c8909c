"""The `run` command: every picture of a source through one model, results written one after another."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from hemonode import __version__
from hemonode.errors import HemonodeError, InterruptedByUser, OutputError, PictureError
from hemonode.runtime.batch.outputs import OutputFolder, write_text
from hemonode.runtime.batch.page import render_page
from hemonode.runtime.batch.sources import Item, is_video, list_pictures, read_video
from hemonode.runtime.batch.summary import Failure, ImageRecord, Summary
from hemonode.runtime.bundle.reader import open_bundle
from hemonode.runtime.counting.cells import tally
from hemonode.runtime.engines.contract import AskedPrecision
from hemonode.runtime.segment import Segmenter

State = Literal["finished", "interrupted", "stopped"]


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


@dataclass
class _Done:
    """What has been worked through so far."""

    images: list[ImageRecord] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)


def run_batch(request: Request) -> None:
    """Segment a source into a folder; one bad picture never stops the others.

    Raises:
        PictureError: there is nothing to work on, or some pictures failed (after all others are done).
        OutputError: results cannot be written.
        InterruptedByUser: Ctrl-C; what was done is complete.
        BundleError, EngineError: the model cannot be opened.
    """
    video = is_video(request.source)
    pictures = None if video else list_pictures(request.source, request.out)
    bundle = open_bundle(request.bundle)
    with Segmenter(
        bundle,
        engine=request.engine,
        setting=request.setting,
        precision=request.precision,
        threads=request.threads,
    ) as segmenter:
        folder = OutputFolder(
            request.out, bundle.manifest.classes, overwrite=request.overwrite, overlays=request.overlays
        )
        say = Console(stderr=True)
        _introduce(segmenter, say)
        done = _Done()
        state: State = "stopped"
        try:
            items: Iterable[Item] = read_video(Path(request.source), request.every) if pictures is None else pictures
            _work(items, None if pictures is None else len(pictures), segmenter, folder, request, done, say)
            state = "finished"
        except KeyboardInterrupt as error:
            state = "interrupted"
            raise InterruptedByUser(
                f"stopped by Ctrl-C after {len(done.images)} pictures; their results in {request.out} are complete"
            ) from error
        finally:
            folder.close()
            summary = _summarise(request, segmenter, done, state)
            write_text(request.out / "summary.json", summary.model_dump_json(indent=2) + "\n")
            if request.overlays:
                write_text(request.out / "index.html", render_page(summary, bundle.manifest.classes))
    _conclude(summary, request, say)


def _introduce(segmenter: Segmenter, say: Console) -> None:
    engine = segmenter.engine
    manifest = segmenter.bundle.manifest
    say.print(
        f"{manifest.name}, solver {segmenter.setting}, on {engine.name} {engine.precision} ({engine.device})",
        highlight=False,
        soft_wrap=True,
    )
    for reason in engine.passed_over:
        say.print(f"  passed over: {reason}", highlight=False, soft_wrap=True)


def _work(
    items: Iterable[Item],
    total: int | None,
    segmenter: Segmenter,
    folder: OutputFolder,
    request: Request,
    done: _Done,
    say: Console,
) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=say, transient=True, disable=not say.is_terminal) as bar:
        task = bar.add_task("Segmenting", total=total)
        for item in items:
            try:
                done.images.append(_one(item, segmenter, folder, request))
            except OutputError:
                raise
            except HemonodeError as error:
                done.failures.append(Failure(image=item.name, source=str(item.path), error=str(error)))
                say.print(f"hemonode: {error}", style="red", highlight=False, markup=False, soft_wrap=True)
            bar.advance(task)


def _one(item: Item, segmenter: Segmenter, folder: OutputFolder, request: Request) -> ImageRecord:
    started = time.perf_counter()
    pixels = item.read()
    try:
        found = segmenter.segment(pixels, red_cell_px=request.red_cell_px, um_per_px=request.um_per_px)
    except PictureError as error:
        raise PictureError(f"{item.path}: {error}") from error
    milliseconds = (time.perf_counter() - started) * 1000
    counts = tally(list(found.cells), tuple(entry.id for entry in folder.countable))
    folder.write(item.name, pixels, found, counts, milliseconds)
    names = {entry.id: entry.name for entry in folder.countable}
    return ImageRecord(
        image=item.name,
        source=str(item.path),
        visible={names[key]: value for key, value in counts.visible.items()},
        in_frame={names[key]: value for key, value in counts.in_frame.items()},
        red_cell_px=round(found.red_cell_px, 2),
        scale_source=found.scale_source,
        milliseconds=round(milliseconds, 2),
    )


def _summarise(request: Request, segmenter: Segmenter, done: _Done, state: State) -> Summary:
    bundle, engine = segmenter.bundle, segmenter.engine
    names = [entry.name for entry in bundle.manifest.classes if entry.countable]
    visible: Counter[str] = Counter(dict.fromkeys(names, 0))
    in_frame: Counter[str] = Counter(dict.fromkeys(names, 0))
    for image in done.images:
        visible.update(image.visible)
        in_frame.update(image.in_frame)
    return Summary(
        hemonode_version=__version__,
        state=state,
        source=request.source,
        bundle=bundle.manifest.name,
        bundle_sha256=bundle.sha256,
        setting=segmenter.setting,
        engine=engine.name,
        engine_version=engine.version,
        device=engine.device,
        precision=engine.precision,
        passed_over=engine.passed_over,
        images=tuple(done.images),
        failures=tuple(done.failures),
        total_visible=dict(visible),
        total_in_frame=dict(in_frame),
    )


def _conclude(summary: Summary, request: Request, say: Console) -> None:
    if request.as_json:
        print(json.dumps(summary.model_dump(mode="json")))
    totals = ", ".join(f"{count} {name.replace('_', ' ')}s" for name, count in summary.total_visible.items())
    say.print(f"{len(summary.images)} pictures: {totals}. Results in {request.out}", highlight=False, soft_wrap=True)
    estimated = [image.red_cell_px for image in summary.images if image.scale_source == "estimated"]
    if estimated:
        spread = f"{min(estimated):.0f} to {max(estimated):.0f}" if len(estimated) > 1 else f"{estimated[0]:.0f}"
        measured = f"Red-cell diameter measured in the pictures: {spread} px (--red-cell-px sets it)"
        say.print(measured, highlight=False, soft_wrap=True)
    if summary.failures:
        raise PictureError(
            f"{len(summary.failures)} of {len(summary.failures) + len(summary.images)} pictures failed; "
            f"{request.out / 'summary.json'} lists them with their causes"
        )
