"""Temperatures that the machine's own sensors tell."""

from __future__ import annotations

from pathlib import Path

from hemonode.device.host.files import first_line, number


def temperatures_c(root: Path = Path("/")) -> dict[str, float]:
    """Degrees Celsius by the name of the thermal zone; zones that are asleep are left out."""
    found = {}
    for zone in sorted((root / "sys/class/thermal").glob("thermal_zone*")):
        name, thousandths = first_line(zone / "type"), number(zone / "temp")
        # A Jetson's sleeping zones tell 0 or below absolute zero.
        if name is not None and thousandths is not None and thousandths > 0:
            found[name] = thousandths / 1e3
    return found
