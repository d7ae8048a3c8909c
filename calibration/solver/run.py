"""The `calibrate solver` command: from a checkpoint and data sets to solver.json, a report and a picture."""

from __future__ import annotations

import torch
from rich.console import Console

from hemonode.calibration.solver.engine_cost import Bench, engine_cost
from hemonode.calibration.solver.memory import Memory, identity
from hemonode.calibration.solver.pictures import Draw, draw, refuse_test_split
from hemonode.calibration.solver.progress import shown_progress
from hemonode.calibration.solver.request import Request
from hemonode.calibration.solver.results import SOLVER_FILE, say_warnings, solver_file, summary, write_results
from hemonode.errors import InterruptedByUser
from hemonode.export.frames import Preparation, PreparedFrame
from hemonode.export.manifest import MINIMUM_PX
from hemonode.export.search.confirm import confirm
from hemonode.export.search.cost import Cost
from hemonode.export.search.measure import Advance
from hemonode.export.search.network import Network
from hemonode.export.search.question import Question
from hemonode.export.search.search import Found, search
from hemonode.export.solver_file import Rung
from hemonode.runtime.bundle.files import hash_file
from hemonode.train.checkpoint import Checkpoint, load_checkpoint
from hemonode.train.metrics.run import make_output_folder, open_datasets
from hemonode.train.models.nodes_unet import STRIDE


def run_calibration(request: Request) -> None:
    """Calibrate, with progress, and write and print what was chosen.

    Raises:
        HemonodeError: what was asked cannot be done; what was measured is kept.
        InterruptedByUser: Ctrl-C; what was measured is kept.
    """
    # Everything that can be refused at once is, before minutes of solving.
    question = request.question()
    refuse_test_split(request.split)
    checkpoint = load_checkpoint(request.checkpoint)
    network = Network.of(checkpoint, checkpoint.build_model())
    chosen_on, confirmed_on = _draw(request)
    make_output_folder(request.out)
    if request.threads is not None:
        torch.set_num_threads(request.threads)
    say = Console(stderr=True)
    sha256 = hash_file(request.checkpoint)
    with shown_progress(say) as advance:
        recipe = checkpoint.recipe
        prepare = Preparation(recipe.scale.red_cell_px, recipe.preprocessing, STRIDE, MINIMUM_PX)
        frames, held_out = chosen_on.frames(prepare), confirmed_on.frames(prepare)
        memory = Memory(request.out, identity(sha256, question, [*frames, *held_out]))
        if memory.recalled:
            say.print(f"going on with {memory.recalled} measurements of an earlier run", highlight=False)
        try:
            cost = _cost(request, checkpoint, network, frames, memory, advance)
            found, rungs = _measure(network, frames, held_out, question, cost, memory, advance)
        except KeyboardInterrupt as interrupt:
            raise InterruptedByUser(
                f"stopped by Ctrl-C; the same command goes on from what was measured ({request.out})"
            ) from interrupt
        finally:
            memory.save()
    file = solver_file(request, sha256, checkpoint.config.architecture, found, rungs, chosen_on, confirmed_on)
    write_results(request.out, file, found)
    console = Console()
    if request.as_json:
        console.out(file.model_dump_json(indent=1), highlight=False)
    else:
        console.print(summary(file))
    say_warnings(file, say)
    say.print(
        f"wrote {request.out / SOLVER_FILE}; export it with: hemonode export {request.checkpoint} "
        f"--solver-file {request.out / SOLVER_FILE} --help",
        highlight=False,
        soft_wrap=True,
    )


def _draw(request: Request) -> tuple[Draw, Draw]:
    """The pictures to choose on, and those to confirm on."""
    datasets = open_datasets(request.data, request.roots)
    chosen_on = draw(datasets, request.split, request.images, request.seed)
    others = open_datasets(request.held_out_data, request.held_out_roots) if request.held_out_data else datasets
    return chosen_on, draw(
        others, request.held_out_split, request.held_out_images, request.seed, without=chosen_on.groups
    )


def _cost(
    request: Request,
    checkpoint: Checkpoint,
    network: Network,
    frames: list[PreparedFrame],
    memory: Memory,
    advance: Advance,
) -> Cost | None:
    """Costs measured on the engine that was asked for, once for all runs that go on; None where none was."""
    if request.engine is None:
        return None
    bench = Bench(request.engine, request.precision, request.threads)
    return memory.cost(f"cost {bench}", lambda: engine_cost(checkpoint, network, frames, bench, advance))


def _measure(
    network: Network,
    frames: list[PreparedFrame],
    held_out: list[PreparedFrame],
    question: Question,
    cost: Cost | None,
    memory: Memory,
    advance: Advance,
) -> tuple[Found, tuple[Rung, ...]]:
    found = search(network, frames, question, cost=cost, ledger=memory.ledger, advance=advance)
    rungs = confirm(network, held_out, found.rungs, found.references, ledger=memory.ledger, advance=advance)
    return found, rungs
