"""What the doctor says: a colour, one sentence, and what to do.

Green: works, or is not needed here (a machine without an NVIDIA GPU lacks nothing without TensorRT).
Yellow: hemonode works, but slower or with less than this machine could, or the doctor could not find out.
Red: hemonode, or something that is installed for it, does not work, and will not until something is done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Colour = Literal["green", "yellow", "red"]

Fact = str | int | float | bool | Sequence[str] | None
"""What a program may read of a finding."""

Facts = dict[str, Fact]


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Attributes:
        colour: see the module's text.
        sentence: what is so.
        advice: what to do, or "".
        facts: the same for programs.
    """

    colour: Colour
    sentence: str
    advice: str = ""
    facts: Mapping[str, Fact] = field(default_factory=dict)


def green(sentence: str, advice: str = "", /, **facts: Fact) -> Finding:
    """Works, or is not needed here."""
    return Finding("green", sentence, advice, facts)


def yellow(sentence: str, advice: str, /, **facts: Fact) -> Finding:
    """Could be better, or is not known."""
    return Finding("yellow", sentence, advice, facts)


def red(sentence: str, advice: str, /, **facts: Fact) -> Finding:
    """Does not work."""
    return Finding("red", sentence, advice, facts)
