"""Sets a camera's controls as the source that named it says, as soon as it is open."""

from __future__ import annotations

from collections.abc import Iterable

from hemonode.device.camera.contract import Camera
from hemonode.device.camera.source import Source


def preset(camera: Camera, asked: Source, names: Iterable[str]) -> None:
    """Set what `asked` gives values for; what is automatic is locked at them. The camera is closed where that fails.

    Args:
        camera: just opened.
        asked: its source.
        names: of controls that may be options.

    Raises:
        DeviceError: the camera has no such control, or cannot take the value.
    """
    values = {name: value for name in names if (value := asked.number(name)) is not None}
    if not values:
        return
    try:
        automatic = {control.name for control in camera.controls() if control.automatic is not None}
        for name, value in values.items():
            camera.set_control(name, value=value, automatic=False if name in automatic else None)
    except BaseException:
        camera.close()
        raise
