"""What a plan is tied to: this GPU, its driver, and the CUDA and TensorRT that run on it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

_SPOKEN = {
    "gpu": "GPU",
    "compute_capability": "compute capability",
    "tensorrt": "TensorRT",
    "cuda": "CUDA",
    "driver": "driver",
}


class Machine(BaseModel):
    """A plan runs where all of these are as they were when it was built."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    gpu: str
    compute_capability: str
    tensorrt: str
    cuda: str
    driver: str

    def changes_since(self, earlier: Machine) -> str:
        """What is different now: "TensorRT was 10.3.0 and is 10.7.0"; empty where nothing is."""
        before, now = earlier.model_dump(), self.model_dump()
        return ", ".join(
            f"{spoken} was {before[name]} and is {now[name]}"
            for name, spoken in _SPOKEN.items()
            if before[name] != now[name]
        )


def this_machine() -> Machine:
    """The first GPU and what drives it.

    Raises:
        EngineError: no GPU, no driver, no TensorRT, or one that hemonode cannot use.
    """
    # They look for drivers and libraries: only where somebody asks.
    from hemonode.runtime.engines.tensorrt_facts import tensorrt_version
    from hemonode.runtime.gpu import gpu_facts, require_nvidia_gpu

    require_nvidia_gpu()
    # Then the package: without it nobody wants to know about the driver.
    tensorrt = tensorrt_version()
    gpu = gpu_facts()
    return Machine(
        gpu=gpu.name,
        compute_capability=gpu.compute_capability,
        tensorrt=tensorrt,
        cuda=gpu.runtime_version,
        driver=gpu.driver_version,
    )
