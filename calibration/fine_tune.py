"""The `calibrate fine-tune` command: a few training steps through the very solvers that a setting ships with.

Discretise, then optimise: the network's weights adapt to the solver's own error, which unrolling then no longer adds.
The adaptive solution of the tuned weights drifts away from it, so calibrate again before a tolerance is claimed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hemonode.errors import ExportError
from hemonode.export.settings import Setting
from hemonode.export.solver_file import read_matching_file
from hemonode.train.checkpoint import load_checkpoint
from hemonode.train.run import Through, run_training

WARM_UP_SHARE = 0.1
"""Of the steps, so that the first ones do not shake a trained network."""
AVERAGED_STEPS = 50
"""How far back the averaged weights reach: a few steps must already show in them."""


@dataclass(frozen=True)
class FineTuning:
    """What was asked for.

    Attributes:
        checkpoint: what to start from.
        solver_file: whose setting to train through.
        setting: its name; None where the file has only one.
        recipe: a recipe's file or name; None: the checkpoint's own, which must then be a shipped one.
        data_root: the folder of the recipe's data folders.
        out: the run's folder.
        steps: of training.
        learning_rate: largest, reached after the warm-up.
        changes: "KEY=VALUE" in place of the recipe's.
    """

    checkpoint: Path
    solver_file: Path
    setting: str | None
    recipe: str | None
    data_root: Path
    out: Path
    steps: int
    learning_rate: float
    changes: Sequence[str]


def fine_tune(asked: FineTuning) -> None:
    """Train, with progress, or go on where the folder's run stopped.

    Raises:
        HemonodeError: the checkpoint, solver file, recipe, data or folder cannot be used.
        InterruptedByUser: Ctrl-C; finished epochs are kept.
    """
    checkpoint = load_checkpoint(asked.checkpoint)
    file = read_matching_file(asked.solver_file, asked.checkpoint)
    setting = _chosen(file.settings(checkpoint.build_model()), asked)
    changes = (
        "training.epochs=1",
        f"training.steps_per_epoch={asked.steps}",
        f"training.learning_rate={asked.learning_rate}",
        f"training.warm_up_steps={round(asked.steps * WARM_UP_SHARE)}",
        f"training.ema_decay={1 - 1 / AVERAGED_STEPS}",
        "training.adaptive_epochs=0",
        *asked.changes,
    )
    run_training(
        asked.recipe or checkpoint.recipe.name,
        asked.data_root,
        asked.out,
        changes=changes,
        start=asked.checkpoint,
        through=Through(described(setting), setting.solvers),
    )


def described(setting: Setting) -> str:
    """A setting in a line: its name, then each block's method and steps."""
    blocks = (
        f"{position} {solver.tableau.name}x{len(solver.grid) - 1}"
        for position, solver in sorted(setting.solvers.items())
    )
    return f"{setting.name}: {', '.join(blocks)}"


def _chosen(settings: Sequence[Setting], asked: FineTuning) -> Setting:
    names = [setting.name for setting in settings]
    if asked.setting is None and len(settings) == 1:
        return settings[0]
    if asked.setting not in names:
        problem = "holds several settings" if asked.setting is None else f"has no setting '{asked.setting}'"
        raise ExportError(f"{asked.solver_file} {problem}: give --setting one of {', '.join(names)}")
    return settings[names.index(asked.setting)]
