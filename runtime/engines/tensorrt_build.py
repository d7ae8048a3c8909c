"""The build process: `python -m hemonode.runtime.engines.tensorrt_build`, started by `hemonode.runtime.plans`.

It takes one request as JSON on standard input and answers with JSON lines on standard output. Nothing of torch is in
it, so that its memory is TensorRT's; running out of memory ends this process alone.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable

from hemonode.errors import EngineError
from hemonode.runtime.engines.tensorrt_facts import tensorrt_version
from hemonode.runtime.engines.tensorrt_progress import CANCELLED, Stop
from hemonode.runtime.plans.channel import ParentLine
from hemonode.runtime.plans.messages import Built, BuiltFacts, Failed, Progress
from hemonode.runtime.plans.request import BuildRequest

BuildPlan = Callable[[BuildRequest, Callable[[Progress], None], Stop], BuiltFacts]

# Less than the parent waits before it kills.
_GRACE_S = 8.0
_LOOK_S = 0.1


def main(build: BuildPlan | None = None) -> int:
    """Serve one request.

    Args:
        build: what builds the plan; None is TensorRT.

    Returns:
        Exit status: 0 built, 1 failed or cancelled.
    """
    stop = Stop()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.ask())
    with ParentLine() as parent:
        work = _Work(build or _with_tensorrt, parent.request, parent.say, stop)
        # TensorRT works for minutes without coming back to Python: signals are heard in this thread alone.
        threading.Thread(target=work.do, name="build", daemon=True).start()
        answer = work.wait()
        parent.say(answer)
        if not work.done:
            # It still works inside TensorRT, and nothing but this ends it.
            os._exit(1)
    return 0 if isinstance(answer, Built) else 1


class _Work:
    """The build in a thread of its own, and the only voice towards the parent until it is done."""

    def __init__(self, build: BuildPlan, request: BuildRequest, say: Callable[[Progress], None], stop: Stop) -> None:
        self._build = build
        self._request = request
        self._say = say
        self._stop = stop
        self._quiet = threading.Lock()
        self._silenced = False
        self._finished = threading.Event()
        self._answer: Built | Failed = Failed(failed=CANCELLED)

    @property
    def done(self) -> bool:
        """Whether the thread has ended its work."""
        return self._finished.is_set()

    def do(self) -> None:
        """Build, and keep the answer."""
        try:
            self._answer = Built(built=self._build(self._request, self._tell, self._stop))
        except EngineError as error:
            self._answer = Failed(failed=str(error))
        except MemoryError:
            self._answer = Failed(failed="memory ran out during the build; close other programs.")
        except Exception as error:
            traceback.print_exc()
            self._answer = Failed(failed=f"the build failed in a way that hemonode does not know ({error!r}).")
        self._finished.set()

    def wait(self) -> Built | Failed:
        """The answer; after a cancel, as soon as the build ends or after a while. Nothing else is said after it."""
        while not self._finished.wait(_LOOK_S):
            if self._stop.asked:
                # Where nothing looks at the wish there is nothing to wait for.
                self._finished.wait(_GRACE_S if self._stop.heeded else 0)
                break
        with self._quiet:
            self._silenced = True
            return self._answer if self._finished.is_set() else Failed(failed=CANCELLED)

    def _tell(self, progress: Progress) -> None:
        with self._quiet:
            if not self._silenced:
                self._say(progress)


def _with_tensorrt(request: BuildRequest, tell: Callable[[Progress], None], stop: Stop) -> BuiltFacts:
    # First, for its sentence: the modules of the builder load TensorRT when they are imported.
    tensorrt_version()
    # Kernels are loaded when they are tried, not all at once: CUDA's own default only from 12.2 on.
    os.environ.setdefault("CUDA_MODULE_LOADING", "LAZY")
    from hemonode.runtime.engines.tensorrt_builder import build_plan

    return build_plan(request, tell, stop)


if __name__ == "__main__":
    sys.exit(main())
