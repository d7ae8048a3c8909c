"""From a checkpoint to a sealed bundle: every setting written, verified on real pictures, and recorded."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import onnx
from torch import nn

from hemonode.errors import ExportError
from hemonode.export.block_proof import block_errors, block_estimates
from hemonode.export.card import write_card
from hemonode.export.draft import drafted
from hemonode.export.findings import Limits
from hemonode.export.frames import PreparedFrame
from hemonode.export.graph.weights import WeightFile
from hemonode.export.graph.writer import Heads
from hemonode.export.lowered import REFERENCE, write_lowered, write_reference
from hemonode.export.manifest import SOLVERS, class_records, draft_manifest, graph_name, with_proof, with_results
from hemonode.export.reach import measure_reach
from hemonode.export.reference import adaptive_answer
from hemonode.export.session import GraphSession
from hemonode.export.settings import Setting
from hemonode.export.verify import Lowered, Proof
from hemonode.export.work import multiply_adds_per_px
from hemonode.runtime.bundle.schema import Manifest, Precision, SolverSetting
from hemonode.runtime.bundle.writer import write_manifest
from hemonode.train.checkpoint import Checkpoint
from hemonode.train.models.nodes_unet import STRIDE


@dataclass(frozen=True)
class Order:
    """What to put into a bundle.

    Attributes:
        settings: from few evaluations to many.
        default_setting: name of the one that a device uses when nothing else is asked for.
        calibration: pictures of the training split, for int8.
        accuracy: Markdown for the card, or None.
    """

    name: str
    settings: tuple[Setting, ...]
    default_setting: str
    precisions: tuple[Precision, ...]
    limits: Limits = field(default_factory=Limits)
    calibration: Sequence[PreparedFrame] = ()
    accuracy: str | None = None


def rounds(order: Order, frames: int) -> int:
    """How often `export_bundle` calls `advance`: once for each picture solved, and for each graph and picture."""
    return frames * (1 + len(order.settings) * (1 + len(order.precisions)))


def export_bundle(
    checkpoint: Checkpoint,
    model: nn.Module,
    order: Order,
    frames: Sequence[PreparedFrame],
    out: Path,
    advance: Callable[[], None] = lambda: None,
    warn: Callable[[str], None] = lambda _: None,
) -> Manifest:
    """Write `checkpoint` as a bundle folder at `out`, in place of a bundle that is there.

    Args:
        checkpoint: what is exported.
        model: its network, on the CPU, in evaluation mode.
        order: what to put in.
        frames: real pictures to verify on.
        out: the bundle's folder.
        advance: called `rounds` times, for a progress bar.
        warn: told of each setting that is not written in fp16 or int8 though that was asked for, with the reason.

    Raises:
        ExportError: a setting fails its verification, or the checkpoint cannot be written as a graph.
        SolverError: the adaptive solver cannot solve a picture.
        OutputError: `out` holds something else, or cannot be written.
    """
    if "int8" in order.precisions and REFERENCE not in order.precisions:
        raise ExportError("machines check an int8 graph against the one in fp32: ask for fp32, too")
    heads = Heads(countable_ids=tuple(kind.id for kind in class_records(checkpoint) if kind.countable))
    draft = draft_manifest(order.name, checkpoint, heads, order.settings, order.default_setting, order.precisions)
    with drafted(out) as folder:
        (folder / SOLVERS).mkdir()
        write_reference(model, order.settings, heads, folder)
        finest = min((setting.tolerance for setting in order.settings if setting.tolerance), default=math.inf)
        answers = []
        for frame in frames:
            answers.append(adaptive_answer(model, frame, heads, finest))
            advance()
        proof = Proof(model, heads, draft, answers, order.limits, advance)
        proven = _prove(proof, order, draft.settings, folder, warn)
        manifest = with_results(draft, proven, _reach(order, frames, folder))
        if REFERENCE not in order.precisions:
            _drop_reference(order, folder)
        (folder / "card.md").write_text(write_card(manifest, order.accuracy), encoding="utf-8")
        return write_manifest(folder, manifest)


def _prove(
    proof: Proof, order: Order, drafts: Sequence[SolverSetting], folder: Path, warn: Callable[[str], None]
) -> list[SolverSetting]:
    """The settings with their proof. Other graphs are written here, once it is known what must stay in FP32."""
    references = [folder / graph_name(setting.name, REFERENCE) for setting in order.settings]
    grounds = [proof.ground(*pair) for pair in zip(order.settings, references, strict=True)]
    lowered = write_lowered(proof, order.settings, grounds, order.precisions, order.calibration, folder, warn)
    proven = []
    for setting, draft, ground, reference in zip(order.settings, drafts, grounds, references, strict=True):
        own: dict[Precision, Lowered | None] = {**dict.fromkeys(draft.graphs), **lowered[setting.name]}
        graphs = {p: graph for p, graph in draft.graphs.items() if p == REFERENCE or own[p] is not None}
        records = {p: proof.record(setting, p, folder / graph, ground, own[p]) for p, graph in graphs.items()}
        proven.append(
            with_proof(
                draft.model_copy(update={"graphs": graphs}),
                block_errors(proof.model, setting, proof.answers),
                records,
                estimates=block_estimates(proof.model, setting, proof.answers),
                multiply_adds_per_px=multiply_adds_per_px(onnx.load(reference, load_external_data=False)),
            )
        )
    return proven


def _reach(order: Order, frames: Sequence[PreparedFrame], folder: Path) -> int:
    sessions = (GraphSession(folder / graph_name(setting.name, REFERENCE)) for setting in order.settings)
    return max(measure_reach(session, frames, STRIDE) for session in sessions)


def _drop_reference(order: Order, folder: Path) -> None:
    for setting in order.settings:
        (folder / graph_name(setting.name, REFERENCE)).unlink()
    (folder / SOLVERS / WeightFile(REFERENCE).file_name).unlink()
