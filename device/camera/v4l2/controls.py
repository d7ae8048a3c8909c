"""Reads and sets a camera's controls: V4L2's numbers in our units, automatic modes as one switch."""

from __future__ import annotations

import logging

from hemonode.device.camera.contract import Control
from hemonode.device.camera.known_controls import KnownControls, rounded
from hemonode.device.camera.v4l2 import abi
from hemonode.device.camera.v4l2.control_table import EXPOSURE_AUTO, EXPOSURE_AUTOMATIC, EXPOSURE_MANUAL, KNOWN, Known
from hemonode.device.camera.v4l2.handle import Handle
from hemonode.errors import DeviceError

_NUMBERS = {abi.CTRL_TYPE_INTEGER, abi.CTRL_TYPE_BOOLEAN}
_NOT_NOW = abi.CTRL_FLAG_GRABBED | abi.CTRL_FLAG_READ_ONLY | abi.CTRL_FLAG_INACTIVE

logger = logging.getLogger(__name__)


class Controls(KnownControls[Known]):
    """What can be set at one camera. Used within `Handle.in_use`, from any thread.

    One that cannot be read is logged and left out.

    Raises:
        DeviceError: the camera is gone.
    """

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        super().__init__(handle.name, KNOWN)

    def _has(self, known: Known) -> bool:
        try:
            return super()._has(known)
        except DeviceError as error:
            if self._is_gone():
                raise
            logger.warning("%s is left out: %s", known.label, error)
            return False

    def _read(self, known: Known) -> Control | None:
        told = self._query(known.id)
        if told is None or told.type not in _NUMBERS or told.flags & abi.CTRL_FLAG_WRITE_ONLY:
            return None
        if told.maximum <= told.minimum:
            return None
        automatic = None if known.automatic is None else self._is_automatic(known.automatic)
        return Control(
            name=known.name,
            label=known.label,
            unit=known.unit,
            value=rounded(self._value(known.id, known.label) * known.scale),
            least=rounded(told.minimum * known.scale),
            most=rounded(told.maximum * known.scale),
            step=rounded(max(1, told.step) * known.scale),
            automatic=automatic,
            changeable=not told.flags & _NOT_NOW and not automatic,
        )

    def _is_automatic(self, switch: int) -> bool | None:
        """Whether the camera chooses; None where the switch is missing or fixed."""
        told = self._query(switch)
        if told is None or told.flags & abi.CTRL_FLAG_READ_ONLY:
            return None
        value = self._value(switch, "an automatic mode")
        return value in EXPOSURE_AUTOMATIC if switch == EXPOSURE_AUTO else bool(value)

    def _switch(self, known: Known, automatic: bool) -> None:
        assert known.automatic is not None
        self._tell(known.automatic, self._switched(known.automatic, automatic), known.label)

    def _switched(self, switch: int, automatic: bool) -> int:
        """What to write to a switch."""
        if switch != EXPOSURE_AUTO:
            return int(automatic)
        wanted = EXPOSURE_AUTOMATIC if automatic else EXPOSURE_MANUAL
        for index in wanted:
            entry = abi.QueryMenu(id=switch, index=index)
            if self._handle.can(abi.QUERYMENU, entry, "list its exposure modes"):
                return index
        mode = "an automatic" if automatic else "a manual"
        raise DeviceError(f"{self._handle.name} has no {mode} exposure mode.")

    def _write(self, known: Known, value: float) -> None:
        told = self._query(known.id)
        assert told is not None
        step = max(1, told.step)
        steps = round((value / known.scale - told.minimum) / step)
        self._tell(known.id, min(told.minimum + steps * step, told.maximum), known.label)

    def _query(self, control: int) -> abi.QueryControl | None:
        told = abi.QueryControl(id=control)
        if not self._handle.can(abi.QUERYCTRL, told, "describe a control") or told.flags & abi.CTRL_FLAG_DISABLED:
            return None
        return told

    def _value(self, control: int, label: str) -> int:
        held = abi.ControlValue(id=control)
        self._handle.ask(abi.G_CTRL, held, f"tell {label.lower()}")
        return int(held.value)

    def _tell(self, control: int, value: int, label: str) -> None:
        self._handle.ask(abi.S_CTRL, abi.ControlValue(id=control, value=value), f"set {label.lower()}")

    def _is_gone(self) -> bool:
        try:
            self._handle.ask(abi.QUERYCAP, abi.Capability(), "answer")
        except DeviceError:
            return True
        return False
