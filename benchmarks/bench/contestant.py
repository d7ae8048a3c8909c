"""Who takes part in a benchmark: a bundle's setting on an engine, or torch as a peer."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

ADAPTIVE, EAGER, COMPILED = "torch adaptive", "torch eager", "torch compile"
BASELINE = "baseline adaptive"
"""Another checkpoint, solved adaptively by torch: what ratios are taken against where it is given."""

PEERS = (ADAPTIVE, EAGER, COMPILED)
SOLVED_ADAPTIVELY = (ADAPTIVE, BASELINE)


class Record(BaseModel):
    """A value that crosses to a child process or into bench.json."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Contestant(Record):
    """One way to run the model.

    Attributes:
        engine: a name of `runtime.engines.ENGINES`, one of `PEERS`, or `BASELINE`.
        setting: solver setting of the bundle; None where torch solves adaptively.
        precision: what it computes in.
    """

    engine: str
    setting: str | None
    precision: str = "fp32"

    @property
    def label(self) -> str:
        """As tables and pictures call it, the setting left out."""
        return f"{self.engine} {self.precision}"

    def __str__(self) -> str:
        return f"{self.label}, {self.setting or 'dopri5'}"


class Ground(Record):
    """What all contestants of a run share. Paths are absolute.

    Attributes:
        bundle: folder of the bundle, which has been checked; None where only a baseline takes part.
        checkpoint: what the bundle was exported from, for the torch peers.
        baseline: see `BASELINE`.
        threads: of every engine and peer.
        scratch: the run's own folder, deleted at its end.
    """

    bundle: Path | None
    checkpoint: Path | None
    baseline: Path | None
    threads: int
    scratch: Path
