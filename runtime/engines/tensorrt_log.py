"""What TensorRT says, kept until somebody needs the reason of a failure."""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Callable
from typing import NamedTuple, TypeVar

import tensorrt as trt

from hemonode.errors import EngineError

_KEPT = 16
_LONGEST = 400
_ERRORS = (trt.ILogger.Severity.ERROR, trt.ILogger.Severity.INTERNAL_ERROR)
# A missing driver is a warning to it.
_KEPT_SEVERITIES = (*_ERRORS, trt.ILogger.Severity.WARNING)
_OUT_OF_MEMORY = ("out of memory", "outofmemory", "out_of_memory", "insufficient memory", "bad_alloc")


_Made = TypeVar("_Made")


class _Said(NamedTuple):
    thread: int
    is_error: bool
    text: str


class Log(trt.ILogger):
    """Keeps the last errors and warnings, and which thread's calls they came from.

    Args:
        verbose: everything goes to standard error, too.
    """

    def __init__(self, *, verbose: bool = False) -> None:
        trt.ILogger.__init__(self)
        self._verbose = verbose
        self._lock = threading.Lock()
        self._said: deque[_Said] = deque(maxlen=_KEPT)

    def log(self, severity: trt.ILogger.Severity, msg: str) -> None:
        """Take a message. TensorRT calls this, from whichever thread it works in."""
        if self._verbose:
            print(f"{severity.name}: {msg}", file=sys.stderr, flush=True)
        if severity in _KEPT_SEVERITIES:
            with self._lock:
                self._said.append(_Said(threading.get_ident(), severity in _ERRORS, " ".join(msg.split())))

    def forget(self) -> None:
        """Drop what this thread's earlier calls gave rise to, before one whose own reasons may be wanted."""
        with self._lock:
            mine = threading.get_ident()
            self._said = deque((said for said in self._said if said.thread != mine), maxlen=_KEPT)

    def explain(self, failed: str, advice: str) -> EngineError:
        """An error whose sentence gives TensorRT's own reason: the first since `forget`, later ones follow from it.

        Args:
            failed: "TensorRT 10.3.0 could not load the plan".
            advice: what to do, unless memory ran out.
        """
        reasons = self._reasons()
        if any(word in reason.lower() for reason in reasons for word in _OUT_OF_MEMORY):
            advice = "memory ran out: close other programs that use the GPU, or choose a smaller batch or tile"
        reason = reasons[0].rstrip(". ") if reasons else "it gave no reason"
        shown = reason if len(reason) <= _LONGEST else f"{reason[:_LONGEST]}…"
        return EngineError(f"{failed} ({shown}); {advice}.")

    def make(self, kind: Callable[[Log], _Made], version: str) -> _Made:
        """A builder or runtime, which reports to this log.

        Raises:
            EngineError: TensorRT cannot start, for want of a driver, say.
        """
        self.forget()
        try:
            return kind(self)
        except TypeError as error:  # what its bindings make of a null pointer
            raise self.explain(
                f"TensorRT {version} cannot start on this machine",
                "check the GPU and its driver with nvidia-smi (on a Jetson: hemonode doctor)",
            ) from error

    def _reasons(self) -> list[str]:
        """Errors of this thread since `forget`, else those of TensorRT's own threads; without any, the last warning."""
        with self._lock:
            said = tuple(self._said)
        errors = [entry for entry in said if entry.is_error]
        mine = [entry for entry in errors if entry.thread == threading.get_ident()]
        return [entry.text for entry in mine or errors or said[-1:]]


# TensorRT keeps the first log that it is given, for all that is made later, until the process ends.
SHARED_LOG = Log()
