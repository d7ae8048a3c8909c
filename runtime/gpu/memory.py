"""What a `Gpu` hands out: memory on the device, memory that both sides reach, and recorded work."""

from __future__ import annotations

from dataclasses import dataclass

from hemonode.runtime.gpu.calls import AnyArray


@dataclass(frozen=True, eq=False)
class DeviceMemory:
    """Bytes on the device. `pointer` is their address there, as TensorRT's `set_tensor_address` takes it."""

    pointer: int
    size: int


@dataclass(frozen=True, eq=False)
class MappedMemory:
    """Memory of the host that the device reads and writes, too: no copies, but a `synchronise` between the two."""

    host: AnyArray
    pointer: int


@dataclass(frozen=True, eq=False)
class Graph:
    """Work that was captured once and is launched as one."""

    handle: int
