"""Energy of NVIDIA's graphics boards, from the running counter that their driver keeps (Volta and later)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class Board:
    """One board. `nvml` is NVIDIA's own binding, `handle` its name for the board."""

    def __init__(self, nvml: Any, handle: Any) -> None:  # noqa: ANN401  (the binding has no types)
        self._nvml = nvml
        self._handle = handle
        self.name = f"{nvml.nvmlDeviceGetName(handle)} (NVML)"
        self._started_mj = self._read_mj()

    def start(self) -> None:
        """Begin to measure."""
        self._started_mj = self._read_mj()

    def stop(self) -> float:
        """Joules since `start`, idle power included."""
        return (self._read_mj() - self._started_mj) / 1e3

    def _read_mj(self) -> int:
        return int(self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._handle))


def find_gpus() -> Sequence[Board]:
    """The boards that keep such a counter; none without NVIDIA's driver or its binding (nvidia-ml-py)."""
    try:
        import pynvml
    except ModuleNotFoundError:
        return ()
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return ()
    boards = []
    for index in range(pynvml.nvmlDeviceGetCount()):
        try:
            boards.append(Board(pynvml, pynvml.nvmlDeviceGetHandleByIndex(index)))
        except pynvml.NVMLError:
            # A Jetson's own GPU has no such counter; its rails tell.
            continue
    return boards
