"""OpenVINO's first frames in several threads at once, in a process of their own: a deadlock would hold this one."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("openvino", reason="OpenVINO is not installed")

FIRST_FRAMES = """
import sys, threading
from pathlib import Path
import numpy as np
import openvino
from hemonode.runtime.bundle.reader import open_bundle
from hemonode.runtime.engines import open_engine

LANES = 8
engine = open_engine(open_bundle(Path(sys.argv[1])), (1, 128, 128), engine="openvino", precision="fp32", lanes=LANES)
frames = np.zeros((1, 128, 128, 3), np.uint8)
together = threading.Barrier(LANES + 1)
begin = []
# Threads take turns as often as on a machine that is far too busy.
sys.setswitchinterval(1e-6)

def run():
    together.wait()
    while not begin:
        pass
    openvino.Type.u8.to_dtype()  # which a run comes to after a while: at once, they meet far more often
    engine.run(frames)

threads = [threading.Thread(target=run, daemon=True) for _ in range(LANES)]
for thread in threads:
    thread.start()
together.wait()
begin.append(True)
for thread in threads:
    thread.join()
print("all ran")
"""


@pytest.mark.parametrize("attempt", range(4))
def test_first_frames_in_several_threads_do_not_lock_each_other_for_ever(colour_bundle, attempt):
    ran = subprocess.run(
        [sys.executable, "-c", FIRST_FRAMES, str(colour_bundle.folder)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.stdout == "all ran\n", ran.stderr
