"""A tiny bundle made by hand: it sorts pixels by colour, so that runtime tests need neither torch nor weights."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from hemonode.device.smear import render_view
from hemonode.runtime.bundle.reader import Bundle, open_bundle
from hemonode.runtime.bundle.schema import (
    BlockSolver,
    ClassRecord,
    InputRecord,
    Manifest,
    PreprocessingRecord,
    Provenance,
    ScaleRecord,
    SettingVerification,
    SolverSetting,
)
from hemonode.runtime.bundle.writer import write_manifest
from hemonode.runtime.classes import BLOOD_CLASSES

# In tests/standins; what several folders of tests share.
pytest_plugins = ("live_standins", "page_standins")

if TYPE_CHECKING:
    from hemonode.train.recipe import Recipe

PEAKS = 1024
WORKING_RED_CELL_PX = 40.0

# What the drawn cells look like, BGR. They differ in (B − G, R − G), which equalising the luma leaves alone.
COLOURS_BGR = {0: (215, 215, 215), 1: (190, 100, 100), 2: (130, 130, 200), 3: (180, 100, 180)}

# Widths of the bumps that make the centre heat maps, in quarter pixels: 0.2 of the class's drawn diameter.
HEAT_SIGMA = {1: 4.0, 2: 2.0, 3: 0.8}
HEAT_REACH = 12


class Disc(NamedTuple):
    """A drawn cell: its class, centre and diameter in pixels of the picture."""

    class_id: int
    x: float
    y: float
    diameter: float


class DrawCells(Protocol):
    """Type of the `draw_cells` fixture."""

    def __call__(self, height: int, width: int, discs: list[Disc]) -> np.ndarray: ...


def _constant(name: str, value: np.ndarray) -> onnx.TensorProto:
    return numpy_helper.from_array(value, name)


def _colour_weights() -> tuple[np.ndarray, np.ndarray]:
    """A 1×1 convolution whose largest output is the class of the nearest colour in (B − G, R − G)."""
    towards = {i: np.array([b - g, r - g], np.float32) for i, (b, g, r) in COLOURS_BGR.items()}
    weights = np.stack([[t[0], -t[0] - t[1], t[1]] for t in towards.values()])
    biases = np.stack([-(t @ t) / 2 for t in towards.values()])
    return weights[..., None, None].astype(np.float32), biases.astype(np.float32)


def _heat_weights() -> np.ndarray:
    """One bump per countable class, along one axis, as a dense kernel: float32 [3, 3, taps]."""
    steps = np.arange(-HEAT_REACH, HEAT_REACH + 1)
    bumps = np.stack([np.exp(-(steps**2) / (2 * sigma**2)) for sigma in HEAT_SIGMA.values()])
    bumps /= bumps.sum(axis=1, keepdims=True)
    # Dense with zeros: OpenVINO 2026.4 never ends compiling depthwise kernels wider than 13 in bfloat16.
    return (np.eye(len(bumps))[:, :, None] * bumps[:, None]).astype(np.float32)


def make_colour_graph() -> onnx.ModelProto:
    """The graph contract of runtime.prediction, with colour in place of a network."""
    weights, biases = _colour_weights()
    constants = [
        _constant("colour.weight", weights),
        _constant("colour.bias", biases),
        _constant("heat.rows", _heat_weights()[..., None]),
        _constant("heat.columns", _heat_weights()[:, :, None]),
        _constant("twice", np.array([1, 1, 2, 2], np.float32)),
        _constant("sharpen", np.float32(0.01)),
        _constant("tolerance", np.float32(1e-3)),
        _constant("first_cell", np.array([1])),
        _constant("last_cell", np.array([4])),
        _constant("channels", np.array([1])),
        _constant("flat", np.array([0, -1])),
        _constant("k", np.array([PEAKS])),
        _constant("two", np.array(2)),
        _constant("three", np.array(3)),
        _constant("one", np.array(1)),
        _constant("half", np.float32(0.5)),
        _constant("four", np.float32(4)),
        _constant("last", np.array([-1])),
    ]
    node = helper.make_node
    nodes = [
        node("Cast", ["frames"], ["float"], to=TensorProto.FLOAT),
        node("Transpose", ["float"], ["pixels"], perm=[0, 3, 1, 2]),
        node("Conv", ["pixels", "colour.weight", "colour.bias"], ["logits"]),
        node("Resize", ["logits", "", "twice"], ["large"], mode="linear", coordinate_transformation_mode="half_pixel"),
        node("ArgMax", ["large"], ["ids"], axis=1, keepdims=0),
        node("Cast", ["ids"], ["ids_float"], to=TensorProto.FLOAT),
        node("Cast", ["ids_float"], ["class_ids"], to=TensorProto.UINT8),
        node("Mul", ["logits", "sharpen"], ["sharp"]),
        node("Softmax", ["sharp"], ["shares"], axis=1),
        node("Slice", ["shares", "first_cell", "last_cell", "channels"], ["cells"]),
        node("AveragePool", ["cells"], ["quarter"], kernel_shape=[4, 4], strides=[4, 4]),
        node("Conv", ["quarter", "heat.rows"], ["half_blurred"], pads=[HEAT_REACH, 0, HEAT_REACH, 0]),
        node("Conv", ["half_blurred", "heat.columns"], ["heat"], pads=[0, HEAT_REACH, 0, HEAT_REACH]),
        node("MaxPool", ["heat"], ["around"], kernel_shape=[3, 3], pads=[1] * 4),
        node("Sub", ["around", "tolerance"], ["bar"]),
        node("GreaterOrEqual", ["heat", "bar"], ["is_peak"]),
        node("Cast", ["is_peak"], ["peak_mask"], to=TensorProto.FLOAT),
        node("Mul", ["heat", "peak_mask"], ["peak_heat"]),
        node("Reshape", ["peak_heat", "flat"], ["flat_heat"]),
        node("TopK", ["flat_heat", "k"], ["scores", "index"]),
        node("Shape", ["heat"], ["shape"]),
        node("Gather", ["shape", "two"], ["rows"]),
        node("Gather", ["shape", "three"], ["columns"]),
        node("Mul", ["rows", "columns"], ["area"]),
        node("Div", ["index", "area"], ["channel"]),
        node("Add", ["channel", "one"], ["class"]),
        node("Mod", ["index", "area"], ["place"]),
        node("Div", ["place", "columns"], ["row"]),
        node("Mod", ["place", "columns"], ["column"]),
    ]
    for source, target in (("column", "x"), ("row", "y")):
        nodes += [
            node("Cast", [source], [f"{source}_float"], to=TensorProto.FLOAT),
            node("Add", [f"{source}_float", "half"], [f"{source}_centre"]),
            node("Mul", [f"{source}_centre", "four"], [target]),
        ]
    nodes.append(node("Cast", ["class"], ["class_float"], to=TensorProto.FLOAT))
    for name in ("class_float", "x", "y", "scores"):
        nodes.append(node("Unsqueeze", [name, "last"], [f"{name}_column"]))
    nodes.append(node("Concat", ["class_float_column", "x_column", "y_column", "scores_column"], ["peaks"], axis=2))
    graph = helper.make_graph(
        nodes,
        "colours",
        [helper.make_tensor_value_info("frames", TensorProto.UINT8, ["N", "H", "W", 3])],
        [
            helper.make_tensor_value_info("class_ids", TensorProto.UINT8, ["N", "H2", "W2"]),
            helper.make_tensor_value_info("peaks", TensorProto.FLOAT, ["N", PEAKS, 4]),
        ],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _setting(name: str, method: str) -> SolverSetting:
    proof = SettingVerification(
        images=1,
        mask_agreement_unrolled_onnx=1.0,
        mask_agreement_adaptive_onnx=1.0,
        count_difference_adaptive_onnx=0.0,
    )
    block = BlockSolver(position=5, method=method, grid=(0.0, 1.0), evaluations=1)
    return SolverSetting(
        name=name, blocks=(block,), graphs={"fp32": f"solvers/{name}.fp32.onnx"}, verification={"fp32": proof}
    )


def make_colour_bundle(folder: Path) -> Bundle:
    """Write the colour bundle to `folder`: two settings that share one weight file, as in a real bundle."""
    solvers = folder / "solvers"
    solvers.mkdir(parents=True)
    for name in ("euler-1", "rk4-1"):
        # onnx appends to a weight file that is there already.
        (solvers / "weights.fp32.bin").unlink(missing_ok=True)
        onnx.save(
            make_colour_graph(),
            solvers / f"{name}.fp32.onnx",
            save_as_external_data=True,
            location="weights.fp32.bin",
            size_threshold=200,
        )
    (folder / "card.md").write_text("# Colours\n\nSorts pixels by colour. For tests.\n", encoding="utf-8")
    classes = tuple(
        ClassRecord(
            id=c.id,
            name=c.name,
            colour_bgr=c.colour_bgr,
            countable=c.countable,
            peak_threshold=0.5 if c.countable else None,
        )
        for c in BLOOD_CLASSES
    )
    write_manifest(
        folder,
        Manifest(
            schema_version=1,
            name="colours",
            model="colours",
            classes=classes,
            # The bump reaches 12 quarter pixels, the local maximum one more, and the average within one.
            input=InputRecord(stride=16, minimum=128, reach_px=64, mask_scale=2, peaks=PEAKS),
            scale=ScaleRecord(red_cell_px=WORKING_RED_CELL_PX, red_cell_um=7.5),
            preprocessing=PreprocessingRecord(clahe_clip_limit=2.0, clahe_tiles=(8, 8)),
            settings=(_setting("euler-1", "euler"), _setting("rk4-1", "rk4")),
            default_setting="rk4-1",
            provenance=Provenance(
                trained_on=("nothing",),
                licences=("none",),
                recipe="none",
                seed=0,
                epochs=0,
                hemonode_version="0",
                torch_version="0",
            ),
            files={},
        ),
    )
    return open_bundle(folder)


def paint(height: int, width: int, discs: list[Disc]) -> np.ndarray:
    """A picture of flat discs on a plain ground, later discs above earlier ones, with a little sensor noise."""
    pixels = np.full((height, width, 3), COLOURS_BGR[0], np.uint8)
    for disc in discs:
        centre = (round(disc.x * 16 - 8), round(disc.y * 16 - 8))
        cv2.circle(pixels, centre, round(disc.diameter * 8), COLOURS_BGR[disc.class_id], -1, cv2.LINE_AA, shift=4)
    noise = np.random.default_rng(0).normal(0, 2, pixels.shape)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def colour_bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A checked bundle whose graph sorts pixels by colour. Shared by all tests: never write into its folder."""
    return make_colour_bundle(tmp_path_factory.mktemp("bundle") / "colours.hemo")


