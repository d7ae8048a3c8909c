"""What a command says of the model that it runs: on what, and why on nothing better."""

from __future__ import annotations

from hemonode.runtime.segment import Segmenter


def introduction(segmenter: Segmenter) -> list[str]:
    """Lines for the terminal."""
    engine, name = segmenter.engine, segmenter.bundle.manifest.name
    return [
        f"{name}, solver {segmenter.setting}, on {engine.name} {engine.precision} ({engine.device})",
        *(f"  {remark}" for remark in segmenter.remarks),
        *(f"  passed over: {reason}" for reason in engine.passed_over),
    ]
