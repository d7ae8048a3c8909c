"""What the live view tells about itself: the types of `/api/status`, and of the page's messages beside the pictures."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

State = Literal["starting", "running", "ended", "trouble"]
CameraState = Literal["running", "silent", "reopening", "ended"]
SolverMode = Literal["automatic", "fixed"]
TargetKind = Literal["latency", "frame_time"]
TallyState = Literal["off", "counting", "refused", "lost", "paused", "full"]
RecorderState = Literal["off", "recording", "without_pictures", "failing"]


@dataclass(frozen=True)
class Condition:
    """How the live view fares, in a word for programs, a label for the page, and a sentence where it helps.

    `stale`: what is shown is old, and no new result is on its way.
    """

    state: State
    label: str
    message: str | None = None
    stale: bool = False


@dataclass(frozen=True)
class Percentiles:
    """Milliseconds of one stage over the last frames."""

    p50_ms: float
    p90_ms: float
    p99_ms: float


@dataclass(frozen=True)
class SourceStatus:
    """The camera.

    Attributes:
        id: of this source among the choices.
        name: what a person calls it.
        kind: a key of `hemonode.device.camera.CAMERAS`.
        width, height: of its latest picture, pixels; None before the first.
        rate_hz: pictures a second that arrive.
        age_s: since the latest picture.
        missed: gaps in the camera's own numbering: pictures lost before they reached us.
        damaged: pictures that arrived incomplete and were dropped.
        stalls: times it stopped without an error.
        reopened: times it was opened again.
    """

    id: str
    name: str
    kind: str
    state: CameraState
    width: int | None
    height: int | None
    rate_hz: float
    age_s: float
    captured: int
    missed: int
    damaged: int
    stalls: int
    reopened: int


@dataclass(frozen=True)
class ModelStatus:
    """Which model runs on what.

    Attributes:
        id: of this bundle among the choices.
        sha256: of the bundle.
        passed_over: why better engines do not work here, one sentence each.
        remarks: what else the engine has to say about its choices.
        workers: frames in work at once.
        loading: the bundle that is being opened to replace this one, or None.
    """

    id: str
    bundle: str
    sha256: str
    model: str
    engine: str
    version: str
    device: str
    precision: str
    passed_over: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    workers: int = 1
    loading: str | None = None


@dataclass(frozen=True)
class RungStatus:
    """One solver setting of the ladder.

    Attributes:
        evaluations: of f in one pass, over all blocks.
        tolerance: it keeps; None where it was chosen by method.
        ready: whether an engine for it is open and warm.
        engine_ms: a frame's time in that engine, measured, else predicted from its work; None where neither is known.
        estimates: whether it reports its own error.
    """

    setting: str
    evaluations: int
    tolerance: float | None
    ready: bool
    engine_ms: float | None
    estimates: bool


@dataclass(frozen=True)
class BlockErrorStatus:
    """What one ODE block reports about its own error, beside what it reported at calibration.

    All in the solver's norm: 1 is the tolerance that was asked for.
    """

    position: int
    estimate: float
    usual: float
    largest: float


@dataclass(frozen=True)
class ErrorStatus:
    """The reported solver error of the latest frame; `outside`: beyond all that was seen at calibration."""

    blocks: tuple[BlockErrorStatus, ...]
    outside: bool


@dataclass(frozen=True)
class SolverStatus:
    """What the governor does.

    Attributes:
        setting: in use.
        reason: why this one, in a sentence.
        limited_by: what keeps it from a more accurate one: "load", "heat", "power", "building" or None.
        moves: how often it changed.
        stepped_up: frames that were run again on a better setting because of their reported error.
        error: None where the setting reports none.
        memory_bytes: that the open engines of the ladder take, as far as it is known.
    """

    mode: SolverMode
    target: TargetKind
    target_ms: float | None
    setting: str
    reason: str
    limited_by: str | None
    moves: int
    stepped_up: int
    rungs: tuple[RungStatus, ...]
    error: ErrorStatus | None
    memory_bytes: int | None


@dataclass(frozen=True)
class GateStatus:
    """One check of the picture: a value, the range in which it is fine, and what to do where it is not."""

    name: Literal["focus", "exposure", "saturation", "emptiness", "scale"]
    label: str
    value: float
    least: float | None
    most: float | None
    ok: bool
    advice: str | None


@dataclass(frozen=True)
class QualityStatus:
    """Whether cells can be judged in the latest picture. `focus_share`: 0 to 1 of the sharpest seen lately."""

    ok: bool
    focus_share: float | None
    gates: tuple[GateStatus, ...]


@dataclass(frozen=True)
class Interval:
    """A figure and its 95 % interval; None where it is not defined."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class LiveCount:
    """Cells of one class in view now: of the latest picture's counting frame, and smoothed over the last second."""

    id: int
    in_frame: int
    smoothed: float


