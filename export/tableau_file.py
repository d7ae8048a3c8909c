"""A user's own Runge-Kutta method: how a tableau is written in TOML and JSON files, and how it is read and checked.

    name = "ralston3"
    order = 3
    c = [0, "1/2", "3/4"]
    a = [[], ["1/2"], [0, "3/4"]]
    b = ["2/9", "1/3", "4/9"]

`b_low` with `low_order` adds the second solution of an embedded pair.
"""

from __future__ import annotations

import re
import sys
from fractions import Fraction
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationError

from hemonode.errors import ExportError
from hemonode.export.butcher import Tableau

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_FRACTION = re.compile(r"[+-]?\d+/\d+|[+-]?\d+(\.\d*)?([eE][+-]?\d{1,2})?")
"""Short of what Fraction reads: a huge exponent would fill the memory."""


def _fraction(value: object) -> Fraction:
    if isinstance(value, Fraction):
        return value
    # A float's shortest decimals are what was written.
    text = repr(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _FRACTION.fullmatch(text):
        raise ValueError(f'{value!r} is neither a number nor a fraction such as "1/3"')
    try:
        return Fraction(text)
    except ZeroDivisionError:
        raise ValueError(f"{value!r} divides by zero") from None


Coefficient = Annotated[Fraction, BeforeValidator(_fraction), PlainSerializer(str, return_type=str)]
"""An exact rational; in a file a number, or a fraction as text."""


class TableauFields(BaseModel):
    """A tableau as files hold it, see `Tableau`."""

    # A misspelt field must not be dropped in silence.
    model_config = ConfigDict(frozen=True, extra="forbid")

    order: int = Field(ge=1)
    c: tuple[Coefficient, ...]
    a: tuple[tuple[Coefficient, ...], ...]
    b: tuple[Coefficient, ...]
    b_low: tuple[Coefficient, ...] | None = None
    low_order: int | None = None

    def tableau(self, name: str) -> Tableau:
        """The tableau, checked.

        Raises:
            ExportError: its coefficients are inconsistent.
        """
        return Tableau(name, self.order, c=self.c, a=self.a, b=self.b, b_low=self.b_low, low_order=self.low_order)


class _TableauFile(TableauFields):
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")
    """A part of file names, like those of the methods that are built in."""


def read_tableau(path: Path) -> Tableau:
    """The tableau in a TOML file.

    Raises:
        ExportError: the file cannot be read, lacks a field, or fails a condition; the sentence says which.
    """
    try:
        fields = _TableauFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ExportError(f"the tableau {path} cannot be read as TOML ({error}): name another file") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ExportError(f"the tableau {path} is not valid at '{where}': {first['msg']}; correct it") from error
    try:
        return fields.tableau(fields.name)
    except ExportError as error:
        raise ExportError(f"{path}: {error}") from error
