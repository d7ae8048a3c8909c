"""Whether an engine that computes in less than fp32 gives the masks of fp32, asked once per machine and graph."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import platformdirs

from hemonode.device.smear.microscope import Microscope
from hemonode.errors import EngineError
from hemonode.runtime.atomic import write_atomically
from hemonode.runtime.bundle.schema import Manifest
from hemonode.runtime.engines.contract import Engine, Opening
from hemonode.runtime.preprocess import equalise

LEAST_AGREEMENT = 0.999
"""Share of mask pixels that must be those of fp32; the bar that a graph's export has to pass, too."""

_FRAMES = 8
"""Of 256×192 px they hold about 150 red cells and 1.5 million mask pixels."""


def require_agreement(engine: Engine, opening: Opening) -> None:
    """Compare an engine with ONNX Runtime in fp32 on drawn smears, unless that was done here before.

    Raises:
        EngineError: the masks differ on too many pixels; the sentence gives the share.
    """
    record = _record_path(engine, opening)
    agreement = _read(record)
    if agreement is None:
        agreement = measure_agreement(engine, opening)
        _write(record, engine, agreement)
    if agreement < LEAST_AGREEMENT:
        raise EngineError(
            f"In {engine.precision} on {engine.device} the mask differs from that of fp32 on "
            f"{1 - agreement:.2%} of the pixels, more than {1 - LEAST_AGREEMENT:.1%}; fp32 is the one to take here."
        )


def measure_agreement(engine: Engine, opening: Opening) -> float:
    """Share of equal mask pixels, the engine against ONNX Runtime in fp32, on smears drawn at the working scale.

    Raises:
        EngineError: ONNX Runtime is not there to compare with.
    """
    # Here: an engine that needs no comparison must open where ONNX Runtime is not installed.
    try:
        from hemonode.runtime.engines.cpu import CpuEngine
    except ImportError as error:
        raise EngineError(
            f"Whether {engine.precision} gives the masks of fp32 cannot be told without ONNX Runtime ({error}); "
            "pip install onnxruntime, or ask for fp32."
        ) from error

    manifest, (_, height, width) = opening.bundle.manifest, opening.shape
    graph = opening.bundle.graph_path(opening.setting)
    with CpuEngine(graph, (1, height, width), threads=opening.threads) as exact:
        frames = drawn_frames(_FRAMES, height, width, manifest)
        shares = [np.mean(engine.run(frame).class_ids == exact.run(frame).class_ids) for frame in frames]
    return float(np.mean(shares))


def drawn_frames(count: int, height: int, width: int, manifest: Manifest) -> Iterator[npt.NDArray[np.uint8]]:
    """Views of a drawn smear, side by side, at the working scale and equalised: uint8 [1, height, width, 3] each.

    Of one smear: to lay out cells takes most of the time, and neighbours share them.
    """
    microscope = Microscope(height=height, width=width, red_cell_px=manifest.scale.red_cell_px)
    for number in range(count):
        row, column = divmod(number, 4)
        position_um = column * width * microscope.um_per_px, row * height * microscope.um_per_px
        yield equalise(microscope.view(position_um).pixels, manifest.preprocessing)[None]


def _record_path(engine: Engine, opening: Opening) -> Path:
    """Where the answer is kept: whatever could change it is in the name."""
    asked = (opening.bundle.sha256, opening.setting, engine.name, engine.version, engine.device, engine.precision)
    name = hashlib.sha256(json.dumps(asked).encode()).hexdigest()
    return Path(platformdirs.user_cache_dir("hemonode")) / "agreement" / f"{name[:32]}.json"


def _read(record: Path) -> float | None:
    try:
        share = float(json.loads(record.read_text(encoding="utf-8"))["agreement"])
    except (OSError, ArithmeticError, ValueError, KeyError, TypeError):
        # Not measured yet, or damaged: it is measured, and written anew.
        return None
    # NaN, which JSON readers take for a number, would agree with every bar.
    return share if 0 <= share <= 1 else None


def _write(record: Path, engine: Engine, agreement: float) -> None:
    answer = {"agreement": agreement, "engine": engine.name, "precision": engine.precision, "device": engine.device}
    # Where nothing can be kept it is measured again next time, which costs a second and no correctness.
    with contextlib.suppress(OSError):
        record.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(record, (json.dumps(answer) + "\n").encode())
