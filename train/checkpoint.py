"""Checkpoints: tensors and plain values only, so that reading one never runs code it carries."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from torch import Tensor, nn

from hemonode.errors import CheckpointError
from hemonode.train.models.config import ModelConfig
from hemonode.train.models.table import build_model
from hemonode.train.recipe import Recipe

FORMAT = "hemonode-checkpoint"
VERSION = 1


@dataclass(frozen=True)
class Checkpoint:
    """A trained model with everything that an export needs to know about it.

    Attributes:
        config: the network's configuration.
        recipe: what it was trained by.
        weights: the network's state, exponential moving average.
        peak_thresholds: class id → least heat-map score of a counted cell; empty while training runs.
        epochs: finished when it was written.
        score: its validation score.
        licences: of the data it was trained on.
        trained_on: the data sets' names.
    """

    recipe: Recipe
    weights: dict[str, Tensor]
    peak_thresholds: dict[int, float]
    epochs: int
    score: float
    licences: tuple[str, ...]
    trained_on: tuple[str, ...]

    @property
    def config(self) -> ModelConfig:
        """The network's configuration."""
        return self.recipe.model

    def build_model(self) -> nn.Module:
        """The network with these weights, ready to evaluate.

        Raises:
            CheckpointError: the weights do not fit the configuration.
        """
        model = build_model(self.config)
        load_weights(model, self.weights)
        return model.eval()


def load_weights(model: nn.Module, weights: dict[str, Tensor]) -> None:
    """Give a network a checkpoint's weights.

    Raises:
        CheckpointError: they do not fit the network.
    """
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise CheckpointError(
            f"the checkpoint's weights do not fit the model's configuration ({' '.join(str(error).split())[:200]}): "
            "give the recipe that it was trained by, or another checkpoint"
        ) from error


def write_atomically(values: dict[str, Any], path: Path) -> None:
    """Save tensors and plain values so that an interruption leaves the old file or the new one, never half."""
    partial = path.with_name(path.name + ".partial")
    torch.save(values, partial)
    partial.replace(path)


def read_values(path: Path) -> dict[str, Any]:
    """The dictionary in a file of ours; nothing in it is ever executed.

    Raises:
        CheckpointError: not there, unreadable, or not ours.
    """
    if not path.is_file():
        raise CheckpointError(f"there is no checkpoint {path}: give the file that training wrote")
    not_ours = f"{path} is not a hemonode checkpoint: give the best.ckpt or last.ckpt of a training run"
    try:
        values = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        raise CheckpointError(not_ours) from error
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise CheckpointError(not_ours)
    if values.get("version", 0) > VERSION:
        raise CheckpointError(f"{path} was written by a newer hemonode: upgrade hemonode to read it")
    return values


def checkpoint_values(checkpoint: Checkpoint) -> dict[str, Any]:
    """A checkpoint as the plain dictionary that is written."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "recipe": checkpoint.recipe.model_dump(mode="json"),
        "weights": checkpoint.weights,
        "peak_thresholds": dict(checkpoint.peak_thresholds),
        "epochs": checkpoint.epochs,
        "score": checkpoint.score,
        "licences": list(checkpoint.licences),
        "trained_on": list(checkpoint.trained_on),
    }


def save_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """Write a checkpoint, atomically."""
    write_atomically(checkpoint_values(checkpoint), path)


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises:
        CheckpointError: missing, not ours, damaged, or of a newer version.
    """
    values = read_values(path)
    try:
        return Checkpoint(
            recipe=Recipe.model_validate(values["recipe"]),
            weights=values["weights"],
            peak_thresholds={int(key): float(value) for key, value in values["peak_thresholds"].items()},
            epochs=int(values["epochs"]),
            score=float(values["score"]),
            licences=tuple(values["licences"]),
            trained_on=tuple(values["trained_on"]),
        )
    except (KeyError, TypeError, ValidationError) as error:
        raise CheckpointError(f"{path} is a damaged hemonode checkpoint ({error}): use another one") from error
