"""Whether the view rests: stays where it is for a moment."""

from __future__ import annotations

import numpy as np

RESTS_AFTER_S = 0.6
# A hand trembles by less than this share of the picture's height.
_STILL_SHARE = 0.03


class Rest:
    """Follows positions, px, and tells when they stay."""

    def __init__(self) -> None:
        self._at: tuple[float, float] | None = None
        self._since_ns = 0

    def at(self, position: tuple[float, float], captured_ns: int, size: tuple[int, int]) -> bool:
        """Whether the view rested until now, for `RESTS_AFTER_S` at least. `size`: height, width of the picture."""
        if self._at is None or np.hypot(*np.subtract(position, self._at)) > _STILL_SHARE * size[0]:
            self._at, self._since_ns = position, captured_ns
        return captured_ns - self._since_ns >= RESTS_AFTER_S * 1e9
