"""Runs a check for the command line: shows progress, prints what was found, writes the contact sheet."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import track

from hemonode.train.data.check import check_dataset
from hemonode.train.data.dataset import Entry, load_dataset
from hemonode.train.data.findings import Report
from hemonode.train.data.sheet import write_sheet

SHOWN = 20
"""Findings of each kind that are printed; JSON has all of them."""


def run_check(description: Path, root: Path | None, sheet: Path | None, *, as_json: bool) -> bool:
    """Check a data set and say what was found; whether it is free of errors.

    Raises:
        DatasetError: the description itself cannot be used.
        OutputError: the sheet cannot be written.
    """
    dataset = load_dataset(description, root)
    progress = Console(stderr=True)

    def watch(entries: Sequence[Entry]) -> Iterable[Entry]:
        label = f"Reading {len(entries)} pictures"
        return track(entries, label, console=progress, transient=True, disable=not progress.is_terminal)

    report = check_dataset(dataset, watch)
    if sheet is not None:
        write_sheet(dataset, report, sheet)
    if as_json:
        sys.stdout.write(report.model_dump_json(indent=2) + "\n")
    else:
        _print(report)
    return report.errors == 0


def _print(report: Report) -> None:
    say = Console(highlight=False, soft_wrap=True, markup=False)
    pictures = ", ".join(f"{split} {count}" for split, count in report.pictures.items())
    boxes = ", ".join(f"{name} {count}" for name, count in report.boxes.items()) or "none"
    say.print(f"{report.name} ({report.licence}): pictures: {pictures}; masks: {report.masks}; boxes: {boxes}")
    for kind in dict.fromkeys(finding.kind for finding in report.findings):
        found = [finding for finding in report.findings if finding.kind == kind]
        for finding in found[:SHOWN]:
            say.print(f"{finding.level}: {finding.text}")
        if len(found) > SHOWN:
            say.print(f"… and {len(found) - SHOWN} more of this kind; --json lists them all.")
    say.print(f"{report.errors} errors, {len(report.findings) - report.errors} warnings.")
