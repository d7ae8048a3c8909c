"""What is asked of a live view, carried out on its parts: the `LiveView` that page and API see."""

from __future__ import annotations

import threading

from hemonode.device.camera.contract import Camera, Control
from hemonode.errors import DeviceError, HemonodeError, UnknownNameError
from hemonode.runtime.live.events import Event
from hemonode.runtime.live.parts import Parts
from hemonode.runtime.live.report import judge, report
from hemonode.runtime.live.sampling import Sampling
from hemonode.runtime.live.sources import Source
from hemonode.runtime.live.status import Condition, LiveStatus
from hemonode.runtime.live.view import Choice, Choices, FieldCount, SolverWish, TallyWish
from hemonode.runtime.record.store import SessionStore
from hemonode.runtime.tally.field import CountedField, FieldKind
from hemonode.runtime.tally.quality import Quality


class Desk:
    """See `hemonode.runtime.live.view.LiveView`, which says what each method does.

    Args:
        parts: of the view.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._sampling = Sampling(parts)
        # Two people at two pages: one sample is begun after the other.
        self._changing = threading.Lock()
        # Of its own: a camera that never opens must not keep anybody from counting.
        self._opening = threading.Lock()

    @property
    def store(self) -> SessionStore:
        """What was recorded."""
        return self._parts.recorder.store

    def status(self) -> LiveStatus:
        """Everything beside the picture."""
        return report(self._parts)

    def condition(self) -> Condition:
        """How the view fares."""
        return judge(self._parts)

    def choices(self) -> Choices:
        """What may be chosen."""
        settings = self._parts.model.manifest.settings
        return Choices(
            tuple(Choice(source.id, source.name, source.kind) for source in self._parts.sources.all()),
            tuple(Choice(bundle.id, bundle.name) for bundle in self._parts.bundles.all),
            tuple(Choice(setting.name, setting.name) for setting in settings),
        )

    def choose_source(self, source_id: str) -> None:
        """Opens the camera before the one in use is let go, unless they are the same."""
        source = self._parts.sources.find(source_id)
        if not self._opening.acquire(blocking=False):
            raise DeviceError("A camera is being opened already; wait until it is there, or plug it out and in.")
        try:
            if source_id != self._parts.capture.status().id:
                self._show(source, source.open())
        finally:
            self._opening.release()

    def choose_bundle(self, bundle_id: str) -> None:
        """Opened and warmed up in the background."""
        bundle = self._parts.bundles.find(bundle_id)
        self._parts.model.change(bundle.id, bundle.open)

    def read_bundle_again(self) -> None:
        """The one in use, as it is on the disk now; a fault where that cannot be begun."""
        try:
            self.choose_bundle(self._parts.model.status().id)
        except HemonodeError as error:
            self._parts.faults.report("bundle", error)

    def wish_solver(self, wish: SolverWish) -> None:
        """Left to the governor."""
        self._parts.governor.wish(wish)

    def measure_scale_again(self) -> bool:
        """From the next pictures."""
        return self._parts.scale.measure_again()

    def give_scale(self, red_cell_px: float) -> None:
        """From the next picture on."""
        self._parts.scale.give(red_cell_px)
        self._parts.log.add("command", f"The red-cell diameter was set to {red_cell_px:g} px.", red_cell_px=red_cell_px)

    def controls(self) -> tuple[Control, ...]:
        """The camera's."""
        return self._parts.capture.controls()

    def set_control(self, name: str, *, value: float | None = None, automatic: bool | None = None) -> Control:
        """At the camera."""
        known = {control.name for control in self.controls()}
        # Of a camera that is away nothing is known; what it is asked then tells why.
        if known and name not in known:
            raise UnknownNameError(f"The camera has no control {name!r}; it has {', '.join(sorted(known))}.")
        control = self._parts.capture.set_control(name, value=value, automatic=automatic)
        self._parts.log.add(
            "command", f"{control.label} of the camera was set.", name=name, value=control.value, automatic=automatic
        )
        return control

    def count_field(self, packet: int | None = None, note: str = "") -> FieldCount:
        """Of the picture that the person saw."""
        return self._keep("counted", packet, note)

    def snapshot(self, packet: int | None = None) -> FieldCount:
        """Of the picture that the person saw."""
        return self._keep("snapshot", packet, "")

    def tally(self, wish: TallyWish) -> None:
        """See `Sampling`."""
        with self._changing:
            self._sampling.follow(wish)

    def keep_pictures(self, wanted: bool) -> None:
        """From the next field on."""
        self._parts.recorder.keep_pictures(wanted)

    def events(self, after: int = 0) -> tuple[Event, ...]:
        """Those that are still kept."""
        return self._parts.log.after(after)

    def _show(self, source: Source, camera: Camera) -> None:
        parts = self._parts
        with self._changing:
            # First: a picture of the old camera that came after the others were told would count as one of the new.
            parts.capture.change_source(camera, source.open, source.id, source.kind)
            parts.tally.source_changed()
            parts.scale.forget()
            parts.log.add("command", f"The source is now {source.name}.")

    def _keep(self, kind: FieldKind, packet: int | None, note: str) -> FieldCount:
        result = self._parts.page.shown(packet)
        if result is None:
            raise DeviceError("That picture is not kept any more, or none has come yet; try again on a fresh one.")
        quality = Quality(self._parts.model.manifest.classes).judge(result)
        warnings = tuple(gate.advice or gate.label for gate in quality.gates if not gate.ok)
        field = CountedField(
            kind, result, dict(result.tally.in_frame), result.frame.taken_at, warnings=warnings, note=note
        )
        with self._changing:
            session = self._sampling.session()
            field_id = self._parts.recorder.keep(field, picture=True)
        visible = dict(result.tally.visible)
        return FieldCount(field_id, session, dict(field.counts), visible, warnings, packet)
