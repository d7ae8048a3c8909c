"""What the page, the API and a program may ask of a live view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from hemonode.device.camera.contract import Control
from hemonode.runtime.live.events import Event
from hemonode.runtime.live.status import Condition, LiveStatus, SolverMode, TargetKind

if TYPE_CHECKING:
    from hemonode.runtime.record.store import SessionStore

TallyAction = Literal["start", "pause", "resume", "new_area", "finish"]


@dataclass(frozen=True)
class Choice:
    """A source, bundle or setting that may be chosen: by `id`, which is all that a client ever sends back."""

    id: str
    name: str
    kind: str = ""


@dataclass(frozen=True)
class Choices:
    """All that may be chosen now."""

    sources: tuple[Choice, ...]
    bundles: tuple[Choice, ...]
    settings: tuple[Choice, ...]


@dataclass(frozen=True)
class SolverWish:
    """Which solver setting to run: a fixed one, or the most accurate that keeps a target.

    Attributes:
        setting: where the mode is "fixed".
        target: what `target_ms` speaks of: capture to result, or the time from result to result.
        target_ms: where the mode is "automatic"; None keeps the one before.
    """

    mode: SolverMode
    setting: str | None = None
    target: TargetKind = "latency"
    target_ms: float | None = None


@dataclass(frozen=True)
class TallyWish:
    """What to do with the tally.

    Attributes:
        action: "start" begins a new one, and a session to keep it; "new_area" goes on where the slide was moved too far
            to follow, on a place not counted before.
        name: of the sample, where a tally starts.
        goal_percent: half width that is wanted, percent; None keeps the one before.
        goal_class: class id that the goal speaks of; None keeps the one before.
        proceed: with "start": go on with the session that was interrupted last.
    """

    action: TallyAction
    name: str = ""
    goal_percent: float | None = None
    goal_class: int | None = None
    proceed: bool = False


@dataclass(frozen=True)
class FieldCount:
    """What "count this field" found.

    Attributes:
        id: of the field in its session, by which its picture can be asked for.
        counts: cells in the counting frame, by class id.
        visible: all cells, by class id.
        warnings: why the count may be wrong: out of focus, too dark, …
        packet: number of the packet whose picture was counted; None where the latest was asked for.
    """

    id: int
    session: str
    counts: dict[int, int]
    visible: dict[int, int]
    warnings: tuple[str, ...]
    packet: int | None


class LiveView(Protocol):
    """A running live view. Every method may be called from any thread, answers at once, and raises HemonodeError with a
    sentence where it cannot do what is asked."""  # noqa: D205, D209

    @property
    def store(self) -> SessionStore:
        """What was recorded, of this and earlier runs."""

    def status(self) -> LiveStatus:
        """Everything beside the picture."""

    def condition(self) -> Condition:
        """How the view fares."""

    def choices(self) -> Choices:
        """What may be chosen."""

    def choose_source(self, source_id: str) -> None:
        """Show another camera. The tally pauses."""

    def choose_bundle(self, bundle_id: str) -> None:
        """Open a bundle (the one in use: read it again) and put it in place when it is ready; `status` tells."""

    def wish_solver(self, wish: SolverWish) -> None:
        """Choose a solver setting, or leave it to the governor with a target."""

    def measure_scale_again(self) -> bool:
        """Measure the red-cell diameter anew. False: it was given, not measured."""

    def give_scale(self, red_cell_px: float) -> None:
        """Set the red-cell diameter, pixels of the camera's picture."""

    def controls(self) -> tuple[Control, ...]:
        """The camera's controls; none while it is away."""

    def set_control(self, name: str, *, value: float | None = None, automatic: bool | None = None) -> Control:
        """Change a control of the camera; the answer is what it became."""

    def count_field(self, packet: int | None = None, note: str = "") -> FieldCount:
        """Count the field that a packet showed (None: the latest), keep it with its picture, and say what was found."""

    def snapshot(self, packet: int | None = None) -> FieldCount:
        """Keep the picture, mask and counts that a packet showed, outside of any tally."""

    def tally(self, wish: TallyWish) -> None:
        """Start, pause, resume or finish the tally."""

    def keep_pictures(self, wanted: bool) -> None:
        """Whether each tallied field is kept with its picture, or with its counts only."""

    def events(self, after: int = 0) -> tuple[Event, ...]:
        """What happened lately, oldest first: those numbered above `after`."""
