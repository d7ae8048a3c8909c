"""What this TensorRT can do, read from its module, and the flags that follow: no list of versions."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from types import ModuleType
from typing import Literal

from hemonode.errors import EngineError
from hemonode.runtime.bundle.schema import Precision

Typing = Literal["strong", "weak"]
"""Strong: every tensor has the type that the graph gives it. Weak: TensorRT chooses, within what the flags allow."""

# What there is no way around, in every version from 8.6 on; a later one that drops any is refused by name.
NEEDED = (
    "Builder.build_serialized_network",
    "Builder.create_builder_config",
    "Builder.create_network",
    "Builder.create_optimization_profile",
    "DataType.HALF",
    "DataType.FLOAT",
    "DataType.UINT8",
    "EngineInspector.get_engine_information",
    "IBuilderConfig.builder_optimization_level",
    "IBuilderConfig.set_memory_pool_limit",
    "IBuilderConfig.profiling_verbosity",
    "ICudaEngine.create_engine_inspector",
    "ICudaEngine.create_execution_context",
    "ICudaEngine.get_tensor_name",
    "IExecutionContext.execute_async_v3",
    "IExecutionContext.set_input_shape",
    "IExecutionContext.set_tensor_address",
    "ILogger.log",
    "LayerInformationFormat.JSON",
    "MemoryPoolType.WORKSPACE",
    "OnnxParser.parse_from_file",
    "ProfilingVerbosity.DETAILED",
    "Runtime.deserialize_cuda_engine",
)

# Kernels of other libraries, which a plan would then need where it runs; off by default in later versions, gone in 11.
_FOREIGN_TACTICS = ("CUBLAS", "CUBLAS_LT", "CUDNN")


@dataclass(frozen=True)
class Features:
    """What one TensorRT offers.

    Attributes:
        version: "10.3.0".
        explicit_batch: networks must be told that they have a batch dimension (before 10).
        strong_flag: a network can be told to be strongly typed (from 10 on).
        layer_precision: layers can be told what to compute in, and be made to obey (before 11).
        fp16_flag: FP16 must be allowed before a weakly typed network may use it (before 11).
        int8_flag: the same for INT8.
        tf32_flag: TF32 is on unless it is switched off.
        progress_monitor: the builder reports its steps and can be stopped between them (from 10 on).
        parser_names_nodes: the parser's errors tell the node's name (from 10 on).
        foreign_tactics: kernels of other libraries that can be switched off.
    """

    version: str
    explicit_batch: bool
    strong_flag: bool
    layer_precision: bool
    fp16_flag: bool
    int8_flag: bool
    tf32_flag: bool
    progress_monitor: bool
    parser_names_nodes: bool
    foreign_tactics: tuple[str, ...]

    @property
    def typing(self) -> Typing:
        """Strong where it can be had. Without the flag and without precisions to set, nothing but strong is left."""
        return "strong" if self.strong_flag or not self.layer_precision else "weak"


@dataclass(frozen=True)
class BuilderFlags:
    """What to tell the builder, by the names of TensorRT's members.

    Attributes:
        switch_on: of BuilderFlag.
        switch_off: of BuilderFlag.
        constrain_layers: every layer is to be told its precision and output types.
        tactics_off: of TacticSource.
    """

    switch_on: tuple[str, ...]
    switch_off: tuple[str, ...]
    constrain_layers: bool
    tactics_off: tuple[str, ...]


def read_features(tensorrt: ModuleType) -> Features:
    """Look at what the module has.

    Raises:
        EngineError: it lacks something that hemonode cannot do without.
    """
    has = _Looker(tensorrt)
    if missing := [path for path in NEEDED if not has(path)]:
        raise EngineError(
            f"TensorRT {tensorrt.__version__} lacks {', '.join(missing)}, which hemonode uses; "
            "install TensorRT 8.6 to 11, or a newer hemonode."
        )
    return Features(
        version=str(tensorrt.__version__),
        explicit_batch=has("NetworkDefinitionCreationFlag.EXPLICIT_BATCH"),
        strong_flag=has("NetworkDefinitionCreationFlag.STRONGLY_TYPED"),
        layer_precision=has("ILayer.precision") and has("BuilderFlag.OBEY_PRECISION_CONSTRAINTS"),
        fp16_flag=has("BuilderFlag.FP16"),
        int8_flag=has("BuilderFlag.INT8"),
        tf32_flag=has("BuilderFlag.TF32"),
        progress_monitor=has("IProgressMonitor.step_complete") and has("IBuilderConfig.progress_monitor"),
        parser_names_nodes=has("ParserError.node_name"),
        foreign_tactics=tuple(name for name in _FOREIGN_TACTICS if has(f"TacticSource.{name}")),
    )


def network_flags(features: Features) -> tuple[str, ...]:
    """Members of NetworkDefinitionCreationFlag for a network that keeps the types of its graph where it can."""
    flags = {"EXPLICIT_BATCH": features.explicit_batch, "STRONGLY_TYPED": features.strong_flag}
    return tuple(name for name, there in flags.items() if there)


def builder_flags(features: Features, precision: Precision, types: Set[str]) -> BuilderFlags:
    """How a graph is to be built.

    TF32 is off for every precision: what an fp16 graph keeps in fp32 is there because it needs the digits, and the plan
    that was verified is the plan that runs.

    Args:
        features: of the TensorRT at hand.
        precision: that the graph was written for.
        types: of the graph's tensors, by the names of DataType.

    Raises:
        EngineError: the graph is not of that precision, or this TensorRT cannot be made to keep its types.
    """
    _check_types(precision, types)
    weak = features.typing == "weak"
    return BuilderFlags(
        switch_on=_permissions(features, types) if weak else (),
        switch_off=("TF32",) if features.tf32_flag else (),
        constrain_layers=weak and "HALF" in types,
        tactics_off=features.foreign_tactics,
    )


def _check_types(precision: Precision, types: Set[str]) -> None:
    needed = {"fp32": "FLOAT", "fp16": "HALF", "int8": "INT8"}[precision]
    if needed not in types:
        raise EngineError(
            f"This graph was to be {precision} but has no tensor of that type (only {', '.join(sorted(types))}); "
            "export the bundle again."
        )
    if precision == "fp32" and types & {"HALF", "INT8", "BF16"}:
        raise EngineError("This graph was to be fp32 but holds tensors of lower precision; export the bundle again.")


def _permissions(features: Features, types: Set[str]) -> tuple[str, ...]:
    """What a weakly typed network must be allowed so that it can have the graph's types, and told so that it has them.

    INT8 needs no constraint: only layers between the graph's own quantise and dequantise nodes may compute in it.
    """
    wanted = {"INT8": features.int8_flag} if "INT8" in types else {}
    if "HALF" in types:
        wanted["FP16"] = features.fp16_flag
    if missing := [name for name, there in wanted.items() if not there]:
        raise EngineError(
            f"TensorRT {features.version} is weakly typed but has no {missing[0]} flag, so it would compute in fp32; "
            "build in fp32, or install TensorRT 10 or 11."
        )
    return (*wanted, "OBEY_PRECISION_CONSTRAINTS") if "HALF" in types else tuple(wanted)


class _Looker:
    """Whether a module has `Class.member`."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module

    def __call__(self, path: str) -> bool:
        name, _, member = path.partition(".")
        return hasattr(getattr(self._module, name, None), member)
