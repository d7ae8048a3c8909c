"""What a plan was built from and for: two plans of equal keys are interchangeable."""

from __future__ import annotations

import hashlib

from pydantic import BaseModel, ConfigDict

from hemonode.runtime.plans.machine import Machine
from hemonode.runtime.plans.request import FrameShape

RECORD_SCHEMA = 1
"""Of the record beside a plan; raised when a field changes its meaning."""

BUILD_REVISION = 1
"""Raised when the build process makes another plan from the same request: plans of an earlier one are then rebuilt."""


class BuildOptions(BaseModel):
    """What a user may ask of TensorRT's builder; None is hemonode's or TensorRT's own choice."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    workspace_bytes: int | None = None
    optimisation_level: int | None = None


class Shapes(BaseModel):
    """The frames (N, H, W) that a plan takes: from `least` to `most`, fastest at `best`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    least: FrameShape
    best: FrameShape
    most: FrameShape

    @classmethod
    def fixed(cls, shape: FrameShape) -> Shapes:
        """Of one shape only."""
        return cls(least=shape, best=shape, most=shape)

    @property
    def is_static(self) -> bool:
        """Whether one shape is all the plan takes."""
        return self.least == self.most

    def cover(self, wanted: Shapes) -> bool:
        """Whether frames of all the wanted shapes can be given to such a plan."""
        return all(
            least <= wanted_least and wanted_most <= most
            for least, wanted_least, wanted_most, most in zip(
                self.least, wanted.least, wanted.most, self.most, strict=True
            )
        )

    def __str__(self) -> str:
        """As "1x224x288", or "1x128x128-4x512x512"."""
        return _joined(self.least) if self.is_static else f"{_joined(self.least)}-{_joined(self.most)}"


class PlanKey(BaseModel):
    """Everything that a plan depends on."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    onnx_sha256: str
    """Over the hashes of the graph and of the weight files that it names."""
    precision: str
    shapes: Shapes
    machine: Machine
    options: BuildOptions = BuildOptions()
    revision: int = BUILD_REVISION

    @property
    def name(self) -> str:
        """Of the plan's folder: what it is, then a hash of the whole key, short enough to type."""
        # The schema is in the hash: a later hemonode that means something else by a field keeps folders of its own.
        content = f"{RECORD_SCHEMA} {self.model_dump_json()}"
        return f"{self.precision}-{self.shapes}-{hashlib.sha256(content.encode()).hexdigest()[:10]}"

    def serves(self, wanted: PlanKey) -> bool:
        """Whether a plan of this key does what is wanted here and now, whatever the builder was told on the way."""
        return (
            self.misfit(wanted.machine) is None
            and (self.onnx_sha256, self.precision) == (wanted.onnx_sha256, wanted.precision)
            and self.shapes.cover(wanted.shapes)
        )

    def misfit(self, machine: Machine) -> str | None:
        """Why a plan of this key is not to be loaded on a machine; None: it may be."""
        if self.revision != BUILD_REVISION:
            return "this hemonode builds it differently"
        return machine.changes_since(self.machine) or None


def _joined(shape: FrameShape) -> str:
    return "x".join(str(side) for side in shape)
