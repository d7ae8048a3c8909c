"""The parts of a network that an FP16 graph can keep in FP32, and the fewest that are enough."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from torch import nn

from hemonode.train.models.ode_block import ODEBlock

Holds = Callable[[Collection[str]], bool]
"""Whether the graph is good enough with these parts in FP32."""


def parts_of(model: nn.Module) -> tuple[str, ...]:
    """Paths of the largest modules that hold no ODE block, and of the ODE blocks, in the order of the network."""
    return tuple(_parts(model, ""))


def _parts(module: nn.Module, path: str) -> Iterator[str]:
    for name, child in module.named_children():
        below = f"{path}{name}"
        mixed = not isinstance(child, ODEBlock) and any(isinstance(part, ODEBlock) for part in child.modules())
        # A list is no module that computes.
        if mixed or isinstance(child, nn.ModuleList):
            yield from _parts(child, f"{below}.")
        elif any(True for _ in child.parameters()):
            yield below


def fewest_parts(parts: Sequence[str], holds: Holds) -> tuple[str, ...] | None:
    """A smallest set of parts to keep in FP32: none can be taken away. None where not even all of them are enough.

    First the shortest head of the network that is enough, by bisection; then the shortest tail of that head; then each
    part between the two ends is tried without. So a network of p parts is tried about 2·log2 p times, and once more for
    each part between the ends. Bisection supposes that more parts in FP32 are never worse.
    """
    if holds(()):
        return ()
    if not holds(parts):
        return None
    end = _least(1, len(parts), lambda count: holds(parts[:count]))
    start = end - _least(1, end, lambda count: holds(parts[end - count : end]))
    kept = tuple(parts[start:end])
    for part in kept[1:-1]:
        fewer = tuple(other for other in kept if other != part)
        if holds(fewer):
            kept = fewer
    return kept


def _least(low: int, high: int, enough: Callable[[int], bool]) -> int:
    """The least number from `low` to `high` that is enough; `high` is known to be."""
    while low < high:
        middle = (low + high) // 2
        if enough(middle):
            high = middle
        else:
            low = middle + 1
    return low
