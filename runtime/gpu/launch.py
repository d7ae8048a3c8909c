"""How kernels are launched, whoever compiled them."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Protocol, TypeAlias

Argument: TypeAlias = "ctypes.c_void_p | ctypes.c_int | ctypes.c_float"
"""Of a kernel, in the size that its declaration says."""

Extent = tuple[int, int]
"""How many, along x and y."""


class Kernels(Protocol):
    """The kernels of one source, on one GPU's stream."""

    def launch(self, name: str, blocks: Extent, threads: Extent, arguments: Sequence[Argument]) -> None:
        """Put `blocks` blocks of `threads` threads of a kernel on the stream. The arguments are copied at once."""
