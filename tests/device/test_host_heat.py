"""Limits and throttling are read as Linux, a Jetson and NVIDIA's driver tell them; what is missing is not guessed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from hemonode.device.host.nvml import Card, Cards, open_cards
from hemonode.device.host.thermal import Sensor, thermal_zones
from hemonode.device.host.throttling import throttled_by

THERMAL = "sys/class/thermal/"


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_a_zones_limit_is_where_the_machine_slows_down_not_where_a_fan_turns_on(tmp_path: Path) -> None:
    zone = f"{THERMAL}thermal_zone0/"
    trips = {"active": "50000", "passive": "99000", "hot": "104000", "critical": "104500"}
    files = {f"{zone}type": "cpu-thermal\n", f"{zone}temp": "61500\n"}
    for number, (kind, celsius) in enumerate(trips.items()):
        files |= {f"{zone}trip_point_{number}_type": f"{kind}\n", f"{zone}trip_point_{number}_temp": f"{celsius}\n"}
    assert thermal_zones(write(tmp_path, files)) == [Sensor("cpu-thermal", 61.5, 99.0)]


def test_a_zone_without_limits_has_none(tmp_path: Path) -> None:
    zone = f"{THERMAL}thermal_zone0/"
    trip = {f"{zone}trip_point_0_type": "passive\n", f"{zone}trip_point_0_temp": "-274000\n"}
    files = {f"{zone}type": "acpitz\n", f"{zone}temp": "40000\n", **trip}
    assert thermal_zones(write(tmp_path, files)) == [Sensor("acpitz", 40.0, None)]


@pytest.mark.parametrize(
    ("files", "causes"),
    [
        ({}, ()),
        ({"type": "pwm-fan\n", "cur_state": "3\n"}, ()),
        ({"type": "gpu-throttle-alert\n", "cur_state": "0\n"}, ()),
        ({"type": "gpu-throttle-alert\n", "cur_state": "1\n"}, ("heat",)),
        ({"type": "devfreq-17000000.gpu\n", "cur_state": "2\n"}, ("heat",)),
        ({"type": "Processor\n", "cur_state": "1\n"}, ("heat",)),
    ],
)
def test_a_cooling_device_at_work_is_heat_unless_it_is_a_fan(tmp_path: Path, files, causes) -> None:
    write(tmp_path, {f"{THERMAL}cooling_device0/{name}": text for name, text in files.items()})
    assert throttled_by(tmp_path) == causes


def test_a_jetsons_alarm_of_too_much_current_is_power(tmp_path: Path) -> None:
    monitor = "sys/class/hwmon/hwmon3/"
    write(tmp_path, {f"{monitor}name": "ina3221\n", f"{monitor}curr1_crit_alarm": "0\n"})
    assert throttled_by(tmp_path) == ()
    write(tmp_path, {f"{monitor}curr1_crit_alarm": "1\n"})
    assert throttled_by(tmp_path) == ("power",)


class NvmlError(Exception):
    pass


def driver(**changed):
    """NVIDIA's binding with one card, as the real one names things."""

    def lost(*_):
        raise NvmlError("not supported")

    told = {
        "NVMLError": NvmlError,
        "NVML_TEMPERATURE_GPU": 0,
        "NVML_TEMPERATURE_THRESHOLD_SLOWDOWN": 1,
        "nvmlDeviceGetCount": lambda: 1,
        "nvmlDeviceGetHandleByIndex": lambda index: index,
        "nvmlDeviceGetTemperature": lambda *_: 71,
        "nvmlDeviceGetTemperatureThreshold": lambda *_: 95,
        "nvmlDeviceGetCurrentClocksThrottleReasons": lambda *_: 0x40 | 0x4,
        "nvmlDeviceGetEnforcedPowerLimit": lambda *_: 250_000,
    }
    return SimpleNamespace(**{**told, **dict.fromkeys(changed.pop("lacks", ()), lost), **changed})


def test_a_graphics_card_tells_its_heat_its_limit_and_why_it_is_slow() -> None:
    assert Cards(driver()).look() == [Card(Sensor("GPU 0", 71.0, 95.0), ("heat", "power"), 250.0)]
    assert Cards(driver(nvmlDeviceGetCurrentClocksEventReasons=lambda *_: 1)).look()[0].throttled_by == ()


def test_what_a_card_does_not_tell_is_none_and_a_lost_card_is_left_out() -> None:
    lacks = ("nvmlDeviceGetTemperatureThreshold", "nvmlDeviceGetCurrentClocksThrottleReasons",
             "nvmlDeviceGetEnforcedPowerLimit")  # fmt: skip
    assert Cards(driver(lacks=lacks)).look() == [Card(Sensor("GPU 0", 71.0, None), (), None)]
    assert Cards(driver(lacks=("nvmlDeviceGetTemperature",))).look() == []
    assert Cards(driver(lacks=("nvmlDeviceGetCount",))).look() == []


def test_without_nvidias_binding_there_are_no_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pynvml", None)
    assert open_cards() is None
