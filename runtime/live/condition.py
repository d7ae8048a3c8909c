"""Judges how the live view fares: one state, one label, and a sentence where something is wrong."""

from __future__ import annotations

from dataclasses import dataclass

from hemonode.runtime.live.meters import Fault
from hemonode.runtime.live.status import Condition, RecorderStatus, SourceStatus

LATE_LEAST_S, LATE_TIMES_USUAL = 5.0, 3.0
"""A result that is that much behind the camera does not come any more, whatever the reason."""
_LEAST_RATE_HZ = 1.0
"""Of a camera that results are missed from: a slower one gives no picture for seconds, and all is well."""
_LARGE_PIXELS = 30_000_000
"""No camera beside a microscope gives so many at once: it is a scan, which takes tens of seconds on most machines."""

_OLD = " What is shown is old."


@dataclass(frozen=True)
class Results:
    """What became of the pictures.

    Attributes:
        count: since the start.
        rate_hz: a second, over the last seconds.
        age_s: since the picture of the latest was taken; None before the first.
        usual_s: that nearly all take from capture on; None before the first.
    """

    count: int
    rate_hz: float
    age_s: float | None
    usual_s: float | None


def condition(camera: SourceStatus, recorder: RecorderStatus, results: Results, faults: list[Fault]) -> Condition:
    """Judge the whole view.

    Args:
        camera: what the camera does.
        recorder: what the recorder does.
        results: what came of its pictures.
        faults: those that are still news.
    """
    told = "\n".join(f"{fault.origin}: {fault.message}" for fault in faults)
    old = _OLD if results.count else ""
    if camera.state == "reopening":
        sentence = f"The camera failed and is being opened again.{old}\n{told}".strip()
        return Condition("trouble", "Camera lost", sentence, stale=True)
    if results.count == 0 and (camera.width or 0) * (camera.height or 0) > _LARGE_PIXELS:
        sentence = f"A picture of {camera.width}×{camera.height} pixels takes long; for scans there is hemonode run."
        return Condition("starting", "Starting", f"{sentence}\n{told}".strip())
    if camera.state == "silent":
        return Condition("trouble", "No pictures", f"The camera is open but gives no pictures.{old}", stale=True)
    if camera.state == "ended":
        return Condition("ended", "Ended", told or None)
    if any(fault.origin in ("scale", "segmentation") for fault in faults) and results.rate_hz == 0:
        return Condition("trouble", "No results", told + old, stale=True)
    if _stuck(camera, results):
        sentence = f"The camera gives pictures, but none becomes a result.{_OLD}\n{told}".strip()
        return Condition("trouble", "No results", sentence, stale=True)
    if recorder.state == "failing":
        return Condition("trouble", "Not recorded", recorder.message or told or None)
    if results.count == 0:
        return Condition("starting", "Starting", told or None)
    if recorder.state == "without_pictures":
        told = "\n".join(filter(None, (recorder.message, told)))
    return Condition("running", "Live", told or None)


def _stuck(camera: SourceStatus, results: Results) -> bool:
    """No fault is told, and yet nothing comes: an engine is built anew, say, or another camera's scale measured."""
    if results.age_s is None or camera.rate_hz < _LEAST_RATE_HZ:
        return False
    return results.age_s - camera.age_s > max(LATE_LEAST_S, LATE_TIMES_USUAL * (results.usual_s or 0.0))
