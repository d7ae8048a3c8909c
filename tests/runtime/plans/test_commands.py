"""`hemonode build` and `hemonode engines`, as a stranger types them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from hemonode.cli import build_app
from hemonode.device.host.nvidia import has_nvidia_gpu
from hemonode.errors import BundleError, EngineError
from hemonode.runtime.bundle.reader import open_bundle
from hemonode.runtime.plans.ask import BuildAsk
from hemonode.runtime.plans.build import run_builds
from hemonode.runtime.plans.cleaning import clean_engines
from hemonode.runtime.plans.frames import camera_frames
from hemonode.runtime.plans.listing import show_engines
from hemonode.runtime.plans.lock import held
from hemonode.runtime.plans.machine import Machine
from hemonode.runtime.segment import Segmenter

HEMONODE = [sys.executable, "-c", "import sys; sys.argv[0] = 'hemonode'; from hemonode.cli import main; main()"]


@pytest.fixture
def hemonode(tmp_path):
    """Runs the command with this test's cache."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        around = {**os.environ, "HEMONODE_ENGINES": str(tmp_path / "engines"), "COLUMNS": "200", **environment}
        return subprocess.run([*HEMONODE, *arguments], capture_output=True, text=True, env=around, check=False)

    return run


@pytest.fixture
def ask(colour_bundle):
    """`ask(setting=…, …)`: the words of `hemonode build`, on the colour bundle."""

    def make(**words) -> BuildAsk:
        usual = dict.fromkeys(("camera", "red_cell_px", "profile", "workspace_mib", "optimisation_level"))
        usual |= {"bundle": colour_bundle.folder, "settings": [], "precision": "auto", "shapes": [], "batch": 1}
        return BuildAsk.from_words(**{**usual, **words})

    return make


def absent() -> Machine:
    raise EngineError("TensorRT is not installed; install it.")


@pytest.mark.parametrize(
    "words",
    [
        ["--shape", "224"],
        ["--shape", "0x128"],
        ["--shape", "224x288", "--camera", "640x480"],
        ["--camera", "640"],
        ["--camera", "640x480x3"],
        ["--profile", "128x128"],
        ["--profile", "512x512..128x128"],
        ["--profile", "128x128..512x512", "--shape", "128x128", "--shape", "256x256"],
        ["--batch", "0"],
        ["--workspace-mib", "0"],
        ["--optimisation-level", "9"],
        ["--precision", "fp8"],
        ["--red-cell-px", "wide"],
        ["a.hemo", "b.hemo"],
    ],
)
def test_a_build_of_nonsense_is_bad_usage(words):
    assert CliRunner().invoke(build_app(), ["build", *words]).exit_code == 2


@pytest.mark.skipif(has_nvidia_gpu(), reason="there is an NVIDIA GPU here")
def test_without_a_gpu_a_build_says_so_in_one_sentence(hemonode, tmp_path):
    answer = hemonode("build")
    assert answer.returncode == 1
    assert answer.stderr.startswith("hemonode: no TensorRT engine can be built here: this machine has no NVIDIA GPU")
    assert len(answer.stderr.splitlines()) == 1
    assert answer.stdout == ""
    assert not (tmp_path / "engines").exists()


@pytest.mark.parametrize(("words", "says"), [(["--setting", "nope"], "'nope'"), (["--shape", "100x100"], "128x128")])
def test_a_wrong_setting_or_size_is_told_before_the_gpu_is_looked_for(ask, words, says):
    def look():
        raise EngineError("this machine has no NVIDIA GPU.")

    named = {"--setting": "settings", "--shape": "shapes"}[words[0]]
    with pytest.raises((BundleError, EngineError), match=says):
        run_builds(ask(**{named: words[1:]}), look=look)


def test_a_bundle_that_is_none_is_named(hemonode, tmp_path):
    answer = hemonode("build", str(tmp_path / "no.hemo"))
    assert answer.returncode == 1
    assert "no.hemo does not exist" in answer.stderr


@pytest.mark.parametrize("red_cell_px", [30.0, 61.3, 90.0, 150.0])
@pytest.mark.parametrize("camera", [(480, 640), (1080, 1920), (100, 100)])
def test_a_cameras_frames_are_those_that_the_segmenter_makes(camera, red_cell_px):
    bundle = open_bundle()
    with Segmenter(bundle, engine="cpu") as segmenter:
        prepared = segmenter.prepare(np.zeros((*camera, 3), np.uint8), red_cell_px=red_cell_px)
    frames = (prepared.plan.frame_height, prepared.plan.frame_width)
    assert camera_frames(camera, red_cell_px, bundle.manifest) == frames


