"""Every TensorRT call the code makes exists, by name and argument, in 8.6, 10.3 and 11.4, or is asked for first.

The lists in tensorrt_api/ were written by record.py from the real modules. mypy holds the code to the types in
tests/typings/tensorrt.pyi; these tests hold the types to the lists, and the code to the marks in the types.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from hemonode.errors import EngineError
from hemonode.runtime.engines.tensorrt_features import NEEDED, Features, read_features

API = Path(__file__).parent / "tensorrt_api"
VERSIONS = ("8.6", "10.3", "11.4")
CODE = Path(__file__).parents[3] / "runtime" / "engines"

# What must be looked at before a member that some versions lack is used; `if` conditions hold one of these.
LOOKS = ("features.", "flags.constrain_layers", "hasattr(")
# Called under such a look by somebody else.
GUARDED_FUNCTIONS = {"watch_progress", "constrain_layers"}
# Have members of the same names.
OURS = {"request", "features"}


def _load_record() -> ModuleType:
    spec = importlib.util.spec_from_file_location("record", API / "record.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


RECORD = _load_record()


def _listed(version: str) -> dict[str, dict[str, list[list[str]] | None]]:
    return json.loads((API / f"{version}.json").read_text())["classes"]


def _marks() -> dict[tuple[str, str], set[str]]:
    """Versions that have each member in the types: all, where nothing is marked there."""
    lines = RECORD.STUB.read_text().splitlines()
    marked = {
        number: set(match[1].split())
        for number, line in enumerate(lines, 1)
        if (match := re.search("# in: (.*)", line))
    }
    tree = {node.name: node for node in ast.parse(RECORD.STUB.read_text()).body if isinstance(node, ast.ClassDef)}
    whole = {path: marked[tree[path].lineno] for path in tree if tree[path].lineno in marked}
    return {
        (path, name): marked.get(member.lineno, whole.get(path, set(VERSIONS)))
        for path, members in RECORD.stub_members().items()
        for name, member in members.items()
        if name != "__buffer__"  # told to Python by the class itself only from 3.12 on
    }


MARKS = _marks()


@pytest.mark.parametrize("version", VERSIONS)
def test_each_version_has_exactly_the_members_that_the_types_give_it(version: str) -> None:
    listed = {(path, name) for path, members in _listed(version).items() for name in members}
    assert listed == {member for member, versions in MARKS.items() if version in versions}


@pytest.mark.parametrize("version", VERSIONS)
def test_arguments_have_the_names_and_the_order_of_the_real_ones(version: str) -> None:
    listed = _listed(version)
    compared = 0
    for path, members in RECORD.stub_members().items():
        for name, member in members.items():
            real = listed.get(path, {}).get(name)
            if isinstance(member, ast.FunctionDef) and real is not None:
                ours = [argument.arg for argument in member.args.args[1:]]
                assert any(_callable_so(overload, ours) for overload in real), (path, name, ours, real)
                compared += 1
    assert compared > 30


def _callable_so(overload: list[str], ours: list[str]) -> bool:
    """Ours are the first arguments there; all others have defaults."""
    names = [argument.rstrip("=") for argument in overload]
    return names[: len(ours)] == ours and all(argument.endswith("=") for argument in overload[len(ours) :])


def test_what_some_versions_lack_is_used_only_after_a_look_at_what_there_is() -> None:
    partial = {(path, name) for (path, name), versions in MARKS.items() if versions != set(VERSIONS)}
    names = {path for path, name in partial if name == "__init__"} | {name for _, name in partial} - {"__init__"}
    used = set()
    for path in CODE.glob("tensorrt*.py"):
        code = path.read_text()
        if "import tensorrt as trt" in code:
            for name, guarded in _uses(ast.parse(code), names):
                assert guarded, f"{path.name} uses {name} without asking whether this TensorRT has it"
                used.add(name)
    assert used == {
        "IProgressMonitor",
        "device_memory_size",
        "device_memory_size_v2",
        "node_name",
        "precision",
        "progress_monitor",
        "set_output_type",
    }


def _uses(node: ast.AST, names: set[str], guarded: bool = False) -> Iterator[tuple[str, bool]]:
    """Each use of one of the names as an attribute, and whether it stands behind a look."""
    if isinstance(node, ast.FunctionDef) and node.name in GUARDED_FUNCTIONS:
        guarded = True
    if isinstance(node, ast.If | ast.IfExp) and any(look in ast.unparse(node.test) for look in LOOKS):
        guarded = True
    if isinstance(node, ast.Attribute) and node.attr in names and ast.unparse(node.value) not in OURS:
        yield node.attr, guarded
    for child in ast.iter_child_nodes(node):
        yield from _uses(child, names, guarded)


def test_the_guards_in_that_test_are_really_asked_before() -> None:
    builder = (CODE / "tensorrt_builder.py").read_text()
    assert "if features.progress_monitor:\n        watch_progress(" in builder
    assert "if flags.constrain_layers:\n        constrain_layers(" in builder


@pytest.mark.parametrize(
    ("version", "found"),
    [
        (
            "8.6",
            Features(
                version="8.6.0",
                explicit_batch=True,
                strong_flag=False,
                layer_precision=True,
                fp16_flag=True,
                int8_flag=True,
                tf32_flag=True,
                progress_monitor=False,
                parser_names_nodes=False,
                foreign_tactics=("CUBLAS", "CUBLAS_LT", "CUDNN"),
            ),
        ),
        (
            "10.3",
            Features(
                version="10.3.0",
                explicit_batch=True,
                strong_flag=True,
                layer_precision=True,
                fp16_flag=True,
                int8_flag=True,
                tf32_flag=True,
                progress_monitor=True,
                parser_names_nodes=True,
                foreign_tactics=("CUBLAS", "CUBLAS_LT", "CUDNN"),
            ),
        ),
        (
            "11.4",
            Features(
                version="11.4.0.106",
                explicit_batch=False,
                strong_flag=True,
                layer_precision=False,
                fp16_flag=False,
                int8_flag=False,
                tf32_flag=True,
                progress_monitor=True,
                parser_names_nodes=True,
                foreign_tactics=(),
            ),
        ),
    ],
)
def test_features_are_read_from_what_each_version_has(version: str, found: Features) -> None:
    assert read_features(_module(version)) == found


def test_a_version_that_drops_something_needed_is_refused_by_name() -> None:
    later = _module("11.4")
    later.__version__ = "13.0.0"
    del later.IExecutionContext.execute_async_v3
    with pytest.raises(EngineError, match=r"TensorRT 13\.0\.0 lacks IExecutionContext\.execute_async_v3, which"):
        read_features(later)


def test_a_later_version_without_any_typing_flag_is_taken_as_strongly_typed() -> None:
    later = _module("11.4")
    later.NetworkDefinitionCreationFlag = SimpleNamespace()
    assert read_features(later).typing == "strong"


def test_everything_needed_is_in_the_types() -> None:
    assert {tuple(path.split(".")) for path in NEEDED} <= {member for member in MARKS if MARKS[member] == set(VERSIONS)}


def test_the_tensorrt_installed_here_has_what_the_types_say() -> None:
    tensorrt = pytest.importorskip("tensorrt", reason="TensorRT is not installed; the recorded lists stand for it")
    there = {(path, name) for path, members in RECORD.record(tensorrt)["classes"].items() for name in members}
    assert {member for member, versions in MARKS.items() if versions == set(VERSIONS)} <= there


def _module(version: str) -> ModuleType:
    """What a look with `hasattr` finds in a version: its recorded classes and members."""
    module = ModuleType("tensorrt")
    module.__version__ = json.loads((API / f"{version}.json").read_text())["version"]
    for path, members in _listed(version).items():
        if "." not in path:
            setattr(module, path, SimpleNamespace(**dict.fromkeys(members)))
    return module
