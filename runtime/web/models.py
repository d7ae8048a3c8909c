"""What a client may send, checked: known keys only, everything of bounded size; and how an error is answered."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from hemonode.runtime.live.view import SolverWish, TallyAction, TallyWish

# Ids that we gave out; they are looked up, and never become part of a path or a query.
ChoiceId = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z_.-]{0,63}$")]
SessionId = Annotated[str, Path(pattern=r"^[0-9A-Za-z-]{1,64}$")]
FieldId = Annotated[int, Path(ge=1, le=2**53)]
ControlName = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Number = Annotated[int, Query(ge=0, le=2**53)]
"""Of an event or a field; those above it are told."""

# No line breaks and other control characters: names appear in tables, logs and file headers.
_PLAIN = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"
Name = Annotated[str, StringConstraints(max_length=200, pattern=_PLAIN, strip_whitespace=True)]
Note = Annotated[str, StringConstraints(max_length=1000, pattern=_PLAIN, strip_whitespace=True)]
PacketNumber = Annotated[int, Field(ge=1, le=2**53)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ErrorAnswer(BaseModel):
    """What went wrong, in a sentence for a person."""

    error: str


class Done(BaseModel):
    """It was done, or is under way; `/api/status` tells how it goes."""

    done: Literal[True] = True


class Chosen(_Request):
    """A source or bundle, by an id of `/api/choices`."""

    id: ChoiceId


class SolverRequest(_Request):
    """See `SolverWish`; a fixed one needs its setting."""

    mode: Literal["automatic", "fixed"]
    setting: ChoiceId | None = None
    target: Literal["latency", "frame_time"] = "latency"
    target_ms: float | None = Field(default=None, ge=1, le=60_000)

    @model_validator(mode="after")
    def _fixed_to_something(self) -> SolverRequest:
        if self.mode == "fixed" and self.setting is None:
            raise PydanticCustomError("setting_missing", "give the setting that shall be fixed")
        return self

    def wish(self) -> SolverWish:
        """The same for the live view."""
        return SolverWish(self.mode, self.setting, self.target, self.target_ms)


class ScaleRequest(_Request):
    """A red-cell diameter in pixels of the camera; none: measure it anew."""

    red_cell_px: float | None = Field(default=None, ge=1, le=10_000)


class ScaleAnswer(BaseModel):
    """Whether it is being measured now; false where the camera tells the scale, or it was given."""

    measuring: bool


class ControlRequest(_Request):
    """A value in the control's unit, or whether the camera chooses it itself."""

    value: float | None = None
    automatic: bool | None = None


class CountRequest(_Request):
    """The packet whose picture is meant; none: the latest."""

    packet: PacketNumber | None = None
    note: Note = ""


class SnapshotRequest(_Request):
    """The packet whose picture is meant; none: the latest."""

    packet: PacketNumber | None = None


class TallyRequest(_Request):
    """See `TallyWish`."""

    action: TallyAction
    name: Name = ""
    goal_percent: float | None = Field(default=None, ge=0.5, le=100)
    goal_class: int | None = Field(default=None, ge=1, le=254)
    proceed: bool = False

    def wish(self) -> TallyWish:
        """The same for the live view."""
        return TallyWish(self.action, self.name, self.goal_percent, self.goal_class, self.proceed)


class RecordingRequest(_Request):
    """Whether each tallied field is kept with its picture."""

    pictures: bool
