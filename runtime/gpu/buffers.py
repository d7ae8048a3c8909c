"""A graph's inputs and outputs in memory: for each name one array on the host and its place on the GPU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from hemonode.runtime.gpu.calls import AnyArray
from hemonode.runtime.gpu.gpu import Gpu
from hemonode.runtime.gpu.memory import DeviceMemory, MappedMemory

HostMemory = Literal["pinned", "pageable", "mapped"]
"""Page-locked, as NumPy allocates it (slower; to compare with), or reached by the GPU itself, without copies."""


@dataclass(frozen=True)
class ArrayKind:
    """Shape and dtype of one input or output."""

    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]


@dataclass(frozen=True, eq=False)
class _Pair:
    host: AnyArray
    device: DeviceMemory | MappedMemory
    released: tuple[object, ...]
    """What the GPU is asked to free, in this order."""


class Buffers:
    """Arrays that a network reads and writes again and again.

    Args:
        gpu: whose thread uses them; frees them at the latest when it is closed.
        inputs: by name.
        outputs: by name.
        memory: None is mapped on integrated GPUs, pinned on others.

    Attributes:
        inputs: arrays to fill, by name; before `upload`.
        outputs: arrays to read, by name; after `download` and `gpu.synchronise()`. The next run overwrites them.
        pointers: addresses on the device of inputs and outputs, as `set_tensor_address` takes them.
        memory: what was chosen.

    Raises:
        EngineError: no room; nothing is kept.
    """

    def __init__(
        self,
        gpu: Gpu,
        inputs: Mapping[str, ArrayKind],
        outputs: Mapping[str, ArrayKind],
        memory: HostMemory | None = None,
    ) -> None:
        self.memory: HostMemory = memory or ("mapped" if gpu.facts().integrated else "pinned")
        self._gpu = gpu
        self._pairs: dict[str, _Pair] = {}
        try:
            for name, kind in {**inputs, **outputs}.items():
                self._pairs[name] = self._pair(kind)
        except BaseException:
            self.free()
            raise
        self._inputs, self._outputs = tuple(inputs), tuple(outputs)
        self.inputs = {name: self._pairs[name].host for name in inputs}
        self.outputs = {name: self._pairs[name].host for name in outputs}
        self.pointers = {name: pair.device.pointer for name, pair in self._pairs.items()}

    def upload(self) -> None:
        """Put the copies of all inputs on the stream; nothing to do for mapped memory."""
        for name in self._inputs:
            pair = self._pairs[name]
            if isinstance(pair.device, DeviceMemory):
                self._gpu.upload(pair.device, pair.host)

    def download(self) -> None:
        """Put the copies of all outputs on the stream; nothing to do for mapped memory."""
        for name in self._outputs:
            pair = self._pairs[name]
            if isinstance(pair.device, DeviceMemory):
                self._gpu.download(pair.host, pair.device)

    def free(self) -> None:
        """Give the memory back before the GPU is closed. Calling it again does nothing."""
        while self._pairs:
            for resource in self._pairs.popitem()[1].released:
                self._gpu.free(resource)

    def _pair(self, kind: ArrayKind) -> _Pair:
        if self.memory == "mapped":
            mapped = self._gpu.mapped(kind.shape, kind.dtype)
            return _Pair(mapped.host, mapped, (mapped,))
        if self.memory == "pageable":
            host = np.empty(kind.shape, kind.dtype)
            device = self._gpu.device(host.nbytes)
            return _Pair(host, device, (device,))
        host = self._gpu.pinned(kind.shape, kind.dtype)
        try:
            device = self._gpu.device(host.nbytes)
        except BaseException:
            self._gpu.free(host)
            raise
        return _Pair(host, device, (device, host))
