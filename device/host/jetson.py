"""Which Jetson this is, and which JetPack runs on it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from hemonode.device.host.files import first_line, lines

_RELEASE = re.compile(r"R(\d+) \(release\), REVISION: ([\d.]+)")
_SERIES = {"34": 5, "35": 5, "36": 6, "38": 7, "39": 7}
_MODELS = ("proc/device-tree/model", "sys/firmware/devicetree/base/model", "sys/devices/soc0/machine")


@dataclass(frozen=True)
class Jetson:
    """A Jetson.

    Attributes:
        model: "NVIDIA Jetson Orin Nano Engineering Reference Developer Kit Super".
        l4t: Jetson Linux's version, "36.4.7", or None where it does not say.
        jetpack: version of the package `nvidia-jetpack`, "6.2.1+b38", or None where it is not installed.
    """

    model: str
    l4t: str | None
    jetpack: str | None

    @property
    def series(self) -> int | None:
        """JetPack's major version, or None where Jetson Linux is not told or not known here."""
        return _SERIES.get((self.l4t or "").partition(".")[0])


def find_jetson(root: Path = Path("/")) -> Jetson | None:
    """What Jetson it is, or None if it is none.

    A container has no `/etc/nv_tegra_release`, but the host's device tree.
    """
    model = next((text for name in _MODELS if (text := first_line(root / name))), None)
    l4t = _l4t(root)
    if l4t is None and (model is None or "Jetson" not in model):
        return None
    return Jetson(model or "an NVIDIA Tegra board", l4t, _jetpack(root))


def _l4t(root: Path) -> str | None:
    found = _RELEASE.search(first_line(root / "etc/nv_tegra_release") or "")
    return None if found is None else f"{found[1]}.{found[2]}"


def _jetpack(root: Path) -> str | None:
    # dpkg's own file: asking its command takes longer.
    package, installed = "", False
    for line in lines(root / "var/lib/dpkg/status"):
        if line.startswith("Package: "):
            package, installed = line[9:], False
        elif package == "nvidia-jetpack" and line.startswith("Status: "):
            installed = line.endswith(" installed")
        elif package == "nvidia-jetpack" and installed and line.startswith("Version: "):
            return line[9:]
    return None
