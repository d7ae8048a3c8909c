"""The doctor's colours mean what they say: red is broken, yellow could be better, green needs nothing."""

from __future__ import annotations

import builtins
from pathlib import Path

import pytest

from hemonode.device.host.ports import SerialPort
from hemonode.device.host.video import VideoDevice
from hemonode.runtime.doctor import system, trial
from hemonode.runtime.doctor.checks import CHECKS, Check
from hemonode.runtime.doctor.devices import camera, serial_port
from hemonode.runtime.doctor.examine import examine
from hemonode.runtime.doctor.finding import Finding
from hemonode.runtime.doctor.libraries import built_with
from hemonode.runtime.doctor.machine import Answer, Machine
from hemonode.runtime.doctor.packages import packages_called

CARD = {"sys/bus/pci/devices/0000:01:00.0/vendor": "0x10de\n", "sys/bus/pci/devices/0000:01:00.0/class": "0x030000\n"}
# What depends on the machine that runs the test.
OF_THIS_MACHINE = {"python", "disk", "processor", "memory", "conflicts"}


def colours(found: dict[str, list[Finding]]) -> dict[str, set[str]]:
    return {name: {finding.colour for finding in findings} for name, findings in found.items()}


def test_a_machine_without_a_gpu_lacks_nothing(look) -> None:
    for name, seen in colours(look()).items():
        if name not in OF_THIS_MACHINE:
            assert seen <= {"green"}, name


def test_a_whole_jetson_has_only_its_power_mode_to_improve(look, jetson_files, jetson_answers) -> None:
    found = look(files=jetson_files, answers=jetson_answers, distributions={"cuda-bindings": "12.9.4"})
    for name, seen in colours(found).items():
        if name not in OF_THIS_MACHINE | {"power"}:
            assert seen <= {"green"}, name
    mode, clock = found["power"]
    assert mode.colour == "yellow"
    assert "nvpmodel -m 2" in mode.advice
    assert "jetson_clocks" in clock.advice
    assert "JetPack 6.2.1+b38" in found["jetpack"][0].sentence


def test_a_jetson_in_a_closed_environment_is_told_how_to_open_it(look, jetson_files, jetson_answers) -> None:
    closed = {"environment/pyvenv.cfg": "include-system-site-packages = false\n"}
    (finding,) = look(files=jetson_files | closed, answers=jetson_answers)["environment"]
    assert finding.colour == "red"
    assert "--system-site-packages" in finding.advice


def test_cuda_bindings_of_another_cuda_are_red_on_a_jetson(look, jetson_files, jetson_answers) -> None:
    found = look(files=jetson_files, answers=jetson_answers, distributions={"cuda-bindings": "13.5.0"})
    (finding,) = found["environment"]
    assert finding.colour == "red"
    assert "jetson6" in finding.advice


def test_an_old_jetpack_is_not_called_broken(look, jetson_answers) -> None:
    files = {"etc/nv_tegra_release": "# R32 (release), REVISION: 7.2, GCID: 1, BOARD: t186ref\n"}
    assert colours(look(files=files, answers=jetson_answers))["jetpack"] == {"yellow"}


def test_an_opencv_without_gstreamer_matters_on_a_jetson_only(look, jetson_files, jetson_answers) -> None:
    without = {"cv2": Answer(facts={"version": "5.0.0", "file": "", "build": "  FFMPEG:  YES\n  v4l/v4l2:  YES (a)\n"})}
    assert colours(look(answers=without))["opencv"] == {"green"}
    assert colours(look(files=jetson_files, answers=jetson_answers | without))["opencv"] == {"yellow"}


@pytest.mark.parametrize(
    ("distributions", "clash"),
    [
        ({"opencv-python": "5", "opencv-python-headless": "5"}, "cv2"),
        ({"onnxruntime": "1.31", "onnxruntime-gpu": "1.31"}, "onnxruntime"),
    ],
)
def test_distributions_that_overwrite_each_other_are_red(look, distributions: dict[str, str], clash: str) -> None:
    (finding,) = (found for found in look(distributions=distributions)["conflicts"] if found.colour == "red")
    assert clash in finding.sentence
    assert "pip uninstall" in finding.advice


def test_an_opencv_that_hides_jetpacks_is_seen_on_the_path(tmp_path: Path) -> None:
    for folder in ("one", "two", "three"):
        (tmp_path / folder).mkdir()
    (tmp_path / "one/cv2").mkdir()
    (tmp_path / "one/cv2/__init__.py").touch()
    (tmp_path / "two/cv2.py").touch()
    path = [str(tmp_path / name) for name in ("one", "two", "three", "one", "nowhere")]
    assert packages_called("cv2", path) == path[:2]


