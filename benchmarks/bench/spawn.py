"""Run a job in a child process of its own, so that its memory, libraries and threads are its alone."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from hemonode import errors
from hemonode.benchmarks.bench.contestant import Record
from hemonode.benchmarks.bench.jobs import Envelope, Failed, Job
from hemonode.errors import EngineError, HemonodeError

LONGEST_S = 3600.0
"""After this a child is taken to hang."""

Answer = TypeVar("Answer", bound=Record)


def run_job(job: Job, kind: type[Answer], *, longest_s: float = LONGEST_S) -> Answer:
    """Let a child do a job.

    Args:
        job: what to do.
        kind: type of its answer.
        longest_s: seconds after which the child is ended.

    Raises:
        HemonodeError: what the child raised.
        EngineError: the child died, or hung; the sentence says why.
    """
    with tempfile.TemporaryDirectory(prefix="hemonode-bench-") as folder:
        job_file, answer_file = Path(folder, "job.json"), Path(folder, "answer.json")
        job_file.write_text(Envelope(job=job).model_dump_json(), encoding="utf-8")
        # Without PYTHONSAFEPATH a file in the working folder could stand in for a library.
        environment = {**os.environ, "PYTHONSAFEPATH": "1"}
        command = [sys.executable, "-m", "hemonode.benchmarks.bench.child", str(job_file), str(answer_file)]
        try:
            ended = subprocess.run(command, env=environment, capture_output=True, timeout=longest_s, check=False)
        except subprocess.TimeoutExpired as error:
            raise EngineError(f"{job.contestant} took longer than {longest_s:.0f} s") from error
        if not answer_file.exists():
            raise EngineError(f"{job.contestant} {_death(ended)}")
        return _read(answer_file.read_bytes(), kind)


def _read(content: bytes, kind: type[Answer]) -> Answer:
    try:
        return kind.model_validate_json(content)
    except ValidationError:
        failed = Failed.model_validate_json(content)
        kind_of_error: type[HemonodeError] = getattr(errors, failed.error)
        raise kind_of_error(failed.reason) from None


def _death(ended: subprocess.CompletedProcess[bytes]) -> str:
    """How a child died: out of memory, a crash inside a library, or an error that is ours."""
    if ended.returncode < 0:
        cause = "out of memory, probably" if ended.returncode == -9 else "a crash inside its library"
        return f"was ended by signal {-ended.returncode} ({cause})"
    told = ended.stderr.decode(errors="replace").strip().splitlines()
    return f"failed: {told[-1] if told else f'exit status {ended.returncode}'}"
