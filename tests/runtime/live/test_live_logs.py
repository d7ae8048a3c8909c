"""The log: lines for a terminal, JSON for a service, and a rattling cable never fills the disk."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import time

import pytest

from hemonode.runtime.live.config import LogConfig
from hemonode.runtime.live.events import EventLog
from hemonode.runtime.live.logs import BURST, KINDS_KEPT, SPAN_S, Repeats, start_logs


@pytest.fixture
def log():
    """`log(format, level)` gives the stream that everything is logged to, as it was before the test afterwards."""
    root, loggers = logging.getLogger(), [logging.getLogger(name) for name in ("hemonode", "uvicorn.error", "asyncio")]
    before = [*root.handlers], [logger.level for logger in loggers]

    def started(log_format="json", level="info", stream=None):
        stream = stream or io.StringIO()
        start_logs(LogConfig(format=log_format, level=level), stream)
        return stream

    yield started
    root.handlers[:] = before[0]
    for logger, was in zip(loggers, before[1], strict=True):
        logger.setLevel(was)


def test_an_event_is_one_json_object_with_its_figures(log):
    stream = log("json")
    EventLog().add("governor", "Stepped down to tol1e-2: 71 ms where 50 are wanted.", setting="tol1e-2", p90_ms=71.0)
    (line,) = stream.getvalue().splitlines()
    entry = json.loads(line)
    assert entry["event"] == "governor"
    assert entry["level"] == "info"
    assert entry["details"] == {"setting": "tol1e-2", "p90_ms": 71.0}
    assert entry["at"].endswith("+00:00")


def test_a_terminal_gets_sentences_and_a_pipe_gets_json(log):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    for stream, is_json in ((Terminal(), False), (io.StringIO(), True)):
        log("auto", stream=stream)
        logging.getLogger("hemonode.live").warning("the camera is away")
        assert stream.getvalue().startswith("{") == is_json
        assert "the camera is away" in stream.getvalue()
    assert stream.getvalue().count("\n") == 1, "an earlier handler was not replaced"


def test_a_terminal_that_is_held_stops_nothing_and_gets_its_lines_when_it_goes_on(log, monkeypatch):
    taking, giving = os.pipe()
    os.set_blocking(giving, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(giving, b"." * 4096)
    os.set_blocking(giving, True)
    with os.fdopen(giving, "w") as held, os.fdopen(taking) as terminal:
        monkeypatch.setattr("sys.stderr", held)
        monkeypatch.setattr("faulthandler.enable", lambda: None)
        start_logs(LogConfig(format="json", level="info"))
        events = EventLog()
        started = time.monotonic()
        for number in range(20):
            events.add("engine", f"line {number}")
        assert time.monotonic() - started < 5
        for number in range(20):
            assert f"line {number}" in terminal.readline()


def test_what_a_client_sent_can_neither_end_a_line_nor_colour_the_terminal(log):
    for log_format in ("plain", "json"):
        stream = log(log_format)
        logging.getLogger("hemonode.web").info("asked for %s", "a\nERROR: forged \x1b[31m\u2028\x9b")
        text = stream.getvalue()
        assert len(text.splitlines()) == 1
        assert "\x1b" not in text
        assert "\x9b" not in text


def test_a_traceback_is_kept_in_both(log):
    for log_format in ("plain", "json"):
        stream = log(log_format)
        try:
            1 / 0  # noqa: B018
        except ZeroDivisionError:
            logging.getLogger("hemonode.live").exception("a part failed")
        assert "ZeroDivisionError: division by zero" in stream.getvalue()


def test_levels_hold_and_libraries_stay_quiet(log):
    stream = log("json", "warning")
    logging.getLogger("hemonode.live").info("not this")
    logging.getLogger("uvicorn.error").info("nor this")
    assert stream.getvalue() == ""
    stream = log("json", "info")
    logging.getLogger("uvicorn.error").info("nor this")
    logging.getLogger("hemonode.live").info("but this")
    assert "but this" in stream.getvalue()
    assert "nor this" not in stream.getvalue()


def warn(repeats, message, level=logging.WARNING):
    record = logging.LogRecord("hemonode.live", level, __file__, 1, message, (), None)
    return (record.unsaid if hasattr(record, "unsaid") else 0) if repeats.filter(record) else None


def test_alike_warnings_are_told_a_few_times_and_then_counted():
    now = [0.0]
    repeats = Repeats(lambda: now[0])
    told = [warn(repeats, f"the camera was silent for {number / 10} s") for number in range(1000)]
    assert [one for one in told if one is not None] == [0] * BURST
    assert warn(repeats, "another thing happened") == 0
    now[0] = SPAN_S
    assert warn(repeats, "the camera was silent for 7.5 s") == 1000 - BURST
    assert warn(repeats, "the camera was silent for 7.5 s") == 0


def test_moves_of_the_governor_are_all_logged():
    repeats = Repeats()
    assert all(warn(repeats, "stepped down", logging.INFO) == 0 for _ in range(100))


def test_ever_new_warnings_take_bounded_memory():
    repeats = Repeats()
    for number in range(3000):
        warn(repeats, "x" * (number % 199) + chr(97 + number % 26) * (number // 199))
    assert len(repeats._kinds) <= KINDS_KEPT
