"""A solver file keeps what was chosen, and a file that cannot be used says where it is wrong."""

from __future__ import annotations

import dataclasses
import json

import pytest

from hemonode.errors import ExportError
from hemonode.export.solver_file import (
    BlockChoice,
    Rung,
    SolverFile,
    TableauRecord,
    read_solver_file,
    write_solver_file,
)
from hemonode.export.tableau import TABLEAUS


def _file(*positions, **block) -> SolverFile:
    blocks = [BlockChoice(**{"position": position, "method": "rk4", "grid": (0, 1), **block}) for position in positions]
    return SolverFile(model="nodes-unet", rungs=(Rung(name="tol1e-3", tolerance=1e-3, blocks=tuple(blocks)),))


def test_what_was_chosen_is_read_again(tmp_path, model):
    file = _file(4, 6, error=1e-4, evaluations=4)
    write_solver_file(tmp_path / "solver.json", file)
    assert read_solver_file(tmp_path / "solver.json") == file
    assert [path.name for path in tmp_path.iterdir()] == ["solver.json"]
    (setting,) = file.settings(model)
    assert (setting.name, setting.tolerance, setting.evaluations) == ("tol1e-3", 1e-3, 8)


def test_estimates_can_be_added_to_every_rung(model):
    plain, estimating = (_file(4, 6).settings(model, estimate=estimate)[0] for estimate in (False, True))
    assert not any(solver.estimate for solver in plain.solvers.values())
    assert all(solver.estimate for solver in estimating.solvers.values())


def test_a_tableau_of_the_users_own_is_written_out_exactly(tmp_path, model):
    own = dataclasses.replace(TABLEAUS["kutta3"], name="mine")
    assert TableauRecord.of(TABLEAUS["kutta3"]) is None
    file = _file(4, 6, method="mine", tableau=TableauRecord.of(own))
    write_solver_file(tmp_path / "solver.json", file)
    (setting,) = read_solver_file(tmp_path / "solver.json").settings(model)
    assert all(solver.tableau == own for solver in setting.solvers.values())


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (_file(4), r"solves the ODE blocks at \[4\], but the network has them at \[4, 6\]"),
        (_file(4, 6, method="rk9"), "block 4: method 'rk9' is unknown"),
        (_file(4, 6, grid=(0, 2)), "must rise from 0 to 1"),
    ],
)
def test_solvers_that_do_not_fit_are_named(model, file, sentence):
    with pytest.raises(ExportError, match=sentence):
        file.settings(model)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda fields: fields.update(schema_version=99), "newer hemonode"),
        (lambda fields: fields.update(rungs=[]), "not valid at 'rungs'"),
        (
            lambda fields: fields["rungs"][0]["blocks"][1].update(methd="rk4"),
            r"not valid at 'rungs\.0\.blocks\.1\.methd'",
        ),
        (lambda fields: fields.clear(), "damaged or no solver file"),
    ],
)
def test_a_file_that_cannot_be_used_says_where_it_is_wrong(tmp_path, change, sentence):
    fields = json.loads(_file(4, 6).model_dump_json())
    change(fields)
    (tmp_path / "solver.json").write_text(json.dumps(fields))
    with pytest.raises(ExportError, match=sentence):
        read_solver_file(tmp_path / "solver.json")
