"""The dataset.toml: what a folder of labelled pictures holds, where, and which pictures belong to which split."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from hemonode.errors import DatasetError
from hemonode.runtime.classes import BACKGROUND_ID, BLOOD_CLASSES, IGNORE_ID, CellClass
from hemonode.train.data.readers import AnyLabels

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Images(_Table):
    """Where the pictures are; their stems are their names, which the label files share."""

    path: str = "images"
    pattern: str = "*"


class Groups(_Table):
    """Which pictures never part between splits: names that match alike, and lists (with their groups).

    Attributes:
        pattern: regular expression searched in the name; its first bracket is the group.
        together: lists of names, for near-duplicates that the names do not show.
    """

    pattern: str | None = None
    together: tuple[tuple[str, ...], ...] = ()

    @field_validator("pattern")
    @classmethod
    def _one_bracket(cls, pattern: str | None) -> str | None:
        try:
            brackets = 1 if pattern is None else re.compile(pattern).groups
        except re.error as error:
            raise ValueError(f"is no regular expression ({error})") from error
        if brackets != 1:
            raise ValueError("needs exactly one bracket, around the group's name")
        return pattern


class SplitTable(_Table):
    """A CSV file with a line for each picture."""

    path: str
    name_column: str
    split_column: str


class Carve(_Table):
    """Pictures that go from one split to another, with all of their groups: exactly one way to choose them.

    Attributes:
        first: this many, by name.
        last: this many, by name.
        groups: all of these groups.
    """

    to: str
    take_from: str = Field("train", alias="from")
    first: int | None = Field(None, ge=1)
    last: int | None = Field(None, ge=1)
    groups: tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _one_choice(self) -> Carve:
        if sum(choice is not None for choice in (self.first, self.last, self.groups)) != 1:
            raise ValueError("needs exactly one of `first`, `last` and `groups`")
        return self


class Split(_Table):
    """Splits from a table, or all `train`; then what is carved out of them, in this order."""

    table: SplitTable | None = None
    carve: tuple[Carve, ...] = ()


class ClassEntry(_Table):
    """One class of the data set."""

    id: int = Field(ge=0, lt=IGNORE_ID)
    name: str
    colour_rgb: tuple[int, int, int]
    countable: bool


class Description(_Table):
    """A whole dataset.toml.

    Attributes:
        red_cell_px: red-cell diameter in px of the pictures, or "boxes" to measure it on each picture's boxes.
    """

    name: str
    licence: str
    source: str = ""
    red_cell_px: float | Literal["boxes"]
    images: Images = Images()
    labels: tuple[AnyLabels, ...] = Field(min_length=1)
    groups: Groups = Groups()
    split: Split = Split()
    classes: tuple[ClassEntry, ...] = ()

    @field_validator("red_cell_px")
    @classmethod
    def _plausible(cls, value: float | str) -> float | str:
        if isinstance(value, float) and not 1 < value < 10_000:
            raise ValueError("must be the red-cell diameter in pixels of the pictures")
        return value

    @model_validator(mode="after")
    def _known_classes(self) -> Description:
        known = {entry.id for entry in self.cell_classes()}
        for labels in self.labels:
            complete = {*labels.complete, *(id_ for ids in labels.complete_by_size.values() for id_ in ids)}
            unknown = sorted((labels.class_ids() | complete) - known - {IGNORE_ID})
            if unknown:
                raise ValueError(f"labels in `{labels.path}` use class id {unknown[0]}, which `classes` does not have")
        if self.red_cell_px == "boxes" and "red_cell" not in {entry.name for entry in self.cell_classes()}:
            raise ValueError('red_cell_px = "boxes" needs a class named "red_cell"')
        return self

    def cell_classes(self) -> tuple[CellClass, ...]:
        """The classes, in id order; the four blood classes where the file names none."""
        if not self.classes:
            return BLOOD_CLASSES
        listed = sorted(self.classes, key=lambda entry: entry.id)
        return tuple(
            CellClass(entry.id, entry.name, (blue, green, red), entry.countable)
            for entry in listed
            for red, green, blue in [entry.colour_rgb]
        )

    @field_validator("classes")
    @classmethod
    def _distinct(cls, classes: tuple[ClassEntry, ...]) -> tuple[ClassEntry, ...]:
        ids = [entry.id for entry in classes]
        if len(set(ids)) != len(ids):
            raise ValueError("two classes have the same id")
        if classes and BACKGROUND_ID not in ids:
            raise ValueError("class 0, the background, is missing")
        return classes


def read_description(path: Path) -> Description:
    """The checked description in a dataset.toml.

    Raises:
        DatasetError: the file is missing, is not TOML, or says something that cannot be.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DatasetError(f"{path} cannot be read ({error.strerror}); give the path of a dataset.toml.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path} is not valid TOML: {error}.") from error
    try:
        return Description.model_validate(content)
    except ValidationError as error:
        raise DatasetError(f"{path}: {_first_sentence(error)}") from error


def _first_sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"]) or "file"
    return f"{place}: {first['msg'].removeprefix('Value error, ')}."
