"""The ways to a GPU are compared fairly, and one that does not work does not cost the others."""

from __future__ import annotations

import pytest

from hemonode.benchmarks import gpu_paths
from hemonode.device.host.nvidia import has_nvidia_gpu
from hemonode.errors import EngineError
from hemonode.runtime.engines import open_engine
from hemonode.runtime.engines.contract import Engine, Opening


def open_on_cpu(opening: Opening) -> Engine:
    return open_engine(opening.bundle, opening.shape, engine="cpu", setting=opening.setting, threads=1)


def refuse(opening: Opening) -> Engine:
    raise EngineError("no room on the GPU.")


def test_every_setting_has_a_line_for_each_way_that_works(colour_bundle) -> None:
    paths = {"one": open_on_cpu, "broken": refuse, "other": open_on_cpu}
    lines, left_out = gpu_paths.measure_ladder(colour_bundle, (1, 128, 160), ("fp16", "fp32"), 5, 2, paths)
    assert [(line.setting, line.path) for line in lines] == [
        (setting, path) for setting in ("euler-1", "rk4-1") for path in ("one", "other")
    ]
    assert all(line.agreement == 1.0 and 0 < line.p50_ms <= line.p99_ms for line in lines)
    assert left_out == [f"broken, {setting}, fp32: no room on the GPU." for setting in ("euler-1", "rk4-1")]
    text = gpu_paths.as_markdown(lines, left_out, 10.0)
    assert "| one | euler-1 | fp32 |" in text
    assert "Left out: broken" in text


@pytest.mark.skipif(has_nvidia_gpu(), reason="there is an NVIDIA GPU here")
def test_without_a_gpu_it_says_so(capsys) -> None:
    assert gpu_paths.main([]) == 1
    assert "no NVIDIA GPU" in capsys.readouterr().err
