"""What the graph must answer, computed by torch: the network, then masks and peaks in plain tensor operations."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from hemonode.errors import SolverError
from hemonode.export.frames import PreparedFrame
from hemonode.export.graph.outputs import PEAK_MARGIN
from hemonode.export.graph.writer import Heads
from hemonode.export.settings import integrating
from hemonode.runtime.prediction import Prediction
from hemonode.train.models.integrators import Adaptive
from hemonode.train.models.ode_block import ODEBlock
from hemonode.train.models.table import ode_blocks

REFERENCE_SHARE = 0.01
"""The reference solves each block at this share of its tolerance."""


@dataclass(frozen=True)
class BlockStates:
    """One ODE block on one picture: h(0), and the reference's h(1), float64 [1, C, H, W]."""

    start: Tensor
    end: Tensor


def stride_of(frame: PreparedFrame, states: BlockStates) -> int:
    """Input pixels per pixel of a block's state."""
    return int(frame.pixels.shape[1]) // int(states.start.shape[-1])


@dataclass(frozen=True)
class AdaptiveAnswer:
    """What the network says of one picture when every block is solved adaptively at its own tolerance."""

    frame: PreparedFrame
    prediction: Prediction
    blocks: dict[int, BlockStates]

    def stride(self, position: int) -> int:
        """Input pixels per pixel of a block's state."""
        return stride_of(self.frame, self.blocks[position])


def predict(model: nn.Module, frame: PreparedFrame, heads: Heads) -> Prediction:
    """The network's answer for one frame, with whatever integrators are in place."""
    with torch.no_grad():
        pixels = torch.from_numpy(frame.pixels).permute(2, 0, 1)[None].float()
        outputs = model(pixels)
        logits = functional.interpolate(outputs.logits, scale_factor=float(heads.mask_scale), mode="bilinear")
        class_ids = logits.argmax(1).to(torch.uint8)
        return Prediction(class_ids.numpy(), peaks_of(outputs.heat_logits, heads).numpy())


def peaks_of(heat_logits: Tensor, heads: Heads) -> Tensor:
    """The best local maxima of heat logits [N, K, h, w]: float32 [N, rows, 4], as `Prediction.peaks`."""
    scores = heat_logits.float().sigmoid()
    is_peak = scores >= functional.max_pool2d(scores, 3, stride=1, padding=1) - PEAK_MARGIN
    best, places = torch.where(is_peak, scores, 0).flatten(1).topk(heads.peaks)
    height, width = scores.shape[-2:]
    channel, row, column = places // (height * width), places // width % height, places % width
    class_ids = torch.tensor(heads.countable_ids, dtype=torch.float32, device=channel.device)[channel]
    x, y = ((index + 0.5) * heads.heat_stride for index in (column, row))
    return torch.stack([class_ids, x, y, best], dim=-1)


def adaptive_answer(model: nn.Module, frame: PreparedFrame, heads: Heads, finest: float = math.inf) -> AdaptiveAnswer:
    """Solve one frame adaptively, alone: torchdiffeq's error norm is taken over the whole batch.

    The reference states are solved at a hundredth of each block's own tolerance, or of `finest` where that is finer.

    Raises:
        SolverError: a block cannot be solved; the sentence names it and the picture.
    """
    starts: dict[int, Tensor] = {}

    def keep(block: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(block, ODEBlock)
        starts[block.position] = inputs[0]

    blocks = ode_blocks(model)
    hooks = [block.register_forward_pre_hook(keep) for block in blocks]
    try:
        with integrating(model, {block.position: Adaptive(block.tolerance) for block in blocks}):
            prediction = predict(model, frame, heads)
        states = {b.position: _reference_states(b, starts[b.position], min(b.tolerance, finest)) for b in blocks}
    except SolverError as error:
        raise SolverError(f"ODE block {list(starts)[-1]} on {frame.name}: {error}") from error
    finally:
        for hook in hooks:
            hook.remove()
    return AdaptiveAnswer(frame, prediction, states)


def _reference_states(block: ODEBlock, start: Tensor, tolerance: float) -> BlockStates:
    # In float32 a hundredth of 1e-6 lies below rounding, and the step size would collapse.
    dynamics = copy.deepcopy(block.dynamics).double()
    start = start.double()
    with torch.no_grad():
        return BlockStates(start, Adaptive(tolerance * REFERENCE_SHARE)(dynamics, start))
