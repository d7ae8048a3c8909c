"""A small network whose every part matters (moved batch statistics, ODE blocks that do something), and pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import torch
from torch import nn

from hemonode.export.frames import PreparedFrame
from hemonode.export.graph.weights import WeightFile
from hemonode.export.graph.writer import Heads, write_graph
from hemonode.export.settings import integrating, parse_settings
from hemonode.export.tableau import TABLEAUS
from hemonode.export.unroll import Unrolled, uniform_grid
from hemonode.runtime.bundle.schema import Precision
from hemonode.train.checkpoint import Checkpoint, save_checkpoint
from hemonode.train.models.config import ModelConfig, OdeBlockConfig
from hemonode.train.models.table import build_model, ode_blocks

HEADS = Heads(countable_ids=(1, 2, 3))
BLOCKS = (OdeBlockConfig(position=4, tolerance=1e-3), OdeBlockConfig(position=6, tolerance=1e-3))


def _shake(model: nn.Module) -> None:
    """Random values wherever a fresh network holds zeros or ones, so that no term can go missing unseen."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1, 0.1)
            nn.init.normal_(module.bias, 0, 0.1)
            nn.init.normal_(module.running_mean, 0, 0.1)
            nn.init.uniform_(module.running_var, 0.3, 0.6)
    for block in ode_blocks(model):
        nn.init.normal_(block.dynamics.convs[-1].weight, 0, 0.05)
        for weight in block.dynamics.time_weights:
            nn.init.normal_(weight, 0, 0.5)


def _balance(model: nn.Module, pixels: torch.Tensor) -> None:
    """Spread the outputs, so that every class shows and scores range over 0 to 1."""
    quick = Unrolled(TABLEAUS["midpoint"], uniform_grid(1))
    with torch.no_grad(), integrating(model, dict.fromkeys((block.position for block in ode_blocks(model)), quick)):
        for index, head in enumerate((model.mask_head, model.heat_head[-1])):
            values = model(pixels)[index].transpose(0, 1).flatten(1)
            head.weight /= values.std(1)[:, None, None, None]
            head.bias.copy_((head.bias - values.mean(1)) / values.std(1))


@pytest.fixture(scope="session")
def make_model(make_frame) -> Callable[..., nn.Module]:
    def make(**fields) -> nn.Module:
        torch.manual_seed(3)
        model = build_model(ModelConfig(**{"width": 6, "ode_blocks": BLOCKS, **fields})).eval()
        _shake(model)
        _balance(model, torch.from_numpy(make_frame().pixels).permute(2, 0, 1)[None].float())
        return model

    return make


@pytest.fixture(scope="session")
def model(make_model) -> nn.Module:
    return make_model()


@pytest.fixture(scope="session")
def make_frame() -> Callable[..., PreparedFrame]:
    """Blurred noise: as many shapes as a smear, and sizes that no constant in a graph could guess."""

    def make(height: int = 144, width: int = 176, seed: int = 0) -> PreparedFrame:
        noise = np.random.default_rng(seed).normal(128, 600, (height, width, 3))
        return PreparedFrame(f"noise{seed}", np.clip(cv2.GaussianBlur(noise, (0, 0), 4), 0, 255).astype(np.uint8))

    return make


@pytest.fixture
def write(tmp_path) -> Callable[..., Path]:
    """Write one setting's graph and its weight file; returns the graph's path."""

    def write_setting(
        model: nn.Module,
        solver: str | None,
        precision: Precision = "fp32",
        *,
        kept_fp32: tuple[str, ...] = (),
        estimate: bool = False,
    ) -> Path:
        (setting,) = parse_settings([] if solver is None else [solver], model, estimate=estimate)
        weights = WeightFile(precision)
        with integrating(model, setting.solvers):
            graph = write_graph(model, setting.name, HEADS, weights, kept_fp32)
        weights.save(tmp_path)
        path = tmp_path / f"{setting.name}.{precision}.onnx"
        onnx.save(graph, path)
        return path

    return write_setting


@pytest.fixture(scope="session")
def checkpoint(model, make_recipe) -> Checkpoint:
    recipe = make_recipe("small", model.config)
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    return Checkpoint(recipe, weights, {1: 0.5, 2: 0.4, 3: 0.3}, 5, 0.9, ("MIT", "CC0"), ("smears", "drawings"))


DATASET = """
name = "noise"
licence = "CC0"
source = "made here"
red_cell_px = 40.0
[images]
pattern = "*.png"
[[labels]]
format = "yolo"
path = "boxes"
classes = { 0 = 2 }
missing = "unlabelled"
"""


@pytest.fixture(scope="session")
def fill_folder(checkpoint, make_frame) -> Callable[[Path], Path]:
    """Puts a checkpoint, `best.ckpt`, and a small data set, `noise.toml` with `pictures/`, into a folder."""

    def fill(folder: Path) -> Path:
        save_checkpoint(checkpoint, folder / "best.ckpt")
        (folder / "noise.toml").write_text(DATASET)
        for name in ("images", "boxes"):
            (folder / "pictures" / name).mkdir(parents=True)
        for seed in range(3):
            cv2.imwrite(str(folder / "pictures" / "images" / f"{seed}.png"), make_frame(150, 310, seed=seed).pixels)
        return folder

    return fill
