"""systemd is told what it asked for, over the real protocol: ready, alive while results flow, reloading, stopping."""

from __future__ import annotations

import os
import socket
import time
from dataclasses import replace

import pytest
from live_view_standin import StandinView

from hemonode.runtime.live.notify import START_S, Notifier, Progress, summary


@pytest.fixture(params=["file", "abstract"])
def systemd(request, tmp_path):
    """The socket that systemd listens on, and the environment it gives: a file, or a name that is none."""
    name = str(tmp_path / "notify") if request.param == "file" else f"@hemonode-test-{os.getpid()}"
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(name.replace("@", "\0", 1))
    listener.settimeout(20)
    with listener:
        yield listener, {"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "400000", "WATCHDOG_PID": str(os.getpid())}


def heard(listener, wanted, timeout_s=20):
    """Datagrams up to one that has a line."""
    told, deadline = [], time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        told.append(listener.recv(4096).decode().splitlines())
        if any(line.startswith(wanted) for line in told[-1]):
            return told
    pytest.fail(f"{wanted} was not told; only {told}")


def silent(listener, span_s):
    """Whether no sign of life comes for a time."""
    deadline = time.monotonic() + span_s
    while time.monotonic() < deadline:
        if "WATCHDOG=1" in listener.recv(4096).decode():
            return False
    return True


def test_a_view_is_ready_then_alive_while_results_flow_and_says_when_it_stops(systemd):
    listener, environment = systemd
    view = StandinView()
    status = view.status()
    flowing = [0]

    def told():
        flowing[0] += 1
        return replace(status, results=flowing[0])

    notifier = Notifier(told, environment)
    assert notifier.watchdog_s == 0.4
    notifier.start()
    assert listener.recv(4096) == b"READY=1"
    for _ in range(3):
        assert heard(listener, "WATCHDOG=1")[-1][0].startswith("STATUS=Starting: 0.0 results/s, tol1e-3 on stand-in")
    notifier.reloading()
    began = heard(listener, "RELOADING=1")[-1]
    assert began[1].startswith("MONOTONIC_USEC=")
    heard(listener, "READY=1")
    notifier.request_stop()
    heard(listener, "STOPPING=1")
    assert notifier.join(time.monotonic() + 2)


@pytest.mark.parametrize("systemd", ["file"], indirect=True)
def test_a_view_that_hangs_starves_the_watchdog_and_one_whose_camera_is_away_does_not(systemd):
    listener, environment = systemd
    status = replace(StandinView().status(), results=7)
    notifier = Notifier(lambda: status, environment)
    notifier.start()
    heard(listener, "WATCHDOG=1")  # the first look: seven results are more than none
    assert silent(listener, 1.5)
    status = replace(status, source=replace(status.source, state="reopening"))
    heard(listener, "WATCHDOG=1")
    notifier.request_stop()
    assert notifier.join(time.monotonic() + 2)


@pytest.mark.parametrize("systemd", ["file"], indirect=True)
def test_a_status_that_fails_is_no_sign_of_life_and_ends_nothing(systemd):
    listener, environment = systemd
    status, fail = StandinView().status(), [True]

    def told():
        if fail[0]:
            raise RuntimeError("the lock is gone")
        return status

    notifier = Notifier(told, environment)
    notifier.start()
    assert listener.recv(4096) == b"READY=1"
    listener.settimeout(1)
    with pytest.raises(TimeoutError):
        listener.recv(4096)
    fail[0] = False
    listener.settimeout(20)
    heard(listener, "WATCHDOG=1")
    notifier.request_stop()


def test_a_slow_start_and_an_empty_slide_are_no_fault():
    now = [0.0]
    progress = Progress(lambda: now[0])
    status = StandinView().status()
    quiet = replace(status, results=0, drops={"measuring": 0})
    assert progress.seen(quiet)
    now[0] = START_S + 1
    assert not progress.seen(quiet)
    assert progress.seen(replace(quiet, drops={"measuring": 5}))
    assert not progress.seen(replace(quiet, drops={"measuring": 5}))
    assert progress.seen(replace(quiet, results=1, drops={"measuring": 5}))
    now[0] = 0.0
    assert not progress.seen(replace(quiet, results=1, drops={"measuring": 5}))


def test_the_line_for_systemctl_is_one_line():
    status = replace(StandinView().status(), label="Camera lost", message="It is being\nopened again." + "x" * 1000)
    line = summary(status)
    assert line.startswith("Camera lost: 0.0 results/s, tol1e-3 on stand-in, 0 pages; It is being opened again.")
    assert len(line) <= 500
    assert "\n" not in line


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"NOTIFY_SOCKET": ""},
        {"NOTIFY_SOCKET": "vsock:2:1234"},
        {"NOTIFY_SOCKET": "/nowhere/at/all", "WATCHDOG_USEC": "x"},
        {"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"},
        {"WATCHDOG_USEC": "-5"},
    ],
)
def test_without_systemd_nothing_happens(environment):
    notifier = Notifier(StandinView().status, environment)
    notifier.start()
    notifier.reloading()
    notifier.request_stop()
    assert notifier.join(time.monotonic() + 2)
    assert notifier.watchdog_s is None
