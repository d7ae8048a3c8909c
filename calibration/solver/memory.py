"""Measurements on disk beside the result, so that an interrupted calibration goes on where it stopped."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from hemonode import __version__
from hemonode.errors import OutputError
from hemonode.export.frames import PreparedFrame
from hemonode.export.search.cost import Cost
from hemonode.export.search.ledger import Ledger, Values
from hemonode.export.search.question import Question

NAME = ".measurements.json"
_SECONDS_BETWEEN_WRITES = 5.0


class _Content(BaseModel):
    # A candidate that diverged has an infinite error, which plain JSON would turn into null.
    model_config = ConfigDict(ser_json_inf_nan="constants")

    identity: str
    entries: dict[str, Values] = {}
    costs: dict[str, Cost] = {}
    """By what was timed."""


class Memory:
    """A ledger, and timed costs, that are kept in a file. What was measured under another identity is forgotten.

    Args:
        folder: where the file lies.
        identity: of everything that a measurement depends on; see `identity`.
    """

    def __init__(self, folder: Path, identity: str) -> None:
        self._path = folder / NAME
        self._content = self._read(identity)
        self._written = time.monotonic()
        self.recalled = len(self._content.entries)
        self.ledger = Ledger(self._content.entries, self._keep)

    def cost(self, name: str, measure: Callable[[], Cost]) -> Cost:
        """The costs of that name, timed now if they are not known: other timings would choose otherwise."""
        if name not in self._content.costs:
            self._content.costs[name] = measure()
        return self._content.costs[name]

    def save(self) -> None:
        """Write everything, whole or not at all.

        Raises:
            OutputError: the file cannot be written.
        """
        draft = self._path.with_name(f"{NAME}.draft")
        try:
            draft.write_text(self._content.model_dump_json(), encoding="utf-8")
            draft.replace(self._path)
        except OSError as error:
            raise OutputError(f"{self._path} cannot be written ({error}): make room or choose another place") from error
        finally:
            draft.unlink(missing_ok=True)
        self._written = time.monotonic()

    def _keep(self) -> None:
        if time.monotonic() - self._written > _SECONDS_BETWEEN_WRITES:
            self.save()

    def _read(self, identity: str) -> _Content:
        try:
            content = _Content.model_validate_json(self._path.read_bytes())
        except (OSError, ValidationError):
            # Nothing is lost but time.
            return _Content(identity=identity)
        return content if content.identity == identity else _Content(identity=identity)


def identity(checkpoint_sha256: str, question: Question, frames: Sequence[PreparedFrame]) -> str:
    """What measurements depend on: the weights, the pictures, the references and the methods' coefficients."""
    digest = hashlib.sha256(f"{__version__} {checkpoint_sha256} {min(question.tolerances)!r}".encode())
    for tableau in question.tableaus:
        digest.update(repr((tableau.name, tableau.a, tableau.b)).encode())
    for frame in frames:
        digest.update(frame.name.encode())
        digest.update(frame.pixels.tobytes())
    return digest.hexdigest()
