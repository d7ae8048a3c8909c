"""Chance that repeats: the same seed and names always give the same draws."""

from __future__ import annotations

import numpy as np


def chance(seed: int, *names: int) -> np.random.Generator:
    """A generator of its own for these names; any integers, negative ones too."""
    return np.random.default_rng([number & 0xFFFFFFFF for number in (seed, *names)])
