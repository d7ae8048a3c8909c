"""How shares settled as cells were counted, drawn as SVG: a line and its 95 % interval for each class."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from hemonode.runtime.live.status import ClassStatus, Interval, TrendPoint
from hemonode.runtime.record.figures import thinned
from hemonode.runtime.tally.intervals import share_interval

_POINTS = 32
_WIDTH, _HEIGHT = 300, 130
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 8, 8, 22
_STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1.0)


def trend_charts(trend: Sequence[TrendPoint], classes: Sequence[ClassStatus]) -> str:
    """A figure for each countable class; empty where fewer than two fields hold cells."""
    points = thinned([point for point in trend if sum(point.counted.values())], _POINTS)
    if len(points) < 2:
        return ""
    return "".join(_figure(points, entry) for entry in classes if entry.countable)


def _figure(points: Sequence[TrendPoint], entry: ClassStatus) -> str:
    shares = [share_interval(point.counted.get(entry.id, 0), sum(point.counted.values())) for point in points]
    areas = [point.fields for point in points]
    low, high = _range(shares)
    label = escape(entry.label)
    return (
        f'<figure><figcaption><span class="dot" style="background:{entry.colour}"></span>{label}</figcaption>'
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}: share of all cells over the fields">'
        f"{_axes(low, high, areas[-1])}{_band(areas, shares, low, high, entry.colour)}</svg></figure>"
    )


def _range(shares: Sequence[Interval]) -> tuple[float, float]:
    """Of the axis: all of the line, and the interval once it has settled."""
    later = shares[len(shares) // 4 :]
    low = min(_value(share.low) for share in later)
    high = max(_value(share.high) for share in later)
    step = next((step for step in _STEPS if (high - low) / step <= 4), 1.0)
    return max(int(low / step) * step, 0.0), min((int(high / step) + 1) * step, 1.0)


def _axes(low: float, high: float, area: float) -> str:
    digits = 0 if high - low > 0.04 else 1 if high - low > 0.004 else 2
    lines = []
    for value in (low, (low + high) / 2, high):
        y = _y(value, low, high)
        lines.append(
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#d8dde3"/>'
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{100 * value:.{digits}f} %</text>'
        )
    last = f"{area:.0f}" if area >= 10 else f"{area:.1f}"
    y = _HEIGHT - 6
    return (
        "".join(lines) + f'<text x="{_LEFT}" y="{y}">0</text>'
        f'<text x="{_WIDTH - _RIGHT}" y="{y}" text-anchor="end">{last} fields</text>'
    )


def _band(areas: Sequence[float], shares: Sequence[Interval], low: float, high: float, colour: str) -> str:
    xs = [_LEFT + (_WIDTH - _LEFT - _RIGHT) * area / max(areas[-1], 1e-9) for area in areas]
    upper = [(x, _y(_value(share.high), low, high)) for x, share in zip(xs, shares, strict=True)]
    lower = [(x, _y(_value(share.low), low, high)) for x, share in zip(xs, shares, strict=True)]
    line = [(x, _y(_value(share.value), low, high)) for x, share in zip(xs, shares, strict=True)]
    return (
        f'<polygon points="{_path([*upper, *reversed(lower)])}" fill="{colour}" fill-opacity="0.18"/>'
        f'<polyline points="{_path(line)}" fill="none" stroke="{colour}" stroke-width="2" stroke-linejoin="round"/>'
    )


def _y(value: float, low: float, high: float) -> float:
    inside = min(max(value, low), high)
    return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (high - inside) / max(high - low, 1e-9)


def _path(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _value(figure: float | None) -> float:
    return 0.0 if figure is None else figure
