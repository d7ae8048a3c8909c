"""`hemonode live --config FILE`: one checked file, errors in a sentence with line or key, and no secret printed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hemonode.errors import HemonodeError
from hemonode.runtime.live.config import LiveConfig
from hemonode.runtime.live.config_file import load_config
from hemonode.runtime.live.config_text import config_text
from hemonode.runtime.live.view import SolverWish

EVERYTHING = """
headless = true
metrics = true

[[source]]
name = "Left \\"microscope\\""
source = "v4l2:serial=A\\\\B,width=1280"
rate_hz = 12.5
[[source]]
source = "simulated:seed=3"
[[source]]
source = "smears"

[model]
bundles = ["models/blut-größe.hemo", "/opt/b.hemo"]
engine = "cpu"
precision = "fp32"
[solver]
mode = "fixed"
setting = "rk4-1"
target = "frame_time"
target_ms = 33
[scale]
um_per_px = 0.1
[tally]
goal_percent = 5
goal_class = 2
[recorder]
folder = "records"
budget_gb = 0.5
reserve_gb = 1e1
pictures = false
[page]
host = "0.0.0.0"
port = 0
names = ["microscope.lab"]
token_file = "token"
certificate = "cert.pem"
key = "key.pem"
[log]
format = "json"
level = "debug"
"""


@pytest.fixture
def write(tmp_path):
    def written(text):
        path = tmp_path / "live.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return written


def test_every_key_is_read_and_paths_are_relative_to_the_file(write, tmp_path):
    config = load_config(write(EVERYTHING))
    assert [source.source for source in config.source] == [
        "v4l2:serial=A\\B,width=1280",
        "simulated:seed=3",
        str(tmp_path / "smears"),
    ]
    assert config.model.bundles == (tmp_path / "models/blut-größe.hemo", Path("/opt/b.hemo"))
    assert config.recorder.folder == tmp_path / "records"
    assert config.page.token_file == tmp_path / "token"
    assert config.solver.wish() == SolverWish("fixed", "rk4-1", "frame_time", 33)
    for name, field in LiveConfig.model_fields.items():
        assert getattr(config, name) != field.get_default(call_default_factory=True), f"{name} is not tried here"


@pytest.mark.parametrize("text", ["", EVERYTHING], ids=["defaults", "everything"])
def test_what_is_printed_reads_back_unchanged(write, text, tmp_path):
    config = load_config(write(text))
    printed = config_text(config)
    again = tmp_path / "elsewhere" / "again.toml"
    again.parent.mkdir()
    again.write_text(printed, encoding="utf-8")
    assert load_config(again) == config
    assert config_text(load_config(again)) == printed
    for line in printed.splitlines():
        assert not line or "#" in line or line.startswith("["), f"no comment: {line}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[page]\nprot = 80", r"page\.prot: there is no such key; did you mean port\?"),
        ("[pgae]\nport = 80", r"pgae: there is no such key; did you mean page\?"),
        ("[[source]]\nsuorce = 'x'", r"source\[1\]\.suorce: there is no such key; did you mean source\?"),
        ("zzz = 1", "known are headless"),
        ("[page]\nport = 70000", r"page\.port: must be less than or equal to 65535"),
        ("[page]\nport = '80'", r"page\.port: must be a valid integer"),
        ("[page]\nport = true", r"page\.port"),
        ("headless = 'no'", "headless: must be a valid boolean"),
        ("page = 3", "page: must be a table"),
        ("[source]\nsource = 'x'", "source: must be a list"),
        ("[[source]]\nsource = 'v4l2:x'\n[[source]]\nsource = 'v4l2:x'", "the source v4l2:x is named twice"),
        ("source = []", r"name at least one \[\[source\]\]"),
        ("[page\nport = 1", "not valid TOML.*line 1"),
        ("[page]\nport = 1\nport = 2", "not valid TOML"),
        ("[model]\nengine = 'tensorr'", "no engine 'tensorr'"),
        ("[scale]\nred_cell_px = 90\num_per_px = 0.1", "not both"),
        ("[page]\ncertificate = 'x'", "certificate and key belong together"),
        ("[page]\ntoken = 'correct-horse-battery'", "token does not belong in a configuration"),
        ("[tally]\ngoal_percent = 0.1", r"tally\.goal_percent: must be greater than or equal to 0\.5"),
        ("[[source]]\nsource = 'http://camera/?channel=1&pwd=***'", "password was left out"),
        ("[tally]\ngoal_percent = nan", r"tally\.goal_percent: must be a finite"),
        ("[solver]\ntarget_ms = inf", r"solver\.target_ms"),
        ("[[source]]\nsource = 'rtsp://me:***@camera/1'", "password was left out"),
        ("a = " + "[" * 5000, "not valid TOML"),
    ],
)
def test_a_mistake_is_one_sentence_with_line_or_key(write, text, said):
    with pytest.raises(HemonodeError, match=said) as told:
        load_config(write(text))
    assert "live.toml" in str(told.value)
    assert "\n" not in str(told.value)
    assert "correct-horse" not in str(told.value)


def test_a_name_that_is_no_text_is_told_as_one():
    with pytest.raises(HemonodeError, match="UTF-8; rename"):
        load_config(given={"source": {"source": "smears\udcff"}})


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    for path, said in ((tmp_path / "none.toml", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(HemonodeError, match=said):
            load_config(path)
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(HemonodeError, match="not valid TOML"):
        load_config(binary)


def test_the_command_line_wins_over_the_file(write):
    path = write(EVERYTHING)
    config = load_config(path, {"page": {"port": 9000}, "scale": {"red_cell_px": 90.0}, "headless": False})
    assert (config.page.port, config.page.host) == (9000, "0.0.0.0")
    assert (config.scale.red_cell_px, config.scale.um_per_px) == (90.0, None)
    assert config.headless is False


@pytest.mark.parametrize(
    ("given", "first", "count"),
    [
        ({"source": "simulated:seed=3"}, ("simulated:seed=3", None), 3),
        ({"source": 'Left "microscope"'}, ("v4l2:serial=A\\B,width=1280", 12.5), 3),
        ({"source": "csi:0", "rate_hz": 5.0}, ("csi:0", 5.0), 4),
        ({"source": "slides/a.png"}, (str(Path.cwd() / "slides/a.png"), None), 4),
        ({"rate_hz": 7.0}, ("v4l2:serial=A\\B,width=1280", 7.0), 3),
    ],
)
def test_a_source_that_is_given_comes_first_and_the_others_stay(write, given, first, count):
    config = load_config(write(EVERYTHING), {"source": given})
    assert (config.source[0].source, config.source[0].rate_hz) == first
    assert len(config.source) == count


def test_no_secret_is_printed(write):
    text = "[[source]]\nsource = 'rtsp://me:hunt@er2@camera/1'\n"
    text += "[[source]]\nsource = 'http://camera/live?user=me&channel=1&Password=hunter3&rate=5'\n"
    config = load_config(write(text), {"page": {"token": "correct-horse-battery"}})
    assert config.page.secret() == "correct-horse-battery"
    for shown in (config_text(config), repr(config), str(config), str(config.model_dump())):
        assert "correct-horse" not in shown
    assert "er2" not in config_text(config)
    assert "rtsp://me:***@camera/1" in config_text(config)
    assert "http://camera/live?user=me&channel=1&Password=***&rate=5" in config_text(config)


def test_a_token_comes_from_a_file_that_others_cannot_read(write, tmp_path):
    token = tmp_path / "token"
    token.write_text("correct-horse-battery\n")
    token.chmod(0o600)
    config = load_config(write(EVERYTHING))
    assert config.page.secret() == "correct-horse-battery"
    token.chmod(0o604)
    with pytest.raises(HemonodeError, match="chmod 600"):
        config.page.secret()
    token.unlink()
    with pytest.raises(HemonodeError, match="cannot be read"):
        config.page.secret()
    assert load_config().page.secret() is None


def live(*arguments):
    command = [sys.executable, "-c", "from hemonode.cli import main; main()", "live", *arguments]
    environment = {"PATH": "", "HEMONODE_TOKEN": "correct-horse-battery"}
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment)


def test_the_command_prints_what_would_run(write):
    path = write("[page]\nport = 1234\n[solver]\ntarget_ms = 50\n")
    ended = live("simulated:seed=9", "--config", str(path), "--setting", "rk4-1", "--engine", "cpu", "--print-config")
    assert (ended.returncode, ended.stderr) == (0, "")
    config = load_config(write(ended.stdout))
    assert config.source[0].source == "simulated:seed=9"
    assert (config.page.port, config.model.engine) == (1234, "cpu")
    assert (config.solver.mode, config.solver.setting, config.solver.target_ms) == ("fixed", "rk4-1", 50)
    assert "correct-horse" not in ended.stdout


def test_a_mistake_in_the_file_ends_the_command_with_one_line(write):
    ended = live("--config", str(write("[page]\nprot = 1")))
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert "did you mean port" in ended.stderr


def test_the_configuration_that_comes_with_the_service_is_valid():
    config = load_config(Path(__file__).parents[3] / "docs" / "systemd" / "live.toml")
    assert config.page.host == "0.0.0.0"
    assert config.recorder.folder == Path("/var/lib/hemonode/sessions")
