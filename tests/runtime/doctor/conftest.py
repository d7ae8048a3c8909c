"""Machines of files and answers, for the doctor to look at."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import pytest

from hemonode.runtime.doctor.checks import CHECKS
from hemonode.runtime.doctor.finding import Finding
from hemonode.runtime.doctor.machine import Answer, Machine

GPU = {
    "name": "Orin",
    "compute_capability": "8.7",
    "uuid": None,
    "total_bytes": 8_000_000_000,
    "free_bytes": 4_000_000_000,
    "integrated": True,
    "driver_version": "12.6",
    "runtime_version": "12.9",
    "backend": "cuda-bindings",
}

BUILD = """
General configuration for OpenCV 4.8.0 =====================================
  Video I/O:
    DC1394:                      NO
    FFMPEG:                      YES
      avcodec:                   YES (58.134.100)
    GStreamer:                   {gstreamer}
    v4l/v4l2:                    YES (linux/videodev2.h)
"""


def opencv_answer(gstreamer: str) -> Answer:
    return Answer(facts={"version": "4.8.0", "file": "/cv2.so", "build": BUILD.format(gstreamer=gstreamer)})


HEALTHY = {
    "numpy": Answer(facts={"version": "2.4.6"}),
    "cv2": opencv_answer("NO"),
    "onnxruntime": Answer(facts={"version": "1.31.1", "providers": ["CPUExecutionProvider"]}),
    "openvino": Answer(
        facts={"version": "2026.4.1-1", "devices": ["CPU"], "names": ["Some CPU"], "capabilities": ["BF16", "INT8"]}
    ),
    "gpu": Answer(trouble="No package for CUDA can be loaded; install cuda-bindings."),
    "tensorrt": Answer(trouble="TensorRT is not installed; pip install 'hemonode[tensorrt]'."),
    "plans": Answer(facts={"folder": "/cache", "plans": [], "bytes": 0, "faults": {}}),
    "auto": Answer(
        facts={
            "engine": "openvino",
            "version": "OpenVINO 2026.4",
            "device": "Some CPU",
            "precision": "fp32",
            "passed_over": [
                "tensorrt: TensorRT is not installed; pip install 'hemonode[tensorrt]'.",
                "cuda: no driver.",
            ],
            "remarks": [],
        }
    ),
}


class Look(Protocol):
    """Type of the `look` fixture."""

    def __call__(
        self,
        *,
        files: Mapping[str, str] = ...,
        answers: Mapping[str, Answer] = ...,
        distributions: Mapping[str, str] = ...,
    ) -> dict[str, list[Finding]]: ...


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """`look(files=…, answers=…, distributions=…)`: the findings by check, on a machine of those files and answers."""

    def look(
        *, files: Mapping[str, str] = {}, answers: Mapping[str, Answer] = {}, distributions: Mapping[str, str] = {}
    ) -> dict[str, list[Finding]]:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        given = {**HEALTHY, **answers}
        machine = Machine(tmp_path, tmp_path / "environment", distributions, given.__getitem__)
        return {check.name: list(check.look(machine)) for check in CHECKS}

    return look


@pytest.fixture
def jetson_files() -> dict[str, str]:
    """A Jetson Orin Nano with JetPack 6.2, in its 15 W mode."""
    return {
        "etc/nv_tegra_release": "# R36 (release), REVISION: 4.7, GCID: 1, BOARD: generic, EABI: aarch64\n",
        "proc/device-tree/model": "NVIDIA Jetson Orin Nano Developer Kit Super\0",
        "etc/nvpmodel.conf": "< POWER_MODEL ID=0 NAME=15W >\n< POWER_MODEL ID=2 NAME=MAXN_SUPER >\n",
        "var/lib/nvpmodel/status": "pmode:0000\n",
        "var/lib/dpkg/status": "Package: nvidia-jetpack\nStatus: install ok installed\nVersion: 6.2.1+b38\n",
        "sys/class/devfreq/17000000.gpu/min_freq": "306000000\n",
        "sys/class/devfreq/17000000.gpu/max_freq": "918000000\n",
        "dev/nvhost-gpu": "",
        "environment/pyvenv.cfg": "home = /usr/bin\ninclude-system-site-packages = true\nversion = 3.10.12\n",
    }


@pytest.fixture
def jetson_answers() -> dict[str, Answer]:
    """What its libraries say when everything is as it should be."""
    return {
        "numpy": Answer(facts={"version": "1.26.4"}),
        "cv2": opencv_answer("YES (1.19.90)"),
        "openvino": Answer(missing="openvino"),
        "gpu": Answer(facts=GPU),
        "tensorrt": Answer(facts={"version": "10.3.0", "typing": "strong"}),
        "plans": Answer(facts={"folder": "/cache", "plans": ["a-b"], "bytes": 2_000_000, "faults": {}}),
        "auto": Answer(
            facts={
                "engine": "tensorrt",
                "version": "TensorRT 10.3.0",
                "device": "Orin",
                "precision": "fp16",
                "passed_over": [],
                "remarks": [],
            }
        ),
    }
