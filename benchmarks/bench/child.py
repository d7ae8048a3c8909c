"""A child process of the benchmark: does one job on one contestant in a process of its own, and ends.

Run: python -m hemonode.benchmarks.bench.child JOB.json ANSWER.json
"""

from __future__ import annotations

import sys
from pathlib import Path

from hemonode.benchmarks.bench.contestant import COMPILED, Record
from hemonode.benchmarks.bench.jobs import Envelope, Failed, Job, Judging, Probe, Probed, Timing, Worked
from hemonode.errors import HemonodeError


def work(job: Job) -> Record:
    """Do a job.

    Raises:
        HemonodeError: it cannot be done here.
    """
    # Each kind imports what it needs: a probe or a timing must not carry the judge's memory.
    if isinstance(job, Probe):
        return _probe(job)
    if isinstance(job, Timing):
        from hemonode.benchmarks.bench.timing import time_contestant

        return time_contestant(job)
    if isinstance(job, Judging):
        from hemonode.benchmarks.bench.judging import judge

        return judge(job)
    from hemonode.benchmarks.bench.opening import torch_peers

    worked: Worked = torch_peers().count_work(job)
    return worked


def _probe(job: Probe) -> Probed:
    from hemonode.benchmarks.bench.opening import bundle_of, open_contestant

    bundle = bundle_of(job.contestant, job.ground)
    side = bundle.manifest.input.minimum
    with open_contestant(job.contestant, job.ground, bundle, (1, side, side)) as engine:
        # Compiling takes minutes: where it fails, the first timing says so.
        if job.contestant.engine != COMPILED:
            engine.warm_up(1)
        return Probed(version=engine.version, device=engine.device, precision=engine.precision)


def main() -> None:
    """Read the job, do it, write the answer."""
    job_file, answer_file = map(Path, sys.argv[1:])
    job = Envelope.model_validate_json(job_file.read_bytes()).job
    try:
        answer = work(job)
    except HemonodeError as error:
        answer = Failed(error=type(error).__name__, reason=str(error))
    answer_file.write_text(answer.model_dump_json(), encoding="utf-8")


if __name__ == "__main__":
    main()
