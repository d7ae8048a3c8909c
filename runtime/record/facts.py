"""What is known of a session when it begins, and of one that was interrupted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from hemonode.runtime.bundle.schema import ClassRecord

Value = str | int | float | bool | None


@dataclass(frozen=True)
class SessionFacts:
    """One sample under one camera.

    Attributes:
        name: of the sample, as the person wrote it.
        source: the camera, as a person calls it.
        bundle: its name.
        bundle_sha256: its identity.
        hemonode: version.
        classes: of the model.
        um_per_px: micrometres per pixel as camera or person told them; None where only red cells gave a scale.
        red_cell_px: red-cell diameter in pixels of the picture; None before it was measured.
        settings: what else was chosen: solver mode, target, goal, camera controls, …
    """

    name: str
    source: str
    bundle: str
    bundle_sha256: str
    hemonode: str
    classes: tuple[ClassRecord, ...]
    um_per_px: float | None = None
    red_cell_px: float | None = None
    settings: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class InterruptedSession:
    """A session that was never finished: power cut, kill, a live view that was stopped in the middle of a tally.

    Attributes:
        session: its id.
        name: of the sample.
        started: UTC.
        counted: cells of the tally so far, by class id.
        area: covered by the tally so far, in fields of view.
        fields: recorded.
        classes: that were counted, name by class id.
    """

    session: str
    name: str
    started: datetime
    counted: Mapping[int, int]
    area: float
    fields: int
    classes: Mapping[int, str]
