"""A running live view: its parts, started and stopped together."""

from __future__ import annotations

import time

from hemonode.runtime.live.parts import Parts

STOP_S = 1.6
"""What does not answer by then is left behind: the whole program stops within 2 s."""


class LiveSession:
    """One camera through one model to page, tally and recorder. Start it, serve `parts.hub`, stop it, close it."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    def start(self) -> None:
        """Begin to capture, segment, count and keep; what takes comes before what gives."""
        parts = self.parts
        for part in (parts.recorder, parts.host, parts.tally, parts.page, parts.pipeline, parts.capture):
            part.start()

    def stop(self) -> bool:
        """Stop everything within `STOP_S`, and keep what was counted until now.

        Returns:
            False where a camera, an engine or a disk did not answer and was left behind.
        """
        parts = self.parts
        deadline_s = time.monotonic() + STOP_S
        gives = (parts.capture, parts.pipeline, parts.model, parts.host, parts.page)
        for part in gives:
            part.request_stop()
        # The tally gives what it counted last to the recorder, which then writes all that waits. It is not finished:
        # who starts the view again can go on with it.
        parts.tally.pause()
        parts.tally.request_stop()
        if parts.tally.status().state == "off":
            # Fields counted by hand belong to no sample that could be gone on with.
            parts.recorder.finish()
        ended = [parts.tally.join(deadline_s)]
        parts.recorder.request_stop()
        ended += [part.join(deadline_s) for part in (*gives, parts.recorder)]
        return all(ended)

    def close(self) -> None:
        """Release the engines, after a `stop` that left nothing behind."""
        self.parts.model.close()
