"""The folder of one training run: what can be resumed, what is best, and how it went."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hemonode.errors import OutputError, RecipeError
from hemonode.train.checkpoint import read_values, write_atomically
from hemonode.train.recipe import Recipe


@dataclass(frozen=True)
class RunFolder:
    """`resume.state` holds everything to go on from; `best.ckpt` the best weights; `metrics.jsonl`, `curves.png`."""

    path: Path

    @property
    def state(self) -> Path:
        """Where an interrupted run resumes from."""
        return self.path / "resume.state"

    @property
    def best(self) -> Path:
        """The checkpoint with the best validation score so far."""
        return self.path / "best.ckpt"

    @property
    def metrics(self) -> Path:
        """One JSON object per epoch."""
        return self.path / "metrics.jsonl"

    @property
    def curves(self) -> Path:
        """The metrics as a picture."""
        return self.path / "curves.png"

    def prepare(self) -> None:
        """Make the folder.

        Raises:
            OutputError: it cannot be made, or is a file.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot make the folder {self.path} ({error.strerror}): choose another one") from error

    def read_state(self, recipe: Recipe) -> dict[str, Any] | None:
        """The state to resume from, or None for a fresh run.

        Raises:
            RecipeError: the folder holds a run of another recipe.
            CheckpointError: the state is not readable.
        """
        if not self.state.exists():
            return None
        values = read_values(self.state)
        if values["recipe"] != recipe.model_dump(mode="json"):
            raise RecipeError(f"{self.path} holds a run of another recipe: choose another folder, or remove it")
        return values

    def write_state(self, values: dict[str, Any]) -> None:
        """Replace the state, atomically."""
        write_atomically(values, self.state)
