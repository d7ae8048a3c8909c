"""A training recipe: one TOML file that says everything needed to train a model again."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from hemonode.errors import RecipeError
from hemonode.runtime.bundle.schema import PreprocessingRecord
from hemonode.train.models.config import ModelConfig

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

RECIPES = Path(__file__).parent / "recipes"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DataPart(_Part):
    """One data set of a recipe."""

    dataset: str
    """Path of its dataset.toml, relative to the recipe."""
    folder: str
    """The data set's folder under the data root that is given on the command line."""
    repeat: float = Field(default=1.0, gt=0)
    """How often each of its pictures is drawn, relative to the others."""
    foreground_id: int | None = None
    """Where masks label only some cells: the class of the other large dark objects; bright becomes background."""
    train_split: str = "train"
    tune_split: str = "tune"
    """Pictures that choose the checkpoint and the thresholds; never reported."""


class DynamicsPart(_Part):
    """What makes the ODE blocks' dynamics cheap to solve: weights of penalties, 0 for none, and a random end time."""

    local_error: float = Field(default=0.0, ge=0)
    """Of an embedded pair's own estimate over the block's movement; counts in steps that draw "bs3:N", "dopri5:N"."""
    kinetic: float = Field(default=0.0, ge=0)
    jacobian: float = Field(default=0.0, ge=0)
    end_time_jitter: float = Field(default=0.0, ge=0, lt=1)
    """Blocks are solved up to a time drawn from 1 ± this at each step."""


class TrainingPart(_Part):
    """How long and with what training runs."""

    epochs: int = Field(gt=0)
    steps_per_epoch: int = Field(gt=0)
    batch_size: int = Field(gt=0)
    crop_px: int = Field(gt=0, multiple_of=16)
    learning_rate: float = Field(gt=0)
    ode_rate_share: float = Field(default=1.0, gt=0, le=1)
    """Learning rate of the ODE blocks' dynamics over that of the rest."""
    warm_up_steps: int = Field(default=100, ge=0)
    weight_decay: float = Field(default=0.01, ge=0)
    clip_norm: float = Field(default=1.0, gt=0)
    ema_decay: float = Field(default=0.998, ge=0, lt=1)
    patience_epochs: int = Field(default=1000, gt=0)
    """Stop after this many epochs without a better validation score."""
    precision: str = "bf16-mixed"
    """As Lightning Fabric names it."""
    seed: int = 0
    solvers: tuple[str, ...] = ("dopri5",)
    """One is drawn per step: "dopri5" solves adaptively at each block's tolerance, "METHOD:STEPS" in equal steps."""
    adaptive_epochs: int = Field(default=0, ge=0)
    """The last epochs solve adaptively, whatever `solvers` says."""
    adjoint: bool = False
    dynamics: DynamicsPart = DynamicsPart()
    start_sha256: str | None = None
    """Of the checkpoint whose weights training started from; None for fresh weights. Set by `--from`."""
    through: str | None = None
    """The unrolled solvers that training went through instead of `solvers`. Set by `calibrate fine-tune`."""
    class_weights: tuple[float, ...]
    heat_share: float = Field(default=1.0, ge=0)
    scale_jitter: float = Field(default=0.25, ge=0, lt=1)
    colour_jitter: float = Field(default=1.0, ge=0)


class ScalePart(_Part):
    """The working scale."""

    red_cell_px: float = Field(default=40.0, gt=0)
    red_cell_um: float = Field(default=7.5, gt=0)


class Recipe(_Part):
    """Everything that decides what comes out of a training run."""

    name: str
    model: ModelConfig
    scale: ScalePart = ScalePart()
    preprocessing: PreprocessingRecord
    data: tuple[DataPart, ...] = Field(min_length=1)
    training: TrainingPart

    @model_validator(mode="after")
    def _weights_fit_classes(self) -> Recipe:
        if len(self.training.class_weights) != self.model.classes:
            raise ValueError("training.class_weights needs one weight for each of model.classes")
        return self


def find_recipe(name: str) -> Path:
    """The file of a recipe that was named by path, or by the name of one that ships with hemonode.

    Raises:
        RecipeError: there is no such recipe.
    """
    for candidate in (Path(name), RECIPES / f"{name}.toml"):
        if candidate.is_file():
            return candidate
    shipped = ", ".join(sorted(path.stem for path in RECIPES.glob("*.toml")))
    raise RecipeError(f"there is no recipe '{name}': give a TOML file, or one of the shipped recipes: {shipped}")


def load_recipe(path: Path, changes: Sequence[str] = ()) -> Recipe:
    """A recipe, checked.

    Args:
        path: its TOML file.
        changes: "KEY=VALUE" in TOML's own words, such as "training.epochs=3", each in place of the file's.

    Raises:
        RecipeError: not TOML, or a field is missing, unknown or out of range.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} is not valid TOML ({error}): correct the file") from error
    for change in changes:
        try:
            _merge(values, tomllib.loads(change))
        except tomllib.TOMLDecodeError as error:
            raise RecipeError(
                f"'{change}' is not KEY=VALUE as TOML writes it ({error}): strings need quotes, as in name=\"mine\""
            ) from error
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "recipe"
        raise RecipeError(f"{path}: {where}: {first['msg']}; correct that field") from error


def _merge(values: dict[str, Any], changes: dict[str, Any]) -> None:
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(values.get(key), dict):
            _merge(values[key], value)
        else:
            values[key] = value
