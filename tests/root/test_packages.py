"""Where the packages lie and what importing one of them costs."""

from __future__ import annotations

import ast
import subprocess
import sys
import venv
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
FOLDERS = ("src", "device", "runtime", "train", "export", "calibration", "benchmarks")
INITS = sorted(file for folder in FOLDERS for file in (REPOSITORY / folder).rglob("__init__.py"))


@pytest.mark.parametrize("file", INITS, ids=lambda file: str(file.relative_to(REPOSITORY)))
def test_importing_a_package_imports_nothing_from_third_parties(file: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").partition(".")[0])
    assert imported <= {"hemonode", *sys.stdlib_module_names}


def test_an_editable_install_follows_the_checkout(tmp_path: Path, checkout_copy: Path) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    build = f"from setuptools import build_meta; build_meta.build_editable({str(wheels)!r})"
    subprocess.run([sys.executable, "-c", build], cwd=checkout_copy, check=True, capture_output=True)
    environment = tmp_path / "environment"
    venv.create(environment)
    python = environment / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*install, str(next(wheels.glob("*.whl")))], check=True, capture_output=True)
    (checkout_copy / "runtime" / "counting" / "later.py").write_text("ADDED = True\n")
    code = "import hemonode.errors as e, hemonode.runtime.counting.later as later; print(e.__file__, later.__file__)"
    answer = subprocess.run([str(python), "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True)
    root, later = map(Path, answer.stdout.split())
    assert root == checkout_copy / "src" / "hemonode" / "errors.py"
    assert later == checkout_copy / "runtime" / "counting" / "later.py"
