"""A thread of its own for a GPU, so that callers in any thread can have work done on it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Generic, TypeVar

from hemonode.errors import EngineError
from hemonode.runtime.gpu import open_gpu
from hemonode.runtime.gpu.gpu import Gpu

_Held = TypeVar("_Held")
_Answer = TypeVar("_Answer")


class GpuOwner(Generic[_Held]):
    """Opens a GPU, and something on it, in a new thread, which alone uses both.

    Args:
        name: of the thread.
        build: makes what is to be used on the GPU; whatever it takes there is freed with the GPU.
        take_gpu: opens the GPU.

    Raises:
        EngineError: the GPU cannot be opened, or `build` failed; nothing is left.
    """

    def __init__(self, name: str, build: Callable[[Gpu], _Held], take_gpu: Callable[[], Gpu] = open_gpu) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        try:
            self._gpu, self._held = self._thread.submit(_open, build, take_gpu).result()
        except BaseException:
            self._thread.shutdown()
            raise

    def ask(self, question: Callable[[_Held], _Answer]) -> _Answer:
        """Have something done in the thread, and wait for its answer.

        Raises:
            EngineError: after `close`, and whatever the question raises.
        """
        try:
            asked = self._thread.submit(question, self._held)
        except RuntimeError as error:
            raise EngineError("This GPU was closed; open it again.") from error
        return asked.result()

    def close(self) -> None:
        """Free everything and end the thread. To be called once; questions before it are answered."""
        try:
            self._thread.submit(self._gpu.close).result()
        finally:
            self._thread.shutdown()


def _open(build: Callable[[Gpu], _Held], take_gpu: Callable[[], Gpu]) -> tuple[Gpu, _Held]:
    with ExitStack() as on_failure:
        gpu = on_failure.enter_context(take_gpu())
        held = build(gpu)
        on_failure.pop_all()
    return gpu, held
