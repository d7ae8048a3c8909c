"""A compiled model that is kept is used again, and a damaged or foreign one never is."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import openvino
import pytest

from hemonode.errors import EngineError
from hemonode.runtime.engines import open_engine, openvino_cache
from hemonode.runtime.engines.openvino_cache import keep_compiled, load_compiled
from hemonode.runtime.plans.cleaning import clean_engines

SHAPE = (1, 128, 160)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "hemonode" / "engines" / "openvino"


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A line for each time OpenVINO compiled."""
    lines: list[str] = []
    compile_model = openvino.Core.compile_model

    def counting(core, *arguments, **keywords):
        lines.append("compiled")
        return compile_model(core, *arguments, **keywords)

    monkeypatch.setattr(openvino.Core, "compile_model", counting)
    return lines


def answer(bundle, frames, **asked):
    with open_engine(bundle, SHAPE, engine="openvino", precision="fp32", **{"threads": 1, **asked}) as engine:
        return engine.run(frames).class_ids


@pytest.fixture
def frames(draw_cells):
    return draw_cells(128, 160, [(2, 40.0, 60.0, 40.0), (1, 110.0, 70.0, 70.0)])[None]


def test_the_second_opening_compiles_nothing_and_gives_the_same(colour_bundle, frames, folder, compiled):
    first = answer(colour_bundle, frames)
    assert np.array_equal(answer(colour_bundle, frames), first)
    assert len(compiled) == 1
    answer(colour_bundle, frames, setting="euler-1")
    answer(colour_bundle, frames, threads=2)
    assert len(compiled) == 3, "another graph or other threads are another model"
    answer(colour_bundle, frames, threads=2, lanes=2)
    assert len(compiled) == 3, "two lanes of one thread are twice the first"


@pytest.mark.parametrize("damage", ["flipped", "cut", "empty"])
def test_a_damaged_file_is_compiled_anew_and_replaced(colour_bundle, frames, folder, compiled, damage):
    first = answer(colour_bundle, frames)
    (kept,) = folder.iterdir()
    content = bytearray(kept.read_bytes())
    content[len(content) // 2] ^= 0x55
    kept.write_bytes({"flipped": content, "cut": content[: len(content) // 2], "empty": b""}[damage])
    assert np.array_equal(answer(colour_bundle, frames), first)
    assert np.array_equal(answer(colour_bundle, frames), first)
    assert len(compiled) == 2


def test_a_whole_file_that_openvino_refuses_is_compiled_anew_and_replaced(colour_bundle, frames, folder, compiled):
    first = answer(colour_bundle, frames)
    (kept,) = folder.iterdir()
    keep_compiled(kept.stem, b"compiled for another processor")
    assert np.array_equal(answer(colour_bundle, frames), first)
    assert np.array_equal(answer(colour_bundle, frames), first)
    assert len(compiled) == 2


def test_what_openvino_cannot_compile_is_one_sentence(colour_bundle, folder, monkeypatch):
    def refuse(*_, **__):
        raise RuntimeError("Exception from src/core.cpp:217:\nCheck 'x' failed at src/cpu.cpp:7:\n[CPU] No room.\n\n")

    monkeypatch.setattr(openvino.Core, "compile_model", refuse)
    with pytest.raises(EngineError, match=r"^OpenVINO cannot open .*onnx for \(1, 128, 160\): \[CPU\] No room\.$"):
        open_engine(colour_bundle, SHAPE, engine="openvino")


def test_a_folder_that_cannot_be_written_costs_time_only(colour_bundle, frames, folder, compiled):
    folder.parent.mkdir(parents=True)
    folder.write_text("a file is in the way")
    answer(colour_bundle, frames)
    answer(colour_bundle, frames)
    assert len(compiled) == 2


def test_clean_all_deletes_them_too(colour_bundle, frames, folder, capsys):
    answer(colour_bundle, frames)
    clean_engines(everything=True)
    assert list(folder.iterdir()) == []
    assert "0 of 0 engines deleted, " in capsys.readouterr().out


def test_the_least_recently_used_go_first(folder, monkeypatch):
    monkeypatch.setattr(openvino_cache, "_MOST_FILES", 3)
    for number in range(3):
        keep_compiled(str(number), bytes([number]))
        os.utime(folder / f"{number}.blob", (number, number))
    assert load_compiled("0") == b"\0"
    keep_compiled("3", b"new")
    assert sorted(path.stem for path in folder.iterdir()) == ["0", "2", "3"]


def test_what_killed_processes_left_does_not_pile_up(folder, monkeypatch):
    monkeypatch.setattr(openvino_cache, "_MOST_FILES", 2)
    folder.mkdir(parents=True)
    for number in range(3):
        (folder / f".{number}.blob.x.partial").touch()
        os.utime(folder / f".{number}.blob.x.partial", (number, number))
    keep_compiled("3", b"new")
    assert sorted(path.name for path in folder.iterdir()) == [".2.blob.x.partial", "3.blob"]