def test_unasked_it_is_the_default_setting_at_the_frames_of_a_usual_camera(machine):
    bundle = open_bundle()
    words = dict.fromkeys(("bundle", "camera", "red_cell_px", "profile", "workspace_mib", "optimisation_level"))
    asked = BuildAsk.from_words(**words, settings=[], precision="auto", shapes=[], batch=1)
    [order] = asked.orders(bundle, machine)
    assert (order.setting, order.precision, str(order.key.shapes)) == ("tol1e-3", "fp16", "1x224x288")
    # This one's GPU is slower in fp16 than in fp32.
    old = machine.model_copy(update={"compute_capability": "6.1"})
    assert asked.orders(bundle, old)[0].precision == "fp32"


def test_what_is_built_is_told_with_time_size_layers_and_path(ask, store, machine, capsys):
    there = store()
    run_builds(ask(shapes=["128x160", "144x128"]), look=lambda: machine, store=there)
    said, errors = capsys.readouterr()
    for shape in ("1x128x160", "1x144x128"):
        assert f"colours rk4-1 fp32 {shape}: built in 1.5 s, 5 KiB, layers: 4 fp16, 2 fp32" in said
        assert f"colours rk4-1 fp32 {shape}: choosing kernels" in errors
    assert "A remark." in said
    assert str(there.cache.plans) in said
    # Its graph is the same, to the byte.
    run_builds(ask(settings=["euler-1"], shapes=["128x160"]), as_json=True, look=lambda: machine, store=there)
    answer = json.loads(capsys.readouterr().out)
    [engine] = answer["engines"]
    assert engine["built_now"] is False
    assert Path(engine["path"]).is_file()
    assert engine["record"]["facts"]["layers"] == {"fp16": 4, "fp32": 2}
    assert answer["machine"]["gpu"] == "Orin"


@pytest.mark.parametrize(
    ("words", "error", "says"),
    [
        ({"shapes": ["200x300"]}, EngineError, "the next that fit are 208x304"),
        ({"shapes": ["64x64"]}, EngineError, "the next that fit are 128x128"),
        ({"settings": ["dopri5-9"]}, BundleError, "dopri5-9"),
        ({"precision": "int8"}, EngineError, "signed 8-bit values only"),
        ({"precision": "fp16"}, BundleError, "no fp16 graph"),
        ({"profile": "128x128..256x256", "shapes": ["512x512"]}, EngineError, "outside of the --profile"),
    ],
)
def test_what_the_model_cannot_is_said_before_anything_is_built(ask, store, machine, starts, words, error, says):
    with pytest.raises(error, match=says):
        run_builds(ask(**words), look=lambda: machine, store=store())
    assert starts() == 0


def test_a_failed_build_names_what_was_to_be_built(ask, store, machine):
    with pytest.raises(EngineError, match=r"colours rk4-1 fp32 1x128x160 was not built: Layer /conv1"):
        run_builds(ask(shapes=["128x160"]), look=lambda: machine, store=store("fail"))


