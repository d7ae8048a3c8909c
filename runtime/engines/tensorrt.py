"""TensorRT on an NVIDIA GPU or Jetson: runs plans that were built on the machine, in fp16 where the bundle has it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from hemonode.errors import EngineError
from hemonode.runtime.bundle.schema import Precision
from hemonode.runtime.engines.contract import Engine, Opening, Shape
from hemonode.runtime.engines.tensorrt_session import FASTEST, Context, Session, SessionOptions
from hemonode.runtime.gpu import open_gpu
from hemonode.runtime.gpu.gpu import Gpu
from hemonode.runtime.gpu.owner import GpuOwner
from hemonode.runtime.plans.key import Shapes
from hemonode.runtime.plans.machine import this_machine
from hemonode.runtime.plans.messages import Progress
from hemonode.runtime.plans.order import PlanOrder, order_plan, usual_precision
from hemonode.runtime.plans.store import Listener, PlanStore
from hemonode.runtime.prediction import Prediction


def open_engine(opening: Opening, options: SessionOptions = FASTEST) -> Engine:
    """See `hemonode.runtime.engines.open_engine`. Precision "auto" is fp16 where bundle and GPU are made for it.

    Args:
        opening: what to open.
        options: how frames reach the GPU; to measure with.

    Raises:
        EngineError: no TensorRT, no GPU, no plan and not allowed to build one, or a build or first run that failed.
    """
    machine = this_machine()
    precision = choose_precision(opening, machine.compute_capability)
    order = order_plan(opening.bundle, opening.setting, precision, Shapes.fixed(opening.shape), machine)
    remarks: list[str] = []
    listener = Listener(progress=_phases(opening.tell, order), remark=remarks.append)
    stored, plan = PlanStore().obtain(order, may_build=opening.may_build, listener=listener)
    return TensorRtEngine(
        lambda: _load(plan),
        opening.shape,
        precision=precision,
        version=f"TensorRT {machine.tensorrt}",
        device=machine.gpu,
        remarks=(*remarks, *stored.record.facts.remarks),
        options=options,
    )


def _phases(tell: Callable[[str], None], order: PlanOrder) -> Callable[[Progress], None]:
    """Tells each phase of a build once."""
    told: set[str] = set()

    def hear(progress: Progress) -> None:
        if progress.phase not in told:
            told.add(progress.phase)
            tell(f"TensorRT builds {order}, which takes minutes, once: {progress.phase}")

    return hear


def choose_precision(opening: Opening, compute_capability: str) -> Precision:
    """The precision of the graph to take.

    Raises:
        EngineError: it was asked for in one that no graph of the setting has.
    """
    graphs = opening.bundle.setting(opening.setting).graphs
    if opening.precision == "auto":
        return usual_precision(opening.bundle, opening.setting, compute_capability)
    for precision in graphs:
        if precision == opening.precision:
            return precision
    raise EngineError(
        f"TensorRT runs a graph in the precision it was exported in, and setting {opening.setting!r} has none in "
        f"{opening.precision}; ask for {' or '.join(graphs)}, or auto."
    )


class TensorRtEngine(Engine):
    """A plan in the hands of a thread of its own, which alone touches the GPU.

    Args:
        load: loads the plan; called in that thread.
        shape: (N, H, W) of the frames.
        precision: that the plan computes in.
        version: of TensorRT.
        device: the GPU's name.
        remarks: sentences that the user should see.
        options: how frames reach the GPU.
        take_gpu: opens the GPU; called in that thread.

    Raises:
        EngineError: see `Session`.
    """

    name = "tensorrt"
    beside_cpu = True

    def __init__(
        self,
        load: Callable[[], Context],
        shape: Shape,
        *,
        precision: str,
        version: str,
        device: str,
        remarks: tuple[str, ...] = (),
        options: SessionOptions = FASTEST,
        take_gpu: Callable[[], Gpu] = open_gpu,
    ) -> None:
        self.precision = precision
        self.version = version
        self.device = device
        self._owner = GpuOwner("tensorrt", lambda gpu: Session(gpu, load, shape, options), take_gpu)
        self.remarks = (*remarks, *self._owner.ask(lambda session: session.remarks))
        super().__init__(shape, batch_sizes=self._owner.ask(lambda session: session.batch_sizes))

    def _infer(self, frames: npt.NDArray[np.uint8]) -> Prediction:
        return self._owner.ask(lambda session: session.run(frames))

    def _release(self) -> None:
        self._owner.close()


def _load(plan: bytes) -> Context:
    # Here: it loads TensorRT when it is imported, after `tensorrt_version` has looked whether that is possible.
    from hemonode.runtime.engines.tensorrt_context import TensorRtContext

    return TensorRtContext(plan)
