"""From a checkpoint to a sealed bundle: every setting written, verified on real pictures, and recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from hemonode.export.card import write_card
from hemonode.export.draft import drafted
from hemonode.export.frames import PreparedFrame
from hemonode.export.graph.weights import WeightFile
from hemonode.export.graph.writer import Heads, write_graph
from hemonode.export.manifest import block_records, build_manifest, class_records
from hemonode.export.reach import measure_reach
from hemonode.export.reference import adaptive_answer
from hemonode.export.session import GraphSession
from hemonode.export.settings import Setting, integrating
from hemonode.export.findings import Limits
from hemonode.export.verify import Proof
from hemonode.runtime.bundle.schema import Manifest, Precision, SolverSetting
from hemonode.runtime.bundle.writer import write_manifest
from hemonode.train.checkpoint import Checkpoint
from hemonode.train.models.nodes_unet import STRIDE

SOLVERS = "solvers"
REFERENCE: Precision = "fp32"
"""The precision that magnitudes and the reach are measured in."""


@dataclass(frozen=True)
class Order:
    """What to put into a bundle.

    Attributes:
        settings: from few evaluations to many.
        default_setting: name of the one that a device uses when nothing else is asked for.
        accuracy: Markdown for the card, or None.
    """

    name: str
    settings: tuple[Setting, ...]
    default_setting: str
    precisions: tuple[Precision, ...]
    limits: Limits = Limits()
    accuracy: str | None = None


def rounds(order: Order, frames: int) -> int:
    """How often `export_bundle` calls `advance`: once for each picture solved, and for each graph and picture."""
    return frames * (1 + len(order.settings) * len(order.precisions))


def export_bundle(
    checkpoint: Checkpoint,
    model: nn.Module,
    order: Order,
    frames: Sequence[PreparedFrame],
    out: Path,
    advance: Callable[[], None] = lambda: None,
) -> Manifest:
    """Write `checkpoint` as a bundle folder at `out`, in place of a bundle that is there.

    Args:
        model: the checkpoint's network, on the CPU, in evaluation mode.
        frames: real pictures to verify on.
        advance: called `rounds` times, for a progress bar.

    Raises:
        ExportError: a setting fails its verification, or the checkpoint cannot be written as a graph.
        OutputError: `out` holds something else, or cannot be written.
    """
    classes = class_records(checkpoint)
    thresholds = {kind.id: kind.peak_threshold for kind in classes if kind.peak_threshold is not None}
    heads = Heads(countable_ids=tuple(thresholds))
    with drafted(out) as folder:
        (folder / SOLVERS).mkdir()
        _write_graphs(model, order, heads, folder)
        answers = []
        for frame in frames:
            answers.append(adaptive_answer(model, frame, heads))
            advance()
        proof = Proof(model, heads, thresholds, answers, order.limits, advance)
        settings = tuple(_verify(proof, setting, order.precisions, folder) for setting in order.settings)
        reach = max(measure_reach(GraphSession(_graph(folder, s, REFERENCE)), frames, STRIDE) for s in order.settings)
        if REFERENCE not in order.precisions:
            _drop_reference(order, folder)
        manifest = build_manifest(order.name, checkpoint, heads, classes, settings, order.default_setting, reach)
        (folder / "card.md").write_text(write_card(manifest, order.accuracy), encoding="utf-8")
        return write_manifest(folder, manifest)


def _graph_name(setting: Setting, precision: Precision) -> str:
    return f"{SOLVERS}/{setting.name}.{precision}.onnx"


def _graph(folder: Path, setting: Setting, precision: Precision) -> Path:
    return folder / _graph_name(setting, precision)


def _write_graphs(model: nn.Module, order: Order, heads: Heads, folder: Path) -> None:
    # The reference precision is always written: magnitudes are measured in it.
    for precision in dict.fromkeys((REFERENCE, *order.precisions)):
        weights = WeightFile(precision)
        for setting in order.settings:
            with integrating(model, setting.solvers):
                graph = write_graph(model, setting.name, heads, weights)
            _graph(folder, setting, precision).write_bytes(graph.SerializeToString())
        weights.save(folder / SOLVERS)


def _verify(proof: Proof, setting: Setting, precisions: Sequence[Precision], folder: Path) -> SolverSetting:
    graphs = {precision: _graph(folder, setting, precision) for precision in precisions}
    records = proof.records(setting, graphs, _graph(folder, setting, REFERENCE))
    return SolverSetting(
        name=setting.name,
        blocks=block_records(setting, proof.block_errors(setting)),
        graphs={precision: _graph_name(setting, precision) for precision in precisions},
        verification=records,
    )


def _drop_reference(order: Order, folder: Path) -> None:
    for setting in order.settings:
        _graph(folder, setting, REFERENCE).unlink()
    (folder / SOLVERS / WeightFile(REFERENCE).file_name).unlink()
