"""What the build process is asked for: one JSON object on its standard input."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hemonode.runtime.bundle.schema import Precision

Side = Annotated[int, Field(gt=0)]
FrameShape = tuple[Side, Side, Side]
"""(N, H, W) of the frames."""


class BuildRequest(BaseModel):
    """One plan to build. Paths are absolute: the process works in a folder of its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    graph: Path
    """The ONNX graph; its external weights lie beside it."""
    precision: Precision
    """Of the graph; layers that silently compute in another one make the build fail."""
    shape_min: FrameShape
    shape_opt: FrameShape
    shape_max: FrameShape
    """All three equal: static shapes, no profile is needed."""
    workspace_bytes: int | None = Field(default=None, gt=0)
    """Cap of TensorRT's workspace; None leaves a share of the free memory."""
    optimisation_level: int | None = Field(default=None, ge=0, le=5)
    """TensorRT's builder optimisation level; None is its own default."""
    timing_cache: Path
    """Of this device and TensorRT version; read where it exists, replaced atomically after the build."""
    plan: Path
    """Where the plan is to be written; in a folder that exists, of which nobody else knows."""
    verbose: bool = False
    """TensorRT's full log on standard error."""

    @property
    def is_static(self) -> bool:
        """Whether one frame shape is all the plan takes."""
        return self.shape_min == self.shape_opt == self.shape_max

    @model_validator(mode="after")
    def _ordered(self) -> BuildRequest:
        for least, best, most in zip(self.shape_min, self.shape_opt, self.shape_max, strict=True):
            if not least <= best <= most:
                raise ValueError("shapes must satisfy min ≤ opt ≤ max in N, H and W")
        return self
