"""`hemonode live` with a camera and an engine that break on command: a line on standard input for each fault.

Lines are JSON: {"switch": "camera_gone", "seconds": 5}, {"switch": "engine_throws", "times": 3} or {"clock_s": 86400}.
"""

from __future__ import annotations

import json
import sys
import threading

from hemonode.benchmarks.chaos.clock import shift_clock
from hemonode.benchmarks.chaos.switches import SWITCHES
from hemonode.cli import main as hemonode
from hemonode.device.camera import CAMERAS, CameraEntry
from hemonode.runtime.engines import ENGINES, EngineEntry


def _obey() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        if "clock_s" in order:
            shift_clock(float(order["clock_s"]))
        elif "seconds" in order:
            SWITCHES[order["switch"]].for_seconds(float(order["seconds"]))
        else:
            SWITCHES[order["switch"]].for_times(int(order["times"]))


def main() -> None:
    """The command line: a configuration for `hemonode live --config`. Exit status of `hemonode live`."""
    CAMERAS["chaotic"] = CameraEntry("hemonode.benchmarks.chaos.camera")
    ENGINES["chaotic"] = EngineEntry("hemonode.benchmarks.chaos.engine", "cpu")
    threading.Thread(target=_obey, name="orders", daemon=True).start()
    sys.argv[1:] = ["live", "--config", sys.argv[1]]
    hemonode()


if __name__ == "__main__":
    main()
