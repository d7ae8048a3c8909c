"""What the pages, images and units for a Jetson name exists: commands, options, extras, files."""

from __future__ import annotations

import configparser
import itertools
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from hemonode.cli import build_app
from hemonode.runtime.web.access import Access

tomllib = pytest.importorskip("tomllib", reason="reads pyproject.toml; Python 3.11 or newer")

REPOSITORY = Path(__file__).parents[2]
DOCS = REPOSITORY / "docs"
PAGE = DOCS / "jetson.md"
IMAGES = sorted((DOCS / "docker").glob("Dockerfile.*"))
UNIT = DOCS / "systemd" / "hemonode-live.service"
NAMING = [PAGE, UNIT, *IMAGES, REPOSITORY / "README.md", *sorted((REPOSITORY / "runtime").rglob("*.py"))]


def shell_lines(page: Path) -> Iterator[str]:
    """The lines of a page's shell blocks, continued ones joined, comments off."""
    for block in re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            yield line.partition("  #")[0].strip()


def programs(line: str) -> Iterator[list[str]]:
    """The words of each program that a line calls, without who calls it and in what environment."""
    words = shlex.shlex(line, posix=True, punctuation_chars=";|&")
    words.whitespace_split = True
    for ends, group in itertools.groupby(words, lambda word: set(word) <= set(";|&")):
        if ends:
            continue
        called = list(group)
        if called[:2] == ["sudo", "-u"]:
            called = called[3:]
        yield list(itertools.dropwhile(lambda word: word in ("sudo", "env") or "=" in word, called))


def hemonode_calls(lines: Iterator[str]) -> Iterator[list[str]]:
    """The words after each call of hemonode, by itself or in the image of that name."""
    for line in lines:
        for words in programs(line):
            if words[:2] == ["docker", "run"]:
                yield words[words.index("hemonode") + 1 :]
            elif words and words[0].rpartition("/")[2] == "hemonode":
                yield words[1:]


def command_of(words: list[str]) -> tuple[Any, list[str]]:
    """The click command that words call, and what is left of them."""
    command = typer.main.get_command(build_app())
    while words and hasattr(command, "commands"):
        assert words[0] in command.commands, f"there is no command {words[0]!r}"
        command, words = command.commands[words[0]], words[1:]
    return command, words


def check_call(words: list[str]) -> None:
    command, rest = command_of(words)
    known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    asked = {word.partition("=")[0] for word in rest if word.startswith("--")}
    assert asked <= known | {"--debug"}, f"{' '.join(words)}: {asked - known}"


CALLS = list(hemonode_calls(shell_lines(PAGE)))


def test_tokens_that_are_shown_are_accepted() -> None:
    shown = re.findall(r"HEMONODE_TOKEN=([\w-]+)", PAGE.read_text(encoding="utf-8"))
    for token in shown:
        Access("0.0.0.0", token)


def test_the_page_shows_the_commands_that_matter() -> None:
    assert {words[0] for words in CALLS} >= {"doctor", "build", "engines", "live"}


@pytest.mark.parametrize("words", CALLS, ids=" ".join)
def test_every_command_on_the_page_exists(words: list[str]) -> None:
    check_call(words)


def test_a_command_that_does_not_exist_would_be_noticed() -> None:
    with pytest.raises(AssertionError, match="no command"):
        check_call(["diagnose"])
    with pytest.raises(AssertionError, match="--colour"):
        check_call(["doctor", "--colour"])


def test_every_extra_that_is_named_exists() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = {
        (extra, file.name)
        for file in NAMING
        for group in re.findall(r"(?:hemonode|'\.|\.whl\))\[([a-z0-9,]+)\]", file.read_text(encoding="utf-8"))
        for extra in group.split(",")
    }
    assert {"cpu", "jetson6", "jetson7"} <= {extra for extra, _ in named}
    assert [pair for pair in named if pair[0] not in project["optional-dependencies"]] == []


def test_the_page_names_both_jetsons_extras() -> None:
    assert {"'.[jetson6]'", "'.[jetson7]'"} <= set(re.findall(r"'\.\[\w+\]'", PAGE.read_text(encoding="utf-8")))


def test_files_and_links_on_the_page_exist() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert (DOCS / target).exists(), target
    for anchor in re.findall(r"\]\(#([^)]+)\)", text):
        headings = {heading.lower().replace(" ", "-") for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}
        assert anchor in headings
    for path in re.findall(r"(?<![\w/.])docs/[\w./-]+", text):
        assert (REPOSITORY / path).exists(), path


