"""NVIDIA's graphics cards as their driver tells of them (NVML, through the package nvidia-ml-py where it is there)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hemonode.device.host.thermal import Sensor

# From nvml.h, the same since driver 415: what slows the clocks. Idle and the application's own limits are no trouble.
_HEAT = 0x20 | 0x40  # software and hardware thermal slowdown
_POWER = 0x4 | 0x80  # power cap, external power brake


@dataclass(frozen=True)
class Card:
    """One graphics card now.

    Attributes:
        sensor: its temperature, and from which on it slows down.
        throttled_by: of "heat" and "power", what slows it down.
        power_limit_w: that it keeps; None where it does not tell.
    """

    sensor: Sensor
    throttled_by: tuple[str, ...]
    power_limit_w: float | None


class Cards:
    """Ask it from one thread.

    Args:
        nvml: NVIDIA's own binding.
    """

    def __init__(self, nvml: Any) -> None:  # noqa: ANN401  (the binding has no types)
        self._nvml = nvml

    def look(self) -> list[Card]:
        """Those that answer now; one that fell off the bus does not."""
        try:
            count = int(self._nvml.nvmlDeviceGetCount())
        except self._nvml.NVMLError:
            return []
        return [card for card in map(self._card, range(count)) if card is not None]

    def _card(self, index: int) -> Card | None:
        nvml = self._nvml
        try:
            handle = nvml.nvmlDeviceGetHandleByIndex(index)
            celsius = float(nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU))
        except nvml.NVMLError:
            return None
        limit = self._or_none(nvml.nvmlDeviceGetTemperatureThreshold, handle, nvml.NVML_TEMPERATURE_THRESHOLD_SLOWDOWN)
        # The later name is of 2023; both give the same.
        later = getattr(nvml, "nvmlDeviceGetCurrentClocksEventReasons", None)
        reasons = int(self._or_none(later or nvml.nvmlDeviceGetCurrentClocksThrottleReasons, handle) or 0)
        power_mw = self._or_none(nvml.nvmlDeviceGetEnforcedPowerLimit, handle)
        causes = [cause for cause, bits in (("heat", _HEAT), ("power", _POWER)) if reasons & bits]
        return Card(Sensor(f"GPU {index}", celsius, limit), tuple(causes), None if power_mw is None else power_mw / 1e3)

    def _or_none(self, ask: Any, *arguments: Any) -> float | None:  # noqa: ANN401
        try:
            return float(ask(*arguments))
        except self._nvml.NVMLError:
            return None  # a Jetson's GPU, or one in a virtual machine, does not tell everything


def open_cards() -> Cards | None:
    """What tells of the cards; None without NVIDIA's driver or its binding."""
    try:
        import pynvml
    except ModuleNotFoundError:
        return None
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    return Cards(pynvml)
