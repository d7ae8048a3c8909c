"""Samples: a tally and the session that keeps it begin and end together."""

from __future__ import annotations

from hemonode import __version__
from hemonode.device.camera.contract import Control
from hemonode.errors import DeviceError, HemonodeError
from hemonode.runtime.classes import countable_names
from hemonode.runtime.live.parts import Parts
from hemonode.runtime.live.view import TallyWish
from hemonode.runtime.record.facts import SessionFacts

UNNAMED = "unnamed"
"""Of a session that a field was counted in before any tally was started."""


class Sampling:
    """Follows what is asked of the tally. One caller at a time."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._session: str | None = None

    def follow(self, wish: TallyWish) -> None:
        """Carry a wish out.

        Raises:
            HemonodeError: there is no tally to do it to, or no session to go on with.
        """
        tally = self._parts.tally
        if wish.action == "start":
            self._start(wish)
            return
        if tally.status().state == "off":
            raise HemonodeError("No tally is running; start one first.")
        if wish.action == "finish":
            self._finish()
        else:
            {"pause": tally.pause, "resume": tally.resume, "new_area": tally.new_area}[wish.action]()

    def session(self) -> str:
        """The session that a field counted by hand belongs to; one begins where none is open."""
        if self._session is None:
            self._session = self._parts.recorder.begin(self._facts(UNNAMED))
        return self._session

    def _start(self, wish: TallyWish) -> None:
        parts = self._parts
        interrupted = parts.recorder.interrupted() if wish.proceed else None
        if wish.proceed and interrupted is None:
            raise HemonodeError("No session was interrupted; start a new tally.")
        if interrupted is not None and interrupted.classes != self._classes():
            raise HemonodeError(
                f"{interrupted.name} was counted by a model with other classes; choose that one, or start a new tally."
            )
        # Before anything is ended for it.
        parts.tally.goal(wish.goal_percent, wish.goal_class)
        self._finish()
        if interrupted is None:
            name = wish.name or UNNAMED
            self._session = parts.recorder.begin(self._facts(name))
            parts.tally.begin(name, wish.goal_percent, wish.goal_class)
            return
        parts.recorder.proceed(interrupted.session)
        self._session = interrupted.session
        parts.tally.begin(
            interrupted.name, wish.goal_percent, wish.goal_class, counted=interrupted.counted, area=interrupted.area
        )

    def _finish(self) -> None:
        if self._parts.tally.status().state != "off":
            self._parts.tally.finish()
        if self._session is not None:
            self._parts.recorder.finish()
            self._session = None

    def _classes(self) -> dict[int, str]:
        return countable_names(self._parts.model.manifest.classes)

    def _facts(self, name: str) -> SessionFacts:
        parts = self._parts
        source, solver, manifest = parts.capture.status(), parts.governor.status(), parts.model.manifest
        latest = parts.page.shown(None)
        return SessionFacts(
            name=name,
            source=source.name,
            bundle=manifest.name,
            bundle_sha256=parts.model.status().sha256,
            hemonode=__version__,
            classes=manifest.classes,
            um_per_px=None if latest is None else latest.frame.um_per_px,
            red_cell_px=None if latest is None else latest.scale.red_cell_px,
            settings={
                "solver mode": solver.mode,
                "solver target": solver.target,
                "solver target ms": solver.target_ms,
                **{f"camera {control.name}": control.value for control in self._controls()},
            },
        )

    def _controls(self) -> tuple[Control, ...]:
        try:
            return self._parts.capture.controls()
        except DeviceError as error:
            # A camera that is away has none to write down; the sample begins all the same.
            self._parts.faults.report("camera", error)
            return ()
