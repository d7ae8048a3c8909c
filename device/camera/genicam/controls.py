"""An industrial camera's controls: GenICam's names and units in ours."""

from __future__ import annotations

from dataclasses import dataclass

from hemonode.device.camera.contract import Control
from hemonode.device.camera.genicam.nodes import Nodes
from hemonode.device.camera.known_controls import KnownControls, rounded

_AUTOMATIC, _LOCKED = "Continuous", "Off"


@dataclass(frozen=True)
class Known:
    """One control.

    Attributes:
        node: its name in the Standard Features Naming Convention.
        name, label, unit: as in `Control`.
        step: where the camera takes any value.
        scale: what one of the node's units is in ours.
        automatic: the node that gives it to the camera, or None.
        selector: the node that says what `node` is about, and what to choose there.
    """

    node: str
    name: str
    label: str
    unit: str
    step: float
    scale: float = 1.0
    automatic: str | None = None
    selector: tuple[str, str] | None = None


_BALANCE = "BalanceRatioSelector"

# The first of a name that a camera has is taken: the second ones are of before the convention.
KNOWN = (
    Known("ExposureTime", "exposure_ms", "Exposure", "ms", 0.01, 1e-3, "ExposureAuto"),
    Known("ExposureTimeAbs", "exposure_ms", "Exposure", "ms", 0.01, 1e-3, "ExposureAuto"),
    Known("Gain", "gain_db", "Gain", "dB", 0.1, 1.0, "GainAuto"),
    Known("GainRaw", "gain", "Gain", "", 1.0, 1.0, "GainAuto"),
    Known("BalanceRatio", "red_balance", "Red balance", "", 0.01, 1.0, "BalanceWhiteAuto", (_BALANCE, "Red")),
    Known("BalanceRatio", "blue_balance", "Blue balance", "", 0.01, 1.0, "BalanceWhiteAuto", (_BALANCE, "Blue")),
    Known("BlackLevel", "black_level", "Black level", "", 0.1),
    Known("Gamma", "gamma", "Gamma", "", 0.01),
)


class Controls(KnownControls[Known]):
    """What can be set at one camera, from any thread.

    Raises:
        DeviceError: the camera does not answer.
    """

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes
        super().__init__(nodes.camera, KNOWN)

    def _read(self, known: Known) -> Control | None:
        self._select(known)
        node = self._nodes.find(known.node)
        if node is None:
            return None
        automatic = self._is_automatic(known)
        with self._nodes.faults(f"tell {known.node}"):
            return Control(
                name=known.name,
                label=known.label,
                unit=known.unit,
                value=rounded(node.value * known.scale),
                least=rounded(node.min * known.scale),
                most=rounded(node.max * known.scale),
                step=rounded(node.inc * known.scale) if getattr(node, "has_inc", _always)() else known.step,
                automatic=automatic,
                changeable=self._nodes.can_write(node) and not automatic,
            )

    def _switch(self, known: Known, automatic: bool) -> None:
        assert known.automatic is not None
        self._nodes.choose(known.automatic, _AUTOMATIC if automatic else _LOCKED)

    def _is_automatic(self, known: Known) -> bool | None:
        node = None if known.automatic is None else self._nodes.find(known.automatic)
        if node is None:
            return None
        with self._nodes.faults(f"tell {known.automatic}"):
            return bool(node.value != _LOCKED)

    def _write(self, known: Known, value: float) -> None:
        self._select(known)
        node = self._nodes.find(known.node)
        assert node is not None
        with self._nodes.faults(f"set {known.node}"):
            # In its own units, and not beyond its limits by rounding.
            wanted = min(max(value / known.scale, node.min), node.max)
            if isinstance(node.value, int):
                wanted = node.min + round((wanted - node.min) / node.inc) * node.inc
            node.value = wanted

    def _select(self, known: Known) -> None:
        if known.selector is not None:
            self._nodes.choose(*known.selector)


def _always() -> bool:
    """Whole numbers always have a step."""
    return True
