"""What is asked of the live view while one of its parts does not answer."""

from __future__ import annotations

import threading
from datetime import datetime, timezone
from types import SimpleNamespace

import pytest

from hemonode.errors import DeviceError, HemonodeError
from hemonode.runtime.live.desk import Desk
from hemonode.runtime.live.view import TallyWish
from hemonode.runtime.record.facts import InterruptedSession


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


def test_a_sample_that_another_model_counted_is_not_gone_on_with(colour_bundle):
    ended = []
    interrupted = InterruptedSession(
        "1", "Ward 7", datetime.now(timezone.utc), {9: 30}, area=4.0, fields=4, classes={9: "parasite"}
    )
    parts = SimpleNamespace(
        model=SimpleNamespace(manifest=colour_bundle.manifest),
        recorder=SimpleNamespace(interrupted=lambda: interrupted, finish=lambda: ended.append("session")),
        tally=SimpleNamespace(
            status=lambda: SimpleNamespace(state="counting"),
            goal=lambda *_: None,
            finish=lambda: ended.append("tally"),
        ),
    )
    with pytest.raises(HemonodeError, match="other classes"):
        Desk(parts).tally(TallyWish("start", proceed=True))
    assert ended == []
