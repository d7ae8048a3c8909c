"""A plan, loaded: the few calls that running it takes, each checked. One thread uses it."""

from __future__ import annotations

import numpy as np
import tensorrt as trt

from hemonode.errors import EngineError
from hemonode.runtime.engines.tensorrt_features import read_features
from hemonode.runtime.engines.tensorrt_log import SHARED_LOG
from hemonode.runtime.engines.tensorrt_session import Tensor

_DTYPES: dict[str, np.dtype[np.generic]] = {"UINT8": np.dtype(np.uint8), "FLOAT": np.dtype(np.float32)}


class TensorRtContext:
    """A deserialised plan with one execution context; see `tensorrt_session.Context`.

    Made only where this thread has a GPU open: without a driver TensorRT 8.6 crashes where later ones raise.

    Args:
        plan: checked bytes: TensorRT itself does not survive every damaged plan.

    Raises:
        EngineError: TensorRT lacks something needed, cannot load the plan, or has no memory for its activations.
    """

    def __init__(self, plan: bytes) -> None:
        version = read_features(trt).version
        self._runtime = SHARED_LOG.make(trt.Runtime, version)
        engine = self._runtime.deserialize_cuda_engine(plan)
        if engine is None:
            raise SHARED_LOG.explain(f"TensorRT {version} cannot load the engine", "build it again: hemonode build")
        context = engine.create_execution_context()
        if context is None:
            raise SHARED_LOG.explain(f"TensorRT {version} cannot prepare the engine to run", "restart the program")
        self._engine = engine
        self._context = context
        self._refused = f"TensorRT {version} refused"

    def tensors(self) -> tuple[Tensor, ...]:
        """Inputs and outputs; sizes that are not fixed are -1."""
        engine = self._engine
        names = [engine.get_tensor_name(place) for place in range(engine.num_io_tensors)]
        return tuple(
            Tensor(
                name=name,
                is_input=engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT,
                shape=tuple(engine.get_tensor_shape(name)),
                dtype=self._dtype(name),
            )
            for name in names
        )

    def batch_range(self, name: str) -> tuple[int, int]:
        """Fewest and most frames that an input takes."""
        least, _, most = self._engine.get_tensor_profile_shape(name, 0)
        return least[0], most[0]

    def set_shape(self, name: str, shape: tuple[int, ...]) -> None:
        """Say how large an input will be."""
        SHARED_LOG.forget()
        if not self._context.set_input_shape(name, shape):
            raise SHARED_LOG.explain(f"{self._refused} {name} of {shape}", "open an engine for that size")

    def shape(self, name: str) -> tuple[int, ...]:
        """How large a tensor is now that the inputs' shapes are set."""
        return tuple(self._context.get_tensor_shape(name))

    def bind(self, name: str, pointer: int) -> None:
        """Say where on the device a tensor lies."""
        SHARED_LOG.forget()
        if not self._context.set_tensor_address(name, pointer):
            raise SHARED_LOG.explain(f"{self._refused} an address for {name}", "build the engine again")

    def execute(self, stream: int) -> None:
        """Put one run on a stream."""
        SHARED_LOG.forget()
        if not self._context.execute_async_v3(stream):
            raise SHARED_LOG.explain(
                f"{self._refused} to run", "start the program again; if it comes back, build the engine again"
            )

    def close(self) -> None:
        """Give its memory back: context, then engine, then runtime, since each lives on the next."""
        del self._context
        del self._engine
        del self._runtime

    def _dtype(self, name: str) -> np.dtype[np.generic]:
        told = self._engine.get_tensor_dtype(name).name
        if told not in _DTYPES:
            raise EngineError(f"The built engine's {name} is {told}, as in none of hemonode's graphs; build it again.")
        return _DTYPES[told]
