"""A build process without TensorRT: does what its first argument says. Run by the tests, never imported.

The second argument is a file to which it adds a line at each start, the third the plan's TensorRT version.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from pathlib import Path

from hemonode.runtime.plans.channel import ParentLine
from hemonode.runtime.plans.messages import Built, BuiltFacts, Failed, Progress
from hemonode.runtime.plans.request import BuildRequest

PLAN_BYTES = 5000


def write_plan(request: BuildRequest, version: str) -> None:
    header = b"ftrt" + bytes(20) + bytes(int(part) for part in version.split(".")) + bytes(1)
    request.plan.write_bytes(
        header + request.graph.name.encode() + bytes(PLAN_BYTES - len(header) - len(request.graph.name))
    )


def facts(version: str, size: int = PLAN_BYTES) -> BuiltFacts:
    return BuiltFacts(
        tensorrt=version, seconds=1.5, plan_bytes=size, layers={"fp16": 4, "fp32": 2}, remarks=("A remark.",)
    )


def main(way: str, starts: str, version: str = "10.3.0") -> None:
    with Path(starts).open("a") as file:
        file.write(f"{os.getpid()}\n")
    if way == "rubbish":
        sys.stdin.readline()
        print("hello, this is no message", flush=True)
        time.sleep(60)
    if way == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with ParentLine() as parent:
        parent.say(Progress(phase="reading the graph", step=1, steps=1))
        # What libraries print must not reach the parent as messages.
        os.write(1, b"[TRT] chatter on standard output\n")
        print("[TRT] trouble " + "and more " * 100 + "the very end", file=sys.stderr, flush=True)
        for step in range(3):
            parent.say(Progress(phase="choosing kernels", step=step, steps=3))
        if way in ("slow", "deaf"):
            parent.request.plan.write_bytes(b"half")
            time.sleep(60)
        if way == "pause":
            time.sleep(1.5)
        if way == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if way == "crash":
            ctypes.string_at(0)
        if way == "fail":
            parent.say(Failed(failed="Layer /conv1 computes in fp32 though fp16 was asked for; update TensorRT."))
            sys.exit(1)
        if way == "silent":
            sys.exit(3)
        if way == "full":
            try:
                parent.request.plan.write_bytes(bytes(PLAN_BYTES * 1000))
            except OSError as error:
                parent.say(Failed(failed=f"The plan cannot be written ({error.strerror})."))
                sys.exit(1)
        write_plan(parent.request, version)
        parent.say(Built(built=facts(version, PLAN_BYTES + (way == "liar"))))
        if way == "crash late":
            ctypes.string_at(0)


main(*sys.argv[1:])
