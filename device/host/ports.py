"""The serial ports that stages and lights are plugged into."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

# Boards' own UARTs (ttyS, ttyTHS) are always there, whether or not anything is connected; these are plugged in.
_PLUGGED = ("ttyUSB*", "ttyACM*")


@dataclass(frozen=True)
class SerialPort:
    """One port: /dev/ttyUSB0, the name below /dev/serial/by-id that stays (or None), and whether we may open it."""

    path: Path
    by_id: Path | None
    permitted: bool


def find_serial_ports(root: Path = Path("/")) -> list[SerialPort]:
    """The plugged ones, by name."""
    identities = {link.resolve(): link for link in sorted((root / "dev/serial/by-id").glob("*"))}
    return [
        SerialPort(path, identities.get(path.resolve()), os.access(path, os.R_OK | os.W_OK))
        for pattern in _PLUGGED
        for path in sorted((root / "dev").glob(pattern))
    ]
