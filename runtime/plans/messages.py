"""What the build process answers: JSON lines on its standard output, the last one `built` or `failed`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter


class _Message(BaseModel):
    # One release writes and reads them: anything else on the line is a fault.
    model_config = ConfigDict(frozen=True, extra="forbid")


class Progress(_Message):
    """How far the build is. Phases follow each other; within one, `step` only rises."""

    phase: str
    """As a person would say it: "reading the graph", "choosing kernels"."""
    step: int = Field(ge=0)
    steps: int = Field(ge=0)
    """0: how many there are is not known (TensorRT 8.6 reports none)."""


class BuiltFacts(BaseModel):
    """A finished plan, as TensorRT and its inspector describe it. Part of the record beside the plan."""

    # `ignore`: the record of a later hemonode may hold more.
    model_config = ConfigDict(frozen=True, extra="ignore")

    tensorrt: str
    """Version that built it."""
    seconds: float = Field(ge=0)
    plan_bytes: int = Field(gt=0)
    layers: dict[str, int]
    """Layers by the precision they compute in, as the inspector shows: {"fp16": 41, "fp32": 12}."""
    device_memory_bytes: int | None = None
    """That a context of the plan takes for activations."""
    peak_bytes: int | None = None
    """Largest resident memory of the build process."""
    remarks: tuple[str, ...] = ()
    """Sentences that the user should see: a flag that this TensorRT lacks, a timing cache that did not fit."""


class Built(_Message):
    """The plan lies where the request wanted it, whole, and has passed the inspector."""

    built: BuiltFacts


class Failed(_Message):
    """No plan. One sentence: what is wrong and what to do."""

    failed: str = Field(min_length=1)


Message = Progress | Built | Failed

_MESSAGE: TypeAdapter[Message] = TypeAdapter(Message)


def parse_message(line: bytes) -> Message:
    """One line of the build process.

    Raises:
        ValueError: it is no message.
    """
    return _MESSAGE.validate_json(line)
