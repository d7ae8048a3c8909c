"""The host watch tells the sensor nearest to its limit, and sees changes while it runs."""

from __future__ import annotations

import time
from types import SimpleNamespace

from hemonode.device.host.nvml import Card
from hemonode.device.host.thermal import Sensor
from hemonode.runtime.live.host import HostWatch, look

CARD = Card(Sensor("GPU 0", 80.0, 83.0), ("power",), 250.0)


def zone(root, number, name, celsius, limit=None):
    folder = root / f"sys/class/thermal/thermal_zone{number}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "type").write_text(name)
    (folder / "temp").write_text(str(int(celsius * 1000)))
    if limit is not None:
        (folder / "trip_point_0_type").write_text("passive")
        (folder / "trip_point_0_temp").write_text(str(int(limit * 1000)))


def test_the_sensor_nearest_to_its_limit_is_told_not_the_hottest(tmp_path):
    zone(tmp_path, 0, "cpu-thermal", 70, 99)
    zone(tmp_path, 1, "skin", 85)
    assert (look(tmp_path, ()).hottest_c, look(tmp_path, ()).hot_from_c) == (70, 99)
    status = look(tmp_path, [CARD])
    assert (status.hottest_c, status.hot_from_c) == (80, 83)
    assert status.temperatures_c == {"cpu-thermal": 70, "skin": 85, "GPU 0": 80}
    assert status.power_mode == "250 W"
    assert status.throttled_by == ("power",)


def test_a_machine_that_tells_nothing_is_told_as_that(tmp_path):
    status = look(tmp_path, ())
    assert (status.temperatures_c, status.hottest_c, status.hot_from_c, status.power_mode) == ({}, None, None, None)


def test_it_sees_what_changes_and_ends_when_told(tmp_path, standins):
    zone(tmp_path, 0, "cpu-thermal", 50)
    watch = HostWatch(tmp_path, lambda: SimpleNamespace(look=lambda: [CARD]), period_s=0.02)
    assert watch.status().temperatures_c == {"cpu-thermal": 50}
    watch.start()
    standins.wait_until(lambda: "GPU 0" in watch.status().temperatures_c)
    zone(tmp_path, 0, "cpu-thermal", 90)
    standins.wait_until(lambda: watch.status().temperatures_c["cpu-thermal"] == 90)
    watch.request_stop()
    assert watch.join(time.monotonic() + 5)
