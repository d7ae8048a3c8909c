"""A wheel of this checkout, installed by itself into an empty folder."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True)
class InstalledWheel:
    """The wheel's file, and the folder it is unpacked to."""

    wheel: Path
    site: Path

    def run(self, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """`hemonode …` with this wheel's package before any other, in the folder `cwd`."""
        environment = {**os.environ, "PYTHONPATH": str(self.site)}
        code = "import sys; sys.argv[0] = 'hemonode'; from hemonode.cli import main; main()"
        return subprocess.run(
            [sys.executable, "-c", code, *arguments],
            cwd=cwd,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )


def copy_checkout(target: Path) -> Path:
    """The files git knows or would add, so that a build writes nothing into the checkout."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=REPOSITORY, capture_output=True, check=True
    )
    for name in listed.stdout.decode().split("\0"):
        source = REPOSITORY / name
        if name and source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_bytes(source.read_bytes())
    return target


@pytest.fixture
def checkout_copy(tmp_path: Path) -> Path:
    """A copy of this checkout that a test may change."""
    return copy_checkout(tmp_path / "checkout")


@pytest.fixture(scope="session")
def installed_wheel(tmp_path_factory: pytest.TempPathFactory) -> InstalledWheel:
    """Built from a copy of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = copy_checkout(folder / "copy")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(copy)]
    subprocess.run(build, check=True, capture_output=True)
    wheel = next(folder.glob("*.whl"))
    site = folder / "site"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(site)]
    subprocess.run([*install, str(wheel)], check=True, capture_output=True)
    return InstalledWheel(wheel, site)
