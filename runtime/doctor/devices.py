"""Checks of what is plugged in: cameras, and the serial ports of stages and lights."""

from __future__ import annotations

from collections.abc import Iterator

from hemonode.device.host.ports import SerialPort, find_serial_ports
from hemonode.device.host.video import VideoDevice, find_video_devices
from hemonode.runtime.doctor.finding import Facts, Finding, green, red
from hemonode.runtime.doctor.machine import Machine

_LOG_IN = "then log out and in again."


def cameras(machine: Machine) -> Iterator[Finding]:
    """Video devices that give pictures."""
    devices = find_video_devices(machine.root)
    shown = [device for device in devices if device.captures is not False]
    if not shown:
        yield green("No camera is plugged in; hemonode live simulated works without one.")
    for device in shown:
        yield camera(device)


def camera(device: VideoDevice) -> Finding:
    """One camera."""
    lasting = device.by_id or device.path
    facts: Facts = {"path": str(device.path), "by_id": None if device.by_id is None else str(device.by_id)}
    if not device.permitted:
        return red(
            f"The camera {device.name} ({device.path}) is not yours to open.",
            f'Run: sudo usermod -aG video "$USER"; {_LOG_IN}',
            **facts,
        )
    unsure = " It did not say whether it gives pictures." if device.captures is None else ""
    return green(f"Camera {device.name}: {lasting}.{unsure}", **facts)


def serial_ports(machine: Machine) -> Iterator[Finding]:
    """Serial ports that something is plugged into."""
    ports = find_serial_ports(machine.root)
    if not ports:
        yield green("Nothing is plugged into a serial port.")
    for port in ports:
        yield serial_port(port)


def serial_port(port: SerialPort) -> Finding:
    """One serial port."""
    facts: Facts = {"path": str(port.path), "by_id": None if port.by_id is None else str(port.by_id)}
    if not port.permitted:
        return red(
            f"The serial port {port.path} is not yours to open.",
            f'Run: sudo usermod -aG dialout "$USER"; {_LOG_IN}',
            **facts,
        )
    return green(f"Serial port {port.by_id or port.path}.", **facts)
