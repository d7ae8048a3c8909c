"""The inference engines there are, best first, and how to open one."""

from __future__ import annotations

import importlib
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from hemonode.errors import EngineError, HemonodeError
from hemonode.runtime.gpu import require_nvidia_gpu

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hemonode.runtime.bundle.reader import Bundle
    from hemonode.runtime.engines.contract import AskedPrecision, Engine, Opening, Shape


class EngineEntry(NamedTuple):
    """Where an engine lives, and what the others must know of it.

    Attributes:
        module: that has its `open_engine`.
        extra: of hemonode, which brings what it needs.
        gpu: whether it needs an NVIDIA GPU.
        builds: whether each frame size costs it minutes once.
    """

    module: str
    extra: str
    gpu: bool = False
    builds: bool = False


# One line per engine, best first. Each module has `open_engine(opening)`.
ENGINES = {
    "tensorrt": EngineEntry("hemonode.runtime.engines.tensorrt", "tensorrt", gpu=True, builds=True),
    "cuda": EngineEntry("hemonode.runtime.engines.cuda", "cuda", gpu=True),
    "openvino": EngineEntry("hemonode.runtime.engines.openvino", "cpu"),
    "cpu": EngineEntry("hemonode.runtime.engines.cpu", "cpu"),
}


def open_engine(
    bundle: Bundle,
    shape: Shape,
    *,
    engine: str = "auto",
    setting: str | None = None,
    precision: AskedPrecision = "fp32",
    threads: int | None = None,
    lanes: int = 1,
    tell: Callable[[str], None] | None = None,
    without: Mapping[str, str] = MappingProxyType({}),
) -> Engine:
    """Open a graph of a bundle for frames of one size.

    An engine that computes in less than fp32 is checked against fp32 on drawn smears before it is given out, once per
    machine and graph (see `hemonode.runtime.engines.agreement`).

    Args:
        bundle: a checked bundle.
        shape: (N, H, W), N the largest batch; H and W multiples of the bundle's stride and at least its minimum.
        engine: a name of `ENGINES`, or "auto": the first that works without building anything first, with the others'
            reasons in `passed_over`.
        setting: solver setting; None is the bundle's default.
        precision: what to compute in; an engine that cannot is refused, never silently another precision. "auto" is
            the fastest that gives the masks of fp32.
        threads: CPU threads in all; None leaves it to the library.
        lanes: calls of `run` that may be in work at once.
        tell: called with a line for each thing that makes opening it take long.
        without: names of engines that "auto" shall not take, each with the reason.

    Raises:
        BundleError: no such solver setting.
        EngineError: no such engine, or none that works; the sentence says why.
    """
    from hemonode.runtime.engines.contract import Opening, ignore

    _check_shape(bundle, shape)
    name, may_build = bundle.setting(setting).name, engine != "auto"
    opening = Opening(bundle, shape, name, precision, threads, lanes, may_build, tell or ignore)
    if engine != "auto":
        if engine not in ENGINES:
            raise EngineError(f"There is no engine {engine!r}; choose one of: auto, {', '.join(ENGINES)}.")
        return _open_checked(engine, opening)
    passed_over: list[str] = []
    for name in ENGINES:
        if name in without:
            passed_over.append(f"{name}: {without[name]}")
            continue
        try:
            opened = _open_checked(name, opening)
        except EngineError as error:
            passed_over.append(f"{name}: {error}")
        else:
            opened.passed_over = tuple(passed_over)
            return opened
    raise EngineError(f"No engine works here. {' '.join(passed_over)}")


def _open_checked(name: str, opening: Opening) -> Engine:
    """The engine, once it is known to give the masks of fp32; `auto` precision falls back to fp32 and says so."""
    from hemonode.runtime.engines.agreement import require_agreement

    opened = _open(name, opening)
    if opened.precision == "fp32":
        return opened
    try:
        require_agreement(opened, opening)
    except EngineError as error:
        opened.close()
        if opening.precision != "auto":
            raise
        opened = _open_exact(name, opening, error)
    except BaseException:
        opened.close()
        raise
    return opened


def _open_exact(name: str, opening: Opening, reason: EngineError) -> Engine:
    """In fp32, for a reason that is told in any case."""
    try:
        opened = _open(name, replace(opening, precision="fp32"))
    except EngineError as error:
        raise EngineError(f"{reason} In fp32: {error}") from error
    opened.remarks = (*opened.remarks, str(reason))
    return opened


def _open(name: str, opening: Opening) -> Engine:
    entry = ENGINES[name]
    if entry.gpu:
        require_nvidia_gpu()
    try:
        module = importlib.import_module(entry.module)
    except ModuleNotFoundError as error:
        raise EngineError(f"{error.name} is not installed; pip install 'hemonode[{entry.extra}]'.") from error
    except ImportError as error:  # installed, and broken: a missing driver library, say
        raise EngineError(f"{error.name or name} cannot be loaded ({error}); install it again.") from error
    try:
        opened: Engine = module.open_engine(opening)
    except HemonodeError:
        raise
    except Exception as error:  # each library raises its own types; `auto` goes on with the next engine
        raise EngineError(
            f"it cannot be opened, by an unexpected {type(error).__name__}: {error}; report it."
        ) from error
    return opened


def _check_shape(bundle: Bundle, shape: Shape) -> None:
    stride, minimum = bundle.manifest.input.stride, bundle.manifest.input.minimum
    if shape[0] < 1 or any(side % stride or side < minimum for side in shape[1:]):
        raise EngineError(
            f"Frames of {shape} do not fit this model; height and width must be multiples of {stride}, "
            f"at least {minimum}."
        )
