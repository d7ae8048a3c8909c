"""How long a camera that does not come back is waited for."""

from __future__ import annotations

from hemonode.runtime.live.capture_restarts import Restarts


def test_pauses_double_to_a_limit_and_begin_anew_with_a_picture():
    restarts = Restarts()
    assert [restarts.pause_s(0.0) for _ in range(7)] == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]
    restarts.delivered()
    assert restarts.pause_s(0.0) == 0.5


def test_a_camera_that_opens_and_fails_at_once_is_opened_five_times_a_minute():
    restarts, now_s, opened_s = Restarts(), 1000.0, []
    while now_s < 1600:
        now_s += restarts.pause_s(now_s)
        restarts.opened(now_s)
        restarts.delivered()
        opened_s.append(now_s)
        now_s += 0.1
    per_minute = [sum(begin <= at < begin + 60 for at in opened_s) for begin in opened_s]
    assert max(per_minute) == 5
    assert len(opened_s) >= 45
