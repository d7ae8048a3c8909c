"""`hemonode doctor` on this machine: quick, useful whatever is broken, and readable by programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hemonode.runtime.doctor.asking import Asker
from hemonode.runtime.doctor.checks import CHECKS
from hemonode.runtime.doctor.report import SCHEMA_VERSION, Report

HEMONODE = [sys.executable, "-c", "import sys; sys.argv[0] = 'hemonode'; from hemonode.cli import main; main()"]


def doctor(*arguments: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = dict(os.environ)
    if path is not None:
        environment["PYTHONPATH"] = os.pathsep.join((str(path), environment.get("PYTHONPATH", "")))
    return subprocess.run(
        [*HEMONODE, "doctor", *arguments], capture_output=True, text=True, env=environment, check=False
    )


def test_it_speaks_json_and_every_check_is_heard(tmp_path: Path) -> None:
    answer = doctor("--json")
    report = Report.model_validate_json(answer.stdout)
    assert report.schema_version == SCHEMA_VERSION
    assert answer.returncode == (0 if report.healthy else 1)
    heard = {finding.check for finding in report.findings}
    # These two speak on a Jetson only.
    assert {check.name for check in CHECKS} - heard <= {"environment", "power"}
    (auto,) = (finding for finding in report.findings if finding.facts.get("engine"))
    assert auto.colour == "green"


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """Libraries that stand before the real ones: one crashes, the others lack something or print what nobody asked."""
    (tmp_path / "cv2.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n")
    (tmp_path / "openvino.py").write_text("raise ImportError('libopenvino.so: cannot open shared object file')\n")
    (tmp_path / "onnxruntime.py").write_text("import a_package_that_is_nowhere\n")
    (tmp_path / "numpy.py").write_text("print('noise on standard output')\n__version__ = '0'\n")
    return tmp_path


def test_broken_libraries_are_told_and_nothing_else_is_lost(broken: Path) -> None:
    answer = doctor(path=broken)
    assert answer.returncode == 1
    assert "OpenCV is installed and broken: it crashes (SIGSEGV)" in answer.stdout
    assert "libopenvino.so" in answer.stdout
    assert "a_package_that_is_nowhere" in answer.stdout
    assert "NumPy 0 works" in answer.stdout
    assert "Devices" in answer.stdout
    assert "Traceback" not in answer.stdout + answer.stderr


def test_the_page_counts_its_colours(broken: Path) -> None:
    lines = doctor(path=broken).stdout.splitlines()
    red = sum(line.startswith("  red ") for line in lines)
    assert red > 0
    assert f"{red} red." in lines[-1]


def test_a_library_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "numpy.py").write_text("import time\ntime.sleep(600)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr("hemonode.runtime.doctor.asking.LONGEST_S", 0.5)
    with Asker(("numpy",)) as asker:
        assert "does not answer" in (asker.ask("numpy").trouble or "")
        assert asker.ask("numpy") is asker.ask("numpy")


def test_a_visit_that_is_broken_off_leaves_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "numpy.py").write_text("import time\ntime.sleep(600)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with Asker(("numpy",)) as asker:
        (child,) = asker._children.values()
    assert child.poll() is not None


def test_the_shipped_model_passes_its_trial() -> None:
    answer = doctor("--run", "--json")
    findings = [finding for finding in json.loads(answer.stdout)["findings"] if finding["check"] == "trial"]
    assert findings[0]["colour"] == "green", findings
    assert findings[-1]["facts"]["engine"] == "cpu"
    assert findings[-1]["facts"]["agreement"] == 1.0


def test_debug_shows_where_a_check_broke() -> None:
    code = (
        "import sys\n"
        "from hemonode.runtime.doctor import checks, visit\n"
        "def breaks(machine): raise KeyError('width')\n"
        "visit.CHECKS, visit.AT_ONCE = (checks.Check('fragile', 'Machine', breaks),), ()\n"
        "sys.argv = ['hemonode', 'doctor', *sys.argv[1:]]\n"
        "from hemonode.cli import main\n"
        "main()"
    )
    quiet, loud = (
        subprocess.run([sys.executable, "-c", code, *more], capture_output=True, text=True, check=True)
        for more in ((), ("--debug",))
    )
    assert "KeyError: 'width'" in quiet.stdout
    assert quiet.stderr == ""
    assert "Traceback" in loud.stderr
