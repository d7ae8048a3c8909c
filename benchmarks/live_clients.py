"""What one page gets while others are slow, many, or vanish without a word: its rate as a ratio, and the view's memory.

Run: python -m hemonode.benchmarks.live_clients
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import cv2
from websockets.asyncio.client import connect

from hemonode.benchmarks.chaos.footprint import footprint
from hemonode.benchmarks.machine import describe_machine
from hemonode.benchmarks.served import served
from hemonode.errors import HemonodeError
from hemonode.runtime.live.config import LiveConfig

_SETTLE_S = 3.0
_MODULE = "hemonode.benchmarks.live_clients"


@dataclass(frozen=True)
class Company:
    """Clients beside the one that is measured: how many, how long each takes for a packet, and whether they vanish."""

    name: str
    clients: int
    pause_s: float = 0.0
    vanish: bool = False


COMPANIES = (
    Company("one that takes 2 s for each picture", 1, pause_s=2.0),
    Company("20 that keep up", 20),
    Company("20 that take 2 s for each picture", 20, pause_s=2.0),
    Company("one that stops reading and never closes", 1, vanish=True),
)


@dataclass(frozen=True)
class Seen:
    """By the client that is measured: packets a second, and milliseconds from capture to the packet's arrival."""

    rate_hz: float
    late_ms: float
    resident_mib: float


def compare(address: str, seconds: float, rounds: int) -> dict[str, list[tuple[Seen, Seen]]]:
    """For each company, alone and in company in turns."""
    found: dict[str, list[tuple[Seen, Seen]]] = {company.name: [] for company in COMPANIES}
    for _ in range(rounds):
        for company in COMPANIES:
            alone = _measure(address, seconds)
            with _beside(address, company):
                time.sleep(_SETTLE_S)
                found[company.name].append((alone, _measure(address, seconds)))
    return found


def _measure(address: str, seconds: float) -> Seen:
    """A process of its own, so that it is no part of what it measures."""
    done = subprocess.run(
        [sys.executable, "-m", _MODULE, "--client", address, "--seconds", str(seconds)],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise HemonodeError(f"the client that is measured failed: {done.stderr.strip()}")
    rate_hz, late_ms = (float(figure) for figure in done.stdout.split())
    return Seen(rate_hz, late_ms, footprint(os.getpid()).resident_mib)


@contextmanager
def _beside(address: str, company: Company) -> Iterator[None]:
    arguments = ["--company", str(COMPANIES.index(company)), "--client", address]
    process = subprocess.Popen([sys.executable, "-m", _MODULE, *arguments])
    try:
        if company.vanish:
            time.sleep(_SETTLE_S)
            # It neither reads nor closes: what a page on a tablet that lost its network looks like.
            process.send_signal(signal.SIGSTOP)
        yield
    finally:
        process.kill()
        process.wait()


async def _watch(address: str, seconds: float, pause_s: float = 0.0) -> tuple[float, float]:
    packets, late_ms = 0, []
    async with connect(f"ws://{address}/stream", max_size=None, compression=None) as stream:
        began_s = time.monotonic()
        while time.monotonic() - began_s < seconds:
            message = await stream.recv()
            if not isinstance(message, bytes):
                continue
            header = _header(message)
            packets += 1
            late_ms.append(float(header["captured_ms_ago"]))
            await asyncio.sleep(pause_s)
            await stream.send(f"drawn {header['number']}")
        return packets / (time.monotonic() - began_s), statistics.median(late_ms)


def _header(message: bytes) -> dict[str, float]:
    length = int.from_bytes(message[:4], "little")
    return dict(json.loads(message[4 : 4 + length]))


async def _crowd(address: str, company: Company) -> None:
    await asyncio.gather(*(_watch(address, 3600, company.pause_s) for _ in range(company.clients)))


def as_markdown(found: dict[str, list[tuple[Seen, Seen]]]) -> str:
    """Medians of the ratios over the rounds."""
    lines = [
        "| in company of | rate, ratio to alone | capture to arrival, ms | alone | memory, MiB |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, pairs in found.items():
        ratio = statistics.median(beside.rate_hz / alone.rate_hz for alone, beside in pairs)
        late = statistics.median(beside.late_ms for _, beside in pairs)
        alone_late = statistics.median(alone.late_ms for alone, _ in pairs)
        memory = max(beside.resident_mib for _, beside in pairs)
        lines.append(f"| {name} | {ratio:.3f} | {late:.1f} | {alone_late:.1f} | {memory:.0f} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. Exit status 0, or 1 when something cannot be measured as asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rate-hz", type=float, default=15.0, help="of the simulated camera (default: 15)")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each measurement (default: 10)")
    parser.add_argument("--rounds", type=int, default=3, help="(default: 3)")
    parser.add_argument("--client", help=argparse.SUPPRESS)
    parser.add_argument("--company", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.company is not None:
        asyncio.run(_crowd(asked.client, COMPANIES[asked.company]))
        return 0
    if asked.client is not None:
        print(*asyncio.run(_watch(asked.client, asked.seconds)))
        return 0
    cv2.setNumThreads(1)
    machine = describe_machine()
    try:
        with tempfile.TemporaryDirectory() as folder:
            config = LiveConfig.model_validate(
                {
                    "source": [{"source": f"simulated:rate={asked.rate_hz:g}"}],
                    "recorder": {"folder": folder, "pictures": False},
                }
            )
            with served(config) as view:
                found = compare(view.address, asked.seconds, asked.rounds)
    except HemonodeError as error:
        print(f"hemonode: {error}", file=sys.stderr)
        return 1
    print(f"{machine.processor}, {machine.cores} cores, load {machine.load:.2f} before the start\n")
    print(as_markdown(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
