"""What the host tells is read from the files that Linux and a Jetson keep; what they do not tell is not guessed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hemonode.device.camera.v4l2 import abi
from hemonode.device.host.jetson import Jetson, find_jetson
from hemonode.device.host.memory import read_memory
from hemonode.device.host.nvidia import has_nvidia_gpu
from hemonode.device.host.ports import find_serial_ports
from hemonode.device.host.power import Clock, power_modes, read_gpu_clock, read_nvpmodel
from hemonode.device.host.processor import processor_features, processor_name
from hemonode.device.host.thermal import temperatures_c
from hemonode.device.host.video import find_video_devices, gives_pictures

MODES = "< POWER_MODEL ID=0 NAME=15W >\n< POWER_MODEL ID=1 NAME=25W >\n< POWER_MODEL ID=2 NAME=MAXN_SUPER >\n"


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_an_empty_machine_tells_nothing(tmp_path: Path) -> None:
    assert find_jetson(tmp_path) is None
    assert read_nvpmodel(tmp_path) is None
    assert read_gpu_clock(tmp_path) is None
    assert read_memory(tmp_path) is None
    assert not has_nvidia_gpu(tmp_path)
    assert power_modes(tmp_path) == {}
    assert temperatures_c(tmp_path) == {}
    assert processor_features(tmp_path) == frozenset()
    assert find_video_devices(tmp_path) == []
    assert find_serial_ports(tmp_path) == []


@pytest.mark.parametrize(
    ("release", "l4t", "series"),
    [
        ("# R36 (release), REVISION: 4.7, GCID: 42132812, BOARD: generic, EABI: aarch64", "36.4.7", 6),
        ("# R38 (release), REVISION: 2.0, GCID: 41844464, BOARD: generic, EABI: aarch64", "38.2.0", 7),
        ("# R39 (release), REVISION: 2.1, GCID: 46758480, BOARD: generic, EABI: aarch64", "39.2.1", 7),
        ("# R32 (release), REVISION: 7.2, GCID: 30192233, BOARD: t186ref, EABI: aarch64", "32.7.2", None),
    ],
)
def test_a_jetson_tells_its_board_and_jetpack(tmp_path: Path, release: str, l4t: str, series: int | None) -> None:
    status = (
        "Package: nvidia-jetpack-dev\nStatus: install ok installed\nVersion: 1\n\n"
        "Package: nvidia-jetpack\nStatus: install ok installed\nPriority: standard\nVersion: 6.2.1+b38\n"
    )
    write(
        tmp_path,
        {
            "etc/nv_tegra_release": f"{release}\n# KERNEL_VARIANT: oot\n",
            "proc/device-tree/model": "NVIDIA Jetson AGX Orin Developer Kit\0",
            "var/lib/dpkg/status": status,
        },
    )
    found = find_jetson(tmp_path)
    assert found == Jetson("NVIDIA Jetson AGX Orin Developer Kit", l4t, "6.2.1+b38")
    assert found.series == series
    assert has_nvidia_gpu(tmp_path)


def test_a_container_on_a_jetson_knows_it_by_the_device_tree(tmp_path: Path) -> None:
    write(tmp_path, {"sys/firmware/devicetree/base/model": "NVIDIA Jetson AGX Thor Developer Kit\0"})
    assert find_jetson(tmp_path) == Jetson("NVIDIA Jetson AGX Thor Developer Kit", None, None)


def test_another_board_is_no_jetson(tmp_path: Path) -> None:
    write(tmp_path, {"proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\0"})
    assert find_jetson(tmp_path) is None
    assert not has_nvidia_gpu(tmp_path)


def test_a_jetpack_that_was_removed_is_not_there(tmp_path: Path) -> None:
    status = "Package: nvidia-jetpack\nStatus: deinstall ok config-files\nVersion: 6.0\n"
    write(tmp_path, {"etc/nv_tegra_release": "# R36 (release), REVISION: 3.0\n", "var/lib/dpkg/status": status})
    found = find_jetson(tmp_path)
    assert found is not None
    assert found.jetpack is None


def test_the_power_mode_is_the_saved_one_or_the_default(tmp_path: Path) -> None:
    write(tmp_path, {"etc/nvpmodel.conf": f"{MODES}< PM_CONFIG DEFAULT=1 >\n"})
    assert read_nvpmodel(tmp_path).name == "25W"
    write(tmp_path, {"var/lib/nvpmodel/status": "pmode:0002\n"})
    assert read_nvpmodel(tmp_path).name == "MAXN_SUPER"
    assert read_nvpmodel(tmp_path).unlimited == 2
    assert power_modes(tmp_path) == {"nvpmodel": "MAXN_SUPER"}


def test_a_mode_without_a_name_keeps_its_number(tmp_path: Path) -> None:
    write(tmp_path, {"var/lib/nvpmodel/status": "pmode:0007\n"})
    assert read_nvpmodel(tmp_path).name == "mode 7"
    assert read_nvpmodel(tmp_path).unlimited is None


def test_the_gpus_clock_is_found_among_others(tmp_path: Path) -> None:
    folder = "sys/class/devfreq/"
    write(
        tmp_path,
        {
            f"{folder}15340000.vic/min_freq": "1\n",
            f"{folder}15340000.vic/max_freq": "2\n",
            f"{folder}17000000.gpu/min_freq": "306000000\n",
            f"{folder}17000000.gpu/max_freq": "918000000\n",
        },
    )
    assert read_gpu_clock(tmp_path) == Clock(306.0, 918.0)
    assert not read_gpu_clock(tmp_path).locked
    write(tmp_path, {f"{folder}17000000.gpu/min_freq": "918000000\n"})
    assert read_gpu_clock(tmp_path).locked


def test_sleeping_sensors_are_left_out(tmp_path: Path) -> None:
    zone = "sys/class/thermal/thermal_zone"
    write(
        tmp_path,
        {
            f"{zone}0/type": "cpu-thermal\n",
            f"{zone}0/temp": "46000\n",
            f"{zone}1/type": "cv0-thermal\n",
            f"{zone}1/temp": "-256000\n",
            f"{zone}2/type": "cv1-thermal\n",
        },
    )
    assert temperatures_c(tmp_path) == {"cpu-thermal": 46.0}


def test_processor_and_memory_come_from_proc(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "proc/cpuinfo": "processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\nflags\t\t: fpu amx_bf16\n",
            "proc/meminfo": "MemTotal:       7665664 kB\nMemAvailable:   4404019 kB\nHugePages_Total:       0\n",
        },
    )
    assert processor_name(tmp_path) == "Some CPU @ 2 GHz"
    assert processor_features(tmp_path) == {"fpu", "amx_bf16"}
    memory = read_memory(tmp_path)
    assert (memory.total_bytes, memory.available_bytes, memory.swap_bytes) == (7665664 * 1024, 4404019 * 1024, 0)


def test_arm_calls_its_instruction_sets_otherwise(tmp_path: Path) -> None:
    write(tmp_path, {"proc/cpuinfo": "processor\t: 0\nFeatures\t: fp asimd i8mm\n"})
    assert processor_features(tmp_path) == {"fp", "asimd", "i8mm"}


@pytest.mark.parametrize(
    ("vendor", "kind", "there"),
    [("0x10de", "0x030200", True), ("0x10de", "0x040300", False), ("0x8086", "0x030000", False)],
)
def test_a_graphics_card_of_nvidias_is_known_without_a_driver(
    tmp_path: Path, vendor: str, kind: str, there: bool
) -> None:
    device = "sys/bus/pci/devices/0000:01:00.0/"
    write(tmp_path, {f"{device}vendor": f"{vendor}\n", f"{device}class": f"{kind}\n"})
    assert has_nvidia_gpu(tmp_path) is there


def test_devices_carry_the_names_that_stay(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "dev/video0": "",
            "dev/video10": "",
            "dev/video2": "",
            "dev/ttyACM0": "",
            "dev/ttyS0": "",
            "sys/class/video4linux/video2/name": "Microscope camera\n",
        },
    )
    for folder, name, target in (("v4l", "usb-Maker_Camera-index0", "video2"), ("serial", "usb-Stage", "ttyACM0")):
        (tmp_path / "dev" / folder / "by-id").mkdir(parents=True)
        (tmp_path / "dev" / folder / "by-id" / name).symlink_to(tmp_path / "dev" / target)
    cameras = find_video_devices(tmp_path)
    assert [device.path.name for device in cameras] == ["video0", "video2", "video10"]
    assert cameras[1].name == "Microscope camera"
    assert cameras[1].by_id == tmp_path / "dev/v4l/by-id/usb-Maker_Camera-index0"
    assert cameras[0].by_id is None
    # Plain files cannot be asked.
    assert cameras[0].captures is None
    (port,) = find_serial_ports(tmp_path)
    assert port.by_id == tmp_path / "dev/serial/by-id/usb-Stage"


@pytest.mark.parametrize(
    ("driver", "device", "gives"),
    [
        (0x84A00001, 0x04200001, True),  # uvcvideo, picture node
        (0x84A00001, 0x04A00000, False),  # uvcvideo, metadata node of the same camera
        (0x00000001, 0, True),  # an old driver that tells nothing of the device
        (0x84201000, 0x04201000, True),  # several planes
        (0x84008000, 0x04008000, False),  # a codec
    ],
)
def test_a_metadata_node_is_no_camera(driver: int, device: int, gives: bool) -> None:
    assert gives_pictures(abi.Capability(capabilities=driver, device_caps=device)) is gives


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may open everything")
def test_a_device_of_others_is_not_permitted(tmp_path: Path) -> None:
    write(tmp_path, {"dev/ttyUSB0": ""})
    (tmp_path / "dev/ttyUSB0").chmod(0)
    assert not find_serial_ports(tmp_path)[0].permitted