@pytest.mark.parametrize(
    ("files", "distributions", "colour", "says"),
    [
        (CARD, {}, "yellow", "driver"),
        ({**CARD, "dev/nvidiactl": ""}, {}, "yellow", "hemonode[cuda]"),
        ({**CARD, "dev/nvidiactl": ""}, {"cuda-bindings": "13.5.0"}, "red", "cuda-bindings."),
    ],
)
def test_a_gpu_that_is_not_used_says_what_is_missing(look, files, distributions, colour: str, says: str) -> None:
    answers = {"gpu": Answer(trouble="the driver is too old for these cuda-bindings.")}
    (finding,) = look(files=files, answers=answers, distributions=distributions)["gpu"]
    assert finding.colour == colour
    assert says in f"{finding.sentence} {finding.advice}"


def test_a_gpu_without_tensorrt_could_be_better_and_with_a_broken_one_is_red(look) -> None:
    assert colours(look(files=CARD))["tensorrt"] == {"yellow"}
    broken = {"tensorrt": Answer(trouble="TensorRT cannot be loaded (libnvinfer.so.10)")}
    found = look(files=CARD, answers=broken, distributions={"tensorrt": "10.3"})
    assert colours(found)["tensorrt"] == {"red"}


def test_tensorrt_on_a_gpu_without_fast_fp16_says_so(look, jetson_answers) -> None:
    old = {"gpu": Answer(facts={**jetson_answers["gpu"].facts, "compute_capability": "6.1"})}
    (finding,) = look(files=CARD, answers=jetson_answers | old)["tensorrt"]
    assert finding.colour == "yellow"
    assert finding.facts["fast_fp16"] is False


def test_a_missing_library_is_named_with_the_extra_that_brings_it(look, jetson_files) -> None:
    answers = {"onnxruntime": Answer(missing="onnxruntime")}
    assert "hemonode[cpu]" in look(answers=answers)["onnxruntime"][0].advice
    assert "hemonode[jetson6]" in look(files=jetson_files, answers=answers)["onnxruntime"][0].advice


def test_a_library_that_crashes_is_red_and_is_to_be_installed_again(look) -> None:
    (finding,) = look(answers={"cv2": Answer(trouble="it crashes (SIGSEGV)")})["opencv"]
    assert finding.colour == "red"
    assert "SIGSEGV" in finding.sentence
    assert "--force-reinstall" in finding.advice


def test_openvino_is_missed_on_a_pc_but_not_on_a_jetson(look, jetson_files) -> None:
    answers = {"openvino": Answer(missing="openvino")}
    assert colours(look(answers=answers))["openvino"] == {"yellow"}
    assert colours(look(files=jetson_files, answers=answers))["openvino"] == {"green"}


def test_number_formats_are_those_that_are_fast(look) -> None:
    files = {"proc/cpuinfo": "flags : avx512_vnni avx512_bf16\n"}
    assert look(files=files)["openvino"][0].facts["formats"] == ["bf16 (AVX-512)", "int8 (VNNI)"]


def test_no_engine_at_all_is_red(look) -> None:
    (finding,) = look(answers={"auto": Answer(trouble="No engine works here. cpu: broken.")})["auto"]
    assert finding.colour == "red"
    assert finding.sentence == "The shipped model does not run: No engine works here. cpu: broken."


def test_a_trial_without_an_engine_says_why_in_one_sentence(tmp_path: Path) -> None:
    for answer in (Answer(trouble="onnxruntime is not installed."), Answer(missing="onnxruntime")):
        machine = Machine(tmp_path, tmp_path, {}, {"trial auto": answer}.__getitem__)
        (finding,) = trial.trial(machine)
        assert finding.sentence == "A drawn smear could not be counted: onnxruntime is not installed."


def test_a_provider_that_would_send_pictures_away_is_not_named(look) -> None:
    facts = {"version": "1.31.1", "providers": ["AzureExecutionProvider", "CPUExecutionProvider"]}
    (finding,) = look(answers={"onnxruntime": Answer(facts=facts)})["onnxruntime"]
    assert finding.sentence == "ONNX Runtime 1.31.1 works, on CPU."


def test_engines_passed_over_matter_where_there_is_a_gpu(look) -> None:
    assert [finding.colour for finding in look()["auto"]] == ["green"] * 3
    assert [finding.colour for finding in look(files=CARD)["auto"]] == ["green", "yellow", "yellow"]


def test_a_built_engine_that_does_not_run_here_any_more_is_told(look, jetson_files, jetson_answers) -> None:
    plans = {"folder": "/c", "plans": ["old"], "bytes": 1, "faults": {"old": "TensorRT was 10.3.0 and is 10.7.0"}}
    found = look(files=jetson_files, answers=jetson_answers | {"plans": Answer(facts=plans)})["plans"]
    assert [finding.colour for finding in found] == ["green", "yellow"]
    assert "10.7.0" in found[1].sentence


