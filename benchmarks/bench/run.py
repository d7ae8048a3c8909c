"""The `bench` command: times, judges and compares every way to run a bundle, and keeps what Ctrl-C leaves finished."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from hemonode.benchmarks.bench.assemble import Found, assemble
from hemonode.benchmarks.bench.circumstances import Circumstances, describe
from hemonode.benchmarks.bench.contestant import COMPILED, EAGER, SOLVED_ADAPTIVELY, Contestant, Ground
from hemonode.benchmarks.bench.data import Located, locate
from hemonode.benchmarks.bench.entrants import list_contestants, probe, without_graph
from hemonode.benchmarks.bench.frames import make_frames
from hemonode.benchmarks.bench.jobs import Judged, Judging, Worked, Working
from hemonode.benchmarks.bench.outputs import write_outputs, write_record
from hemonode.benchmarks.bench.report import terminal_table
from hemonode.benchmarks.bench.request import Request
from hemonode.benchmarks.bench.result import Benchmark
from hemonode.benchmarks.bench.rounds import Race, Schedule, run_rounds
from hemonode.benchmarks.bench.spawn import run_job
from hemonode.errors import EngineError, HemonodeError, InterruptedByUser
from hemonode.runtime.bundle.reader import Bundle, open_bundle
from hemonode.train.metrics.run import make_output_folder, open_datasets
from hemonode.train.metrics.table import RESEARCH_USE


def run_bench(request: Request) -> None:
    """Run a benchmark, show it, and write its files where asked.

    Raises:
        HemonodeError: the bundle, a checkpoint, a data set or the output folder cannot be used, or nothing works.
        InterruptedByUser: Ctrl-C; what was finished is shown and written.
    """
    circumstances = describe(request.threads)
    given = open_bundle(request.bundle)
    located = locate(request.data, request.roots)
    asked = list_contestants(request, given)
    make_output_folder(request.out)
    with tempfile.TemporaryDirectory(prefix="hemonode-bench-") as scratch:
        # A copy: the run takes long, and a bundle that is exported anew meanwhile would be two.
        bundle = open_bundle(shutil.copytree(given.folder, Path(scratch, given.folder.name)))
        bench = _Run(request, bundle, asked, located, circumstances, Path(scratch))
        try:
            bench.run()
        except KeyboardInterrupt:
            if not bench.found.times.timed:
                raise
            _show(bench.benchmark(finished=False), request)
            raise InterruptedByUser("stopped by Ctrl-C; the figures above are of what was finished.") from None
        _show(bench.benchmark(finished=True), request)


class _Run:
    """One run, from the probes to the last judgement. What is finished is in `found`."""

    def __init__(
        self,
        request: Request,
        bundle: Bundle,
        asked: list[Contestant],
        located: Located,
        circumstances: Circumstances,
        scratch: Path,
    ) -> None:
        self.found = Found()
        self._request, self._bundle, self._located, self._circumstances = request, bundle, located, circumstances
        self._datasets = open_datasets(located.data, located.roots)
        self._asked = asked
        self._scratch = scratch
        self._ground = Ground(
            bundle=bundle.folder,
            checkpoint=request.checkpoint and request.checkpoint.absolute(),
            baseline=request.baseline and request.baseline.absolute(),
            threads=circumstances.threads,
            scratch=scratch,
        )
        self._frames = make_frames(self._datasets[0], request.split, bundle.manifest, request.size_px)
        np.save(scratch / "frames.npy", self._frames)

    def run(self) -> None:
        """Probe, time, count work, judge.

        Raises:
            EngineError: nothing that was asked for works here.
        """
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
        say = Console(stderr=True)
        with Progress(*columns, console=say, transient=True, disable=not say.is_terminal) as bar:
            contestants = self._probe(bar)
            self._time(bar, contestants)
            if not self.found.times.timed:
                raise EngineError(f"nothing could be timed: {'; '.join(self.found.times.failed.values())}")
            self._count_work(bar, contestants)
            self._judge(bar, contestants)

    def benchmark(self, *, finished: bool) -> Benchmark:
        """What was found so far."""
        return assemble(
            self._request, self._bundle, self._datasets, self._circumstances, self._frames, self.found, finished
        )

    def _keep(self) -> None:
        """What is finished, in bench.json: a run takes long, and may end in ways that tell nobody."""
        if self._request.out is not None and self.found.times.timed:
            write_record(self.benchmark(finished=False), self._request.out)

    def _probe(self, bar: Progress) -> list[Contestant]:
        graphless = without_graph(self._asked, self._bundle)
        for label, lacking in graphless.items():
            settings = ", ".join(contestant.setting or "" for contestant in lacking)
            self.found.left_out[f"{label}, {settings}"] = f"the bundle has no {lacking[0].precision} graph"
        asked = [contestant for contestant in self._asked if contestant not in graphless.get(contestant.label, ())]
        task = bar.add_task("Trying the engines", total=len({contestant.label for contestant in asked}))
        self.found.engines, left_out = probe(asked, self._ground, lambda _: bar.advance(task))
        self.found.left_out.update(left_out)
        contestants = [contestant for contestant in asked if contestant.label in self.found.engines]
        if not contestants:
            # Engines that miss the same thing say the same.
            reasons = dict.fromkeys(reason.rstrip(".") for reason in self.found.left_out.values())
            raise EngineError(f"nothing that was asked for works here: {'; '.join(reasons)}.")
        return contestants

    def _time(self, bar: Progress, contestants: list[Contestant]) -> None:
        schedule = Schedule(self._request.runs, self._request.seconds)
        races = [Race(contestant, batch) for batch in self._request.batches for contestant in contestants]
        task = bar.add_task("Timing", total=schedule.rounds * len(races))

        def show(race: Race, number: int) -> None:
            self._keep()
            bar.update(task, advance=1, description=f"Round {number + 1} of {schedule.rounds}: {race}")

        run_rounds(races, schedule, self._ground, self._scratch / "frames.npy", self.found.times, show)

    def _count_work(self, bar: Progress, contestants: list[Contestant]) -> None:
        in_torch = [c for c in contestants if c.engine in SOLVED_ADAPTIVELY or c.engine == EAGER]
        task = bar.add_task("Counting multiply-adds", total=len(in_torch))
        for contestant in in_torch:
            bar.update(task, advance=1, description=f"Counting multiply-adds: {contestant}")
            job = Working(ground=self._ground, contestant=contestant, frames=self._scratch / "frames.npy")
            try:
                self.found.work[contestant] = run_job(job, Worked)
            except HemonodeError as error:
                self.found.left_out[f"multiply-adds of {contestant}"] = str(error)

    def _judge(self, bar: Progress, contestants: list[Contestant]) -> None:
        # A compiled network has been compared with the eager one, and would be compiled anew for each picture's size.
        contestants = [contestant for contestant in contestants if contestant.engine != COMPILED]
        task = bar.add_task("Judging", total=len(contestants))
        for number, contestant in enumerate(contestants):
            self._keep()
            bar.update(task, advance=1, description=f"Judging {contestant}")
            job = Judging(
                ground=self._ground,
                contestant=contestant,
                data=self._located.data,
                roots=self._located.roots,
                split=self._request.split,
                pictures=self._request.pictures,
                masks=self._scratch / f"masks{number}.npz",
            )
            try:
                self.found.judged[contestant] = run_job(job, Judged)
            except HemonodeError as error:
                self.found.left_out[f"accuracy of {contestant}"] = str(error)


def _show(benchmark: Benchmark, request: Request) -> None:
    console = Console()
    without = write_outputs(benchmark, request.out) if request.out is not None else None
    if request.as_json:
        console.out(benchmark.model_dump_json(indent=1), highlight=False)
        return
    console.print(terminal_table(benchmark))
    for sentence in benchmark.circumstances.sentences():
        console.print(f"  {sentence}", highlight=False, markup=False)
    for label, why in benchmark.left_out.items():
        console.print(f"  Left out: {label}: {why}", highlight=False, markup=False)
    for warning in [*benchmark.warnings, *([without] if without is not None else [])]:
        console.print(f"  Warning: {warning}", style="yellow", highlight=False, markup=False)
    if request.out is not None:
        console.print(f"  Written to {request.out}.", highlight=False, markup=False)
    console.print(RESEARCH_USE, highlight=False)
