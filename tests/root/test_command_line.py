"""The command line answers quickly, in one sentence, and with the right exit status."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

HEMONODE = [sys.executable, "-c", "import sys; sys.argv[0] = 'hemonode'; from hemonode.cli import main; main()"]
HEAVY = ("numpy", "cv2", "torch", "onnx", "onnxruntime", "openvino", "fastapi", "pydantic", "matplotlib")


def hemonode(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*HEMONODE, *arguments], capture_output=True, text=True, cwd=cwd, check=False)


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom hemonode.cli import build_app\n"
        "try: build_app()(args=['--help'])\nexcept SystemExit: pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stderr.strip() == "[]"


COMMANDS = [
    "train",
    "evaluate",
    "export",
    "run",
    "live",
    "build",
    "engines list",
    "engines clean",
    "data check",
    "calibrate solver",
    "calibrate fine-tune",
    "bench",
    "doctor",
]


@pytest.mark.parametrize("command", [command.split() for command in COMMANDS])
def test_every_commands_help_shows_an_example(command: list[str]) -> None:
    answer = hemonode(*command, "--help")
    assert answer.returncode == 0
    assert "Example: hemonode" in answer.stdout


def test_bad_usage_exits_with_2() -> None:
    assert hemonode("run").returncode == 2
    assert hemonode("fly").returncode == 2
    assert hemonode("run", "a.png", "-o", "out", "--red-cell-px", "x").returncode == 2


def test_what_cannot_be_done_exits_with_1_and_one_sentence(tmp_path: Path) -> None:
    answer = hemonode("run", "nowhere.png", "-o", "out", cwd=tmp_path)
    assert answer.returncode == 1
    assert answer.stderr.startswith("hemonode: ")
    assert len(answer.stderr.strip().splitlines()) == 1
    assert "Traceback" in hemonode("run", "nowhere.png", "-o", "out", "--debug", cwd=tmp_path).stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["export", "words.txt", "-o", "x.hemo", "--data", "d.toml", "--root", "."], "not a hemonode checkpoint"),
        (["train", "--recipe", "nothing", "--data-root", ".", "-o", "run"], "no recipe"),
        (["run", "smear.png", "-o", "words.txt"], "is a file"),
        (["run", "empty", "-o", "out"], "no pictures"),
        (["run", "smear.png", "-o", "out", "--setting", "dopri5-9"], "dopri5-9"),
        (["data", "check", "nowhere"], "nowhere"),
        (["build", "words.txt"], "words.txt"),
        (["engines", "clean", "nothing"], "nothing"),
    ],
)
def test_bad_input_is_named_with_what_to_do(tmp_path: Path, arguments: list[str], says: str) -> None:
    (tmp_path / "words.txt").write_text("only words\n")
    (tmp_path / "empty").mkdir()
    cv2.imwrite(str(tmp_path / "smear.png"), np.full((64, 64, 3), 200, np.uint8))
    answer = hemonode(*arguments, cwd=tmp_path)
    assert answer.returncode == 1
    assert says in answer.stderr
    assert "Traceback" not in answer.stderr


def test_ctrl_c_in_a_batch_leaves_what_is_done_complete(tmp_path: Path) -> None:
    folder = tmp_path / "smears"
    folder.mkdir()
    picture = np.full((480, 640, 3), 220, np.uint8)
    for number in range(400):
        cv2.imwrite(str(folder / f"{number}.png"), picture)
    out = tmp_path / "out"
    work = subprocess.Popen(
        [*HEMONODE, "run", str(folder), "-o", str(out), "--red-cell-px", "90"],
        stderr=subprocess.PIPE,
        text=True,
        # A shell starts background jobs with SIGINT ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 120
    while not (out / "counts.csv").exists() or len((out / "counts.csv").read_text().splitlines()) < 4:
        assert time.monotonic() < deadline
        assert work.poll() is None
        time.sleep(0.05)
    work.send_signal(signal.SIGINT)
    _, said = work.communicate(timeout=60)
    assert work.returncode == 1
    assert "stopped by Ctrl-C" in said
    rows = (out / "counts.csv").read_text().splitlines()[1:]
    assert 3 <= len(rows) < 400
    for row in rows:
        assert cv2.imread(str(out / "masks" / f"{row.split(',')[0]}.png")) is not None
    assert '"interrupted"' in (out / "summary.json").read_text()
