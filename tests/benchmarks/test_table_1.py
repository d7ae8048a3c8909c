"""The paper's Table 1 as a command, on networks narrow enough for a test."""

from __future__ import annotations

import json

import pytest
import torch
import typer
from typer.testing import CliRunner

from hemonode.benchmarks.bench.torch_peers import MultiplyAdds
from hemonode.benchmarks.machine import Machine
from hemonode.benchmarks.paper_table_1 import PAPER
from hemonode.benchmarks.table_1 import main
from hemonode.benchmarks.table_1_networks import checkpoints_by_row, fresh_network
from hemonode.benchmarks.table_1_report import Accuracies, Row, as_markdown
from hemonode.errors import CheckpointError
from hemonode.train.models.table import ode_blocks

pytestmark = pytest.mark.usefixtures("torch_threads")


@pytest.fixture
def table():
    app = typer.Typer()
    app.command()(main)
    return lambda *options: CliRunner().invoke(app, ["--width", "4", "--rounds", "1", "--threads", "1", *options])


def test_networks_are_timed_and_stand_beside_the_papers_rows(table, tmp_path):
    done = table("--network", "U-Net", "--network", "ODE-UNet5", "--json", str(tmp_path / "t.json"))
    assert done.exit_code == 0, done.output
    plain, fifth = json.loads((tmp_path / "t.json").read_text())["rows"]
    assert (plain["name"], plain["evaluations"], plain["paper"]["seconds"]) == ("U-Net", 0, 0.15)
    assert fifth["evaluations"] >= 7
    assert "(0.61)" in done.output
    assert "random" in done.output


def test_a_trained_network_is_judged_with_the_papers_measures(table, save, labelled, tmp_path):
    checkpoint = save("plain", {})
    done = table(
        *("--network", "U-Net", "--checkpoint", str(checkpoint), "--data", str(labelled)),
        *("--pictures", "1", "--json", str(tmp_path / "t.json")),
    )
    assert done.exit_code == 0, done.output
    (row,) = json.loads((tmp_path / "t.json").read_text())["rows"]
    assert row["trained"]
    assert 0 <= row["accuracies"]["pixel_accuracy"] <= 100
    assert set(row["accuracies"]) == {"pixel_accuracy", "background", "red_cells", "white_cells", "miou"}


def test_each_row_has_one_block_at_its_position_that_moves_the_state():
    for position in range(1, 10):
        (block,) = ode_blocks(fresh_network(f"ODE-UNet{position}", 4, "relu"))
        assert (block.position, block.tolerance) == (position, 1e-3)
        assert bool(block.dynamics.convs[-1].weight.any())
    assert ode_blocks(fresh_network("U-Net", 4, "relu")) == []


def test_checkpoints_find_their_rows(save):
    plain, fourth = save("plain", {}), save("fourth", {4: 1e-3})
    assert checkpoints_by_row([fourth, plain]) == {"ODE-UNet4": fourth, "U-Net": plain}
    with pytest.raises(CheckpointError, match="both U-Net"):
        checkpoints_by_row([plain, plain])
    with pytest.raises(CheckpointError, match=r"4 at 0\.01"):
        checkpoints_by_row([save("loose", {4: 1e-2})])
    with pytest.raises(CheckpointError, match="Table 1 has none, or one"):
        checkpoints_by_row([save("three", {4: 1e-3, 5: 1e-3})])


def test_the_times_are_compared_by_their_ratio_to_the_u_nets():
    machine = Machine("a processor", 2, 0.1, "a system", "3.11", {"torch": "2.13"})
    rows = [
        Row("U-Net", (0.9, 1.0, 1.4), (0.8, 0.9, 0.8), 0.0, False),
        Row("ODE-UNet5", (3.9, 4.0, 4.3), (2.4, 2.4, 2.5), 20.0, True, Accuracies(95.0, 94.0, None, 96.0, 90.0)),
    ]
    last = as_markdown(machine, 2, rows).splitlines()[-1]
    assert "95.00 (95.05)" in last
    assert "– (94.62)" in last
    assert "4.00 (0.61) | 4.0 (4.1) | 10% | 2.40 | 3.0 |" in last


def test_the_papers_table_is_complete():
    assert list(PAPER) == ["U-Net", *(f"ODE-UNet{position}" for position in range(1, 10))]


def test_multiply_adds_are_counted_from_the_shapes():
    convolution = torch.nn.Conv2d(3, 8, 3, padding=1)
    with MultiplyAdds(convolution) as counted, torch.no_grad():
        convolution(torch.zeros(2, 3, 10, 12))
    assert counted.total == 2 * 8 * 10 * 12 * 3 * 9
    with torch.no_grad():
        convolution(torch.zeros(2, 3, 10, 12))
    assert counted.total == 2 * 8 * 10 * 12 * 3 * 9
