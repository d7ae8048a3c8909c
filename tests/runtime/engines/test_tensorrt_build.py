"""The build process, as its parent sees it: one request in, JSON lines out, and it ends when it is asked to."""

from __future__ import annotations

import importlib.util
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

# The real process, with something that stands for TensorRT's minutes of work.
PROCESS = """
import sys, threading, time
from hemonode.errors import EngineError
from hemonode.runtime.engines.tensorrt_build import main
from hemonode.runtime.plans.messages import BuiltFacts, Progress

FACTS = BuiltFacts(tensorrt="10.3.0", seconds=1, plan_bytes=4, layers={"fp16": 1})

def build(request, tell, stop):
    tell(Progress(phase="choosing kernels", step=0, steps=10))
BODY
    return FACTS

sys.exit(main(build))
"""


def start(body: str, tmp_path: Path) -> subprocess.Popen[str]:
    code = PROCESS.replace("BODY", "\n".join(f"    {line}" for line in body.splitlines()))
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(_request(tmp_path)) + "\n")
    process.stdin.flush()
    return process


def end(process: subprocess.Popen[str]) -> tuple[int, list[dict[str, object]], str]:
    out, err = process.communicate(timeout=30)
    return process.returncode, [json.loads(line) for line in out.splitlines()], err


def _request(tmp_path: Path) -> dict[str, object]:
    return {
        "graph": str(tmp_path / "graph.onnx"),
        "precision": "fp16",
        "shape_min": [1, 128, 160],
        "shape_opt": [1, 128, 160],
        "shape_max": [1, 128, 160],
        "timing_cache": str(tmp_path / "times"),
        "plan": str(tmp_path / "engine.plan"),
    }


def test_a_build_ends_with_its_facts(tmp_path: Path) -> None:
    status, lines, _ = end(start("tell(Progress(phase='choosing kernels', step=5, steps=10))", tmp_path))
    assert status == 0
    assert [line.get("step") for line in lines] == [0, 5, None]
    assert lines[-1]["built"]["layers"] == {"fp16": 1}


def test_what_libraries_print_does_not_reach_the_line(tmp_path: Path) -> None:
    status, lines, err = end(start("import os; print('hello'); os.system('echo from C')", tmp_path))
    assert status == 0
    assert len(lines) == 2
    assert "hello" in err
    assert "from C" in err


@pytest.mark.parametrize(
    ("body", "failed", "logged"),
    [
        (
            "raise EngineError('TensorRT 10.3.0 could not build it; try another.')",
            "TensorRT 10.3.0 could not build",
            "",
        ),
        ("raise MemoryError", "memory ran out during the build; close other programs.", ""),
        ("raise KeyError('kernel')", r"in a way that hemonode does not know (KeyError('kernel')).", "Traceback"),
    ],
)
def test_a_failure_is_one_sentence_and_status_1(tmp_path: Path, body: str, failed: str, logged: str) -> None:
    status, lines, err = end(start(body, tmp_path))
    assert status == 1
    assert failed in str(lines[-1]["failed"])
    assert logged in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_build_that_looks_at_the_wish_to_stop_ends_by_itself(tmp_path: Path, number: int) -> None:
    process = start(
        "stop.heeded = True\nwhile not stop.asked: time.sleep(0.01)\n"
        "time.sleep(0.3); print('saved the times', flush=True)\nraise EngineError('cancelled by itself.')",
        tmp_path,
    )
    _wait_for_a_line(process)
    process.send_signal(number)
    status, lines, err = end(process)
    assert status == 1
    assert lines == [{"failed": "cancelled by itself."}]
    assert "saved the times" in err


def test_a_build_that_cannot_look_is_ended_all_the_same_and_says_so(tmp_path: Path) -> None:
    # What waits for the end of the program would wait for the library's threads, or crash beside them.
    process = start("import atexit; atexit.register(print, 'too late', flush=True)\ntime.sleep(60)", tmp_path)
    _wait_for_a_line(process)
    process.send_signal(signal.SIGTERM)
    status, lines, err = end(process)
    assert status == 1
    assert "too late" not in err
    assert lines == [{"failed": "the build was cancelled; nothing is left of it."}]


def test_after_the_answer_nothing_more_is_said(tmp_path: Path) -> None:
    body = "while True: tell(Progress(phase='choosing kernels', step=1, steps=10)); time.sleep(0.001)"
    process = start(body, tmp_path)
    _wait_for_a_line(process)
    process.send_signal(signal.SIGTERM)
    _, lines, _ = end(process)
    assert "failed" in lines[-1]
    assert sum("failed" in line for line in lines) == 1


@pytest.mark.skipif(importlib.util.find_spec("tensorrt") is not None, reason="TensorRT is installed here")
def test_without_tensorrt_the_process_says_how_to_get_it(tmp_path: Path) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "hemonode.runtime.engines.tensorrt_build"],
        input=json.dumps(_request(tmp_path)) + "\n",
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert finished.returncode == 1
    assert json.loads(finished.stdout)["failed"].startswith("TensorRT is not installed; ")


def test_the_process_stays_small(tmp_path: Path) -> None:
    loaded = "import sys; print(sorted({'torch', 'onnx', 'cv2', 'onnxruntime', 'openvino'} & set(sys.modules)))"
    _, _, err = end(start(loaded, tmp_path))
    assert "[]" in err


def _wait_for_a_line(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["phase"] == "choosing kernels"
