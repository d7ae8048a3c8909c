"""The JSON beside each plan: what it was built from, for what machine, when, and what came out."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from hemonode.errors import EngineError
from hemonode.runtime.plans.key import RECORD_SCHEMA, PlanKey
from hemonode.runtime.plans.messages import BuiltFacts

RECORD_NAME = "record.json"


class PlanRecord(BaseModel):
    """One built plan. A later hemonode may add fields, with defaults: an earlier one reads past them."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    schema_version: int = RECORD_SCHEMA
    key: PlanKey
    bundle: str
    """Name of the model that it was built from first; another bundle may hold the same graph."""
    setting: str
    plan_sha256: str
    facts: BuiltFacts
    built_at: AwareDatetime
    hemonode_version: str


class UnreadableRecord(EngineError):
    """A record that is missing, damaged, or of a newer hemonode; so nothing is known about the plan beside it."""


class NewerRecord(UnreadableRecord):
    """A record of a newer hemonode."""


def read_record(folder: Path) -> PlanRecord:
    """The record in a plan's folder.

    Raises:
        NewerRecord: a newer hemonode wrote it.
        UnreadableRecord: there is none, or it is damaged.
    """
    try:
        content = (folder / RECORD_NAME).read_bytes()
    except OSError as error:
        raise UnreadableRecord(f"its record cannot be read ({error.strerror})") from error
    try:
        version = json.loads(content)["schema_version"]
        if version > RECORD_SCHEMA:
            raise NewerRecord(
                f"a newer hemonode wrote its record (schema {version}, this one reads up to {RECORD_SCHEMA})"
            )
        return PlanRecord.model_validate_json(content)
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableRecord(f"its record is damaged ({_first_fault(error)})") from error


def _first_fault(error: Exception) -> str:
    if isinstance(error, ValidationError):
        fault = error.errors()[0]
        return f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
    return f"{type(error).__name__}: {error}"
