"""One visit of the doctor: ask, look, and say."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console

from hemonode.runtime.doctor.asking import Asker
from hemonode.runtime.doctor.checks import CHECKS, TRIAL
from hemonode.runtime.doctor.examine import examine
from hemonode.runtime.doctor.machine import Machine, installed_distributions
from hemonode.runtime.doctor.page import Page
from hemonode.runtime.doctor.questions import AT_ONCE
from hemonode.runtime.doctor.report import make_report


def visit(*, trial: bool, as_json: bool, debug: bool) -> bool:
    """Examine this machine and print what was found.

    Args:
        trial: also run the engines.
        as_json: print a `Report` at the end, instead of a page as it goes.
        debug: print the traceback of a check that breaks on standard error.

    Returns:
        Whether nothing is red.
    """
    page = None if as_json else Page(Console(highlight=False, soft_wrap=True))
    found = []
    with Asker(AT_ONCE) as asker:
        machine = Machine(Path("/"), Path(sys.prefix), installed_distributions(), asker.ask)
        checks = (*CHECKS, TRIAL) if trial else CHECKS
        for one in examine(machine, checks, broke=lambda trace: print(trace, file=sys.stderr) if debug else None):
            found.append(one)
            if page is not None:
                page.show(one)
    if page is not None:
        page.close()
    else:
        print(make_report(found).model_dump_json(indent=1))
    return all(one.finding.colour != "red" for one in found)
