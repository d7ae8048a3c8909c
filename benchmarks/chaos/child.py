"""`hemonode live` with a camera and an engine that break on command: a line on standard input for each fault.

Lines are JSON: {"switch": "camera_gone", "seconds": 5}, {"switch": "engine_throws", "times": 3} or {"clock_s": 86400}.
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

from hemonode.benchmarks.chaos.clock import shift_clock
from hemonode.benchmarks.chaos.switches import SWITCHES
from hemonode.device.camera import CAMERAS, CameraEntry
from hemonode.errors import HemonodeError
from hemonode.runtime.engines import ENGINES, EngineEntry
from hemonode.runtime.live.config_file import load_config
from hemonode.runtime.live.launch import serve


def _obey() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        if "clock_s" in order:
            shift_clock(float(order["clock_s"]))
        elif "seconds" in order:
            SWITCHES[order["switch"]].for_seconds(float(order["seconds"]))
        else:
            SWITCHES[order["switch"]].for_times(int(order["times"]))


def main() -> int:
    """The command line: a configuration for `hemonode live --config`. Exit status 0, or 1 when it cannot be run."""
    CAMERAS["chaotic"] = CameraEntry("hemonode.benchmarks.chaos.camera")
    ENGINES["chaotic"] = EngineEntry("hemonode.benchmarks.chaos.engine", "cpu")
    threading.Thread(target=_obey, name="orders", daemon=True).start()
    try:
        serve(load_config(Path(sys.argv[1])), announce=lambda *_: None)
    except HemonodeError as error:
        print(f"hemonode: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
