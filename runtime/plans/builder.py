"""Runs the build process and answers for it: progress, cancelling, and one sentence for each way it can die."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

from hemonode.errors import EngineError, InterruptedByUser
from hemonode.runtime.plans.messages import Built, BuiltFacts, Failed, Progress, parse_message
from hemonode.runtime.plans.request import BuildRequest

BUILD_PROCESS = (sys.executable, "-m", "hemonode.runtime.engines.tensorrt_build")
"""What builds a plan. A process of its own, so that running out of memory, or a crash in the library, ends only it."""

# TensorRT looks for a cancel between the kernels that it times, and one may take seconds.
_GRACE_S = 10.0
_LOOK_S = 0.1
_LONGEST_LINE = 1 << 20
_SHOWN_OF_LOG = 300

Watch = Callable[[Progress], None]


def run_build(
    request: BuildRequest,
    log: Path,
    *,
    watch: Watch,
    stop: threading.Event | None = None,
    command: Sequence[str] = BUILD_PROCESS,
) -> BuiltFacts:
    """Build one plan in a child process, which never outlives this call or this process.

    Args:
        request: what to build; the process works in the folder of `request.plan`.
        log: takes what the process prints; it is there afterwards, however this ends.
        watch: called with every step, in this thread.
        stop: cancels the build when it is set. Ctrl-C does, too, in the main thread.
        command: the build process.

    Returns:
        What the process says of the plan, which it has written to `request.plan`.

    Raises:
        InterruptedByUser: cancelled by `stop`.
        EngineError: the build failed, was killed, crashed, or answered nonsense.
        OSError: the log cannot be written.
    """
    with log.open("wb") as errors:
        child = _start(command, request.plan.parent, errors)
        try:
            last = _listen(child, request, watch, stop)
            # After `built` CUDA's own clean-up may still hang or crash; it spoils nothing any more.
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(_GRACE_S)
        finally:
            _end(child)
    if isinstance(last, Built):
        return last.built
    if isinstance(last, Failed):
        raise EngineError(last.failed)
    raise EngineError(_explain_death(child.returncode, log))


def _start(command: Sequence[str], folder: Path, errors: IO[bytes]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            bufsize=0,
            # Python looks for modules in the folder it starts in: not in one where a user has a `tensorrt.py`.
            cwd=folder,
            # Ctrl-C on the terminal is ours to pass on: once, and with time to answer.
            start_new_session=True,
        )
    except OSError as error:
        raise EngineError(f"the build process cannot be started ({error}); install hemonode again.") from error


def _listen(
    child: subprocess.Popen[bytes], request: BuildRequest, watch: Watch, stop: threading.Event | None
) -> Built | Failed | None:
    """The last message; None where the process ended without one."""
    assert child.stdin is not None
    assert child.stdout is not None
    # A process that died at once is explained by its end.
    with contextlib.suppress(BrokenPipeError), child.stdin as ask:
        ask.write(request.model_dump_json().encode() + b"\n")
    for line in _lines(child.stdout, stop):
        try:
            message = parse_message(line)
        except ValueError:
            shown = line[:80].decode("utf-8", "replace")
            raise EngineError(
                f"the build process said {shown!r}, which is no message of hemonode's; install hemonode again."
            ) from None
        if not isinstance(message, Progress):
            return message
        watch(message)
    return None


def _lines(pipe: IO[bytes], stop: threading.Event | None) -> Iterator[bytes]:
    """Whole lines as they come, until the pipe closes. One that was cut short by the end of the process is left out."""
    pending = b""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while len(pending) <= _LONGEST_LINE:
            if stop is not None and stop.is_set():
                raise InterruptedByUser("the build was stopped; nothing is left of it.")
            if not selector.select(_LOOK_S):
                continue
            got = os.read(pipe.fileno(), 1 << 16)
            if not got:
                return
            *whole, pending = (pending + got).split(b"\n")
            yield from whole
    yield pending


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ask the process to stop, and make it after a while; a second Ctrl-C makes it at once."""
    try:
        if child.poll() is None:
            child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(_GRACE_S)
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
        if child.stdout is not None:
            child.stdout.close()


def _explain_death(status: int, log: Path) -> str:
    """Why a process ended that said neither `built` nor `failed`."""
    if status == -signal.SIGKILL:
        return (
            "the system ended the build process, as it does when memory runs out; close other programs, or lower the "
            "workspace (hemonode build --workspace-mib)."
        )
    how = f"crashed ({signal.Signals(-status).name})" if status < 0 else f"ended early (exit status {status})"
    said = " ".join(log.read_text("utf-8", "replace").split())
    tail = f", last words: …{said[-_SHOWN_OF_LOG:]}" if len(said) > _SHOWN_OF_LOG else f", saying: {said or 'nothing'}"
    return f"the build process {how}{tail}"
