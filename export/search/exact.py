"""The reference solution of each ODE block on a picture: dopri5, tightened until its own error does not matter."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hemonode.errors import SolverError
from hemonode.export.block_error import block_error
from hemonode.export.frames import PreparedFrame
from hemonode.export.reference import REFERENCE_SHARE, BlockStates, stride_of
from hemonode.export.search.network import Answer, Network
from hemonode.train.models.integrators import Adaptive

OWN_ERROR_SHARE = 0.1
"""The most that the reference's own error may be of the tolerance asked for."""

FLOAT64_BELOW = 1e-7
"""Where f must be computed in float64: its float32 rounding, about 1e-7, would make the step size collapse.

Above, a float64 state with f in float32 ends as near to the truth, in half the time.
"""

_TIGHTENINGS = 3


@dataclass(frozen=True)
class Solved:
    """One picture solved by the reference: h(0) and float64 h(1) of each block, and the network's answer."""

    states: dict[int, BlockStates]
    answer: Answer


@dataclass(frozen=True)
class References:
    """dopri5's tolerance in each block's reference, by position, and the reference's own largest error."""

    tolerances: dict[int, float]
    own_errors: dict[int, float]


def solve_exactly(network: Network, frame: PreparedFrame, tolerances: Mapping[int, float]) -> Solved:
    """Solve a picture, alone, with the reference in every block, so that each sees the others' exact states.

    Raises:
        SolverError: a state is not finite, or no step is small enough; the sentence names block and picture.
    """
    states: dict[int, BlockStates] = {}
    solvers = {
        position: _Recorder(position, tolerance, frame.name, states) for position, tolerance in tolerances.items()
    }
    return Solved(states, network.answer(frame, solvers))


def settle_references(network: Network, frames: Sequence[PreparedFrame], finest: float) -> References:
    """Find the tolerance at which each block's reference can judge solvers of tolerance `finest`, on some pictures.

    Starts at a hundredth of it, and tightens tenfold while the own error, against one ten times tighter in float64,
    is above a tenth of it over the whole picture or any tile.

    Raises:
        SolverError: a reference cannot be had.
    """
    tolerances = dict.fromkeys(network.blocks, finest * REFERENCE_SHARE)
    for _ in range(_TIGHTENINGS):
        errors = dict.fromkeys(tolerances, 0.0)
        for frame in frames:
            solved = solve_exactly(network, frame, tolerances)
            for position, tolerance in tolerances.items():
                errors[position] = max(errors[position], _own_error(network, frame, position, solved, tolerance))
        loose = [position for position, error in errors.items() if not error <= finest * OWN_ERROR_SHARE]
        if not loose:
            return References(tolerances, errors)
        for position in loose:
            tolerances[position] /= 10
    position = loose[0]
    raise SolverError(
        f"ODE block {position} has no reference for a tolerance of {finest:g}: dopri5 at "
        f"{tolerances[position] * 10:.0e} is still {errors[position]:.1e} from one ten times tighter; "
        "ask for a looser tolerance"
    )


class Exact:
    """An integrator: dopri5 on a float64 state, at a tolerance that training never needs."""

    def __init__(self, tolerance: float) -> None:
        self.tolerance = tolerance

    def __call__(self, dynamics: nn.Module, h0: Tensor) -> Tensor:
        """h(1) in h0's dtype.

        Raises:
            SolverError: no step is small enough.
        """
        return self.solve(dynamics, h0).to(h0.dtype)

    def solve(self, dynamics: nn.Module, h0: Tensor, *, in_float64: bool | None = None) -> Tensor:
        """float64 h(1), with f in float64 or in float32; None decides by the tolerance."""
        if in_float64 is None:
            in_float64 = self.tolerance < FLOAT64_BELOW
        with torch.no_grad():
            f = copy.deepcopy(dynamics).double() if in_float64 else _InFloat32(dynamics)
            return Adaptive(self.tolerance)(f, h0.double())


def _own_error(network: Network, frame: PreparedFrame, position: int, solved: Solved, tolerance: float) -> float:
    dynamics, states = network.blocks[position].dynamics, solved.states[position]
    truth = Exact(tolerance / 10).solve(dynamics, states.start, in_float64=True)
    return max(block_error(states.start, states.end, truth, stride_of(frame, states)))


class _Recorder:
    """Integrates exactly, and keeps both ends."""

    def __init__(self, position: int, tolerance: float, image: str, states: dict[int, BlockStates]) -> None:
        self._place = f"ODE block {position} on {image}"
        self._position = position
        self._exact = Exact(tolerance)
        self._states = states

    def __call__(self, dynamics: nn.Module, h0: Tensor) -> Tensor:
        self._check("starts from", h0)
        try:
            end = self._exact.solve(dynamics, h0)
        except SolverError as error:
            raise SolverError(f"{self._place}: {error}") from error
        self._check("ends in", end)
        self._states[self._position] = BlockStates(h0, end)
        return end.to(h0.dtype)

    def _check(self, what: str, state: Tensor) -> None:
        if not bool(torch.isfinite(state).all()):
            raise SolverError(
                f"{self._place} {what} a state that is not finite (NaN or infinite): "
                "the checkpoint is broken, train again with a lower learning rate"
            )


class _InFloat32(nn.Module):
    def __init__(self, dynamics: nn.Module) -> None:
        super().__init__()
        self.dynamics = dynamics

    def forward(self, t: Tensor, h: Tensor) -> Tensor:
        k: Tensor = self.dynamics(t.float(), h.float())
        return k.double()
