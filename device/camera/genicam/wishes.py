"""Sets up an industrial camera as it was asked for, and says where it does otherwise."""

from __future__ import annotations

from hemonode.device.camera.genicam.nodes import Nodes
from hemonode.device.camera.genicam.pixels import COLOURLESS, DECODERS
from hemonode.device.camera.pace import checked_rate_hz
from hemonode.device.camera.source import Source
from hemonode.errors import DeviceError

OPTIONS = ("width", "height", "format", "rate")


def set_up(nodes: Nodes, source: Source, rate_hz: float | None) -> tuple[str, ...]:
    """Format, size and rate, and pictures without end and without a trigger.

    Returns:
        Remarks: what the camera does otherwise, one sentence each.

    Raises:
        DeviceError: an option is not usable, the camera refuses one, or has no format that is known here.
    """
    remarks = []
    chosen = _choose_format(nodes, source.options.get("format"))
    if chosen in COLOURLESS:
        remarks.append(f"{nodes.camera} sends its pictures without colours, as {chosen}.")
    for name, node in (("width", "Width"), ("height", "Height")):
        wanted = source.whole(name)
        if wanted is not None:
            remarks += _set_number(nodes, node, wanted, "px")
    rate = rate_hz if rate_hz is not None else source.number("rate")
    if rate is not None:
        # Before the convention it had another name.
        for switch in ("AcquisitionFrameRateEnable", "AcquisitionFrameRateEnabled"):
            enable = nodes.writeable(switch)
            if enable is not None:
                nodes.write(switch, enable, True)
        remarks += _set_number(nodes, "AcquisitionFrameRate", checked_rate_hz(rate), "frames a second")
    nodes.choose("AcquisitionMode", "Continuous")
    nodes.choose("TriggerMode", "Off")
    return tuple(remarks)


def _choose_format(nodes: Nodes, wanted: str | None) -> str:
    if wanted is not None and wanted not in DECODERS:
        raise DeviceError(f"genicam: has no format {wanted}; give one of {', '.join(DECODERS)}.")
    node = nodes.find("PixelFormat")
    if node is None:
        raise DeviceError(f"{nodes.camera} does not say in which format its pictures are.")
    with nodes.faults("list its formats"):
        offered = set(node.symbolics)
    for name in DECODERS if wanted is None else (wanted,):
        if name in offered:
            nodes.write("PixelFormat", node, name)
            return name
    known, there = wanted or ", ".join(DECODERS), ", ".join(sorted(offered))
    raise DeviceError(f"{nodes.camera} gives no pictures as {known}; it has {there}.")


def _set_number(nodes: Nodes, name: str, wanted: float, unit: str) -> list[str]:
    """As near as the camera can."""
    node = nodes.writeable(name)
    if node is None:
        return [f"{nodes.camera} does not let {name} be set."]
    with nodes.faults(f"set {name}"):
        value = min(max(wanted, node.min), node.max)
        if isinstance(wanted, int):
            value = node.min + (value - node.min) // node.inc * node.inc
        node.value = value
        taken = node.value
    # Rates come out a little beside what was asked for.
    if abs(taken - wanted) <= 0.01 * wanted:
        return []
    return [f"{nodes.camera} gives {name} = {taken:g} {unit}; {wanted:g} were asked for."]
