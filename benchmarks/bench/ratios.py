"""Each contestant against one reference of the same run: times faster, and times less work."""

from __future__ import annotations

from collections.abc import Sequence

from hemonode.benchmarks.bench.contestant import ADAPTIVE, BASELINE, EAGER, Record
from hemonode.benchmarks.bench.figures import Line


class SettingRatios(Record):
    """One solver setting against the reference, frames alone (the smallest batch).

    Attributes:
        less_work: multiply-adds of the reference over the setting's.
        same_engine: times faster where both run in the reference's engine and precision, torch eager fp32.
        fastest: times faster on the engine that is fastest here.
        fastest_engine: that engine.
    """

    setting: str
    less_work: float | None
    same_engine: float | None
    fastest: float | None
    fastest_engine: str | None


def reference_of(lines: Sequence[Line]) -> str | None:
    """The engine that ratios are taken against: the baseline, else the adaptive original, else none."""
    there = {line.contestant.engine for line in lines}
    return next((engine for engine in (BASELINE, ADAPTIVE) if engine in there), None)


def with_ratios(lines: Sequence[Line]) -> list[Line]:
    """The lines with their ratios; those of a batch size that the reference did not run have no time ratio."""
    reference = {line.batch: line for line in lines if line.contestant.engine == reference_of(lines)}
    return [_against(line, reference) for line in lines]


def _against(line: Line, reference: dict[int, Line]) -> Line:
    same_batch = reference.get(line.batch)
    work = next((other.cost.multiply_adds for other in reference.values()), None)
    own = line.cost.multiply_adds
    return line.model_copy(
        update={
            "times_faster": same_batch.frame_ms / line.frame_ms if same_batch is not None else None,
            "times_less_work": work / own if work is not None and own is not None else None,
        }
    )


def setting_ratios(lines: Sequence[Line]) -> list[SettingRatios]:
    """One entry for each setting that was run, in the order of the lines; none without a reference."""
    if reference_of(lines) is None:
        return []
    smallest = min(line.batch for line in lines)
    alone = [line for line in lines if line.batch == smallest and line.contestant.setting is not None]
    settings = dict.fromkeys(line.contestant.setting for line in alone if line.contestant.setting is not None)
    return [_of_setting(name, [line for line in alone if line.contestant.setting == name]) for name in settings]


def _of_setting(setting: str, lines: Sequence[Line]) -> SettingRatios:
    fastest = max(lines, key=lambda line: line.times_faster or 0.0)
    eager = [line for line in lines if line.contestant.engine == EAGER]
    return SettingRatios(
        setting=setting,
        less_work=next((line.times_less_work for line in lines if line.times_less_work is not None), None),
        same_engine=eager[0].times_faster if eager else None,
        fastest=fastest.times_faster,
        fastest_engine=fastest.contestant.label if fastest.times_faster is not None else None,
    )
