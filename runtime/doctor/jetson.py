"""Checks of a Jetson: its JetPack, its power, and whether this environment sees what JetPack brings."""

from __future__ import annotations

from collections.abc import Iterator

from hemonode.device.host.files import lines
from hemonode.device.host.jetson import find_jetson
from hemonode.device.host.power import read_gpu_clock, read_nvpmodel
from hemonode.runtime.doctor.finding import Facts, Finding, green, red, yellow
from hemonode.runtime.doctor.machine import Machine

# Of cuda-bindings, by JetPack.
_CUDA = {6: "12", 7: "13"}


def jetpack(machine: Machine) -> Iterator[Finding]:
    """Board and JetPack."""
    found = find_jetson(machine.root)
    if found is None:
        yield green("Not a Jetson.")
        return
    told = f"{found.model}, Jetson Linux {found.l4t or 'of unknown version'}"
    facts: Facts = {"model": found.model, "l4t": found.l4t, "jetpack": found.jetpack}
    if found.series not in _CUDA:
        yield yellow(
            f"{told}, for which hemonode is not made.",
            "hemonode is made for JetPack 6 and 7; see docs/jetson.md.",
            **facts,
        )
    elif found.jetpack is None:
        yield green(f"{told}, JetPack {found.series}; the package nvidia-jetpack itself is not installed.", **facts)
    else:
        yield green(f"{told}, JetPack {found.jetpack}.", **facts)


def environment(machine: Machine) -> Iterator[Finding]:
    """Whether the environment sees JetPack's packages, and its CUDA binding is JetPack's CUDA."""
    found = find_jetson(machine.root)
    if found is None:
        return
    settings = dict(line.replace(" ", "").lower().split("=", 1) for line in _settings(machine))
    if settings.get("include-system-site-packages") == "false":
        yield red(
            "This environment does not see JetPack's TensorRT and OpenCV.",
            "Make it anew: python3 -m venv --system-site-packages .venv",
        )
    bindings, wanted = machine.distributions.get("cuda-bindings"), _CUDA.get(found.series or 0)
    if bindings is not None and wanted is not None and bindings.partition(".")[0] != wanted:
        yield red(
            f"cuda-bindings {bindings} is not for JetPack {found.series}, whose CUDA is {wanted}.",
            f"Run: pip install 'hemonode[jetson{found.series}]'",
            installed=bindings,
        )


def power(machine: Machine) -> Iterator[Finding]:
    """Power mode and GPU clock."""
    mode, clock = read_nvpmodel(machine.root), read_gpu_clock(machine.root)
    if mode is not None:
        facts: Facts = {"power_mode": mode.name, "modes": list(mode.modes.values())}
        if mode.unlimited is not None and not mode.name.startswith("MAXN"):
            yield yellow(
                f"The power mode is {mode.name}; {mode.modes[mode.unlimited]} has no limit.",
                f"Where power and cooling allow it: sudo nvpmodel -m {mode.unlimited}",
                **facts,
            )
        else:
            yield green(f"The power mode is {mode.name}.", **facts)
    if clock is not None and clock.locked:
        yield green(f"The GPU's clock is held at {clock.most_mhz:.0f} MHz.", locked=True)
    elif clock is not None:
        yield green(
            f"The GPU's clock moves between {clock.least_mhz:.0f} and {clock.most_mhz:.0f} MHz with the load.",
            "For steadier latencies, at more power: sudo jetson_clocks",
            locked=False,
        )


def _settings(machine: Machine) -> list[str]:
    """Of a virtual environment; none outside of one."""
    return [line for line in lines(machine.environment / "pyvenv.cfg") if "=" in line]
