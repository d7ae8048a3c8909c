"""Which of V4L2's controls we offer, under which names and in which units."""

from __future__ import annotations

from dataclasses import dataclass

_USER, _CAMERA, _IMAGE_SOURCE = 0x00980900, 0x009A0900, 0x009E0900

EXPOSURE_AUTO = _CAMERA + 1
"""V4L2_CID_EXPOSURE_AUTO, a menu, where all other automatic modes are booleans."""

EXPOSURE_AUTOMATIC = (3, 0)
"""Of that menu, what leaves the exposure time to the camera: aperture priority, and all automatic."""

EXPOSURE_MANUAL = (1, 2)
"""What leaves it to us: all manual, and shutter priority."""


@dataclass(frozen=True)
class Known:
    """One control.

    Attributes:
        id: of V4L2 (V4L2_CID_…).
        name, label, unit: as in `Control`.
        scale: what one step of V4L2's number is in our unit.
        automatic: id of the control that gives it to the camera, or None.
    """

    id: int
    name: str
    label: str
    unit: str = ""
    scale: float = 1.0
    automatic: int | None = None


_AUTO_WHITE_BALANCE = _USER + 12

# The first of a name that a camera has is taken: EXPOSURE_ABSOLUTE has a unit, EXPOSURE is what older drivers have.
KNOWN = (
    Known(_CAMERA + 2, "exposure_ms", "Exposure", "ms", 0.1, EXPOSURE_AUTO),
    Known(_USER + 17, "exposure", "Exposure", automatic=EXPOSURE_AUTO),
    Known(_CAMERA + 3, "slower_in_the_dark", "Slower in the dark"),
    Known(_USER + 19, "gain", "Gain", automatic=_USER + 18),
    Known(_IMAGE_SOURCE + 3, "analogue_gain", "Analogue gain"),
    Known(_USER + 26, "white_balance_k", "White balance", "K", automatic=_AUTO_WHITE_BALANCE),
    Known(_USER + 14, "red_balance", "Red balance", automatic=_AUTO_WHITE_BALANCE),
    Known(_USER + 15, "blue_balance", "Blue balance", automatic=_AUTO_WHITE_BALANCE),
    Known(_USER + 0, "brightness", "Brightness", automatic=_USER + 32),
    Known(_USER + 1, "contrast", "Contrast"),
    Known(_USER + 2, "saturation", "Saturation"),
    Known(_USER + 3, "hue", "Hue", automatic=_USER + 25),
    Known(_USER + 16, "gamma", "Gamma"),
    Known(_USER + 27, "sharpness", "Sharpness"),
    Known(_USER + 28, "backlight_compensation", "Backlight compensation"),
    Known(_CAMERA + 10, "focus", "Focus", automatic=_CAMERA + 12),
    Known(_CAMERA + 13, "zoom", "Zoom"),
)
