"""Run the checks: each for itself, so that one that breaks is itself a finding."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from hemonode.runtime.doctor.checks import Check
from hemonode.runtime.doctor.finding import Finding, yellow
from hemonode.runtime.doctor.machine import Machine


class Found(NamedTuple):
    """A finding and the check that made it."""

    check: Check
    finding: Finding


def examine(machine: Machine, checks: Iterable[Check], *, broke: Callable[[str], None]) -> Iterator[Found]:
    """All findings, as they are made.

    Args:
        machine: what is examined.
        checks: what to look at.
        broke: called with the traceback of a check that breaks.
    """
    for check in checks:
        try:
            for finding in check.look(machine):
                yield Found(check, finding)
        except Exception as error:  # whatever breaks one check must not keep the others from the user
            broke(traceback.format_exc())
            yield Found(check, _broken(check, error))


def _broken(check: Check, error: Exception) -> Finding:
    at = traceback.extract_tb(error.__traceback__)[-1]
    return yellow(
        f"The check of {check.name} broke: {type(error).__name__}: {error} ({Path(at.filename).name}:{at.lineno}).",
        "Nothing else hangs on it; run hemonode doctor --debug and report it.",
        error=type(error).__name__,
    )
