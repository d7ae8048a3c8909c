"""What a check of a data set found: errors, which must be mended before training, and warnings to look at."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Kind = Literal[
    "unreadable_picture",
    "labels",
    "label_dropped",
    "no_cells",
    "label_without_picture",
    "same_pixels",
    "parted_group",
    "near_duplicate",
]


class Finding(BaseModel):
    """One thing found. `pictures` are the names of those it is about."""

    model_config = ConfigDict(frozen=True)

    level: Literal["error", "warning"]
    kind: Kind
    pictures: tuple[str, ...]
    text: str


class Report(BaseModel):
    """The result of a check, as `--json` prints it."""

    model_config = ConfigDict(frozen=True)

    name: str
    licence: str
    pictures: dict[str, int]
    """Pictures in each split."""
    boxes: dict[str, int]
    """Boxes of each class, in all splits."""
    masks: int
    """Pictures that have a mask."""
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> int:
        """How many findings are errors."""
        return sum(finding.level == "error" for finding in self.findings)
