"""In which power mode the machine runs: a Jetson's nvpmodel and GPU clock, the processor's governor."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from hemonode.device.host.files import first_line, lines, number

_MODEL = re.compile(r"<\s*POWER_MODEL\s+ID=(\d+)\s+NAME=(\S+)\s*>")
_DEFAULT = re.compile(r"<\s*PM_CONFIG\s+DEFAULT=(\d+)\s*>")
_GPU_CLOCK = re.compile(r"gpu|ga10b|gv11b")


@dataclass(frozen=True)
class NvpModel:
    """A Jetson's power modes: {0: "15W", 1: "25W", 2: "MAXN_SUPER"}, and the number of the one it is in."""

    modes: dict[int, str]
    current: int

    @property
    def name(self) -> str:
        """Of the mode it is in."""
        return self.modes.get(self.current, f"mode {self.current}")

    @property
    def unlimited(self) -> int | None:
        """The mode without a limit, whose number differs from board to board, or None where a board has none."""
        return next((number for number, name in self.modes.items() if name.startswith("MAXN")), None)


@dataclass(frozen=True)
class Clock:
    """Between which frequencies, in MHz, a clock moves; `locked` where jetson_clocks holds it."""

    least_mhz: float
    most_mhz: float

    @property
    def locked(self) -> bool:
        """Whether it is held at one frequency."""
        return self.least_mhz == self.most_mhz


def read_nvpmodel(root: Path = Path("/")) -> NvpModel | None:
    """A Jetson's power mode, from the files that nvpmodel itself keeps; None elsewhere.

    The command `nvpmodel -q` tells the same, but needs root on some releases.
    """
    config = "\n".join(lines(root / "etc/nvpmodel.conf"))
    modes = {int(found[1]): found[2] for found in _MODEL.finditer(config)}
    saved = re.search(r"pmode:(\d+)", first_line(root / "var/lib/nvpmodel/status") or "")
    chosen = saved or _DEFAULT.search(config)
    return None if chosen is None else NvpModel(modes, int(chosen[1]))


def read_gpu_clock(root: Path = Path("/")) -> Clock | None:
    """A Jetson's GPU clock, or None elsewhere."""
    for folder in sorted((root / "sys/class/devfreq").glob("*")):
        least, most = number(folder / "min_freq"), number(folder / "max_freq")
        if _GPU_CLOCK.search(folder.name) and least is not None and most is not None:
            return Clock(least / 1e6, most / 1e6)
    return None


def power_modes(root: Path = Path("/")) -> dict[str, str]:
    """All that tells of the power mode here, by what tells it."""
    governor = first_line(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    profile = first_line(root / "sys/firmware/acpi/platform_profile")
    nvpmodel = read_nvpmodel(root)
    told = {
        "frequency governor": governor,
        "platform profile": profile,
        "nvpmodel": None if nvpmodel is None else nvpmodel.name,
    }
    return {name: text for name, text in told.items() if text is not None}
