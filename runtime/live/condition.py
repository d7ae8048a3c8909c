"""Judges how the live view fares: one state, one label, and a sentence where something is wrong."""

from __future__ import annotations

from hemonode.runtime.live.meters import Fault
from hemonode.runtime.live.status import Condition, RecorderStatus, SourceStatus


def condition(
    camera: SourceStatus, recorder: RecorderStatus, results: int, rate_hz: float, faults: list[Fault]
) -> Condition:
    """Judge the whole view.

    Args:
        camera: what the camera does.
        recorder: what the recorder does.
        results: frames segmented since the start.
        rate_hz: results per second of the last seconds.
        faults: those that are still news.
    """
    told = "\n".join(f"{fault.origin}: {fault.message}" for fault in faults)
    stale = " What is shown is old." if results else ""
    if camera.state == "reopening":
        return Condition(
            "trouble", "Camera lost", f"The camera failed and is being opened again.{stale}\n{told}".strip()
        )
    if camera.state == "silent":
        return Condition("trouble", "No pictures", f"The camera is open but gives no pictures.{stale}")
    if camera.state == "ended":
        return Condition("ended", "Ended", told or None)
    if any(fault.origin in ("scale", "segmentation") for fault in faults) and rate_hz == 0:
        return Condition("trouble", "No results", told + stale)
    if recorder.state == "failing":
        return Condition("trouble", "Not recorded", recorder.message or told or None)
    if results == 0:
        return Condition("starting", "Starting", told or None)
    if recorder.state == "without_pictures":
        told = "\n".join(filter(None, (recorder.message, told)))
    return Condition("running", "Live", told or None)
