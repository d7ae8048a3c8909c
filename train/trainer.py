"""The training loop, on Lightning Fabric: epochs of patches, each validated, saved and resumable."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import nn
from torch.utils.data import DataLoader

from hemonode.errors import RecipeError
from hemonode.train.augment import Augmentation, WorkingSample
from hemonode.train.checkpoint import FORMAT, VERSION, Checkpoint, load_weights, save_checkpoint
from hemonode.train.ema import MovingAverage
from hemonode.train.history import Record, draw_curves, write_history
from hemonode.train.losses import as_class_weights, total_loss
from hemonode.train.models.integrators import Integrator
from hemonode.train.models.table import build_model, ode_blocks
from hemonode.train.patches import Patches, Source
from hemonode.train.penalties import check_penalties, penalise, penalty
from hemonode.train.recipe import Recipe, TrainingPart
from hemonode.train.run_folder import RunFolder
from hemonode.train.solvers import ADAPTIVE, draw_end_time, draw_solver, use_solver
from hemonode.train.validate import adaptive_evaluations, validate

Progress = Callable[[int, int], None]
"""Told (steps done, steps in all) after every step."""

VALIDATION_SOLVER = "rk4:2"
# Pictures on which the adaptive solver's function evaluations are counted after each epoch.
EVALUATED_PICTURES = 3


def _parameter_groups(model: nn.Module, options: TrainingPart) -> list[dict[str, Any]]:
    """The dynamics of the ODE blocks learn at a share of the rate: they are integrated, so their changes add up."""
    blocks = [parameter for block in ode_blocks(model) for parameter in block.parameters()]
    known = {id(parameter) for parameter in blocks}
    others = [parameter for parameter in model.parameters() if id(parameter) not in known]
    groups = [{"params": others, "share": 1.0}]
    return [*groups, {"params": blocks, "share": options.ode_rate_share}] if blocks else groups


def learning_rate_factor(step: int, warm_up: int, total: int) -> float:
    """Linear warm-up, then half a cosine down to 0."""
    if step < warm_up:
        return (step + 1) / warm_up
    return 0.5 * (1 + math.cos(math.pi * (step - warm_up) / max(total - warm_up, 1)))


class Trainer:
    """One training run in one folder.

    Args:
        recipe: what to train, and how.
        sources: the training pictures.
        tune: pictures at the working scale that choose the checkpoint.
        folder: where the run lives; a run found there is resumed.
        licences: of the data.
        trained_on: the data sets' names.
        countable_ids: class of each plane of the heat map.
        start: weights to start from instead of fresh ones.
        integrators: of the block at each position, instead of the recipe's solvers.

    Raises:
        RecipeError: the recipe's parts contradict each other, or `folder` holds a run of another recipe.
        CheckpointError: `start` does not fit the recipe's model.
    """

    def __init__(
        self,
        recipe: Recipe,
        sources: tuple[Source, ...],
        tune: list[WorkingSample],
        folder: Path,
        *,
        licences: tuple[str, ...],
        trained_on: tuple[str, ...],
        countable_ids: tuple[int, ...],
        start: dict[str, torch.Tensor] | None = None,
        integrators: Mapping[int, Integrator] | None = None,
    ) -> None:
        self.recipe, self.sources, self.tune = recipe, sources, tune
        self.licences, self.trained_on, self.countable_ids = licences, trained_on, countable_ids
        self.integrators = integrators
        self.folder = RunFolder(folder)
        self.folder.prepare()
        options = recipe.training
        check_penalties(options)
        self.fabric = Fabric(accelerator="auto", devices=1, precision=options.precision)  # type: ignore[arg-type]
        self.fabric.seed_everything(options.seed, verbose=False)
        plain = build_model(recipe.model)
        if start is not None:
            load_weights(plain, start)
        plain.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's stubs
        self.average = MovingAverage(plain, options.ema_decay, trained=start is not None)
        optimizer = torch.optim.AdamW(_parameter_groups(plain, options), weight_decay=options.weight_decay)
        self.plain = plain
        self.model, self.optimizer = self.fabric.setup(plain, optimizer)
        self.average.model.to(self.fabric.device)
        self.records: list[Record] = []
        self._resume()

    @property
    def epoch(self) -> int:
        """Epochs that are finished."""
        return len(self.records)

    @property
    def total_steps(self) -> int:
        """Optimiser steps of the whole recipe."""
        return self.recipe.training.epochs * self.recipe.training.steps_per_epoch

    def run(self, on_step: Progress, on_epoch: Callable[[Record], None]) -> Path:
        """Train to the end, or until the score stops rising; returns the best checkpoint.

        An interruption loses the epoch in work, nothing else: the same call goes on to the same curve.
        """
        while self.epoch < self.recipe.training.epochs and not self._stalled():
            record = self._epoch(on_step)
            self._keep(record)
            on_epoch(record)
        return self.folder.best

    def _stalled(self) -> bool:
        scores = [record["score"] for record in self.records]
        return bool(scores) and len(scores) - 1 - int(np.argmax(scores)) >= self.recipe.training.patience_epochs

    def _loader(self) -> DataLoader[dict[str, torch.Tensor]]:
        options = self.recipe.training
        augmentation = Augmentation(
            crop_px=options.crop_px,
            red_cell_px=self.recipe.scale.red_cell_px,
            preprocessing=self.recipe.preprocessing,
            countable_ids=self.countable_ids,
            scale=options.scale_jitter,
            colour=options.colour_jitter,
        )
        count = options.steps_per_epoch * options.batch_size
        patches = Patches(self.sources, augmentation, seed=options.seed, epoch=self.epoch, count=count)
        return DataLoader(patches, options.batch_size, num_workers=1, prefetch_factor=4)

    def _epoch(self, on_step: Progress) -> Record:
        options = self.recipe.training
        self.model.train()
        sums: defaultdict[str, float] = defaultdict(float)
        adaptive = self.epoch >= options.epochs - options.adaptive_epochs
        for index, batch in enumerate(self._loader()):
            step = self.epoch * options.steps_per_epoch + index
            self._use_solver(step, adaptive=adaptive)
            penalise(self.plain, options.dynamics, options.seed + step)
            for name, value in self._step(self.fabric.to_device(batch), step).items():
                sums[name] += value
            on_step(step + 1, self.total_steps)
        means = {name: value / options.steps_per_epoch for name, value in sums.items()}
        if not math.isfinite(means["loss"]):
            raise RecipeError(
                f"training diverged in epoch {self.epoch + 1}: lower training.learning_rate or training.ode_rate_share"
            )
        return {"epoch": self.epoch + 1, **means, **self._validate()}

    def _use_solver(self, step: int, *, adaptive: bool) -> None:
        options = self.recipe.training
        if self.integrators is not None:
            for block in ode_blocks(self.plain):
                block.integrator = self.integrators[block.position]
            return
        solver = ADAPTIVE if adaptive else draw_solver(options.solvers, options.seed, step)
        end_time = draw_end_time(options.dynamics.end_time_jitter, options.seed, step)
        use_solver(self.plain, solver, adjoint=options.adjoint, end_time=end_time)

    def _step(self, batch: dict[str, torch.Tensor], step: int) -> dict[str, float]:
        options = self.recipe.training
        rate = options.learning_rate * learning_rate_factor(step, options.warm_up_steps, self.total_steps)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["share"]
        outputs = self.model(batch["pixels"].float().contiguous(memory_format=torch.channels_last))
        batch["mask"] = batch["mask"].long()
        weights = as_class_weights(options.class_weights, self.fabric.device)
        loss, parts = total_loss(outputs.logits, outputs.heat_logits, batch, weights, options.heat_share)
        extra, measured = penalty(self.plain, options.dynamics)
        self.optimizer.zero_grad()
        self.fabric.backward(loss + extra)
        norm = self.fabric.clip_gradients(self.model, self.optimizer, max_norm=options.clip_norm)
        self.optimizer.step()
        self.average.update(self.plain)
        figures = {name: float(value) for name, value in parts.items()} | measured
        return {**figures, "gradient_norm": float(norm) if norm is not None else 0.0, "learning_rate": rate}

    def _validate(self) -> Record:
        network: nn.Module = self.average.model
        use_solver(network, VALIDATION_SOLVER)
        with self.fabric.autocast():
            result = validate(network, self.tune, self.recipe, self.countable_ids)
        spent = adaptive_evaluations(network, self.tune[:EVALUATED_PICTURES], self.recipe, self.countable_ids)
        return {
            "score": result.score,
            "miou": result.miou,
            "f1": {str(key): value for key, value in result.f1.items()},
            "evaluations": {str(key): value for key, value in spent.items()},
        }

    def _keep(self, record: Record) -> None:
        self.records.append(record)
        if record["score"] >= max(other["score"] for other in self.records):
            save_checkpoint(self._checkpoint(record["score"]), self.folder.best)
        self.folder.write_state(self._state())
        write_history(self.records, self.folder.metrics)
        draw_curves(self.records, self.folder.curves)

    def _checkpoint(self, score: float) -> Checkpoint:
        weights = {name: value.detach().cpu().clone() for name, value in self.average.model.state_dict().items()}
        return Checkpoint(self.recipe, weights, {}, self.epoch, score, self.licences, self.trained_on)

    def _state(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "version": VERSION,
            "recipe": self.recipe.model_dump(mode="json"),
            "model": self.plain.state_dict(),
            "average": self.average.model.state_dict(),
            "average_updates": self.average.updates,
            "optimizer": self.optimizer.state_dict(),
            "records": self.records,
        }

    def _resume(self) -> None:
        state = self.folder.read_state(self.recipe)
        if state is None:
            return
        self.plain.load_state_dict(state["model"])
        self.average.model.load_state_dict(state["average"])
        self.average.updates = state["average_updates"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.records = list(state["records"])
