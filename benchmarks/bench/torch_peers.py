"""The torch peers under the engines' contract: eager with adaptive dopri5 as in the paper, eager unrolled, compiled."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from hemonode.benchmarks.bench.contestant import BASELINE, COMPILED, SOLVED_ADAPTIVELY, Contestant, Ground
from hemonode.benchmarks.bench.jobs import Worked, Working
from hemonode.benchmarks.bench.opening import bundle_of
from hemonode.benchmarks.bench.torch_network import (
    Answering,
    bundle_without_graphs,
    check_same_origin,
    heads_of,
    read_checkpoint,
    set_solvers,
)
from hemonode.errors import EngineError
from hemonode.runtime.bundle.reader import Bundle
from hemonode.runtime.engines.contract import Engine, Shape
from hemonode.runtime.prediction import Prediction
from hemonode.train.solvers import evaluations

Network = Callable[[Tensor], tuple[Tensor, Tensor]]


LEAST_AGREEMENT = 0.999
"""Share of mask pixels in which a compiled network must equal the eager one, which stands for its accuracy."""


class TorchEngine(Engine):
    """A network in torch, in fp32."""

    precision = "fp32"

    def __init__(self, name: str, network: Network, shape: Shape, where: torch.device) -> None:
        super().__init__(shape)
        self.name = name
        self.version = f"torch {torch.__version__}"
        self.device = _called(where)
        self.beside_cpu = where.type != "cpu"
        self._where = where
        self._network = network

    def _infer(self, frames: npt.NDArray[np.uint8]) -> Prediction:
        with torch.no_grad():
            class_ids, peaks = self._network(torch.from_numpy(frames).to(self._where))
        # On a GPU this waits for the answer, too.
        return Prediction(class_ids.cpu().numpy(), peaks.cpu().numpy())

    def _release(self) -> None:
        del self._network


def open_peer(contestant: Contestant, ground: Ground, bundle: Bundle, shape: Shape) -> TorchEngine:
    """Open a torch peer, or the baseline, for frames of one shape.

    Raises:
        CheckpointError: its checkpoint cannot be read, or is not the bundle's.
        EngineError: no checkpoint was given, or the setting cannot be solved in torch.
    """
    torch.set_num_threads(ground.threads)
    path = ground.baseline if contestant.engine == BASELINE else ground.checkpoint
    if path is None:
        raise EngineError(f"{contestant.engine} needs a checkpoint; give --checkpoint")
    checkpoint, model = read_checkpoint(path)
    if contestant.engine != BASELINE:
        check_same_origin(checkpoint, path, bundle.manifest)
    set_solvers(model, contestant, bundle)
    where = _fastest_device()
    network: Network = Answering(model, heads_of(checkpoint)).eval().to(where)
    if contestant.engine == COMPILED:
        network = Compiled(network, ground.scratch)
    return TorchEngine(contestant.engine, network, shape, where)


def _fastest_device() -> torch.device:
    """The GPU where there is one: beside TensorRT, torch on the CPU would be no peer."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    # fp32 shall be fp32, as in the other engines.
    torch.backends.cudnn.allow_tf32 = False
    return torch.device("cuda")


def _called(where: torch.device) -> str:
    if where.type == "cuda":
        return torch.cuda.get_device_name(where)
    return platform.processor() or platform.machine()


class Compiled:
    """A network under torch.compile. It compiles when it first runs; where it cannot, that run says why.

    Args:
        network: the eager one, which the first answer is compared with.
        scratch: folder for what is compiled.
    """

    def __init__(self, network: Network, scratch: Path) -> None:
        self._eager: Network | None = network
        self._compiled = _compile(network, scratch)

    def __call__(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """See `Answering`.

        Raises:
            EngineError: compiled and eager network disagree.
        """
        answer = self._compiled(frames)
        if self._eager is not None:
            same = float((answer[0] == self._eager(frames)[0]).float().mean())
            if same < LEAST_AGREEMENT:
                raise EngineError(f"torch.compile changed {1 - same:.2%} of the mask's pixels; its time means nothing")
            self._eager = None
        return answer


def _compile(network: Network, scratch: Path) -> Network:
    # The user's own cache would make the first compilation of a run look as short as a later one.
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(scratch / "inductor")
    # The counter of evaluations would have each run compiled anew for its new value.
    torch._dynamo.config.allow_unspec_int_on_nn_module = True
    optimised: Network = torch.compile(network)
    return optimised


def baseline_bundle(ground: Ground) -> Bundle:
    """Classes, thresholds and scale of the baseline's checkpoint.

    Raises:
        EngineError: there is none.
        CheckpointError: it cannot be used.
    """
    if ground.baseline is None:
        raise EngineError("there is no baseline; give --baseline")
    checkpoint, _ = read_checkpoint(ground.baseline)
    return bundle_without_graphs(checkpoint, ground.baseline.stem)


def count_work(job: Working) -> Worked:
    """Multiply-adds of all convolutions, and evaluations of f, when frames are solved one by one.

    Raises:
        HemonodeError: the contestant cannot be opened, or fails.
    """
    frames = np.load(job.frames)
    if job.contestant.engine not in SOLVED_ADAPTIVELY:
        # Fixed steps do the same in every frame.
        frames = frames[:1]
    bundle = bundle_of(job.contestant, job.ground)
    with open_peer(job.contestant, job.ground, bundle, (1, *frames.shape[1:3])) as engine:
        path = job.ground.baseline if job.contestant.engine == BASELINE else job.ground.checkpoint
        assert path is not None
        model = read_checkpoint(path)[1]
        evaluations(model)
        with MultiplyAdds(model) as counted:
            for frame in frames:
                engine.run(frame[None])
        calls = evaluations(model)
    return Worked(
        multiply_adds=counted.total / len(frames),
        evaluations={position: count / len(frames) for position, count in calls.items()},
    )


class MultiplyAdds:
    """Counts the multiply-adds of a network's convolutions while it runs. A context manager."""

    def __init__(self, model: nn.Module) -> None:
        self.total = 0
        convolutions = [module for module in model.modules() if isinstance(module, nn.Conv2d)]
        self._hooks = [convolution.register_forward_hook(self._count) for convolution in convolutions]

    def __enter__(self) -> MultiplyAdds:
        return self

    def __exit__(self, *_: object) -> None:
        for hook in self._hooks:
            hook.remove()

    def _count(self, convolution: nn.Module, _: object, output: Tensor) -> None:
        assert isinstance(convolution, nn.Conv2d)
        # Each output value is a sum over one kernel.
        self.total += output.numel() * convolution.weight[0].numel()
