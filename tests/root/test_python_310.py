"""What runs on a Jetson uses nothing that Python 3.10, which JetPack 6 has, does not know."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mypy", reason="mypy is not installed")

# NumPy's stubs are written for newer Pythons. All else is followed, so that the standard library is Python 3.10's.
SETTINGS = """
[mypy]
python_version = 3.10
[mypy-numpy.*,cv2.*]
follow_imports = skip
follow_imports_for_stubs = True
"""

NEWER = """
import asyncio, contextlib, datetime, enum, itertools, tomllib
from typing import Self
class Kind(enum.StrEnum):
    one = "one"
found = (datetime.UTC, asyncio.TaskGroup, contextlib.chdir, itertools.batched, ExceptionGroup)
"""

# What mypy says of names that a standard library does not have; its other complaints come from the skipped stubs.
UNKNOWN = re.compile(
    r"(?P<file>\S+?):\d+: error: "
    r'(?:Module(?: "[\w.]+")? has no attribute|Name "[\w.]+" is not defined|.*(?:supported|only valid) in Python|'
    r'Cannot find implementation or library stub for module named "(?P<module>\w+))'
)


def unknown(said: str) -> list[tuple[str, str]]:
    """(file, line) of each name that Python 3.10 does not know."""
    found = []
    for line in said.splitlines():
        match = UNKNOWN.match(line)
        if match and (match["module"] is None or match["module"] in sys.stdlib_module_names):
            found.append((Path(match["file"]).name, line))
    return found


def test_the_runtime_uses_nothing_newer_than_python_310(installed_wheel, tmp_path: Path) -> None:
    (tmp_path / "mypy.ini").write_text(SETTINGS)
    # Something newer goes in with it: a check that sees nothing would pass, too.
    (tmp_path / "newer.py").write_text(NEWER)
    command = [sys.executable, "-m", "mypy", "--config-file", "mypy.ini", "--cache-dir", "cache", "--no-error-summary"]
    command += ["-p", "hemonode.runtime", "-p", "hemonode.device", "-m", "newer"]
    path = os.pathsep.join((str(installed_wheel.site), str(tmp_path)))
    checked = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "MYPYPATH": path}, capture_output=True, text=True, check=False
    )
    found = unknown(checked.stdout)
    assert len([line for file, line in found if file == "newer.py"]) == 8, checked.stdout + checked.stderr
    assert [line for file, line in found if file != "newer.py"] == []
