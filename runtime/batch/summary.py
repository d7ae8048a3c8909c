"""summary.json: what ran, on what, with what result, and what failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from hemonode import __version__
from hemonode.runtime.segment import Segmenter

RESEARCH_USE = "For research use only; hemonode is not a diagnostic device."

State = Literal["finished", "interrupted", "stopped"]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class ImageRecord(_Record):
    """One picture that was segmented. Counts are by class name."""

    image: str
    source: str
    visible: dict[str, int]
    in_frame: dict[str, int]
    red_cell_px: float
    scale_source: str
    milliseconds: float
    note: str
    """What a person should know of how the picture was read; mostly empty."""


class Failure(_Record):
    """One picture that was not, and why."""

    image: str
    source: str
    error: str


class Summary(_Record):
    """The whole file."""

    hemonode_version: str
    state: State
    """"interrupted": by Ctrl-C. "stopped": the results could not be written any more."""
    started: str
    ended: str
    """Local time with its offset, ISO 8601."""
    source: str
    bundle: str
    bundle_sha256: str
    setting: str
    engine: str
    engine_version: str
    device: str
    precision: str
    passed_over: tuple[str, ...]
    """Better engines that did not work here, and why."""
    remarks: tuple[str, ...]
    """Choices that were made on the way, a precision that was not taken, say, and why."""
    images: tuple[ImageRecord, ...]
    failures: tuple[Failure, ...]
    total_visible: dict[str, int]
    total_in_frame: dict[str, int]
    notice: str = RESEARCH_USE


def summarise(
    source: str,
    segmenter: Segmenter,
    images: Sequence[ImageRecord],
    failures: Sequence[Failure],
    *,
    state: State,
    started: str,
    ended: str,
) -> Summary:
    """The summary of a batch, with its totals."""
    bundle, engine = segmenter.bundle, segmenter.engine
    names = [entry.name for entry in bundle.manifest.classes if entry.countable]
    visible: Counter[str] = Counter(dict.fromkeys(names, 0))
    in_frame: Counter[str] = Counter(dict.fromkeys(names, 0))
    for image in images:
        visible.update(image.visible)
        in_frame.update(image.in_frame)
    return Summary(
        hemonode_version=__version__,
        state=state,
        started=started,
        ended=ended,
        source=source,
        bundle=bundle.manifest.name,
        bundle_sha256=bundle.sha256,
        setting=segmenter.setting,
        engine=engine.name,
        engine_version=engine.version,
        device=engine.device,
        precision=engine.precision,
        passed_over=engine.passed_over,
        remarks=segmenter.remarks,
        images=tuple(images),
        failures=tuple(failures),
        total_visible=dict(visible),
        total_in_frame=dict(in_frame),
    )
