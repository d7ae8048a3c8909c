"""Decides which split each picture belongs to, so that pictures of one group never part."""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from pathlib import Path

from hemonode.errors import DatasetError
from hemonode.train.data.description import Carve, Groups, Split, SplitTable
from hemonode.train.data.labels import read_text


def group_names(names: list[str], groups: Groups) -> dict[str, str]:
    """The group of every name; a picture that shares its group with none is a group of its own.

    Raises:
        DatasetError: a name does not match the pattern.
    """
    found = {name: _matched(name, groups.pattern) for name in names}
    for together in groups.together:
        joined = {found[name] for name in together if name in found}
        found.update({name: min(joined) for name in names if found[name] in joined})
    return found


def _matched(name: str, pattern: str | None) -> str:
    if pattern is None:
        return name
    match = re.search(pattern, name)
    if match is None:
        raise DatasetError(f"picture {name} does not match groups.pattern {pattern!r}; change the pattern.")
    return match.group(1)


def split_names(group_of: dict[str, str], split: Split, root: Path) -> dict[str, str]:
    """The split of every name.

    Raises:
        DatasetError: the table is not usable, or a split to carve from has no such pictures.
    """
    names = sorted(group_of)
    splits = dict.fromkeys(names, "train") if split.table is None else _from_table(names, split.table, root)
    for carve in split.carve:
        _carve(splits, group_of, carve)
    return splits


def _from_table(names: list[str], table: SplitTable, root: Path) -> dict[str, str]:
    path = root / table.path
    rows = csv.DictReader(io.StringIO(read_text(path)))
    columns = {table.name_column, table.split_column}
    if not columns <= set(rows.fieldnames or ()):
        raise DatasetError(f"{path} needs the columns {' and '.join(sorted(columns))}.")
    listed = {row[table.name_column]: row[table.split_column] for row in rows}
    absent = [name for name in names if name not in listed]
    if absent:
        raise DatasetError(f"{path} has no line for the picture {absent[0]}; add it.")
    return {name: listed[name] for name in names}


def _carve(splits: dict[str, str], group_of: dict[str, str], carve: Carve) -> None:
    candidates = sorted(name for name, split in splits.items() if split == carve.take_from)
    if carve.groups is not None:
        chosen = [name for name in candidates if group_of[name] in carve.groups]
        wanted = 1
    elif carve.first is not None:
        chosen, wanted = candidates[: carve.first], carve.first
    else:
        wanted = carve.last or 0
        chosen = candidates[-wanted:]
    if len(chosen) < wanted:
        raise DatasetError(f"split {carve.take_from} has too few pictures to carve {carve.to} out of it.")
    groups = {group_of[name] for name in chosen}
    splits.update({name: carve.to for name in candidates if group_of[name] in groups})


def parted_groups(group_of: dict[str, str], splits: dict[str, str]) -> dict[str, set[str]]:
    """Groups that lie in more than one split, with those splits."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for name, group in group_of.items():
        found[group].add(splits[name])
    return {group: members for group, members in found.items() if len(members) > 1}