def instructions(image: Path) -> list[tuple[str, str]]:
    """(word, the rest) of each of a Dockerfile's instructions."""
    lines = [line for line in image.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")]
    text = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [(line.split()[0], line.partition(" ")[2].strip()) for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize("image", IMAGES, ids=lambda file: file.name)
class TestImage:
    def test_it_is_built_from_named_versions(self, image: Path) -> None:
        arguments = dict(rest.split("=", 1) for word, rest in instructions(image) if word == "ARG")
        bases = [
            rest.split()[0].replace("${BASE}", arguments["BASE"])
            for word, rest in instructions(image)
            if word == "FROM"
        ]
        assert len(bases) == 2
        for base in bases:
            assert re.fullmatch(r"[\w./-]+:[\w.-]*\d[\w.-]*", base), base

    def test_it_knows_only_usual_instructions(self, image: Path) -> None:
        known = {"ARG", "FROM", "RUN", "WORKDIR", "COPY", "USER", "VOLUME", "ENV", "EXPOSE", "ENTRYPOINT", "CMD"}
        assert {word for word, _ in instructions(image)} <= known

    def test_it_does_not_run_as_root_and_calls_hemonode(self, image: Path) -> None:
        made = instructions(image)
        assert [rest for word, rest in made if word == "USER"] == ["hemonode"]
        assert ("ENTRYPOINT", '["hemonode"]') in made
        groups = next(rest for word, rest in made if "useradd" in rest)
        assert "--groups video,dialout" in groups

    def test_its_first_words_are_a_command(self, image: Path) -> None:
        (words,) = (rest for word, rest in instructions(image) if word == "CMD")
        check_call(re.findall(r'"([^"]+)"', words))

    def test_it_leaves_no_lists_and_caches_behind(self, image: Path) -> None:
        for word, rest in instructions(image):
            if word == "RUN" and "apt-get install" in rest:
                assert rest.count("apt-get install") == rest.count("--no-install-recommends")
                assert "/var/lib/apt/lists/*" in rest
            if word == "RUN" and "pip " in rest:
                assert len(re.findall(r"bin/pip \w+", rest)) == rest.count("--no-cache-dir")

    def test_the_comment_says_how_to_build_it(self, image: Path) -> None:
        assert f"-f docs/docker/{image.name}" in image.read_text(encoding="utf-8").splitlines()[0]


def test_an_image_is_built_from_all_that_a_wheel_needs() -> None:
    lines = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines()
    let_in = {line[1:] for line in lines if line.startswith("!")}
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    folders = {path.partition("/")[0] for path in project["tool"]["setuptools"]["package-dir"].values()}
    assert let_in == folders | {"pyproject.toml", project["project"]["readme"], *project["project"]["license-files"]}
    assert all((REPOSITORY / name).exists() for name in let_in)


@pytest.fixture
def unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    parser.optionxform = str
    parser.read(UNIT, encoding="utf-8")
    return parser


def test_the_unit_calls_a_command_that_exists(unit: configparser.ConfigParser) -> None:
    program, *words = shlex.split(unit["Service"]["ExecStart"])
    assert program.endswith("/bin/hemonode")
    check_call(words)


def test_the_unit_reaches_cameras_stages_and_the_gpu(unit: configparser.ConfigParser) -> None:
    service = unit["Service"]
    assert {"video", "dialout", "render"} <= set(service["SupplementaryGroups"].split())
    assert service["User"] != "root"
    assert service["Restart"] == "always"
    assert not {"PrivateDevices", "DevicePolicy", "MemoryDenyWriteExecute"} & set(service)


def test_the_units_token_is_not_in_the_unit(unit: configparser.ConfigParser) -> None:
    assert "HEMONODE_TOKEN" not in unit["Service"]["ExecStart"]
    assert unit["Service"]["EnvironmentFile"] in PAGE.read_text(encoding="utf-8")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze here")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", UNIT.read_text(encoding="utf-8"), flags=re.MULTILINE)
    (tmp_path / UNIT.name).write_text(text, encoding="utf-8")
    command = ["systemd-analyze", "verify", "--man=no", str(tmp_path / UNIT.name)]
    verified = subprocess.run(command, capture_output=True, text=True, check=False)
    assert verified.returncode == 0, verified.stderr
    assert UNIT.name not in verified.stderr
