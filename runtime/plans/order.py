"""From a bundle to a plan that can be asked for: which graph, and the key of its plan."""

from __future__ import annotations

import hashlib
import math
import shlex
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from hemonode.errors import EngineError
from hemonode.runtime.bundle.reader import ASSETS, Bundle
from hemonode.runtime.bundle.schema import Precision
from hemonode.runtime.engines.tensorrt_facts import has_fast_fp16
from hemonode.runtime.plans.key import BuildOptions, PlanKey, Shapes
from hemonode.runtime.plans.machine import Machine


@dataclass(frozen=True)
class PlanOrder:
    """A plan that somebody wants; `order_plan` makes it.

    Attributes:
        bundle: checked, so its manifest's hashes are those of its files.
        setting: solver setting.
        precision: of the graph.
        key: what the plan must be built from and for.
    """

    bundle: Bundle
    setting: str
    precision: Precision
    key: PlanKey

    def __str__(self) -> str:
        """As a person would name it."""
        return f"{self.bundle.manifest.name} {self.setting} {self.precision} {self.key.shapes}"

    @property
    def graph(self) -> Path:
        """The ONNX file; its weights lie beside it."""
        return self.bundle.graph_path(self.setting, self.precision).resolve()

    @property
    def model_bytes(self) -> int:
        """Of the graph and its weights."""
        names = _graph_files(self.bundle, self.setting, self.precision)
        return sum((self.bundle.folder / name).stat().st_size for name in names)

    @property
    def work(self) -> float:
        """Multiply-adds for the frames it is best at; infinite where the bundle does not tell."""
        cost = self.bundle.setting(self.setting).multiply_adds_per_px
        return math.inf if cost is None else cost * math.prod(self.key.shapes.best)

    @property
    def command(self) -> str:
        """The command line that builds it."""
        batch, height, width = self.key.shapes.best
        words = ["hemonode", "build"]
        if self.bundle.folder.parent != ASSETS:
            words.append(str(self.bundle.folder))
        words += ["--setting", self.setting, "--precision", self.precision, "--shape", f"{height}x{width}"]
        if batch > 1:
            words += ["--batch", str(batch)]
        return shlex.join(words)


def order_plan(
    bundle: Bundle,
    setting: str | None,
    precision: Precision,
    shapes: Shapes,
    machine: Machine,
    options: BuildOptions | None = None,
) -> PlanOrder:
    """The plan of one graph of a bundle for one machine.

    Args:
        bundle: the model.
        setting: solver setting; None is the bundle's default.
        precision: of the graph.
        shapes: of the frames.
        machine: that is to run it; `this_machine()`.
        options: for the builder; a plan is found whatever options it was built with.

    Raises:
        BundleError: no such setting, or it has no graph in that precision.
        EngineError: a graph that TensorRT does not take.
    """
    if precision == "int8":
        raise EngineError(
            "TensorRT takes signed 8-bit values only, and hemonode's int8 graphs have unsigned ones, which are faster "
            "on processors; ask for fp16 or fp32."
        )
    name = bundle.setting(setting).name
    hashes = [bundle.manifest.files[path] for path in _graph_files(bundle, name, precision)]
    key = PlanKey(
        onnx_sha256=hashlib.sha256("\n".join(hashes).encode()).hexdigest(),
        precision=precision,
        shapes=shapes,
        machine=machine,
        options=options or BuildOptions(),
    )
    return PlanOrder(bundle, name, precision, key)


def usual_precision(bundle: Bundle, setting: str | None, compute_capability: str) -> Precision:
    """What a GPU computes a setting in where nobody says otherwise: fp16 where bundle and GPU are made for it.

    Raises:
        BundleError: no such setting.
    """
    has_fp16 = "fp16" in bundle.setting(setting).graphs
    return "fp16" if has_fp16 and has_fast_fp16(compute_capability) else "fp32"


def _graph_files(bundle: Bundle, setting: str, precision: Precision) -> list[str]:
    """A graph and every weight file that it names, as paths in the bundle.

    Raises:
        BundleError: see `order_plan`.
    """
    # ONNX keeps the names of external files as they are, so a file whose name is not among the bytes is not used.
    content = bundle.graph_path(setting, precision).read_bytes()
    graph = PurePosixPath(bundle.setting(setting).graphs[precision])
    beside = [path for name in sorted(bundle.manifest.files) if (path := PurePosixPath(name)).parent == graph.parent]
    return [str(graph), *(str(path) for path in beside if path != graph and path.name.encode() in content)]
