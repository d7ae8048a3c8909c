"""A checkpoint's network with the bundle's outputs, its ODE blocks solved as a contestant asks."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from hemonode.benchmarks.bench.contestant import SOLVED_ADAPTIVELY, Contestant
from hemonode.errors import CheckpointError, EngineError
from hemonode.export.graph.writer import Heads
from hemonode.export.manifest import class_records, draft_manifest
from hemonode.export.recorded import recorded_solvers
from hemonode.export.reference import peaks_of
from hemonode.export.settings import Setting
from hemonode.runtime.bundle.reader import Bundle
from hemonode.runtime.bundle.schema import Manifest
from hemonode.train.checkpoint import Checkpoint, load_checkpoint
from hemonode.train.models.integrators import Adaptive
from hemonode.train.models.table import ode_blocks


class Answering(nn.Module):
    """A network and what the graph makes of its outputs: class ids and peaks."""

    def __init__(self, network: nn.Module, heads: Heads) -> None:
        super().__init__()
        self.network = network
        self._heads = heads

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Of uint8 [N, H, W, 3] BGR: class ids uint8 [N, H·m, W·m], and peaks float32 [N, K, 4]."""
        outputs = self.network(frames.permute(0, 3, 1, 2).float())
        scale = float(self._heads.mask_scale)
        logits = functional.interpolate(outputs.logits, scale_factor=scale, mode="bilinear")
        return logits.argmax(1).to(torch.uint8), peaks_of(outputs.heat_logits, self._heads)


@lru_cache(maxsize=1)
def read_checkpoint(path: Path) -> tuple[Checkpoint, nn.Module]:
    """The checkpoint and its network; a process that opens several frame sizes reads it once.

    Raises:
        CheckpointError: it cannot be used.
    """
    checkpoint = load_checkpoint(path)
    return checkpoint, checkpoint.build_model()


def heads_of(checkpoint: Checkpoint) -> Heads:
    """What its graph would make of the network's outputs."""
    return Heads(countable_ids=tuple(record.id for record in class_records(checkpoint) if record.countable))


def bundle_without_graphs(checkpoint: Checkpoint, name: str) -> Bundle:
    """Classes, thresholds and scale of a checkpoint that was never exported. It has no files: torch runs it."""
    settings = (Setting("adaptive", {}),)
    manifest = draft_manifest(name, checkpoint, heads_of(checkpoint), settings, "adaptive", ())
    return Bundle(Path(), manifest, "")


def check_same_origin(checkpoint: Checkpoint, path: Path, manifest: Manifest) -> None:
    """Refuse a checkpoint that the bundle was not exported from.

    Raises:
        CheckpointError: recipe, seed, epochs or counting thresholds differ.
    """
    recipe, thresholds = checkpoint.recipe, checkpoint.peak_thresholds
    own = (recipe.name, recipe.training.seed, checkpoint.epochs, thresholds)
    origin = manifest.provenance
    exported = {entry.id: entry.peak_threshold for entry in manifest.classes if entry.countable}
    if own != (origin.recipe, origin.seed, origin.epochs, exported):
        raise CheckpointError(
            f"{path} (recipe {own[0]}, seed {own[1]}, {own[2]} epochs) is not what {manifest.name} was exported from "
            f"({origin.recipe}, {origin.seed}, {origin.epochs} epochs): give that one, or compare with --baseline"
        )


def set_solvers(model: nn.Module, contestant: Contestant, bundle: Bundle) -> None:
    """Let every ODE block be solved as the contestant asks: adaptively, or as the bundle's setting says.

    Raises:
        ExportError: the setting records a method that is unknown here.
        EngineError: it leaves a block out.
    """
    blocks = ode_blocks(model)
    if contestant.engine in SOLVED_ADAPTIVELY:
        for block in blocks:
            block.integrator = Adaptive(block.tolerance)
        return
    solvers = recorded_solvers(bundle.setting(contestant.setting))
    for block in blocks:
        if block.position not in solvers:
            raise EngineError(f"setting {contestant.setting} does not solve the ODE block {block.position}")
        block.integrator = solvers[block.position]
