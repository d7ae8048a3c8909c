"""The lens, lamp and sensor of the simulated microscope: uneven light, defocus, colour fringes, dust, noise."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from hemonode.device.smear.chance import chance
from hemonode.device.smear.sensor import USUAL, Sensor
from hemonode.device.smear.stains import Stain

DEFOCUS_PER_UM = 0.22
"""Added blur in µm for each µm out of focus, about that of an oil objective on a thin smear."""

FRINGE_PX = 0.4
"""How far red and blue lie apart from green."""

DUST_SPECKS = 5
NOISE_ROOM = 64


class Optics:
    """Turns light at the slide into sensor pixels, always the same way at the same place and time."""

    def __init__(self, seed: int, stain: Stain, height: int, width: int, um_per_px: float) -> None:
        self._seed = seed
        self._stain = stain
        self._um_per_px = um_per_px
        self._size = (height, width)
        self._lamp = _lamp(chance(seed, 2000), stain, height, width)
        self._set = lru_cache(maxsize=1)(self._set_to)
        noise = chance(seed, 2001).normal(0, stain.noise, (height + NOISE_ROOM, width + NOISE_ROOM, 3))
        # Neighbouring pixels share noise, since colour is interpolated between sensor sites.
        self._noise = cv2.GaussianBlur(noise.astype(np.float32), (3, 3), 0.5) * np.float32(1.6)

    def margin_px(self, z_um: float) -> int:
        """How far beyond the picture light from the slide reaches into it."""
        return int(np.ceil(3 * self._blur_px(z_um))) + 2

    def expose(
        self, light: npt.NDArray[np.float32], z_um: float, moment: int, sensor: Sensor = USUAL
    ) -> npt.NDArray[np.uint8]:
        """Sensor pixels uint8 [H, W, 3] from light that is larger by the margin on each side.

        Args:
            light: float32 [H + 2·margin, W + 2·margin, 3] BGR, 1 where the glass is empty.
            z_um: distance from focus.
            moment: any number; the sensor noise depends on it.
            sensor: how it is set. What is too bright for it is cut off at 255.
        """
        lamp, all_noise = self._set(sensor)
        margin = self.margin_px(z_um)
        height, width = self._size
        blur_px = self._blur_px(z_um)
        taps = 2 * int(np.ceil(3 * blur_px)) + 1
        planes = []
        for channel, fringe in enumerate((-FRINGE_PX, 0.0, FRINGE_PX)):
            kernel = cv2.getGaussianKernel(taps, blur_px, cv2.CV_32F)
            shifted = _shifted_kernel(taps, blur_px, fringe) if fringe else kernel
            plane = cv2.sepFilter2D(light[..., channel], cv2.CV_32F, shifted, shifted)
            planes.append(plane[margin : margin + height, margin : margin + width])
        seen = cv2.multiply(cv2.merge(planes), lamp)
        down, right = chance(self._seed, 2002, moment).integers(0, NOISE_ROOM, 2)
        seen = cv2.add(seen, all_noise[down : down + height, right : right + width])
        return np.asarray(np.clip(seen, 0, 255), np.uint8)

    def _set_to(self, sensor: Sensor) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """The lamp's light and the noise as a sensor shows them, grey levels."""
        if sensor == USUAL:
            return self._lamp, self._noise
        lamp = self._lamp * np.array(sensor.factors_bgr, np.float32)
        return lamp, self._noise * np.float32(sensor.noise_factor)

    def _blur_px(self, z_um: float) -> float:
        return float(np.hypot(self._stain.blur_um, DEFOCUS_PER_UM * z_um)) / self._um_per_px


def _shifted_kernel(taps: int, blur_px: float, shift_px: float) -> npt.NDArray[np.float32]:
    place = np.arange(taps) - taps // 2 - shift_px
    kernel = np.exp(-0.5 * (place / blur_px) ** 2)
    return np.asarray(kernel / kernel.sum(), np.float32)


def _lamp(rng: np.random.Generator, stain: Stain, height: int, width: int) -> npt.NDArray[np.float32]:
    """What the sensor sees without a slide: float32 [H, W, 3], grey levels."""
    x, y = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    middle = rng.uniform(-0.2, 0.2, 2)
    falloff = 1 - stain.vignette * ((x - middle[0]) ** 2 + (y - middle[1]) ** 2) / 2
    tilt = rng.uniform(-0.03, 0.03, 2)
    lamp = (falloff * (1 + tilt[0] * x + tilt[1] * y))[..., None] * np.array(stain.background)
    for _ in range(DUST_SPECKS):
        at, size = rng.uniform((0, 0), (width, height)), rng.uniform(0.006, 0.018) * width
        far = np.hypot(np.arange(width)[None] - at[0], np.arange(height)[:, None] - at[1]) / size
        # Dust near the sensor is out of focus: a faint disc with a bright hem.
        lamp *= (1 - rng.uniform(0.01, 0.05) * (np.exp(-(far**4)) - 0.5 * np.exp(-(((far - 1.2) / 0.2) ** 2))))[
            ..., None
        ]
    return np.asarray(lamp, np.float32)