def test_a_gpu_with_tensorrt_but_nothing_built_is_told_to_build(look, jetson_files, jetson_answers) -> None:
    empty = {"plans": Answer(facts={"folder": "/c", "plans": [], "bytes": 0, "faults": {}})}
    (finding,) = look(files=jetson_files, answers=jetson_answers | empty)["plans"]
    assert finding.colour == "yellow"
    assert "hemonode build" in finding.advice


def test_little_memory_is_yellow_and_none_is_red(look) -> None:
    def seen(kilobytes: int) -> set[str]:
        files = {"proc/meminfo": f"MemTotal: 8000000 kB\nMemAvailable: {kilobytes} kB\n"}
        return colours(look(files=files))["memory"]

    assert seen(4_000_000) == {"green"}
    assert seen(800_000) == {"yellow"}
    assert seen(100_000) == {"red"}


def test_a_cache_folder_that_cannot_be_written_is_red(look, monkeypatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    finding = look()["disk"][0]
    assert finding.colour == "red"
    assert "XDG_CACHE_HOME" in finding.advice


@pytest.mark.parametrize(("free", "colour"), [(50e6, "red"), (500e6, "yellow"), (5e9, "green")])
def test_a_full_disk_is_red(look, monkeypatch, free: float, colour: str) -> None:
    monkeypatch.setattr(system.shutil, "disk_usage", lambda _: type("usage", (), {"free": free, "total": 1e10})())
    assert look()["disk"][0].colour == colour


def test_a_hot_machine_is_told(look) -> None:
    files = {"sys/class/thermal/thermal_zone0/type": "tj-thermal\n", "sys/class/thermal/thermal_zone0/temp": "91000\n"}
    assert look(files=files)["processor"][1].colour == "yellow"


def test_devices_of_others_are_red_with_the_group_that_helps() -> None:
    seen = camera(VideoDevice(Path("/dev/video0"), "Camera", None, None, permitted=False))
    assert seen.colour == "red"
    assert "usermod -aG video" in seen.advice
    port = serial_port(SerialPort(Path("/dev/ttyUSB0"), None, permitted=False))
    assert port.colour == "red"
    assert "usermod -aG dialout" in port.advice


def test_cameras_and_ports_are_listed_by_the_names_that_stay(look) -> None:
    found = look(files={"dev/video0": "", "dev/ttyUSB0": ""})
    assert "video0" in found["cameras"][0].sentence
    assert "ttyUSB0" in found["serial ports"][0].sentence


def test_opencvs_description_of_its_build_is_read() -> None:
    build = "  Video I/O:\n    FFMPEG:     YES\n    GStreamer:    NO\n    v4l/v4l2:   YES (x)\n"
    assert built_with(build) == {"GStreamer": False, "V4L2": True, "FFMPEG": True}


def test_a_check_that_breaks_is_a_finding_and_stops_nothing(tmp_path: Path) -> None:
    def breaks(_: Machine):
        raise builtins.ZeroDivisionError("division by zero")
        yield

    machine = Machine(tmp_path, tmp_path, {}, lambda _: Answer(missing="it"))
    traces: list[str] = []
    checks = (Check("fragile", "Machine", breaks), *(check for check in CHECKS if check.name == "jetpack"))
    found = list(examine(machine, checks, broke=traces.append))
    assert [one.check.name for one in found] == ["fragile", "jetpack"]
    assert found[0].finding.colour == "yellow"
    assert "ZeroDivisionError" in found[0].finding.sentence
    assert "Traceback" in traces[0]


RAN = {
    "engine": "openvino",
    "precision": "bf16",
    "version": "OpenVINO 2026",
    "device": "Some CPU",
    "counts": {"white_cell": [1, 1], "red_cell": [19, 22]},
    "agreement": 0.9999,
    "least_agreement": 0.999,
    "no_reference": "",
    "engine_ms": 5.0,
    "frame_ms": 7.0,
}


@pytest.mark.parametrize(
    ("changed", "colour"),
    [
        ({}, "green"),
        ({"counts": {"red_cell": [60, 22]}}, "red"),
        ({"counts": {"red_cell": [0, 22]}}, "red"),
        ({"agreement": 0.95}, "red"),
        ({"agreement": None, "no_reference": "onnxruntime is not installed"}, "yellow"),
    ],
)
def test_a_trial_is_judged_by_its_count_and_by_the_reference(changed: dict[str, object], colour: str) -> None:
    assert trial.judge("auto", {**RAN, **changed}).colour == colour


def test_a_trial_runs_the_engines_after_the_one_that_auto_takes(tmp_path: Path) -> None:
    answers = {"trial auto": Answer(facts=RAN), "trial cpu": Answer(trouble="it crashes (SIGILL)")}
    machine = Machine(tmp_path, tmp_path, {}, answers.__getitem__)
    found = list(trial.trial(machine))
    assert [finding.colour for finding in found] == ["green", "yellow"]
    assert "SIGILL" in found[1].advice
