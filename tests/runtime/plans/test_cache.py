"""A plan that is not what it should be is never given out, and the user reads why it is built again."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from hemonode.errors import BundleError, EngineError
from hemonode.runtime.bundle.reader import open_bundle
from hemonode.runtime.bundle.writer import write_manifest
from hemonode.runtime.plans.cache import PlanCache
from hemonode.runtime.plans.key import Shapes
from hemonode.runtime.plans.order import order_plan
from hemonode.runtime.plans.record import NewerRecord, UnreadableRecord, read_record
from hemonode.runtime.plans.store import Absent, Listener
from hemonode.runtime.plans.stored import DamagedPlan, StoredPlan, header_fault


def the_plan(store, order) -> StoredPlan:
    found = store.find(order)
    assert isinstance(found, StoredPlan)
    return found


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:2500])


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[3000] ^= 4
    path.write_bytes(content)


def replace_by_another_file(path: Path) -> None:
    path.write_bytes(b"\x7fELF" + bytes(path.stat().st_size - 4))


def of_another_tensorrt(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[24:27] = bytes((8, 6, 1))
    path.write_bytes(content)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def lose(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("harm", [truncate, flip_a_bit, replace_by_another_file, of_another_tensorrt, empty, lose])
def test_a_damaged_plan_is_never_given_out_but_built_again(filled, order, starts, harm):
    plan = the_plan(filled, order)
    harm(plan.path)
    with pytest.raises(DamagedPlan):
        plan.read()
    with pytest.raises(EngineError, match=r"no use .*hemonode build"):
        filled.obtain(order, may_build=False)
    said = []
    again, content = filled.obtain(order, may_build=True, listener=Listener(remark=said.append))
    assert again.path == plan.path
    assert content == plan.path.read_bytes()
    assert starts() == 1
    assert len(said) == 1
    assert said[0].startswith(f"Building {order} again: its plan ")


@pytest.mark.parametrize(
    ("header", "says"),
    [
        (b"ftrt" + bytes(20) + bytes((10, 3, 0, 26)), None),
        (b"ftrt" + bytes(20) + bytes((10, 7, 0, 23)), "its plan is of TensorRT 10.7.0, not 10.3.0"),
        (b"ftrt" + bytes((1, 0, 0, 0)) + bytes(20), None),
        (b"ptrt" + bytes((43, 0, 0, 0)) + bytes(20), None),
        (b"trtf" + bytes(24), "its plan is none of TensorRT's"),
        (b"ftrt" + bytes(23), "its plan is none of TensorRT's"),
    ],
)
def test_a_header_tells_the_version_where_it_is_known_to_hold_it(header: bytes, says: str | None) -> None:
    assert header_fault(header, "10.3.0") == says


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read"),
        ("", "damaged"),
        ("[1]", "damaged"),
        ("{}", "damaged"),
        ('{"schema_version": 1}', "damaged"),
        ('{"schema_version": 99}', "newer hemonode"),
        ("\x00" * 300, "damaged"),
    ],
)
def test_a_plan_without_a_good_record_is_built_again(filled, order, content, says):
    plan = the_plan(filled, order)
    if content is None:
        (plan.folder / "record.json").unlink()
    else:
        (plan.folder / "record.json").write_text(content)
    with pytest.raises(UnreadableRecord, match=says):
        read_record(plan.folder)
    absent = filled.find(order)
    assert isinstance(absent, Absent)
    assert says in absent.reason
    assert filled.obtain(order, may_build=True)[0].path == plan.path


def test_a_record_of_a_newer_hemonode_is_refused_and_of_a_later_minor_one_read(filled, order):
    plan = the_plan(filled, order)
    path = plan.folder / "record.json"
    record = json.loads(path.read_text())
    record["mood"] = "good"
    record["facts"]["mood"] = record["key"]["mood"] = record["key"]["machine"]["mood"] = "good"
    path.write_text(json.dumps(record))
    assert the_plan(filled, order).record == plan.record
    record["schema_version"] = 2
    path.write_text(json.dumps(record))
    with pytest.raises(NewerRecord, match="newer hemonode"):
        read_record(plan.folder)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"tensorrt": "10.7.0"}, "TensorRT was 10.3.0 and is 10.7.0"),
        ({"driver": "12.8"}, "driver was 12.6 and is 12.8"),
        ({"gpu": "Thor", "compute_capability": "11.0"}, "GPU was Orin and is Thor, compute capability was 8.7 and is"),
    ],
)
def test_a_plan_of_another_machine_is_left_alone_and_one_for_this_one_is_built(
    filled, store, order, colour_bundle, machine, changes, says
):
    here = machine.model_copy(update=changes)
    changed = order_plan(colour_bundle, "rk4-1", "fp32", order.key.shapes, here)
    with pytest.raises(EngineError, match=says):
        filled.obtain(changed, may_build=False)
    said = []
    plan, _ = store(version=here.tensorrt).obtain(changed, may_build=True, listener=Listener(remark=said.append))
    assert len(said) == 1
    assert says in said[0]
    # A cache that two machines share serves both.
    assert the_plan(filled, order).record.key.machine == machine
    assert plan.record.key.machine == here


def test_changed_weights_are_another_plan(filled, order, colour_bundle, machine, tmp_path):
    folder = tmp_path / "changed.hemo"
    shutil.copytree(colour_bundle.folder, folder)
    weights = folder / "solvers" / "weights.fp32.bin"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(BundleError, match=r"weights\.fp32\.bin is damaged"):
        open_bundle(folder)
    write_manifest(folder, colour_bundle.manifest)
    changed = order_plan(open_bundle(folder), "rk4-1", "fp32", order.key.shapes, machine)
    absent = filled.find(changed)
    assert isinstance(absent, Absent)
    assert absent.reason == "the model's graph or weights have changed"


def test_the_plans_of_two_hemonodes_that_build_differently_lie_side_by_side(filled, order, starts):
    later = replace(order, key=order.key.model_copy(update={"revision": 2}))
    assert later.key.name != order.key.name
    filled.build(later)
    assert the_plan(filled, order).record.key == order.key
    [entry] = [entry for entry in filled.cache.entries() if entry.name == later.key.name]
    assert entry.newer
    assert "newer hemonode" in entry.fault


def test_what_a_graph_does_not_use_does_not_change_its_plan(order, colour_bundle, machine, tmp_path):
    folder = tmp_path / "grown.hemo"
    shutil.copytree(colour_bundle.folder, folder)
    (folder / "solvers" / "weights.fp16.bin").write_bytes(b"half")
    (folder / "card.md").write_text("# Another card\n")
    write_manifest(folder, colour_bundle.manifest)
    assert order_plan(open_bundle(folder), "rk4-1", "fp32", order.key.shapes, machine).key == order.key


def test_a_profile_serves_all_frames_in_it_and_a_plan_of_just_the_frames_goes_first(store, colour_bundle, machine):
    def wanted(batch: int, height: int, width: int):
        return order_plan(colour_bundle, "rk4-1", "fp32", Shapes.fixed((batch, height, width)), machine)

    shapes = Shapes(least=(1, 128, 128), best=(2, 256, 256), most=(4, 512, 512))
    wide = store().build(order_plan(colour_bundle, "rk4-1", "fp32", shapes, machine))
    assert store().find(wanted(1, 128, 160)) == wide
    assert store().find(wanted(4, 512, 512)) == wide
    assert store().find(wanted(5, 128, 128)) == Absent()
    assert store().find(wanted(1, 128, 528)) == Absent()
    exact = store().build(wanted(1, 128, 160))
    store().build(order_plan(colour_bundle, "rk4-1", "fp32", shapes, machine), rebuild=True)
    assert store().find(wanted(1, 128, 160)) == exact


def test_without_a_plan_the_sentence_holds_the_command_that_builds_it(store, order):
    with pytest.raises(EngineError) as refusal:
        store().obtain(order, may_build=False)
    folder = order.bundle.folder
    assert str(refusal.value) == (
        f"none is built for colours rk4-1 fp32 1x128x160; run: hemonode build {folder} --setting rk4-1 "
        "--precision fp32 --shape 128x160"
    )


def test_a_plan_that_tensorrt_wrote_for_another_version_is_not_taken_from_the_build(store, order):
    with pytest.raises(EngineError, match=r"TensorRT 10\.7\.0, not 10\.3\.0"):
        store(version="10.7.0").build(order)


def test_the_folder_can_be_chosen_by_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("HEMONODE_ENGINES", str(tmp_path / "elsewhere"))
    assert PlanCache().folder == tmp_path / "elsewhere"
    monkeypatch.delenv("HEMONODE_ENGINES")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert PlanCache().folder == tmp_path / "cache" / "hemonode" / "engines"
