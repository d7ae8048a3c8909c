"""The check that `--run` adds: every engine that works segments a drawn smear."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hemonode.runtime.doctor.finding import Finding, green, red, yellow
from hemonode.runtime.doctor.machine import Machine
from hemonode.runtime.engines import ENGINES

COUNT_SHARE, COUNT_CELLS = 0.3, 3
"""A count may be off by so much of what was drawn, or by so many cells: the model has never seen a drawing."""


def trial(machine: Machine) -> Iterator[Finding]:
    """What `auto` takes, then the engines after it. Those before it do not work, or would have to be built first."""
    answer = machine.ask("trial auto")
    if answer.facts is None:
        yield red(f"A drawn smear could not be counted: {answer.why_not}.", "See what is red above.")
        return
    yield judge("auto", answer.facts)
    names = list(ENGINES)
    for name in names[names.index(answer.facts["engine"]) + 1 :]:
        one = machine.ask(f"trial {name}")
        if one.facts is None:
            yield yellow(f"{name} did not run.", f"{one.why_not}.", engine=name)
        else:
            yield judge(name, one.facts)


def judge(asked: str, facts: Mapping[str, Any]) -> Finding:
    """What one engine's run says."""
    name = f"{facts['engine']} in {facts['precision']}{' (auto)' if asked == 'auto' else ''}"
    counts = ", ".join(
        f"{found} of {drawn} {what.replace('_', ' ')}s" for what, (found, drawn) in facts["counts"].items()
    )
    told = (
        f"{name}: medians of {facts['engine_ms']:.1f} ms in the engine and {facts['frame_ms']:.1f} ms a frame of "
        f"640×480 px; found {counts}"
    )
    kept = {
        key: facts[key] for key in ("engine", "precision", "version", "device", "engine_ms", "frame_ms", "agreement")
    }
    agreement = facts["agreement"]
    if any(abs(found - drawn) > max(COUNT_SHARE * drawn, COUNT_CELLS) for found, drawn in facts["counts"].values()):
        return red(f"{told}, which is not what was drawn.", "Use another engine, and report this.", **kept)
    if agreement is None:
        return yellow(f"{told}; there was no reference to compare with.", facts["no_reference"], **kept)
    if agreement < facts["least_agreement"]:
        return red(
            f"{told}, but the mask is that of the reference on {agreement:.2%} of the pixels only.",
            "Ask for --precision fp32 or another engine, and report this.",
            **kept,
        )
    return green(f"{told}; {agreement:.3%} of the mask as in the reference.", **kept)
