"""Write down which of the members that hemonode uses a real TensorRT has, and what their arguments are called.

usage: python tests/runtime/engines/tensorrt_api/record.py OUT.json    (with the interpreter that has that TensorRT)
"""

from __future__ import annotations

import ast
import json
import re
import sys
from pathlib import Path
from types import ModuleType

STUB = Path(__file__).resolve().parents[3] / "typings" / "tensorrt.pyi"
_SIGNATURE = re.compile(r"^(?:\d+\. )?\w+\((.*)\) -> ", re.MULTILINE)


def stub_members(stub: Path = STUB) -> dict[str, dict[str, ast.stmt]]:
    """Members of every class in the types, by the class's name: "ILogger.Severity" for one inside another."""
    found: dict[str, dict[str, ast.stmt]] = {}

    def visit(node: ast.ClassDef, path: str) -> None:
        members = found.setdefault(path, {})
        for part in node.body:
            if isinstance(part, ast.ClassDef):
                visit(part, f"{path}.{part.name}")
            elif isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
                members[part.target.id] = part
            elif isinstance(part, ast.FunctionDef):
                members[part.name] = part

    for node in ast.parse(stub.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            visit(node, node.name)
    return found


def record(tensorrt: ModuleType) -> dict[str, object]:
    """The members that are there, by class; of functions each overload's arguments, "=" behind those with a default."""
    classes: dict[str, dict[str, object]] = {}
    for path, members in stub_members().items():
        there: object = tensorrt
        for name in path.split("."):
            there = getattr(there, name, None)
        if there is not None:
            classes[path] = {name: _arguments(getattr(there, name)) for name in members if hasattr(there, name)}
    return {"version": tensorrt.__version__, "classes": classes}


def _arguments(member: object) -> list[list[str]] | None:
    """None for what is no function, or tells no signature."""
    if not callable(member) or isinstance(member, type):
        return None
    signatures = _SIGNATURE.findall(member.__doc__ or "")
    return [_names(signature) for signature in signatures] or None


def _names(signature: str) -> list[str]:
    names, depth, part = [], 0, ""
    for letter in f"{signature},":
        depth += (letter in "[(<") - (letter in "])>")
        if letter == "," and depth == 0:
            name = part.split(":")[0].strip()
            names.append(f"{name}=" if "=" in part else name)
            part = ""
        else:
            part += letter
    return [name for name in names if name and name != "self"]


if __name__ == "__main__":
    import tensorrt

    Path(sys.argv[1]).write_text(json.dumps(record(tensorrt), indent=1, sort_keys=True) + "\n", encoding="utf-8")
