"""What the checks look at: the machine's files, its installed packages, and the answers of libraries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from hemonode.device.host.jetson import find_jetson
from hemonode.device.host.nvidia import has_nvidia_gpu


@dataclass(frozen=True)
class Answer:
    """What a library told in a process of its own. One of the three is set.

    Attributes:
        facts: what it told.
        missing: the package that is not installed.
        trouble: how it failed: a phrase.
    """

    facts: Mapping[str, Any] | None = None
    missing: str | None = None
    trouble: str | None = None

    @property
    def why_not(self) -> str:
        """Why there are no facts: a phrase without its full stop."""
        return (self.trouble or f"{self.missing} is not installed").rstrip(".")


@dataclass(frozen=True)
class Machine:
    """The machine under examination; tests hand in one of their own.

    Attributes:
        root: "/", below which /proc, /sys, /dev and /etc are read.
        environment: folder of the Python environment (`sys.prefix`).
        distributions: versions of the installed distributions by their normalised names.
        ask: the answer to one of the questions of `hemonode.runtime.doctor.questions`.
    """

    root: Path
    environment: Path
    distributions: Mapping[str, str]
    ask: Callable[[str], Answer]


def extra_for(machine: Machine) -> str:
    """The extra of hemonode that brings what this machine can use."""
    jetson = find_jetson(machine.root)
    if jetson is not None and jetson.series in (6, 7):
        return f"jetson{jetson.series}"
    return "cuda" if has_nvidia_gpu(machine.root) else "cpu"


def installed_distributions() -> dict[str, str]:
    """Version by normalised name of every distribution that this interpreter sees; the one it would import wins."""
    found: dict[str, str] = {}
    for distribution in distributions():
        # A distribution whose metadata is damaged has no name.
        name = distribution.metadata["Name"]
        if name:
            found.setdefault(normalised(name), distribution.version)
    return found


def normalised(name: str) -> str:
    """A distribution's name as the index compares it."""
    return name.lower().replace("_", "-").replace(".", "-")
