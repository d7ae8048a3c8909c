"""The live view as a program that is started, asked, broken, killed and started again."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

from hemonode.errors import HemonodeError

_START_S = 60.0
_ANSWER_S = 20.0


class Program:
    """One live view at a time, always at the same port and on the same store.

    Args:
        config: the TOML file it is started with.
        port: of its page, as in that file.
        log: where its standard error goes.
    """

    def __init__(self, config: Path, port: int, log: Path) -> None:
        self._config = config
        self._url = f"http://127.0.0.1:{port}"
        self._log = log
        self._process: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int:
        """Of the program that runs now."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it, and wait until it answers.

        Raises:
            HemonodeError: it ended, or did not answer within a minute.
        """
        with self._log.open("a", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "hemonode.benchmarks.chaos.child", str(self._config)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=log,
                text=True,
            )
        until_s = time.monotonic() + _START_S
        while time.monotonic() < until_s:
            if self._process.poll() is not None:
                raise HemonodeError(f"the live view ended by itself; {self._log} says why")
            try:
                self.status()
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise HemonodeError(f"the live view did not answer within {_START_S:.0f} s; {self._log} may say why")

    def status(self) -> dict[str, Any]:
        """What `/api/status` tells.

        Raises:
            OSError: it does not answer.
        """
        return self._ask("/api/status")

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Ask for something.

        Raises:
            OSError: it does not answer, or refuses.
        """
        return self._ask(path, body)

    def order(self, **order: object) -> None:
        """A line for `hemonode.benchmarks.chaos.child`."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def kill(self) -> None:
        """Kill -9."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> float:
        """Ctrl-C. Seconds until it was gone."""
        assert self._process is not None
        if self._process.poll() is not None:
            return 0.0
        began_s = time.monotonic()
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_ANSWER_S)
        except subprocess.TimeoutExpired:
            self.kill()
        return time.monotonic() - began_s

    def __enter__(self) -> Program:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _ask(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, content, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=_ANSWER_S) as answer:
            return dict(json.load(answer))


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def descendants(pid: int) -> list[int]:
    """Processes that a process has started, and theirs."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text(encoding="ascii").split():
            found += [int(child), *descendants(int(child))]
    return found


def kill_child(pid: int) -> bool:
    """Kill -9 one process that `pid` has started. False where it has none."""
    children = descendants(pid)
    if children:
        os.kill(children[0], signal.SIGKILL)
    return bool(children)
