"""Reads a live view's configuration file, TOML, and joins it with the command line, which wins."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeGuard, get_args

from pydantic import BaseModel, ValidationError

from hemonode.device.camera import names_file
from hemonode.errors import HemonodeError
from hemonode.runtime.live.config import LiveConfig

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

LARGEST_BYTES = 1_000_000

Values = dict[str, Any]

_PATHS = (
    ("model", "bundles"),
    ("recorder", "folder"),
    ("page", "token_file"),
    ("page", "certificate"),
    ("page", "key"),
)

# What pydantic calls a thing, in the words of a TOML file.
_EXPECTED = {
    "tuple_type": "must be a list; a table that there may be several of is written [[…]]",
    "string_unicode": "must be text in UTF-8; rename what has other bytes in its name",
    "model_type": "must be a table: a line of its own with the name in brackets, and keys below it",
}


def load_config(path: Path | None = None, given: Mapping[str, Any] | None = None) -> LiveConfig:
    """What a live view is to be started with.

    Args:
        path: of the file; None for none. Paths in it are relative to its folder.
        given: on the command line, by section, as in the file; it wins. "source" is one source that comes first; a path
            is relative to where the command runs.

    Raises:
        HemonodeError: the file cannot be read, or something in it is unknown or wrong; the sentence names line or key.
    """
    values = _read(path) if path is not None else {}
    where = str(path) if path is not None else "the command line"
    for section, wanted in (given or {}).items():
        if section == "source":
            values["source"] = _first(wanted, values.get("source", []))
        elif isinstance(wanted, Mapping):
            # Of a scale only one way may be given, and this is it.
            known = {} if section == "scale" else values.get(section, {})
            values[section] = {**known, **wanted} if isinstance(known, dict) else known
        else:
            values[section] = wanted
    try:
        return LiveConfig.model_validate(values)
    except ValidationError as error:
        raise HemonodeError(f"{where}: " + "; ".join(_sentence(found) for found in error.errors()[:3])) from error


def _read(path: Path) -> Values:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise HemonodeError(f"the configuration {path} cannot be read: {error.strerror}") from error
    if len(content) > LARGEST_BYTES:
        raise HemonodeError(f"{path} is no configuration: it has more than {LARGEST_BYTES} bytes")
    try:
        values = tomllib.loads(content.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise HemonodeError(f"{path} is not valid TOML: {error}") from error
    if isinstance(values.get("page"), dict) and "token" in values["page"]:
        raise HemonodeError(
            f"{path}: page.token: a token does not belong in a configuration, which is printed and shared; "
            "put it in a file of its own and name that as token_file, or set HEMONODE_TOKEN"
        )
    _make_absolute(values, path.absolute().parent)
    return values


def _make_absolute(values: Values, folder: Path) -> None:
    sources = values.get("source")
    for source in sources if isinstance(sources, list) else []:
        if isinstance(source, dict) and isinstance(source.get("source"), str):
            source["source"] = _absolute_source(source["source"], folder)
    for section, key in _PATHS:
        table = values.get(section)
        if not isinstance(table, dict) or key not in table:
            continue
        value = table[key]
        if isinstance(value, str):
            table[key] = str(folder / Path(value).expanduser())
        elif isinstance(value, list):
            table[key] = [str(folder / Path(item).expanduser()) if isinstance(item, str) else item for item in value]


def _absolute_source(text: str, folder: Path) -> str:
    return str(folder / Path(text).expanduser()) if text and names_file(text) else text


def _first(wanted: Mapping[str, Any], known: object) -> object:
    """The sources with the wanted one first: by its name or text, where it is among them."""
    if not isinstance(known, list) or not all(isinstance(source, dict) for source in known):
        return known  # wrong in a way that the check tells
    text = wanted.get("source")
    if text is None:
        first, *others = known or [{}]
        return [{**first, **wanted}, *others]
    place = _absolute_source(text, Path.cwd())
    for source in known:
        if text == source.get("name") or place == source.get("source"):
            rest = {key: value for key, value in wanted.items() if key != "source"}
            return [{**source, **rest}, *(other for other in known if other is not source)]
    return [{**wanted, "source": place}, *known]


def _sentence(found: Mapping[str, Any]) -> str:
    location: Sequence[str | int] = found["loc"]
    key = _dotted(location)
    if found["type"] == "extra_forbidden":
        known = _keys_beside(location)
        nearest = difflib.get_close_matches(str(location[-1]), known, 1)
        hint = f"did you mean {nearest[0]}?" if nearest else f"known are {', '.join(known)}"
        return f"{key}: there is no such key; {hint}"
    if found["type"] == "value_error":
        return ": ".join(filter(None, (key, str(found["ctx"]["error"]))))
    told = _EXPECTED.get(found["type"]) or found["msg"].replace("Input should", "must")
    return f"{key}: {told}"


def _dotted(location: Sequence[str | int]) -> str:
    text = ""
    for part in location:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}"
    return text.lstrip(".")


def _keys_beside(location: Sequence[str | int]) -> list[str]:
    """What may stand where an unknown key does."""
    model: type[BaseModel] = LiveConfig
    for part in location[:-1]:
        if isinstance(part, str):
            annotation = model.model_fields[part].annotation
            model = next(kind for kind in (annotation, *get_args(annotation)) if _is_table(kind))
    return [name for name, field in model.model_fields.items() if not field.exclude]


def _is_table(kind: object) -> TypeGuard[type[BaseModel]]:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
