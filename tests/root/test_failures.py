"""What goes wrong in any command ends in one sentence and the right exit status."""

from __future__ import annotations

import subprocess
import sys
import types

import pytest
import typer

from hemonode import cli
from hemonode.errors import PictureError


@pytest.fixture
def fall(monkeypatch):
    """Runs `hemonode fall`, a command that raises the given exception."""

    def run(error: BaseException, *options: str) -> None:
        def register(app: typer.Typer) -> None:
            @app.command("fall")
            def fall() -> None:
                raise error

            # With a single command typer would make no group.
            app.command("stand")(lambda: None)

        module = types.ModuleType("falling_commands")
        module.register = register
        monkeypatch.setitem(sys.modules, "falling_commands", module)
        monkeypatch.setattr(cli, "COMMAND_MODULES", ("falling_commands",))
        monkeypatch.setattr(sys, "argv", ["hemonode", "fall", *options])
        cli.main()

    return run


@pytest.fixture
def outcome(fall, capsys):
    """Exit status and standard error of a command that raises the given exception."""

    def run(error: BaseException) -> tuple[int, str]:
        with pytest.raises(SystemExit) as stop:
            fall(error)
        return stop.value.code, capsys.readouterr().err

    return run


def test_our_errors_are_printed_as_they_are(outcome) -> None:
    assert outcome(PictureError("a.png is empty; remove it.")) == (1, "hemonode: a.png is empty; remove it.\n")


def test_ctrl_c_says_so_and_exits_with_1(outcome) -> None:
    status, said = outcome(KeyboardInterrupt())
    assert status == 1
    assert said.startswith("hemonode: stopped by Ctrl-C")


@pytest.mark.parametrize(
    ("package", "extra"), [("torch", "train"), ("lightning_fabric", "train"), ("onnx", "export"), ("cv2", "cpu")]
)
def test_a_missing_package_is_named_with_the_extra_that_brings_it(outcome, package: str, extra: str) -> None:
    status, said = outcome(ModuleNotFoundError(f"No module named '{package}.nn'", name=f"{package}.nn"))
    assert status == 1
    assert f"pip install 'hemonode[{extra}]'" in said


def test_a_fault_of_ours_is_one_sentence_with_debug_as_the_way_on(outcome) -> None:
    status, said = outcome(KeyError("width"))
    assert status == 1
    assert said == "hemonode: unexpected KeyError: 'width'; run it again with --debug to see where, and report it.\n"


def test_debug_shows_the_traceback(fall) -> None:
    with pytest.raises(KeyError):
        fall(KeyError("width"), "--debug")


def test_a_reader_that_stops_early_leaves_no_complaint() -> None:
    code = (
        "import sys, types\n"
        "from hemonode import cli\n"
        "module = sys.modules['printing'] = types.ModuleType('printing')\n"
        "say, stand = (lambda: print('words')), (lambda: None)\n"
        "module.register = lambda app: (app.command('say')(say), app.command('stand')(stand))\n"
        "cli.COMMAND_MODULES = ('printing',)\n"
        "sys.argv = ['hemonode', 'say']\n"
        "cli.main()"
    )
    writer = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    writer.stdout.close()
    assert writer.stderr.read() == b""
    assert writer.wait(timeout=60) == 1
