"""Ctrl-C after an engine was closed by another thread is still only a Ctrl-C."""

from __future__ import annotations

import subprocess
import sys

import pytest

from hemonode.runtime.bundle.reader import Bundle

pytest.importorskip("openvino", reason="OpenVINO is not installed")

PROGRAM = """
import gc, os, signal, sys, threading
from pathlib import Path
from hemonode.runtime.bundle.reader import open_bundle
from hemonode.runtime.engines import open_engine

box = [open_engine(open_bundle(Path(sys.argv[1])), (1, 128, 128), engine="openvino", precision="fp32", threads=1)]

def close():
    box.pop().close()
    gc.collect()

closing = threading.Thread(target=close)
closing.start()
closing.join()
signal.signal(signal.SIGINT, lambda *_: print("heard"))
os.kill(os.getpid(), signal.SIGINT)
"""


def test_a_signal_after_another_thread_closed_the_engine_is_heard(colour_bundle: Bundle) -> None:
    command = [sys.executable, "-c", PROGRAM, str(colour_bundle.folder)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, "heard\n"), ended.stderr
