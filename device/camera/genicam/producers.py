"""Finds an industrial camera by its serial number, behind all producers that makers' software has installed."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hemonode.errors import DeviceError

if TYPE_CHECKING:
    from harvesters.core import Harvester

PATHS = "GENICAM_GENTL64_PATH"
"""Environment variable of the GenTL standard: folders of producers, separated as in PATH."""

logger = logging.getLogger(__name__)


def connect(serial: str) -> tuple[Harvester, Any]:
    """The camera with a serial number, not started, and the harvester that it belongs to.

    Raises:
        DeviceError: harvesters or a producer is not installed, or there is no such camera, or it is in use.
    """
    try:
        from genicam.gentl import GenericException
        from harvesters.core import Harvester
    except ModuleNotFoundError as error:
        raise DeviceError(
            f"Industrial cameras need harvesters ({error.name} is not installed): pip install 'hemonode[genicam]'."
        ) from error
    harvester = Harvester()
    try:
        for producer in _producers():
            harvester.add_file(str(producer))
        harvester.update()
        return harvester, _acquirer(harvester, serial)
    except GenericException as error:
        harvester.reset()
        raise DeviceError(
            f"The camera genicam:{serial} cannot be opened ({_reason(error)}); close other programs that use it."
        ) from error
    except BaseException:
        harvester.reset()
        raise


def _producers() -> Iterator[Path]:
    folders = [Path(folder) for folder in os.environ.get(PATHS, "").split(os.pathsep) if folder]
    found = sorted({file for folder in folders for file in folder.glob("*.cti")})
    if not found:
        raise DeviceError(
            f"There is no GenTL producer (*.cti) in the folders of {PATHS} ({os.environ.get(PATHS) or 'not set'}); "
            "install the software of the camera's maker for this processor, and sign in again."
        )
    return iter(found)


def _acquirer(harvester: Harvester, serial: str) -> Any:  # noqa: ANN401 - harvesters has no types
    # Two producers may show one camera; the first that does is as good.
    for device in harvester.device_info_list:
        if device.serial_number == serial:
            return harvester.create(device)
    listed = ", ".join(
        f"genicam:{device.serial_number} ({device.vendor} {device.model})" for device in harvester.device_info_list
    )
    raise DeviceError(
        f"There is no camera with the serial number {serial or '(none given)'}; "
        + (f"plugged in now: {listed}." if listed else "no industrial camera is plugged in now.")
    )


def _reason(error: Exception) -> str:
    """What stands before the library's details."""
    return str(error).partition("(Message")[0].removeprefix("GenTL exception:").strip(" .")
