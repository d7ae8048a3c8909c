"""A live view under test: its folder, its store on a disk of its own, its configuration, and a tally that runs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hemonode.benchmarks.chaos.faults import Store, remove_disk, small_disk
from hemonode.benchmarks.chaos.program import Program, free_port

_DISK_MIB = 256

_CONFIG = """\
[[source]]
source = "{source}"
name = "chaotic microscope"

[model]
engine = "chaotic"

[recorder]
folder = "{folder}"
budget_gb = {budget_gb}
reserve_gb = 0.01
pictures = {pictures}

[page]
port = {port}

[log]
format = "json"
"""


@contextmanager
def view_under_test(rate_hz: float, *, pictures: bool = True) -> Iterator[tuple[Program, Store, Path]]:
    """A running live view with a tally of "soak".

    Args:
        rate_hz: of the simulated camera.
        pictures: whether tallied fields are kept with their pictures.

    Yields:
        The program, its store, and the file of its log.
    """
    with tempfile.TemporaryDirectory(prefix="hemonode-soak-") as name:
        folder = Path(name)
        store = Store(folder / "sessions", own_disk=False)
        store.folder.mkdir()
        own_disk = small_disk(store.folder, _DISK_MIB)
        config, port = folder / "live.toml", free_port()
        config.write_text(
            _CONFIG.format(
                source=f"chaotic:rate={rate_hz:g}",
                folder=store.folder,
                budget_gb=0.2 if own_disk else 2,
                pictures=str(pictures).lower(),
                port=port,
            ),
            encoding="utf-8",
        )
        try:
            with Program(config, port, folder / "log.jsonl") as program:
                program.post("/api/tally", {"action": "start", "name": "soak"})
                yield program, Store(store.folder, own_disk), folder / "log.jsonl"
        finally:
            if own_disk:
                remove_disk(store.folder)
