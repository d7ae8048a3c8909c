"""A plan in the cache: no byte of it is given out before record, hash and TensorRT's own header agree."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from hemonode.errors import EngineError
from hemonode.runtime.plans.record import PlanRecord

PLAN_NAME = "engine.plan"
LOG_NAME = "build.log"

# TensorRT's own tool, from version 10 on, checks the same before it prints a plan's version: tag, serialisation
# version, and in version 0 the four numbers of the TensorRT that wrote it in bytes 24 to 27.
_TAG = b"ftrt"
# Of the 8 series, whose header is told nowhere.
_OLDER_TAG = b"ptrt"
_HEADER_BYTES = 28


class DamagedPlan(EngineError):
    """A plan that is not what its record says; it must not be deserialised."""


@dataclass(frozen=True)
class StoredPlan:
    """A plan and its record, in a folder of their own."""

    folder: Path
    record: PlanRecord

    @property
    def name(self) -> str:
        """Of its folder; what `hemonode engines` calls it."""
        return self.folder.name

    @property
    def path(self) -> Path:
        """The plan itself: a plain one, trtexec loads it."""
        return self.folder / PLAN_NAME

    def damage(self) -> str | None:
        """What a look at the file's size and header shows, or None: quick, whatever its size."""
        try:
            size = self.path.stat().st_size
            with self.path.open("rb") as file:
                header = file.read(_HEADER_BYTES)
        except OSError as error:
            return f"its plan cannot be read ({error.strerror})"
        return self._fault(size, header)

    def read(self) -> bytes:
        """The plan, whole and as it was built.

        Raises:
            DamagedPlan: it is truncated, altered or another one.
        """
        try:
            content = self.path.read_bytes()
        except OSError as error:
            raise DamagedPlan(f"its plan cannot be read ({error.strerror})") from error
        if fault := self._fault(len(content), content):
            raise DamagedPlan(fault)
        if hashlib.sha256(content).hexdigest() != self.record.plan_sha256:
            raise DamagedPlan("its plan is not the one that was written (another sha256)")
        return content

    def _fault(self, size: int, header: bytes) -> str | None:
        if size != self.record.facts.plan_bytes:
            return f"its plan has {size:,} bytes where {self.record.facts.plan_bytes:,} were written"
        return header_fault(header, self.record.key.machine.tensorrt)


def header_fault(plan: bytes, tensorrt: str) -> str | None:
    """What in a plan's first bytes tells that a TensorRT cannot load it; None: nothing.

    Args:
        plan: the plan, or its first 28 bytes.
        tensorrt: version, as "10.3.0" or with a build number.
    """
    if len(plan) < _HEADER_BYTES or plan[:4] not in (_TAG, _OLDER_TAG):
        return "its plan is none of TensorRT's"
    if plan[:4] == _OLDER_TAG or int.from_bytes(plan[4:8], "little") != 0:
        # A serialisation that keeps its version elsewhere; hash and record must do.
        return None
    built_by = ".".join(str(number) for number in plan[24:27])
    if tensorrt.split(".")[:3] != built_by.split("."):
        return f"its plan is of TensorRT {built_by}, not {tensorrt}"
    return None
