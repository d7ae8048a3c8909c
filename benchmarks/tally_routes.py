"""Ways on which a hand or a stage moves a slide, and what disturbs the picture meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Point = tuple[float, float]


@dataclass(frozen=True)
class Step:
    """One picture that a camera takes.

    Attributes:
        number: of the picture; gaps mean that it was skipped.
        at_s: when.
        x, y: of its corner on the slide, px.
        speed: of the slide, px/s, as (x, y): it blurs the picture while the shutter is open.
        defocus_um: distance from best focus.
        gain: brightness over the usual.
        elsewhere: whether the slide was jerked to another place, far from all others.
    """

    number: int
    at_s: float
    x: float
    y: float
    speed: Point
    defocus_um: float
    gain: float
    elsewhere: bool


@dataclass(frozen=True)
class Manner:
    """How the slide is moved and what goes wrong.

    Attributes:
        speed_px_s: mean speed of a move.
        pause_s: rest between moves.
        tremor_px: amplitude of a hand's tremor.
        flicker: amplitude of the lamp's, share.
        defocus_every_s: from one episode out of focus to the next; 0 for none.
        jumps: at which share of the way the slide is jerked to another place, and brought back.
        skipped: share of pictures that are not taken in time.
    """

    speed_px_s: float
    pause_s: float
    tremor_px: float = 0.0
    flicker: float = 0.0
    defocus_every_s: float = 0.0
    jumps: tuple[float, ...] = ()
    skipped: float = 0.0


STAGE = Manner(speed_px_s=160, pause_s=1.0, flicker=0.01)
HAND = Manner(
    speed_px_s=500, pause_s=0.8, tremor_px=2.5, flicker=0.06, defocus_every_s=9.0, jumps=(0.35, 0.7), skipped=0.25
)

_JUMP_S = 3.0
_DEFOCUS_S = 1.5
_DEFOCUS_UM = 12.0


def serpentine(width: float, height: float, step_x: float, step_y: float) -> list[Point]:
    """Places to stop at, in rows to the right and back in turn."""
    xs, ys = np.arange(0, width + 1, step_x), np.arange(0, height + 1, step_y)
    return [(float(x), float(y)) for row, y in enumerate(ys) for x in (xs if row % 2 == 0 else xs[::-1])]


def steps(stops: Sequence[Point], manner: Manner, rate_hz: float, seed: int) -> Iterator[Step]:
    """The pictures that are taken on the way from stop to stop."""
    rng = np.random.default_rng(seed)
    phase = rng.uniform(0, 2 * np.pi, 4)
    times = _arrivals(stops, manner)
    before: Point | None = None
    for number in range(int(times[-1][1] * rate_hz) + 1):
        at_s = number / rate_hz
        x, y = _position(stops, times, at_s)
        x += manner.tremor_px * _tremor(at_s, phase[:2])
        y += manner.tremor_px * _tremor(at_s, phase[2:])
        speed = (0.0, 0.0) if before is None else ((x - before[0]) * rate_hz, (y - before[1]) * rate_hz)
        before = (x, y)
        elsewhere = any(0 <= at_s - share * times[-1][1] < _JUMP_S for share in manner.jumps)
        if rng.random() < manner.skipped:
            continue
        gain = 1 + manner.flicker * float(np.sin(2 * np.pi * 0.9 * at_s) + 0.5 * rng.normal())
        yield Step(number, at_s, x, y, speed, _defocus(manner, at_s), gain, elsewhere)


def _arrivals(stops: Sequence[Point], manner: Manner) -> list[tuple[float, float]]:
    """When each stop is reached and left."""
    times = [(0.0, manner.pause_s)]
    for start, end in pairwise(stops):
        reached = times[-1][1] + float(np.hypot(end[0] - start[0], end[1] - start[1])) / manner.speed_px_s
        times.append((reached, reached + manner.pause_s))
    return times


def _position(stops: Sequence[Point], times: Sequence[tuple[float, float]], at_s: float) -> Point:
    """A hand and a stage both gather and lose speed: half a cosine from stop to stop."""
    index = int(np.searchsorted([reached for reached, _ in times], at_s, side="right")) - 1
    start, left = stops[index], times[index][1]
    if index + 1 == len(stops) or at_s <= left:
        return start
    share = (at_s - left) / (times[index + 1][0] - left)
    eased = (1 - float(np.cos(np.pi * share))) / 2
    end = stops[index + 1]
    return start[0] + eased * (end[0] - start[0]), start[1] + eased * (end[1] - start[1])


def _tremor(at_s: float, phase: npt.NDArray[np.float64]) -> float:
    """A hand's: fast and slow."""
    return float(np.sin(2 * np.pi * 7.5 * at_s + phase[0]) + np.sin(2 * np.pi * 2.1 * at_s + phase[1]))


def _defocus(manner: Manner, at_s: float) -> float:
    if not manner.defocus_every_s:
        return 0.0
    within_s = at_s % manner.defocus_every_s - (manner.defocus_every_s - _DEFOCUS_S)
    return _DEFOCUS_UM * float(np.sin(np.pi * within_s / _DEFOCUS_S)) if within_s > 0 else 0.0
