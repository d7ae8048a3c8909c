"""summary.json: what ran, on what, with what result, and what failed."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

RESEARCH_USE = "For research use only; hemonode is not a diagnostic device."


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


class Failure(_Record):
    """One picture that was not, and why."""

    image: str
    source: str
    error: str


class Summary(_Record):
    """The whole file."""

    hemonode_version: str
    state: Literal["finished", "interrupted", "stopped"]
    """"stopped": the results could not be written any more."""
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
    images: tuple[ImageRecord, ...]
    failures: tuple[Failure, ...]
    total_visible: dict[str, int]
    total_in_frame: dict[str, int]
    notice: str = RESEARCH_USE
