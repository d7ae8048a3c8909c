"""A live view's configuration as a commented file, which reads back unchanged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from hemonode.errors import HemonodeError
from hemonode.runtime.live.config import LiveConfig, without_password

_HEAD = """\
# What `hemonode live` is started with; read it with: hemonode live --config FILE
# A line that begins with "# name =" is not set. The token is never written here.
"""


def config_text(config: LiveConfig) -> str:
    """TOML with a comment for every key; secrets are left out.

    Raises:
        HemonodeError: a path in it is not valid Unicode, which TOML cannot hold.
    """
    text = "\n".join([_HEAD, *_lines(config)]) + "\n"
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise HemonodeError("a path in the configuration is not valid Unicode and cannot be written as TOML") from error
    return text


def _lines(config: LiveConfig) -> Iterator[str]:
    tables: list[tuple[str, BaseModel]] = []
    for name, field in LiveConfig.model_fields.items():
        value = getattr(config, name)
        if isinstance(value, BaseModel):
            tables.append((f"[{name}]", value))
        elif name == "source":
            tables += [(f"[[{name}]]", source) for source in value]
        else:
            yield f"{name} = {_value(value)}  # {field.description}"
    for header, table in tables:
        yield ""
        yield f"# {(type(table).__doc__ or '').strip()}"
        yield header
        yield from _table(table)


def _table(table: BaseModel) -> Iterator[str]:
    for name, field in type(table).model_fields.items():
        if field.exclude:
            continue
        value = getattr(table, name)
        if isinstance(value, str) and name == "source":
            value = without_password(value)
        if value is None:
            yield f"# {name} =   # {field.description}"
        else:
            yield f"{name} = {_value(value)}  # {field.description}"


def _value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, (str, Path)):
        # JSON's strings are TOML's, but for one character that TOML wants escaped.
        return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, tuple):
        return f"[{', '.join(_value(item) for item in value)}]"
    raise TypeError(f"a {type(value).__name__} cannot be written as TOML")
