"""How the simulated microscope's camera is set: exposure, gain and white balance, and what they do to a picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

USUAL_EXPOSURE_MS = 20.0
USUAL_WHITE_BALANCE_K = 5000.0


@dataclass(frozen=True)
class Sensor:
    """Settings of the sensor. The usual ones show the stain's own colours.

    Attributes:
        exposure_ms: light gathered grows with it, and shot noise with its root.
        gain_db: amplifies light and noise alike, by a factor of 10 for 20 dB.
        white_balance_k: colour temperature that is taken for white; above the lamp's own all looks warmer.
    """

    exposure_ms: float = USUAL_EXPOSURE_MS
    gain_db: float = 0.0
    white_balance_k: float = USUAL_WHITE_BALANCE_K

    @property
    def factors_bgr(self) -> tuple[float, float, float]:
        """What each colour is multiplied by."""
        light = self._light * self._gain
        warmth = math.sqrt(self.white_balance_k / USUAL_WHITE_BALANCE_K)
        return light / warmth, light, light * warmth

    @property
    def noise_factor(self) -> float:
        """What the noise at the usual settings is multiplied by."""
        return math.sqrt(self._light) * self._gain

    @property
    def _light(self) -> float:
        return self.exposure_ms / USUAL_EXPOSURE_MS

    @property
    def _gain(self) -> float:
        return float(10 ** (self.gain_db / 20))


USUAL = Sensor()
