"""Drawn, labelled pictures for the colour bundle, and children's answers made by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from hemonode.benchmarks.bench.contestant import Contestant
from hemonode.benchmarks.bench.figures import Cost, Latency, Line, Quality
from hemonode.benchmarks.bench.jobs import Timed

SIDE = 192
THRESHOLDS = {1: 0.5, 2: 0.5, 3: 0.5}
CELLS = [(2, 50, 50, 40), (2, 120, 60, 40), (1, 60, 130, 70), (3, 150, 140, 16)]

DESCRIPTION = """
name = "drawn"
licence = "none"
red_cell_px = 40.0
[[labels]]
format = "mask"
path = "masks"
[[labels]]
format = "yolo"
path = "boxes"
classes = { 0 = 1, 1 = 2, 2 = 3 }
complete = [1, 2, 3]
[split]
carve = [{ to = "val", last = 2 }]
"""


@pytest.fixture
def labelled(tmp_path, draw_cells) -> Path:
    """Three drawn pictures with masks and boxes, the last two to validate on."""
    folder = tmp_path / "labelled"
    for name in ("images", "masks", "boxes"):
        (folder / name).mkdir(parents=True)
    mask = np.zeros((SIDE, SIDE), np.uint8)
    for class_id, x, y, diameter in CELLS:
        cv2.circle(mask, (x, y), diameter // 2, class_id, -1)
    boxes = [f"{c - 1} {x / SIDE} {y / SIDE} {d / SIDE} {d / SIDE}" for c, x, y, d in CELLS]
    for name in ("a", "b", "c"):
        cv2.imwrite(str(folder / "images" / f"{name}.png"), draw_cells(SIDE, SIDE, CELLS))
        cv2.imwrite(str(folder / "masks" / f"{name}.png"), mask)
        (folder / "boxes" / f"{name}.txt").write_text("\n".join(boxes))
    (folder / "dataset.toml").write_text(DESCRIPTION)
    return folder


@pytest.fixture
def timed() -> Callable[..., Timed]:
    """One child's answer with these latencies, in milliseconds."""

    def make(*latency_ms: float, **fields: object) -> Timed:
        values = {"open_s": 1.0, "peak_mb": 300.0, "before_mb": 100.0, "energy_j": {}, **fields}
        return Timed.model_validate({"latency_ms": latency_ms, "processor_ms": latency_ms, **values})

    return make


@pytest.fixture
def line() -> Callable[..., Line]:
    """One line of the benchmark: `line("cpu", "rk4x1", 12.5)`."""

    def make(
        engine: str,
        setting: str | None,
        p50_ms: float,
        *,
        batch: int = 1,
        multiply_adds: float | None = None,
        between_rounds: float | None = 0.01,
        **quality: object,
    ) -> Line:
        return Line(
            contestant=Contestant(engine=engine, setting=setting),
            batch=batch,
            latency=Latency(
                runs=6,
                p50_ms=p50_ms,
                p90_ms=p50_ms,
                p99_ms=None,
                largest_ms=p50_ms,
                processor_ms=p50_ms,
                between_rounds=between_rounds,
            ),
            cost=Cost(
                evaluations=12,
                multiply_adds=multiply_adds,
                open_s=0.5,
                graph_bytes=30_000,
                peak_mb=200.0,
                engine_mb=100.0,
                energy_j={},
            ),
            quality=Quality.model_validate(quality),
        )

    return make


@pytest.fixture
def save(tmp_path, make_recipe) -> Callable[[str, dict[int, float]], Path]:
    """Write a checkpoint of fresh weights with ODE blocks at {position: tolerance}."""
    # Most of these tests need no torch, which takes seconds to import.
    import torch

    from hemonode.train.checkpoint import Checkpoint, save_checkpoint
    from hemonode.train.models.table import build_model, ode_blocks

    def write(name: str, blocks: dict[int, float]) -> Path:
        positions = [{"position": key, "tolerance": value} for key, value in blocks.items()]
        recipe = make_recipe(name, {"width": 4, "ode_blocks": positions})
        path = tmp_path / f"{name}.ckpt"
        torch.manual_seed(0)
        model = build_model(recipe.model)
        for block in ode_blocks(model):
            # A fresh block is the identity.
            block.dynamics.convs[-1].reset_parameters()
        save_checkpoint(Checkpoint(recipe, model.state_dict(), THRESHOLDS, 1, 0.5, ("none",), ("drawn",)), path)
        return path

    return write
