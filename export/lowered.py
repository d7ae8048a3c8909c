"""The graphs of every precision in a bundle's folder: fp32 for all settings, others where they keep what they must."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path

from torch import nn

from hemonode.export.frames import PreparedFrame
from hemonode.export.graph.weights import WeightFile
from hemonode.export.graph.writer import Heads, write_graph
from hemonode.export.half.block_rounding import BeyondHalf
from hemonode.export.half.trial import HalfGraph
from hemonode.export.int8.trial import BeyondInt8, Int8Graph
from hemonode.export.manifest import SOLVERS, graph_name
from hemonode.export.settings import Setting, integrating
from hemonode.export.verify import Ground, Lowered, Proof
from hemonode.runtime.bundle.schema import Precision

REFERENCE: Precision = "fp32"
"""The precision that magnitudes and the reach are measured in: always written, and dropped if nobody asked for it."""

Kept = Mapping[str, Mapping[Precision, Lowered]]
"""How each setting is written, by its name and the precision."""


def write_reference(model: nn.Module, settings: Sequence[Setting], heads: Heads, folder: Path) -> None:
    """Write every setting's fp32 graph."""
    _write(model, [(setting, None) for setting in settings], heads, folder, REFERENCE)


def write_lowered(
    proof: Proof,
    settings: Sequence[Setting],
    grounds: Sequence[Ground],
    precisions: Collection[Precision],
    calibration: Sequence[PreparedFrame],
    folder: Path,
    warn: Callable[[str], None],
) -> Kept:
    """Write the fp16 and int8 graphs that were asked for, once it is known what of each must stay in FP32.

    Args:
        proof: what they must keep.
        settings: all of them.
        grounds: one for each.
        precisions: that were asked for.
        calibration: pictures of the training split, for int8.
        folder: of the bundle, with the fp32 graphs.
        warn: told why a setting is not written in one of them.

    Raises:
        ExportError: a setting is beyond fp16, and fp32 was not asked for.
    """
    kept: dict[str, dict[Precision, Lowered]] = {setting.name: {} for setting in settings}
    pairs = list(zip(settings, grounds, strict=True))
    if "fp16" in precisions:
        for setting, half in _halves(proof, pairs, REFERENCE in precisions, warn):
            kept[setting.name]["fp16"] = half
    if "int8" in precisions:
        for setting, small in _int8(proof, pairs, calibration, folder, warn):
            kept[setting.name]["int8"] = small
    for precision in precisions:
        written = [(setting, kept[setting.name][precision]) for setting in settings if precision in kept[setting.name]]
        if written:
            _write(proof.model, written, proof.heads, folder, precision)
    return kept


def _halves(
    proof: Proof, pairs: Sequence[tuple[Setting, Ground]], may_lack: bool, warn: Callable[[str], None]
) -> Iterator[tuple[Setting, HalfGraph]]:
    """Those whose tolerance FP16 can hold."""
    for setting, ground in pairs:
        try:
            yield setting, proof.half(setting, ground)
        except BeyondHalf as error:
            if not may_lack:
                raise
            warn(f"not written in fp16: {error}")


def _int8(
    proof: Proof,
    pairs: Sequence[tuple[Setting, Ground]],
    calibration: Sequence[PreparedFrame],
    folder: Path,
    warn: Callable[[str], None],
) -> Iterator[tuple[Setting, Int8Graph]]:
    """Those that 8 bits are worth it for."""
    for setting, ground in pairs:
        try:
            yield setting, proof.int8(setting, ground, folder / graph_name(setting.name, REFERENCE), calibration)
        except BeyondInt8 as error:
            warn(f"not written in int8: {error}")


def _write(
    model: nn.Module,
    settings: Sequence[tuple[Setting, Lowered | None]],
    heads: Heads,
    folder: Path,
    precision: Precision,
) -> None:
    weights = WeightFile(precision)
    for setting, lowered in settings:
        kept = lowered.kept_fp32 if isinstance(lowered, HalfGraph) else ()
        ranges = lowered.ranges if isinstance(lowered, Int8Graph) else {}
        with integrating(model, setting.solvers):
            graph = write_graph(model, setting.name, heads, weights, kept, setting.tolerance, ranges)
        (folder / graph_name(setting.name, precision)).write_bytes(graph.SerializeToString())
    weights.save(folder / SOLVERS)