SIGTERM = """
import sys
from pathlib import Path
from hemonode import cli
from hemonode.runtime.plans import build
from hemonode.runtime.plans.machine import Machine
from hemonode.runtime.plans.store import PlanStore
engines, machine, bundle, *command = sys.argv[1:]
store, run = PlanStore(Path(engines), command=command), build.run_builds
build.run_builds = lambda ask, **options: run(
    ask, **options, look=lambda: Machine.model_validate_json(machine), store=store)
sys.argv = ["hemonode", "build", bundle]
cli.main()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_build_that_is_told_to_stop_says_so_and_leaves_nothing(store, machine, colour_bundle, number):
    there = store("slow")
    arguments = [str(there.cache.folder), machine.model_dump_json(), str(colour_bundle.folder), *there._command]
    work = subprocess.Popen(
        [sys.executable, "-c", SIGTERM, *arguments],
        stderr=subprocess.PIPE,
        text=True,
        # A shell starts background jobs with SIGINT ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    for line in work.stderr:
        if "choosing kernels" in line:
            break
    work.send_signal(number)
    said = work.communicate(timeout=60)[1]
    assert work.returncode == 1
    assert said.strip() == "hemonode: stopped by Ctrl-C; what was finished before it is complete and valid."
    assert [path for name in ("building", "plans", "logs") for path in (there.cache.folder / name).iterdir()] == []


def test_the_list_tells_engines_and_plans(filled, machine, capsys):
    show_engines(look=lambda: machine, cache=filled.cache)
    said = capsys.readouterr().out
    assert "TensorRT 10.3.0 on Orin" in said
    assert "ONNX Runtime" in said
    [row] = [line for line in said.splitlines() if "1x128x160" in line]
    assert "colours rk4-1" in row
    assert row.rstrip().endswith("yes")


def states(filled, look, capsys, **options) -> dict[str, tuple[bool | None, str | None]]:
    show_engines(look=look, cache=filled.cache, as_json=True, **options)
    return {plan["name"]: (plan["fits"], plan["reason"]) for plan in json.loads(capsys.readouterr().out)["plans"]}


def test_the_list_tells_which_plans_do_not_fit_and_why(filled, order, machine, capsys):
    name = order.key.name
    assert states(filled, lambda: machine, capsys) == {name: (True, None)}
    elsewhere = machine.model_copy(update={"tensorrt": "10.7.0"})
    assert states(filled, lambda: elsewhere, capsys) == {name: (False, "TensorRT was 10.3.0 and is 10.7.0")}
    assert states(filled, absent, capsys)[name][0] is None
    path = filled.cache.plans / name / "engine.plan"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    # A quick look does not read gigabytes; --verify does.
    assert states(filled, lambda: machine, capsys) == {name: (True, None)}
    assert "sha256" in states(filled, lambda: machine, capsys, verify=True)[name][1]
    path.write_bytes(content[:100])
    assert "100 bytes" in states(filled, absent, capsys)[name][1]


def test_the_list_works_where_there_is_nothing(hemonode):
    answer = hemonode("engines", "list")
    assert answer.returncode == 0
    assert "No TensorRT engine has been built" in answer.stdout
    assert json.loads(hemonode("engines", "list", "--json").stdout)["plans"] == []


def test_cleaning_deletes_what_does_not_fit_and_says_what(filled, order, machine, capsys):
    clean_engines(look=lambda: machine, cache=filled.cache)
    assert capsys.readouterr().out == "0 of 1 engines deleted, 0 KiB freed\n"
    clean_engines(look=absent, cache=filled.cache)
    assert "TensorRT is not installed" in capsys.readouterr().out
    elsewhere = machine.model_copy(update={"driver": "12.8"})
    clean_engines(look=lambda: elsewhere, cache=filled.cache)
    assert capsys.readouterr().out.startswith(f"deleted {order.key.name} (")
    assert list(filled.cache.plans.iterdir()) == []


def test_a_newer_hemonodes_plan_is_cleaned_only_by_name(filled, order, machine, capsys):
    record = filled.cache.plans / order.key.name / "record.json"
    record.write_text(record.read_text().replace('"schema_version": 1', '"schema_version": 2'))
    clean_engines(look=lambda: machine, cache=filled.cache)
    assert record.exists()
    clean_engines((order.key.name,), look=absent, cache=filled.cache, as_json=True)
    assert order.key.name in capsys.readouterr().out
    assert not record.exists()


def test_cleaning_everything_leaves_nothing_but_locks(filled, order):
    filled.cache.timing_of(order.key.machine).write_bytes(b"times")
    filled.cache.log_of("fp16-1x64x64-0123456789").write_text("failed once")
    clean_engines(everything=True, look=absent, cache=filled.cache)
    left = [path.parent.name for path in filled.cache.folder.rglob("*") if path.is_file()]
    assert set(left) == {"locks"}


def test_a_plan_that_is_being_built_is_not_cleaned(filled, order, capsys):
    with (
        held(filled.cache.lock_of(order.key.name), waiting=lambda: None, stop=None),
        pytest.raises(EngineError, match="is being built right now"),
    ):
        clean_engines((order.key.name,), look=absent, cache=filled.cache)
    assert f"left {order.key.name}" in capsys.readouterr().out
    assert filled.find(order).read()


def test_cleaning_an_unknown_name_is_one_sentence(filled):
    with pytest.raises(EngineError, match=r"no built engine 'nothing'; hemonode engines list"):
        clean_engines(("nothing",), look=absent, cache=filled.cache)


def test_cleaning_knows_one_way_at_a_time(hemonode):
    assert hemonode("engines", "clean", "--all", "--stale").returncode == 2
    assert hemonode("engines", "clean", "name", "--all").returncode == 2


def test_a_cache_that_is_no_folder_is_one_sentence(hemonode, tmp_path):
    (tmp_path / "file").write_text("in the way")
    answer = hemonode("engines", "list", HEMONODE_ENGINES=str(tmp_path / "file"))
    assert answer.returncode == 1
    assert "cannot be read (Not a directory)" in answer.stderr
