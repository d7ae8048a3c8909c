"""A network camera under the real capture: switched off and on, sending half pictures, and silent."""

from __future__ import annotations

import http.server
import threading
import time
from contextlib import suppress

import cv2
import numpy as np
import pytest

from hemonode.device.camera import open_camera
from hemonode.runtime.live import capture_restarts
from hemonode.runtime.live.capture import Capture
from hemonode.runtime.live.events import EventLog
from hemonode.runtime.live.mailbox import Mailbox
from hemonode.runtime.live.meters import FaultLog

NOISE = np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)
PICTURE = cv2.imencode(".jpg", NOISE)[1].tobytes()


class NetworkCamera:
    """Sends 50 pictures a second over HTTP."""

    def __init__(self):
        self.port = 0
        self.halves = False
        self.switch_on()

    def switch_on(self):
        camera = self

        class Answer(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=next")
                self.end_headers()
                with suppress(OSError):
                    while camera.is_on:
                        picture = PICTURE[: len(PICTURE) // 2] if camera.halves else PICTURE
                        self.wfile.write(b"--next\r\nContent-Length: %d\r\n\r\n%s\r\n" % (len(picture), picture))
                        time.sleep(0.02)

            def log_message(self, *args):
                pass

        self.is_on = True
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Answer)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def switch_off(self):
        self.is_on = False
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def camera():
    camera = NetworkCamera()
    yield camera
    if camera.is_on:
        camera.switch_off()


def test_a_network_camera_that_was_off_is_back_and_its_password_is_nowhere(camera, standins, monkeypatch):
    monkeypatch.setattr(capture_restarts, "FIRST_PAUSE_S", 0.05)
    monkeypatch.setattr(capture_restarts, "LONGEST_PAUSE_S", 0.2)
    frames, log = Mailbox(), EventLog()
    faults = FaultLog(log)
    opened = open_camera(f"http://user:secret@127.0.0.1:{camera.port}/video?token=hidden")
    capture = Capture(opened, open_camera, frames, log, faults, "first", "stream")
    capture.start()

    def flows():
        return capture.status().state == "running" and frames.take(0.5) is not None and capture.status().age_s < 0.5

    try:
        standins.wait_until(flows)
        camera.halves = True
        standins.wait_until(lambda: capture.status().damaged > 3)
        camera.halves = False
        standins.wait_until(flows)
        assert frames.take(2.0).pixels.shape == NOISE.shape
        camera.switch_off()
        standins.wait_until(lambda: "does not answer" in str(faults.recent()))
        camera.switch_on()
        standins.wait_until(flows)
        assert capture.status().reopened == 1
        told = f"{log.after()} {faults.recent()} {capture.status()}"
        assert "secret" not in told
        assert "hidden" not in told
    finally:
        began_s = time.monotonic()
        capture.request_stop()
        assert capture.join(began_s + 2.0)
