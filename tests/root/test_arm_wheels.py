"""On a Jetson, or another ARM machine, pip finds a binary wheel of everything that hemonode needs there."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).parents[2]


class Target(NamedTuple):
    """A machine that packages are looked for: its Python, the newest glibc whose wheels it takes, and our extra."""

    python: str
    glibc: int
    extra: str


# Ubuntu 22.04 of JetPack 6 has glibc 2.35, Ubuntu 24.04 of JetPack 7 has 2.39.
TARGETS = (
    Target("3.10", 35, "jetson6"),
    Target("3.12", 39, "jetson7"),
    Target("3.10", 35, "cpu"),
    Target("3.12", 39, "cpu"),
)
OLDEST_GLIBC = 17


def requirements(extra: str, environment: dict[str, str]) -> list[Requirement]:
    """What pyproject.toml asks for, with one extra, under a target's markers."""
    project = _pyproject()["project"]
    asked = map(Requirement, (*project["dependencies"], *project["optional-dependencies"][extra]))
    return [requirement for requirement in asked if _wanted(requirement, environment)]


def _pyproject() -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    return tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))


def _wanted(requirement: Requirement, environment: dict[str, str], extras: tuple[str, ...] = ("",)) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({**environment, "extra": extra}) for extra in extras)


def environment(target: Target) -> dict[str, str]:
    """The values of a target's markers (PEP 508)."""
    return {
        "implementation_name": "cpython",
        "implementation_version": f"{target.python}.0",
        "os_name": "posix",
        "platform_machine": "aarch64",
        "platform_python_implementation": "CPython",
        "platform_system": "Linux",
        "platform_release": "5.15.148-tegra",
        "platform_version": "",
        "python_full_version": f"{target.python}.12",
        "python_version": target.python,
        "sys_platform": "linux",
    }


def resolve(target: Target, wanted: list[Requirement], folder: Path) -> list[dict[str, Any]]:
    """The metadata of the wheels that pip would take, without taking them."""
    platforms = [f"manylinux_2_{minor}_aarch64" for minor in range(target.glibc, OLDEST_GLIBC - 1, -1)]
    report = folder / "report.json"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"]
    command += ["--target", str(folder / "nowhere"), "--report", str(report), "--only-binary", ":all:"]
    command += ["--implementation", "cp", "--python-version", target.python]
    for platform in (*platforms, "manylinux2014_aarch64", "linux_aarch64"):
        command += ["--platform", platform]
    # pip takes markers by the interpreter it runs on; those of the target have been applied already.
    command += [str(_without_marker(requirement)) for requirement in wanted]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [item["metadata"] for item in json.loads(report.read_text(encoding="utf-8"))["install"]]


def _without_marker(requirement: Requirement) -> Requirement:
    bare = Requirement(str(requirement))
    bare.marker = None
    return bare


def unmet(found: list[dict[str, Any]], wanted: list[Requirement], marks: dict[str, str]) -> list[Requirement]:
    """What the wheels found need under the target's markers that is not among them, in a version that will do."""
    versions = {canonicalize_name(metadata["name"]): metadata["version"] for metadata in found}
    extras = {canonicalize_name(requirement.name): ("", *requirement.extras) for requirement in wanted}
    needed = list(wanted)
    for metadata in found:
        asked = map(Requirement, metadata.get("requires_dist", ()))
        of_extras = extras.get(canonicalize_name(metadata["name"]), ("",))
        needed += [requirement for requirement in asked if _wanted(requirement, marks, of_extras)]
    return [requirement for requirement in needed if not _met(requirement, versions)]


def _met(requirement: Requirement, versions: dict[str, str]) -> bool:
    version = versions.get(canonicalize_name(requirement.name))
    return version is not None and requirement.specifier.contains(version, prereleases=True)


@pytest.fixture(scope="module")
def index() -> None:
    """Skips where no package index answers."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--no-deps", "--ignore-installed"]
    try:
        answered = subprocess.run([*command, "typing-extensions"], capture_output=True, timeout=60, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("no package index answers within a minute")
    if answered.returncode != 0:
        pytest.skip("no package index answers")


@pytest.fixture(scope="module")
def resolving(
    index: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[Target, Future[list[Requirement]]]]:
    """What each target lacks in the end; all are resolved at once, since pip mostly waits for the index."""
    with ThreadPoolExecutor() as pool:
        yield {target: pool.submit(lacking, target, tmp_path_factory.mktemp("pip")) for target in TARGETS}


def lacking(target: Target, folder: Path) -> list[Requirement]:
    """What is asked for on a target and no wheel gives."""
    marks = environment(target)
    wanted = requirements(target.extra, marks)
    found = resolve(target, wanted, folder)
    more = unmet(found, wanted, marks)
    # Only the target's markers ask for these.
    while more:
        names = {canonicalize_name(metadata["name"]) for metadata in found}
        found += [one for one in resolve(target, more, folder) if canonicalize_name(one["name"]) not in names]
        before, more = more, unmet(found, wanted, marks)
        if {str(requirement) for requirement in more} >= {str(requirement) for requirement in before}:
            break
    return more


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: f"{target.extra} on {target.python}")
def test_everything_comes_as_a_wheel(resolving: dict[Target, Future[list[Requirement]]], target: Target) -> None:
    assert resolving[target].result() == []


def test_markers_are_those_of_the_target() -> None:
    for target in TARGETS:
        names = {requirement.name for requirement in requirements(target.extra, environment(target))}
        assert ("tomli" in names) == (target.python == "3.10")


def test_a_jetson_takes_the_numpy_that_its_opencv_was_built_for() -> None:
    for target in TARGETS[:2]:
        (asked,) = (wanted for wanted in requirements(target.extra, environment(target)) if "<2" in str(wanted))
        assert asked.name == "numpy"
