"""What a checkpoint says about itself, as the bundle's records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from hemonode import __version__
from hemonode.errors import ExportError
from hemonode.export.block_error import BlockError
from hemonode.export.graph.writer import Heads
from hemonode.export.recorded import block_record
from hemonode.export.settings import Setting
from hemonode.runtime.bundle.schema import (
    SCHEMA_VERSION,
    BlockEstimate,
    ClassRecord,
    InputRecord,
    Manifest,
    Precision,
    Provenance,
    ScaleRecord,
    SettingVerification,
    SolverSetting,
)
from hemonode.runtime.classes import BLOOD_CLASSES
from hemonode.train.checkpoint import Checkpoint
from hemonode.train.models.nodes_unet import STRIDE

SOLVERS = "solvers"
"""The folder of graphs and weights inside a bundle."""

MINIMUM_PX = 128
"""Least side of the input: a heat map at a quarter of it still has the 1024 places that TopK must find."""


def class_records(checkpoint: Checkpoint) -> tuple[ClassRecord, ...]:
    """The classes with their counting thresholds.

    Raises:
        ExportError: the network's classes are not the blood classes, or a countable one has no threshold.
    """
    countable = [kind.id for kind in BLOOD_CLASSES if kind.countable]
    if (checkpoint.config.classes, checkpoint.config.countable) != (len(BLOOD_CLASSES), len(countable)):
        raise ExportError(
            f"the network has {checkpoint.config.classes} classes, {checkpoint.config.countable} of them countable; "
            f"only the {len(BLOOD_CLASSES)} blood classes with {len(countable)} countable ones can be exported"
        )
    for class_id in countable:
        if class_id not in checkpoint.peak_thresholds:
            raise ExportError(
                f"the checkpoint has no peak threshold for class {class_id}, so its cells cannot be counted: "
                "let training finish, which chooses the thresholds"
            )
    return tuple(
        ClassRecord(
            id=kind.id,
            name=kind.name,
            colour_bgr=kind.colour_bgr,
            countable=kind.countable,
            peak_threshold=checkpoint.peak_thresholds[kind.id] if kind.countable else None,
        )
        for kind in BLOOD_CLASSES
    )


def draft_manifest(
    name: str,
    checkpoint: Checkpoint,
    heads: Heads,
    settings: Sequence[Setting],
    default_setting: str,
    precisions: Sequence[Precision],
) -> Manifest:
    """Everything about a bundle that is known before its settings are verified, its reach measured and files hashed.

    Raises:
        ExportError: the checkpoint's classes cannot be exported.
    """
    recipe = checkpoint.recipe
    return Manifest(
        schema_version=SCHEMA_VERSION,
        name=name,
        model=checkpoint.config.architecture,
        classes=class_records(checkpoint),
        input=InputRecord(
            stride=STRIDE, minimum=MINIMUM_PX, reach_px=0, mask_scale=heads.mask_scale, peaks=heads.peaks
        ),
        scale=ScaleRecord(red_cell_px=recipe.scale.red_cell_px, red_cell_um=recipe.scale.red_cell_um),
        preprocessing=recipe.preprocessing,
        settings=tuple(_unproven(setting, precisions) for setting in settings),
        default_setting=default_setting,
        provenance=Provenance(
            trained_on=checkpoint.trained_on,
            licences=checkpoint.licences,
            recipe=recipe.name,
            seed=recipe.training.seed,
            epochs=checkpoint.epochs,
            hemonode_version=__version__,
            torch_version=torch.__version__,
        ),
        files={},
    )


def _unproven(setting: Setting, precisions: Sequence[Precision]) -> SolverSetting:
    return SolverSetting(
        name=setting.name,
        tolerance=setting.tolerance,
        blocks=tuple(block_record(position, solver) for position, solver in sorted(setting.solvers.items())),
        graphs={precision: graph_name(setting.name, precision) for precision in precisions},
        verification={},
    )


def graph_name(setting: str, precision: Precision) -> str:
    """Path of a graph inside its bundle."""
    return f"{SOLVERS}/{setting}.{precision}.onnx"


def with_proof(
    setting: SolverSetting,
    errors: Mapping[int, BlockError],
    verification: Mapping[Precision, SettingVerification],
    *,
    estimates: tuple[BlockEstimate, ...],
    multiply_adds_per_px: float,
) -> SolverSetting:
    """The setting with the measured errors of each block, by position, its verification records and its work."""
    blocks = tuple(
        block.model_copy(update={"error": errors[block.position].whole, "tile_error": errors[block.position].tile})
        for block in setting.blocks
    )
    return setting.model_copy(
        update={
            "blocks": blocks,
            "verification": dict(verification),
            "estimates": estimates,
            "multiply_adds_per_px": multiply_adds_per_px,
        }
    )


def with_results(manifest: Manifest, settings: Sequence[SolverSetting], reach_px: int) -> Manifest:
    """The manifest with verified settings and the measured reach."""
    measured = manifest.input.model_copy(update={"reach_px": reach_px})
    return manifest.model_copy(update={"settings": tuple(settings), "input": measured})
