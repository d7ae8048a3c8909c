"""What the governor is told of a frame, and what it says when it moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Taken:
    """What one frame took.

    Attributes:
        at_s: when it was done.
        setting: it ran on.
        value_ms: as the target counts: its latency, or its share of the time from result to result.
        engine_ms: the engine's part of that.
        begun_s: when its picture was taken.
    """

    at_s: float
    setting: str
    value_ms: float
    engine_ms: float
    begun_s: float


@dataclass(frozen=True)
class Move:
    """A change of setting, why, and the figures that led to it. `cause`: "load", "room", "heat", "wish"."""

    before: str
    after: str
    cause: str
    reason: str
    figures: Mapping[str, float | str] = field(default_factory=dict)
