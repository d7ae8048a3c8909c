"""Opens the engines of a bundle's solver settings beside the one in use, so that a change of setting costs no frame."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from hemonode.device.host.memory import read_memory
from hemonode.errors import HemonodeError
from hemonode.runtime.engines.shelf import EngineShelf, Rung
from hemonode.runtime.live.events import EventLog
from hemonode.runtime.live.joining import join_until
from hemonode.runtime.live.meters import FaultLog
from hemonode.runtime.plans.frames import Size

STEADY_FRAMES = 10
"""Frames of a new size in a row before the ladder is opened for it: never for a folder in which all sizes come."""

_REST_S = 60.0
"""Before a setting is tried again that could not be opened, or for which there was no memory."""

_LEAST_FREE_BYTES = 256 << 20


class Ladder:
    """For any thread; opens in one of its own, which the first frame starts.

    Args:
        engines: of the bundle.
        settings: from cheap to exact; opened in this order.
        log: hears of what was opened.
        faults: hears of what cannot be.
        steady: called with each frame size that stays, in the thread that brings the frame.
        root: folder that stands for "/", for tests.
    """

    def __init__(
        self,
        engines: EngineShelf,
        settings: tuple[str, ...],
        log: EventLog,
        faults: FaultLog,
        steady: Callable[[Size], None],
        root: Path = Path("/"),
    ) -> None:
        self._engines = engines
        self._settings = settings
        self._log = log
        self._faults = faults
        self._steady = steady
        self._root = root
        self._changed = threading.Condition()
        self._frame: Size | None = None
        self._others = 0
        self._warm: set[str] = set()
        self._wanted: str | None = None
        self._rests_until_s: dict[str, float] = {}
        self._stopping = False
        self._thread: threading.Thread | None = None

    def came(self, frame: Size, setting: str) -> None:
        """A frame of this size was segmented with this setting."""
        with self._changed:
            self._others = 0 if frame == self._frame else self._others + 1
            if self._frame is None or self._others >= STEADY_FRAMES:
                self._frame, self._others = frame, 0
                self._warm.clear()
                self._rests_until_s.clear()
            elif self._others or setting in self._warm:
                return
            new = not self._warm
            self._warm.add(setting)
            self._start()
            self._changed.notify_all()
        if new:
            self._steady(frame)

    def ready(self, setting: str) -> bool:
        """Whether a frame on this setting finds its engine open and warm."""
        with self._changed:
            frame, warm = self._frame, setting in self._warm
        return warm and frame is not None and self._engines.find(Rung(setting, (1, *frame))) is not None

    def want(self, setting: str) -> None:
        """Open this one next; also where it rests, but only once: it may be asked for with every frame."""
        with self._changed:
            if setting != self._wanted:
                self._wanted = setting
                self._rests_until_s.pop(setting, None)
                self._changed.notify_all()

    def rest(self, seconds: float) -> None:
        """Open nothing for a while: there is no memory."""
        with self._changed:
            until_s = time.monotonic() + seconds
            self._rests_until_s = dict.fromkeys(self._settings, until_s)

    def request_stop(self) -> None:
        """Open nothing more."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def join(self, deadline_s: float) -> bool:
        """Wait for the stop until a monotonic time. False: an engine is still being opened, and is left behind."""
        return join_until(self._thread, deadline_s)

    def _start(self) -> None:
        if self._thread is None and not self._stopping:
            self._thread = threading.Thread(target=self._work, name="ladder", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while True:
            with self._changed:
                # The time-out: a rest ends without a word.
                self._changed.wait_for(lambda: self._stopping or self._next() is not None, timeout=1.0)
                if self._stopping:
                    return
                setting, frame = self._next(), self._frame
            if setting is not None and frame is not None:
                self._open(setting, frame)

    def _next(self) -> str | None:
        now = time.monotonic()
        order = (self._wanted, *self._settings) if self._wanted in self._settings else self._settings
        for setting in order:
            if setting is not None and not self._is_open(setting) and self._rests_until_s.get(setting, 0.0) <= now:
                return setting
        return None

    def _is_open(self, setting: str) -> bool:
        if self._frame is None:
            return True
        return setting in self._warm and self._engines.find(Rung(setting, (1, *self._frame))) is not None

    def _open(self, setting: str, frame: Size) -> None:
        try:
            self._check_memory(setting)
            with self._engines.using(Rung(setting, (1, *frame))) as engine:
                engine.warm_up()
        except Exception as error:  # whatever a library throws, the setting in use goes on
            with self._changed:
                if self._stopping:
                    return  # the engines were closed meanwhile, for another bundle say
                self._rests_until_s[setting] = time.monotonic() + _REST_S
            self._faults.report(f"engine for {setting}", error)
            return
        with self._changed:
            if frame == self._frame:
                self._warm.add(setting)
        self._log.add("engine", f"{setting} is ready on {engine.name}.", setting=setting, engine=engine.name)

    def _check_memory(self, setting: str) -> None:
        """An engine takes about what the largest of the others took; half as much again shall be left.

        Raises:
            HemonodeError: there is less.
        """
        memory = read_memory(self._root)
        largest = max(self._engines.taken_bytes, default=0)
        needed = max(_LEAST_FREE_BYTES, 3 * largest // 2)
        if memory is not None and memory.available_bytes < needed:
            raise HemonodeError(
                f"{setting} is not opened beside the others: {memory.available_bytes >> 20} MiB of memory are free, "
                f"{needed >> 20} are wanted; close other programs, or run on a smaller picture."
            )
