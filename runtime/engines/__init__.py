"""The inference engines there are, best first, and how to open one."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Literal

from hemonode.errors import EngineError

if TYPE_CHECKING:
    from hemonode.runtime.bundle.reader import Bundle
    from hemonode.runtime.engines.contract import AskedPrecision, Engine, Shape

EngineName = Literal["auto", "openvino", "cpu"]

# One line per engine, best first. Each module has `open_engine` with the keywords used below.
ENGINES = {
    "openvino": "hemonode.runtime.engines.openvino",
    "cpu": "hemonode.runtime.engines.cpu",
}


def open_engine(
    bundle: Bundle,
    shape: Shape,
    *,
    engine: str = "auto",
    setting: str | None = None,
    precision: AskedPrecision = "fp32",
    threads: int | None = None,
) -> Engine:
    """Open a graph of a bundle for frames of one shape.

    Args:
        bundle: a checked bundle.
        shape: (N, H, W); H and W multiples of the bundle's stride and at least its minimum.
        engine: a name of `ENGINES`, or "auto": the first that works, with the others' reasons in `passed_over`.
        setting: solver setting; None is the bundle's default.
        precision: what to compute in; an engine that cannot is refused, never silently another precision.
        threads: CPU threads; None leaves it to the library.

    Raises:
        BundleError: no such solver setting.
        EngineError: no such engine, or none that works; the sentence says why.
    """
    _check_shape(bundle, shape)
    bundle.setting(setting)
    if engine != "auto" and engine not in ENGINES:
        raise EngineError(f"There is no engine {engine!r}; choose one of: auto, {', '.join(ENGINES)}.")
    passed_over: list[str] = []
    for name in ENGINES if engine == "auto" else (engine,):
        try:
            opened = _open(name, bundle, shape, setting, precision, threads)
        except EngineError as error:
            if engine != "auto":
                raise
            passed_over.append(f"{name}: {error}")
        else:
            opened.passed_over = tuple(passed_over)
            return opened
    raise EngineError(f"No engine works here. {' '.join(passed_over)}")


def _open(
    name: str, bundle: Bundle, shape: Shape, setting: str | None, precision: AskedPrecision, threads: int | None
) -> Engine:
    try:
        module = importlib.import_module(ENGINES[name])
    except ImportError as error:
        raise EngineError(f"{error.name or name} cannot be loaded ({error}); pip install 'hemonode[cpu]'.") from error
    opened: Engine = module.open_engine(bundle, shape, setting=setting, precision=precision, threads=threads)
    return opened


def _check_shape(bundle: Bundle, shape: Shape) -> None:
    stride, minimum = bundle.manifest.input.stride, bundle.manifest.input.minimum
    if shape[0] < 1 or any(side % stride or side < minimum for side in shape[1:]):
        raise EngineError(
            f"Frames of {shape} do not fit this model; height and width must be multiples of {stride}, "
            f"at least {minimum}."
        )