@dataclass(frozen=True)
class ClassTally:
    """One class in the tally. `per_field` has a Poisson interval, `share` of all counted cells a binomial one."""

    id: int
    name: str
    counted: int
    per_field: Interval
    share: Interval


@dataclass(frozen=True)
class TrendPoint:
    """The tally after so many fields: cells counted, by class id."""

    fields: float
    counted: dict[int, int]


@dataclass(frozen=True)
class TallyStatus:
    """The running tally.

    Attributes:
        state: "refused": this view is not counted, `message` says why; "lost": where it lies is not known; "full": as
            much as is kept was counted.
        name: of the sample.
        fields: area covered, in fields of view.
        refused: frames that were not tallied, by reason.
        goal_class: id of the class whose interval shall become narrow.
        goal_percent: half width that is wanted, percent of the count.
        goal_cells: cells needed for it.
        progress: 0 to 1.
    """

    state: TallyState
    name: str
    message: str | None
    fields: float
    cells: int
    seconds: float
    classes: tuple[ClassTally, ...]
    refused: dict[str, int]
    goal_class: int
    goal_percent: float
    goal_cells: int
    progress: float
    trend: tuple[TrendPoint, ...]


@dataclass(frozen=True)
class RecorderStatus:
    """What is kept. "without_pictures": the disk is nearly full, counts go on. `message` says what is wrong."""

    state: RecorderState
    session: str | None
    fields: int
    pictures: int
    waiting: int
    used_bytes: int
    budget_bytes: int
    free_bytes: int | None
    keeps_pictures: bool
    message: str | None


@dataclass(frozen=True)
class HostStatus:
    """The machine. Temperatures in °C by sensor; `power_mode` as the machine calls it.

    `hottest_c` is the sensor that is nearest to its limit `hot_from_c`, from which the machine slows itself down; where
    no limits are told it is the hottest one. `throttled_by`: why it is slowed down now: "heat", "power".
    """

    temperatures_c: dict[str, float]
    hottest_c: float | None
    hot_from_c: float | None
    power_mode: str | None
    memory_free_bytes: int | None
    throttled_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class ClassStatus:
    """One class as the page shows it: `colour` is "#rrggbb"."""

    id: int
    name: str
    label: str
    colour: str
    countable: bool


@dataclass(frozen=True)
class FaultStatus:
    """The latest fault of one part, `age_s` ago."""

    origin: str
    message: str
    count: int
    age_s: float


@dataclass(frozen=True)
class LiveStatus:
    """Everything that is shown beside the picture. `stale`: picture and counts in view are old; see `Condition`."""

    hemonode: str
    state: State
    label: str
    message: str | None
    uptime_s: float
    source: SourceStatus
    model: ModelStatus
    solver: SolverStatus
    classes: tuple[ClassStatus, ...]
    results: int
    rate_hz: float
    stages: dict[str, Percentiles]
    drops: dict[str, int]
    quality: QualityStatus | None
    counts: tuple[LiveCount, ...]
    tally: TallyStatus
    recorder: RecorderStatus
    host: HostStatus
    faults: tuple[FaultStatus, ...] = field(default=())
    pages: int = 0
    stale: bool = False
