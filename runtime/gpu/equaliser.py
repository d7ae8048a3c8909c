"""Contrast equalisation on the GPU for callers in any thread."""

from __future__ import annotations

from hemonode.runtime.bundle.schema import PreprocessingRecord
from hemonode.runtime.gpu.clahe import SOURCE, Clahe, Pixels
from hemonode.runtime.gpu.gpu import Gpu
from hemonode.runtime.gpu.kernels import CompiledKernels
from hemonode.runtime.gpu.owner import GpuOwner


class CudaEqualiser:
    """`hemonode.runtime.preprocess.equalise` on the GPU, in a thread of its own.

    Args:
        preprocessing: from the bundle.

    Raises:
        EngineError: no GPU, or nothing to compile for it with.
    """

    def __init__(self, preprocessing: PreprocessingRecord) -> None:
        def build(gpu: Gpu) -> Clahe:
            return Clahe(gpu, CompiledKernels(gpu, SOURCE.read_text(encoding="ascii")), preprocessing)

        self._owner = GpuOwner("equaliser", build)

    def __call__(self, pixels: Pixels, /) -> Pixels:
        """See `hemonode.runtime.preprocess.equalise`.

        Raises:
            EngineError: the GPU failed, or this was closed.
        """
        return self._owner.ask(lambda clahe: clahe(pixels))

    def close(self) -> None:
        """Give back what it took. To be called once."""
        self._owner.close()
