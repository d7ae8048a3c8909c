"""A network with the runtime's way of counting: what it answers under any solvers, and how two answers differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from torch import nn

from hemonode.export.counted import cells_apart, counted_cells
from hemonode.export.frames import PreparedFrame
from hemonode.export.graph.writer import Heads
from hemonode.export.manifest import class_records, draft_manifest
from hemonode.export.reference import predict
from hemonode.export.settings import Setting, integrating
from hemonode.runtime.bundle.schema import Manifest
from hemonode.runtime.counting.peaks import check_not_full, peak_thresholds
from hemonode.train.checkpoint import Checkpoint
from hemonode.train.models.integrators import Integrator
from hemonode.train.models.ode_block import ODEBlock
from hemonode.train.models.table import ode_blocks


class Answer(NamedTuple):
    """Class ids uint8 [H·m, W·m] of one picture, and its counted cells per class id."""

    class_ids: npt.NDArray[np.uint8]
    counts: Counter[int]


class Change(NamedTuple):
    """By how many mask pixels, and cells summed over the classes, an answer differs from the reference's."""

    pixels: int
    of_pixels: int
    cells: int
    of_cells: int

    @property
    def mask_share(self) -> float:
        """Share of the mask's pixels."""
        return self.pixels / self.of_pixels


def change(answer: Answer, reference: Answer) -> Change:
    """How an answer differs from the reference's, for the same picture."""
    return Change(
        pixels=int(np.count_nonzero(answer.class_ids != reference.class_ids)),
        of_pixels=reference.class_ids.size,
        cells=cells_apart(answer.counts, reference.counts),
        of_cells=reference.counts.total(),
    )


@dataclass(frozen=True)
class Network:
    """A network, what its graph makes of its outputs, and the thresholds by which a device counts."""

    model: nn.Module
    heads: Heads
    manifest: Manifest

    @classmethod
    def of(cls, checkpoint: Checkpoint, model: nn.Module) -> Network:
        """A checkpoint's network.

        Raises:
            ExportError: its classes cannot be counted.
        """
        heads = Heads(countable_ids=tuple(kind.id for kind in class_records(checkpoint) if kind.countable))
        unsolved = (Setting("adaptive", {}),)
        return cls(model, heads, draft_manifest("draft", checkpoint, heads, unsolved, "adaptive", ()))

    @property
    def blocks(self) -> dict[int, ODEBlock]:
        """The ODE blocks by rising position."""
        return {block.position: block for block in ode_blocks(self.model)}

    def answer(self, frame: PreparedFrame, solvers: Mapping[int, Integrator]) -> Answer:
        """The answer for one frame, counted as a device counts.

        Raises:
            TooManyCellsError: more cells than the graph's list has rows.
        """
        with integrating(self.model, solvers):
            prediction = predict(self.model, frame, self.heads)
        check_not_full(prediction.peaks[0], peak_thresholds(self.manifest))
        return Answer(prediction.class_ids[0], counted_cells(prediction, self.manifest))