@pytest.fixture(scope="session")
def draw_cells() -> DrawCells:
    """Draws a picture that the colour bundle segments: `draw_cells(height, width, [(class id, x, y, diameter), …])`."""

    def draw(height: int, width: int, discs: list[Disc]) -> np.ndarray:
        return paint(height, width, [Disc(*disc) for disc in discs])

    return draw


DRAWN_DATASET = """
name = "drawn"
licence = "Apache-2.0"
red_cell_px = 40

[[labels]]
format = "mask"
path = "masks"

[[labels]]
format = "yolo"
path = "boxes"
classes = { 0 = 1, 1 = 2, 2 = 3 }
complete = [1, 2, 3]

[[split.carve]]
to = "tune"
last = 2
"""

TINY_RECIPE = """
name = "tiny"
[model]
width = 4
ode_blocks = [{ position = 5, tolerance = 1e-2 }]
[scale]
red_cell_px = 40.0
[preprocessing]
clahe_clip_limit = 2.0
clahe_tiles = [8, 8]
[[data]]
dataset = "drawn/dataset.toml"
folder = "drawn"
[training]
epochs = 3
steps_per_epoch = 4
batch_size = 2
crop_px = 64
learning_rate = 3e-3
warm_up_steps = 2
precision = "32-true"
solvers = ["midpoint:1", "rk4:1"]
class_weights = [1.0, 1.0, 1.0, 2.0]
"""


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What hemonode keeps between runs lies in a folder of the tests' own, for the programs they start, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def torch_threads() -> Iterator[None]:
    """Torch's threads, given back after a test that takes as many as it is told: how training rounds hangs on them."""
    import torch

    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def drawn_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the data set `drawn/`, of six drawn smears, and `tiny.toml`, a recipe that trains on it."""
    folder = tmp_path_factory.mktemp("drawn_data")
    drawn = folder / "drawn"
    for name in ("images", "masks", "boxes"):
        (drawn / name).mkdir(parents=True)
    for seed in range(6):
        view = render_view(seed=seed, height=160, width=192, red_cell_px=40)
        cv2.imwrite(str(drawn / "images" / f"{seed}.png"), view.pixels)
        cv2.imwrite(str(drawn / "masks" / f"{seed}.png"), view.class_ids)
        lines = [
            f"{cell.class_id - 1} {cell.x / 192} {cell.y / 160} {cell.box[2] / 192} {cell.box[3] / 160}"
            for cell in view.cells
        ]
        (drawn / "boxes" / f"{seed}.txt").write_text("\n".join(lines))
    (drawn / "dataset.toml").write_text(DRAWN_DATASET)
    (folder / "tiny.toml").write_text(TINY_RECIPE)
    return folder


class MakeRecipe(Protocol):
    """Type of the `make_recipe` fixture."""

    def __call__(self, name: str, model: object) -> Recipe: ...


@pytest.fixture(scope="session")
def make_recipe() -> MakeRecipe:
    """A recipe for a checkpoint that no training made: only its name and model mean something."""
    # Most tests need no torch, which takes seconds to import.
    from hemonode.train.recipe import Recipe

    def make(name: str, model: object) -> Recipe:
        return Recipe.model_validate(
            {
                "name": name,
                "model": model,
                "preprocessing": {"clahe_clip_limit": 2.0, "clahe_tiles": [8, 8]},
                "data": [{"dataset": "datasets/none.toml", "folder": "none"}],
                "training": {
                    "epochs": 1,
                    "steps_per_epoch": 1,
                    "batch_size": 1,
                    "crop_px": 64,
                    "learning_rate": 1e-3,
                    "class_weights": [1, 1, 1, 1],
                },
            }
        )

    return make
