"""What is asked of the live view while one of its parts does not answer."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from hemonode.errors import DeviceError
from hemonode.runtime.live.desk import Desk
from hemonode.runtime.live.view import TallyWish


def test_a_camera_that_never_opens_keeps_nobody_from_counting():
    opening, go_on, done = threading.Event(), threading.Event(), []

    def never():
        opening.set()
        go_on.wait(30)
        raise DeviceError("it was plugged out")

    parts = SimpleNamespace(
        sources=SimpleNamespace(find=lambda _: SimpleNamespace(id="new", name="new", kind="v4l2", open=never)),
        capture=SimpleNamespace(status=lambda: SimpleNamespace(id="old")),
        tally=SimpleNamespace(status=lambda: SimpleNamespace(state="counting"), **dict.fromkeys(("resume", "new_area")),
                              pause=lambda: done.append("paused")),
    )  # fmt: skip
    desk = Desk(parts)

    def choose():
        with pytest.raises(DeviceError, match="plugged out"):
            desk.choose_source("new")
        done.append("refused")

    choosing = threading.Thread(target=choose, daemon=True)
    choosing.start()
    assert opening.wait(10)
    pausing = threading.Thread(target=desk.tally, args=(TallyWish("pause"),), daemon=True)
    pausing.start()
    pausing.join(5)
    assert done == ["paused"]
    with pytest.raises(DeviceError, match="being opened already"):
        desk.choose_source("new")
    go_on.set()
    choosing.join(10)
    assert done == ["paused", "refused"]
