"""A cache in a scratch folder, a machine that is none, and a build process that needs no TensorRT."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

from hemonode.runtime.bundle.reader import Bundle
from hemonode.runtime.plans.key import Shapes
from hemonode.runtime.plans.machine import Machine
from hemonode.runtime.plans.order import PlanOrder, order_plan
from hemonode.runtime.plans.store import PlanStore

FAKE = Path(__file__).with_name("fake_build.py")


@pytest.fixture(scope="session")
def machine() -> Machine:
    return Machine(gpu="Orin", compute_capability="8.7", tensorrt="10.3.0", cuda="12.6", driver="12.6")


@pytest.fixture(scope="session")
def order(colour_bundle: Bundle, machine: Machine) -> PlanOrder:
    return order_plan(colour_bundle, "rk4-1", "fp32", Shapes.fixed((1, 128, 160)), machine)


@pytest.fixture
def starts(tmp_path: Path) -> Callable[[], int]:
    """How often a build process has been started."""
    return lambda: len((tmp_path / "starts").read_text().splitlines()) if (tmp_path / "starts").exists() else 0


@pytest.fixture
def wait_until_gone(tmp_path: Path) -> Callable[[], None]:
    """Waits for the end of the build process that was started last; fails where it outlives who started it."""

    def gone(pid: int) -> bool:
        state = Path(f"/proc/{pid}/stat")
        return not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z"

    def wait() -> None:
        pid = int((tmp_path / "starts").read_text().split()[-1])
        deadline = time.monotonic() + 20
        while not gone(pid):
            assert time.monotonic() < deadline, "the build process is still there"
            time.sleep(0.05)

    return wait


class MakeStore(Protocol):
    def __call__(self, way: str = "good", version: str = "10.3.0", folder: Path | None = None) -> PlanStore: ...


@pytest.fixture
def store(tmp_path: Path) -> MakeStore:
    """`store(way)`: the store of this test's cache, whose build process behaves in that way (see fake_build.py)."""

    def make(way: str = "good", version: str = "10.3.0", folder: Path | None = None) -> PlanStore:
        command = (sys.executable, str(FAKE), way, str(tmp_path / "starts"), version)
        return PlanStore(folder or tmp_path / "engines", command=command)

    return make


@pytest.fixture(scope="session")
def filled_cache(tmp_path_factory: pytest.TempPathFactory, order: PlanOrder) -> Path:
    """A cache that holds the plan of `order`; never write into it."""
    folder = tmp_path_factory.mktemp("filled")
    command = (sys.executable, str(FAKE), "good", str(folder / "starts"))
    PlanStore(folder / "engines", command=command).build(order)
    return folder / "engines"


@pytest.fixture
def filled(store: MakeStore, filled_cache: Path, tmp_path: Path) -> PlanStore:
    """This test's store, with the plan of `order` in it."""
    shutil.copytree(filled_cache, tmp_path / "engines")
    return store()
