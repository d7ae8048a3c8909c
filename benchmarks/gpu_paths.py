"""Latency of the solver ladder on an NVIDIA GPU, by the way frames get there: CUDA graph or not, pinned memory or not.

Run: python -m hemonode.benchmarks.gpu_paths --json benchmarks/results/gpu_paths.json
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hemonode.benchmarks.machine import describe_machine
from hemonode.errors import HemonodeError
from hemonode.runtime.bundle.reader import Bundle, open_bundle
from hemonode.runtime.bundle.schema import Precision
from hemonode.runtime.engines.agreement import drawn_frames
from hemonode.runtime.engines.contract import Engine, Opening, Shape
from hemonode.runtime.engines.cpu import CpuEngine
from hemonode.runtime.gpu import require_nvidia_gpu

Open = Callable[[Opening], Engine]
_WARM_UP_RUNS = 20


def _tensorrt(**options: object) -> Open:
    def open_it(opening: Opening) -> Engine:
        from hemonode.runtime.engines.tensorrt import open_engine
        from hemonode.runtime.engines.tensorrt_session import SessionOptions

        return open_engine(opening, SessionOptions(**options))  # type: ignore[arg-type]

    return open_it


def _onnxruntime(memory: str) -> Open:
    def open_it(opening: Opening) -> Engine:
        from hemonode.runtime.engines.cuda import open_engine

        return open_engine(opening, memory)  # type: ignore[arg-type]

    return open_it


# One line per way.
PATHS: dict[str, Open] = {
    "TensorRT, CUDA graph, pinned": _tensorrt(memory="pinned"),
    "TensorRT, CUDA graph, mapped": _tensorrt(memory="mapped"),
    "TensorRT, pinned": _tensorrt(cuda_graph=False, memory="pinned"),
    "TensorRT, pageable": _tensorrt(cuda_graph=False, memory="pageable"),
    "ONNX Runtime, pinned": _onnxruntime("pinned"),
    "ONNX Runtime, pageable": _onnxruntime("pageable"),
}


@dataclass(frozen=True)
class Line:
    """One way, setting and precision.

    Attributes:
        path: a name of `PATHS`.
        setting: solver setting.
        precision: of the graph.
        version: of the library.
        p50_ms, p90_ms, p99_ms: of one frame, copies included.
        tera_per_s: 10¹² multiply-adds per second at the median; None where the bundle does not tell the work.
        agreement: least share of mask pixels equal to those of ONNX Runtime in fp32 on the CPU, over the frames.
    """

    path: str
    setting: str
    precision: str
    version: str
    p50_ms: float
    p90_ms: float
    p99_ms: float
    tera_per_s: float | None
    agreement: float


def measure_ladder(
    bundle: Bundle,
    shape: Shape,
    precisions: Sequence[Precision],
    runs: int,
    rounds: int,
    paths: Mapping[str, Open] = PATHS,
) -> tuple[list[Line], list[str]]:
    """Time every way for every setting that has a graph in a precision; those of one setting take turns.

    Returns:
        What worked, and a sentence for each that did not.
    """
    frames = list(drawn_frames(8, shape[1], shape[2], bundle.manifest))
    lines: list[Line] = []
    left_out: list[str] = []
    for setting in bundle.manifest.settings:
        right = _reference(bundle, setting.name, shape, frames)
        for precision in [precision for precision in precisions if precision in setting.graphs]:
            opening = Opening(bundle, shape, setting.name, precision, may_build=True)
            with ExitStack() as owned:
                engines: dict[str, Engine] = {}
                for name, open_path in paths.items():
                    try:
                        engines[name] = owned.enter_context(open_path(opening))
                    except HemonodeError as error:
                        left_out.append(f"{name}, {setting.name}, {precision}: {error}")
                spent = _take_turns(engines, frames, runs, rounds)
                work = setting.multiply_adds_per_px
                for name, engine in engines.items():
                    p50, p90, p99 = (float(value) for value in np.percentile(spent[name], (50, 90, 99)))
                    tera = None if work is None else work * shape[1] * shape[2] / p50 / 1e9
                    agreement = min(_same(engine, frame, mask) for frame, mask in zip(frames, right, strict=True))
                    lines.append(Line(name, setting.name, precision, engine.version, p50, p90, p99, tera, agreement))
    return lines, left_out


def _reference(
    bundle: Bundle, setting: str, shape: Shape, frames: Sequence[npt.NDArray[np.uint8]]
) -> list[npt.NDArray[np.uint8]]:
    with CpuEngine(bundle.graph_path(setting), shape) as exact:
        return [exact.run(frame).class_ids for frame in frames]


def _same(engine: Engine, frame: npt.NDArray[np.uint8], mask: npt.NDArray[np.uint8]) -> float:
    return float(np.mean(engine.run(frame).class_ids == mask))


def _take_turns(
    engines: Mapping[str, Engine], frames: Sequence[npt.NDArray[np.uint8]], runs: int, rounds: int
) -> dict[str, list[float]]:
    """Milliseconds of every run. Each engine ends with the answer on the host, so the clock needs no other stop."""
    spent: dict[str, list[float]] = {name: [] for name in engines}
    for _ in range(rounds):
        for name, engine in engines.items():
            for number in range(_WARM_UP_RUNS + runs):
                started = time.perf_counter()
                engine.run(frames[number % len(frames)])
                if number >= _WARM_UP_RUNS:
                    spent[name].append(1e3 * (time.perf_counter() - started))
    return spent


def as_markdown(lines: Sequence[Line], left_out: Sequence[str], peak_tera_per_s: float | None) -> str:
    """A table, and below it what was left out."""
    head = ["path", "setting", "precision", "p50 ms", "p90 ms", "p99 ms", "10¹² MAC/s", "of the peak", "same mask"]
    rows = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for line in lines:
        tera = line.tera_per_s
        share = None if tera is None or peak_tera_per_s is None else tera / peak_tera_per_s
        cells = [
            *(line.path, line.setting, line.precision),
            *(f"{ms:.3f}" for ms in (line.p50_ms, line.p90_ms, line.p99_ms)),
            "" if tera is None else f"{tera:.2f}",
            "" if share is None else f"{share:.1%}",
            f"{line.agreement:.4%}",
        ]
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join([*rows, *(f"\nLeft out: {sentence}" for sentence in left_out)])


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. Exit status 0, or 1 when nothing can be measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bundle", type=Path, help="model bundle (default: the shipped one)")
    parser.add_argument(
        "--shape", type=int, nargs=3, default=(1, 224, 288), metavar=("N", "H", "W"), help="of the frames"
    )
    parser.add_argument("--precision", action="append", choices=("fp32", "fp16"), help="default: fp16 and fp32")
    parser.add_argument("--runs", type=int, default=200, help="per round (default: 200)")
    parser.add_argument("--rounds", type=int, default=3, help="in which the ways take turns (default: 3)")
    parser.add_argument("--peak", type=float, help="measured peak of the device, 10¹² multiply-adds/s, to compare with")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    asked = parser.parse_args(arguments)
    machine = describe_machine()
    try:
        require_nvidia_gpu()
        bundle = open_bundle(asked.bundle)
        shape: Shape = (asked.shape[0], asked.shape[1], asked.shape[2])
        lines, left_out = measure_ladder(bundle, shape, asked.precision or ("fp16", "fp32"), asked.runs, asked.rounds)
    except HemonodeError as error:
        print(f"hemonode: {error}", file=sys.stderr)
        return 1
    print(as_markdown(lines, left_out, asked.peak))
    if asked.json is not None:
        figures = {"machine": asdict(machine), "shape": shape, "lines": [asdict(line) for line in lines]}
        asked.json.write_text(json.dumps({**figures, "left_out": left_out}, indent=1) + "\n", encoding="utf-8")
    return 0 if lines else 1


if __name__ == "__main__":
    sys.exit(main())
