"""Energy is what a machine's own counters tell, and nothing where it has none."""

from __future__ import annotations

import pytest

from hemonode.benchmarks.bench.energy.jetson_rails import find_rails
from hemonode.benchmarks.bench.energy.rapl import find_packages


@pytest.fixture
def powercap(tmp_path):
    """One package with one part of it, as Linux shows them."""
    for name, label in (("intel-rapl:0", "package-0"), ("intel-rapl:0:0", "core")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "name").write_text(f"{label}\n")
        (folder / "max_energy_range_uj").write_text("10000000\n")
        (folder / "energy_uj").write_text("9000000\n")
    return tmp_path


def test_a_package_tells_joules_also_when_its_counter_wraps(powercap):
    (package,) = find_packages(powercap)
    assert package.name == "package-0 (RAPL)"
    package.start()
    (powercap / "intel-rapl:0" / "energy_uj").write_text("9500000\n")
    assert package.stop() == pytest.approx(0.5)
    (powercap / "intel-rapl:0" / "energy_uj").write_text("1500000\n")
    assert package.stop() == pytest.approx(2.5)


def test_a_counter_that_cannot_be_read_is_left_out(powercap):
    (powercap / "intel-rapl:0" / "energy_uj").unlink()
    assert find_packages(powercap) == []
    assert find_packages(powercap / "nowhere") == []


@pytest.fixture
def hwmon(tmp_path):
    """A Jetson's power monitor with one labelled rail, and a fan that is none."""
    monitor, fan = tmp_path / "hwmon0", tmp_path / "hwmon1"
    for folder, name in ((monitor, "ina3221"), (fan, "pwmfan")):
        folder.mkdir()
        (folder / "name").write_text(f"{name}\n")
    for file, text in (("in1_label", "VDD_IN"), ("in1_input", "5000"), ("curr1_input", "2000")):
        (monitor / file).write_text(f"{text}\n")
    return tmp_path


def test_a_jetson_rail_tells_power_and_integrates_it(hwmon):
    (rail,) = find_rails(hwmon)
    assert rail.name == "VDD_IN (INA3221)"
    assert rail.power_w() == pytest.approx(10.0)
    rail.start()
    assert rail.stop() > 0
