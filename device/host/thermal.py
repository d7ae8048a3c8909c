"""Temperatures that the machine's own sensors tell, and from which on it slows itself down."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hemonode.device.host.files import first_line, number

_SLOWING = ("passive", "hot")
"""Trip points at which Linux slows the machine down; "active" ones turn on a fan, "critical" ones turn it off."""


@dataclass(frozen=True)
class Sensor:
    """One sensor: its temperature and its limit, degrees Celsius; no limit where none is told."""

    name: str
    celsius: float
    limit_c: float | None = None


def temperatures_c(root: Path = Path("/")) -> dict[str, float]:
    """Degrees Celsius by the name of the thermal zone; zones that are asleep are left out."""
    return {sensor.name: sensor.celsius for sensor in thermal_zones(root)}


def thermal_zones(root: Path = Path("/")) -> list[Sensor]:
    """Linux's thermal zones, those that are asleep left out."""
    found = []
    for zone in sorted((root / "sys/class/thermal").glob("thermal_zone*")):
        name, thousandths = first_line(zone / "type"), number(zone / "temp")
        # A Jetson's sleeping zones tell 0 or below absolute zero.
        if name is not None and thousandths is not None and thousandths > 0:
            found.append(Sensor(name, thousandths / 1e3, _limit_c(zone)))
    return found


def _limit_c(zone: Path) -> float | None:
    limits = [
        thousandths / 1e3
        for kind in zone.glob("trip_point_*_type")
        if first_line(kind) in _SLOWING
        and (thousandths := number(kind.with_name(kind.name.replace("_type", "_temp")))) is not None
        # Disabled ones tell 0 or far below.
        and thousandths > 0
    ]
    return min(limits, default=None)
