"""A wall clock that jumps: what `datetime.now` tells is shifted, in every module that asks it."""

from __future__ import annotations

import sys
import time
from datetime import datetime, timedelta, tzinfo

_shift = timedelta()


class ShiftedDatetime(datetime):
    """`datetime` whose `now` is off."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> ShiftedDatetime:
        """The shifted moment."""
        real = datetime.fromtimestamp(time.time(), tz) + _shift
        return cls.combine(real.date(), real.timetz())


def shift_clock(seconds: float) -> None:
    """Let the wall clock be off by so much from now on, for all of hemonode; the monotonic one goes on."""
    global _shift
    _shift = timedelta(seconds=seconds)
    for name, module in list(sys.modules.items()):
        if name.startswith("hemonode.") and name != __name__ and getattr(module, "datetime", None) is datetime:
            module.datetime = ShiftedDatetime  # type: ignore[attr-defined]
