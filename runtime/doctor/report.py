"""The findings as JSON, in a shape that stays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from hemonode import __version__
from hemonode.runtime.doctor.examine import Found
from hemonode.runtime.doctor.finding import Colour

SCHEMA_VERSION = 1
"""Raised when a field changes its meaning or goes; new fields and new facts may come at any time."""


class FindingRecord(BaseModel):
    """See `hemonode.runtime.doctor.finding.Finding`; `check` is the name of the check that made it."""

    model_config = ConfigDict(frozen=True)

    check: str
    colour: Colour
    sentence: str
    advice: str
    facts: dict[str, Any]


class Report(BaseModel):
    """Everything. `healthy`: nothing is red, and the exit status is 0."""

    model_config = ConfigDict(frozen=True)

    schema_version: int
    hemonode_version: str
    healthy: bool
    findings: tuple[FindingRecord, ...]


def make_report(found: Sequence[Found]) -> Report:
    """The report of some findings."""
    return Report(
        schema_version=SCHEMA_VERSION,
        hemonode_version=__version__,
        healthy=all(finding.colour != "red" for _, finding in found),
        findings=tuple(
            FindingRecord(
                check=check.name,
                colour=finding.colour,
                sentence=finding.sentence,
                advice=finding.advice,
                facts=dict(finding.facts),
            )
            for check, finding in found
        ),
    )
