"""How TensorRT's builder is told what to do: flags, memory, its timing cache, and who hears of its progress."""

from __future__ import annotations

import threading
from pathlib import Path

import tensorrt as trt

from hemonode.runtime.atomic import write_atomically
from hemonode.runtime.engines.tensorrt_features import BuilderFlags
from hemonode.runtime.engines.tensorrt_progress import PhaseTree, Stop


def set_flags(config: trt.IBuilderConfig, flags: BuilderFlags) -> None:
    """Switch on and off what was decided, by names: numbers differ between versions."""
    members = trt.BuilderFlag.__members__
    for name in flags.switch_on:
        config.set_flag(members[name])
    for name in flags.switch_off:
        config.clear_flag(members[name])
    before = sources = config.get_tactic_sources()
    for name in flags.tactics_off:
        sources &= ~(1 << int(trt.TacticSource.__members__[name]))
    if sources != before:
        config.set_tactic_sources(sources)


def load_timing_cache(config: trt.IBuilderConfig, path: Path) -> tuple[str, ...]:
    """Let the builder take the kernels' times of earlier builds, and note the new ones.

    Returns:
        A sentence where what was kept does not fit and is measured anew.
    """
    kept = path.read_bytes() if path.exists() else b""
    if kept and _attach(config, kept):
        return ()
    _attach(config, b"")
    return (f"The kernel times in {path} are of another machine or damaged; they are measured anew.",) if kept else ()


def save_timing_cache(config: trt.IBuilderConfig, path: Path) -> tuple[str, ...]:
    """Keep the kernels' times for later builds.

    Returns:
        A sentence where they cannot be kept; a build is worth no less for that.
    """
    cache = config.get_timing_cache()
    if cache is None:
        return ()
    try:
        write_atomically(path, bytes(cache.serialize()))
    except OSError as error:
        return (f"The kernel times cannot be kept in {path} ({error.strerror}); the next build takes as long.",)
    return ()


def watch_progress(config: trt.IBuilderConfig, tree: PhaseTree, stop: Stop) -> None:
    """Have the builder report its phases, and ask between two steps whether to go on. Not before TensorRT 10."""
    # Defined here because the class it is made from is not there before 10.
    lock = threading.Lock()

    class Monitor(trt.IProgressMonitor):
        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            with lock:
                tree.start(phase_name, parent_phase, num_steps)

        def step_complete(self, phase_name: str, step: int) -> bool:
            with lock:
                tree.step(phase_name, step)
            return not stop.asked

        def phase_finish(self, phase_name: str) -> None:
            with lock:
                tree.finish(phase_name)

    config.progress_monitor = Monitor()
    stop.heeded = True


def _attach(config: trt.IBuilderConfig, kept: bytes) -> bool:
    cache = config.create_timing_cache(kept)
    # Not ignoring a mismatch: times of another GPU would choose the wrong kernels.
    return cache is not None and config.set_timing_cache(cache, ignore_mismatch=False)
