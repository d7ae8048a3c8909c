"""A bundle on an engine, with all of its solver settings, that can be changed while frames flow."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hemonode.errors import HemonodeError
from hemonode.runtime.bundle.reader import Bundle
from hemonode.runtime.bundle.schema import Manifest
from hemonode.runtime.engines.contract import AskedPrecision, Engine
from hemonode.runtime.introduction import introduction
from hemonode.runtime.live.events import EventLog
from hemonode.runtime.live.joining import join_until
from hemonode.runtime.live.meters import FaultLog
from hemonode.runtime.live.running import EngineWish, Pixels, RunningBundle
from hemonode.runtime.live.status import ModelStatus
from hemonode.runtime.plans.frames import Size
from hemonode.runtime.segmentation import Segmentation

OpenBundle = Callable[[], Bundle]
Listener = Callable[[Manifest], None]


class LiveModel:
    """For any thread. Ask it to stop, join and close it.

    Args:
        bundle: the model.
        bundle_id: of it among the choices.
        engine: an engine's name, or "auto".
        setting: solver setting to begin with; None is the bundle's default.
        precision: see `hemonode.runtime.engines.open_engine`.
        cores: processor cores to work on.
        log: hears of every change.
        faults: hears of what failed.
        tell: called with a line for each thing that makes opening an engine take long.

    Raises:
        BundleError: no such setting.
        EngineError: no engine works here.
    """

    def __init__(
        self,
        bundle: Bundle,
        *,
        bundle_id: str,
        engine: str,
        setting: str | None,
        precision: AskedPrecision,
        cores: int,
        log: EventLog,
        faults: FaultLog,
        tell: Callable[[str], None],
    ) -> None:
        self._wish = EngineWish(engine, precision, cores, tell)
        self._log = log
        self._faults = faults
        self._lock = threading.Lock()
        self._running = RunningBundle(bundle, bundle_id, self._wish, setting, log, faults)
        # Who has a frame in which bundle: an old one is closed after its last.
        self._users: dict[int, RunningBundle] = {}
        self._seen: tuple[Size, float] | None = None
        self._listeners: tuple[Listener, ...] = ()
        self._loading: str | None = None
        self._changer: threading.Thread | None = None
        self._stopping = False

    @property
    def manifest(self) -> Manifest:
        """Of the bundle in use."""
        return self._running.bundle.manifest

    @property
    def engine(self) -> Engine:
        """The engine used last."""
        return self._running.segmenter.engine

    @property
    def setting(self) -> str:
        """The one to begin with."""
        return self._running.segmenter.setting

    @property
    def memory_bytes(self) -> int | None:
        """What the open engines took when they were opened; None where that is not known."""
        taken = self._running.segmenter.engines.taken_bytes
        return sum(taken) if taken else None

    @property
    def introduction(self) -> list[str]:
        """Lines for the terminal on what runs, and why nothing better."""
        return introduction(self._running.segmenter)

    def ready(self, setting: str) -> bool:
        """Whether a frame on this setting finds its engine open and warm."""
        return self._running.ladder.ready(setting)

    def want(self, setting: str) -> None:
        """Open this setting's engine next, in the background."""
        self._running.ladder.want(setting)

    def segment(self, pixels: Pixels, *, red_cell_px: float, setting: str | None = None) -> Segmentation:
        """Mask and cells of one picture.

        Args:
            pixels: uint8 [H, W, 3] BGR.
            red_cell_px: red-cell diameter in its pixels.
            setting: solver setting; the bundle's default where it has none of this name (it was changed just now).

        Raises:
            EngineError: the engine failed, or the picture holds more cells than can be listed.
        """
        with self._in_use() as running:
            found = running.segment(pixels, red_cell_px, setting)
        self._seen = (pixels.shape[0], pixels.shape[1]), red_cell_px
        return found

    def measure_red_cell_px(self, pixels: Pixels) -> float:
        """Red-cell diameter in px of a picture, uint8 [H, W, 3] BGR.

        Raises:
            PictureError: too few red cells were found.
        """
        with self._in_use() as running:
            return running.segmenter.measure_red_cell_px(pixels)

    def give_up(self, thread: int) -> bool:
        """The thread with this identity does not come back; what it is in is left to it, others get a new engine.

        Returns:
            False: it opens an engine, which may take its time, or too many were left behind already.
        """
        with self._lock:
            running = self._users.get(thread)
        if running is None:
            return True
        if not running.care.give_up(thread):
            return False
        self._leave(thread)
        return True

    def change(self, bundle_id: str, open_it: OpenBundle) -> None:
        """Open a bundle in the background and put it in place when it is warm; where it fails, the one before stays.

        Raises:
            HemonodeError: another one is being opened.
        """
        with self._lock:
            if self._loading is not None or self._stopping:
                raise HemonodeError("A bundle is being opened already; wait until it is in place.")
            self._loading = bundle_id
        self._changer = threading.Thread(target=self._change, args=(bundle_id, open_it), name="bundle", daemon=True)
        self._changer.start()

    def on_change(self, listener: Listener) -> None:
        """Have every later change of the bundle told, just before its first frame."""
        with self._lock:
            self._listeners = (*self._listeners, listener)

    def status(self) -> ModelStatus:
        """What runs on what."""
        running = self._running
        manifest, engine = running.bundle.manifest, running.segmenter.engine
        return ModelStatus(
            id=running.id,
            bundle=manifest.name,
            sha256=running.bundle.sha256,
            model=manifest.model,
            engine=engine.name,
            version=engine.version,
            device=engine.device,
            precision=engine.precision,
            passed_over=engine.passed_over,
            remarks=running.segmenter.remarks,
            loading=self._loading,
        )

    def request_stop(self) -> None:
        """Stop what goes on in the background."""
        with self._lock:
            self._stopping = True
        self._running.request_stop()

    def join(self, deadline_s: float) -> bool:
        """Wait for the stop until a monotonic time. False: an engine does not answer and is left behind."""
        return join_until(self._changer, deadline_s) and self._running.join(deadline_s)

    def close(self) -> None:
        """Release the engines, after the frames in work."""
        self.request_stop()
        self._running.close()

    @contextmanager
    def _in_use(self) -> Iterator[RunningBundle]:
        thread = threading.get_ident()
        with self._lock:
            running = self._users[thread] = self._running
        try:
            yield running
        finally:
            self._leave(thread)

    def _leave(self, thread: int) -> None:
        with self._lock:
            left = self._users.pop(thread, None)
            ended = left is not None and left is not self._running and left not in self._users.values()
        if left is not None and ended:
            # In a thread of its own: a frame must not wait for a library that cleans up.
            threading.Thread(target=left.close, name="bundle before", daemon=True).start()

    def _change(self, bundle_id: str, open_it: OpenBundle) -> None:
        try:
            bundle = open_it()
            new = RunningBundle(bundle, bundle_id, self._wish, None, self._log, self._faults)
            try:
                if self._seen is not None:
                    new.warm_up(*self._seen)
                self._put_in_place(new)
            except BaseException:
                new.close()
                raise
        except Exception as error:  # whatever is wrong with a bundle, the one before goes on
            self._faults.report("bundle", error)
            self._log.add("bundle", f"{self.manifest.name} stays, the other cannot be used: {error}", id=bundle_id)
        else:
            self._log.add("bundle", f"{bundle.manifest.name} is in use now.", id=bundle_id, sha256=bundle.sha256)
        finally:
            self._loading = None

    def _put_in_place(self, new: RunningBundle) -> None:
        with self._lock:
            if self._stopping:
                raise HemonodeError("the live view is being stopped")
            for listener in self._listeners:
                listener(new.bundle.manifest)
            old, self._running = self._running, new
            unused = old not in self._users.values()
        old.request_stop()
        if unused:
            old.close()
