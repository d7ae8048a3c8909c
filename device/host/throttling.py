"""Whether the machine is slowed down now for its heat or for its power supply."""

from __future__ import annotations

from pathlib import Path

from hemonode.device.host.files import first_line, number

# What Linux and Jetson Linux call the cooling devices that slow a processor down; fans are others.
_SLOWING = ("cpufreq", "devfreq", "throttle", "processor", "cpu-", "gpu-")
_FAN = "fan"


def throttled_by(root: Path = Path("/")) -> tuple[str, ...]:
    """Of "heat" and "power", what slows the machine down now; none where nothing tells."""
    causes = []
    if any(_slows(device) for device in (root / "sys/class/thermal").glob("cooling_device*")):
        causes.append("heat")
    if any(_alarms(monitor) for monitor in (root / "sys/class/hwmon").glob("hwmon*")):
        causes.append("power")
    return tuple(causes)


def _slows(device: Path) -> bool:
    kind = (first_line(device / "type") or "").lower()
    return any(word in kind for word in _SLOWING) and _FAN not in kind and (number(device / "cur_state") or 0) > 0


def _alarms(monitor: Path) -> bool:
    """A Jetson's power monitors raise an alarm on too much current: it then halves the clocks."""
    return first_line(monitor / "name") == "ina3221" and any(
        (number(alarm) or 0) > 0 for alarm in monitor.glob("curr*_crit_alarm")
    )
