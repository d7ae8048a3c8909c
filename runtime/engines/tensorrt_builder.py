"""Builds one plan with TensorRT and has its inspector prove what it computes in. In the build process alone."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable

import tensorrt as trt

from hemonode.errors import EngineError
from hemonode.runtime.engines.tensorrt_config import load_timing_cache, save_timing_cache, set_flags, watch_progress
from hemonode.runtime.engines.tensorrt_facts import check_version, workspace_cap
from hemonode.runtime.engines.tensorrt_features import Features, builder_flags, read_features
from hemonode.runtime.engines.tensorrt_inspect import BuiltLayer, check_precision, count_layers, doubts, read_layers
from hemonode.runtime.engines.tensorrt_log import Log
from hemonode.runtime.engines.tensorrt_network import Expected, add_profile, expectations, parse_network
from hemonode.runtime.engines.tensorrt_progress import CANCELLED, PhaseTree, Stop
from hemonode.runtime.engines.tensorrt_types import constrain_layers, read_types
from hemonode.runtime.gpu import gpu_facts
from hemonode.runtime.plans.files import cannot_write
from hemonode.runtime.plans.messages import BuiltFacts, Progress
from hemonode.runtime.plans.request import BuildRequest


def build_plan(request: BuildRequest, tell: Callable[[Progress], None], stop: Stop) -> BuiltFacts:
    """Build a plan, prove its precision, and write it where the request wants it.

    Args:
        request: what to build.
        tell: takes the progress.
        stop: asked between two steps, where this TensorRT can.

    Raises:
        EngineError: no driver, a graph that cannot be parsed, no memory, another precision than asked for, a full disk,
            or cancelled.
    """
    started = time.monotonic()
    check_version(trt.__version__)
    features = read_features(trt)
    log = Log(verbose=request.verbose)
    plan, expected, remarks = _build(request, features, log, tell, stop)
    tell(Progress(phase="checking the plan's precision", step=0, steps=0))
    layers, memory = _inspect(plan, request, expected, log)
    _write(plan, request)
    return BuiltFacts(
        tensorrt=features.version,
        seconds=round(time.monotonic() - started, 1),
        plan_bytes=len(plan),
        layers=count_layers(layers),
        device_memory_bytes=memory,
        peak_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        remarks=(*remarks, *doubts(layers, expected.others)),
    )


def _build(
    request: BuildRequest, features: Features, log: Log, tell: Callable[[Progress], None], stop: Stop
) -> tuple[bytes, Expected, tuple[str, ...]]:
    """The plan in memory. Builder, network and their copies of the weights are gone when this returns."""
    workspace = request.workspace_bytes or _workspace()
    builder = log.make(trt.Builder, features.version)
    tell(Progress(phase="reading the graph", step=0, steps=0))
    network = parse_network(builder, request, features, log)
    types = read_types(network)
    flags = builder_flags(features, request.precision, frozenset(types.values()))
    expected = expectations(network, features.typing)
    if flags.constrain_layers:
        constrain_layers(network, types, trt.DataType)
    config = builder.create_builder_config()
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, workspace)
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED
    if request.optimisation_level is not None:
        config.builder_optimization_level = request.optimisation_level
    set_flags(config, flags)
    add_profile(builder, network, config, request)
    remarks = load_timing_cache(config, request.timing_cache)
    if features.progress_monitor:
        watch_progress(config, PhaseTree(tell), stop)
    tell(Progress(phase="choosing kernels", step=0, steps=0))
    log.forget()
    plan = builder.build_serialized_network(network, config)
    # Times that were measured before a failure or a cancel are right, too.
    remarks = (*remarks, *save_timing_cache(config, request.timing_cache))
    if stop.asked:
        raise EngineError(CANCELLED)
    if plan is None:
        raise log.explain(
            f"TensorRT {features.version} could not build {request.graph.name} for frames of {request.shape_opt}",
            "try --precision fp32 or another --workspace-mib; --verbose keeps its whole log",
        )
    # Its bindings up to 10.3 read a buffer without Python's lock, which only `bytes` bear while other threads run.
    return bytes(plan), expected, remarks


def _workspace() -> int:
    facts = gpu_facts()
    return workspace_cap(facts.free_bytes, integrated=facts.integrated)


def _inspect(plan: bytes, request: BuildRequest, expected: Expected, log: Log) -> tuple[tuple[BuiltLayer, ...], int]:
    """The layers of the plan, proven to compute in what was asked for, and the memory of one context in bytes."""
    engine = log.make(trt.Runtime, trt.__version__).deserialize_cuda_engine(plan)
    if engine is None:
        raise log.explain("TensorRT cannot load the plan that it just built", "build it again with more memory free")
    layers = read_layers(engine.create_engine_inspector().get_engine_information(trt.LayerInformationFormat.JSON))
    check_precision(layers, request.precision, expected.convolutions)
    memory = engine.device_memory_size_v2 if hasattr(engine, "device_memory_size_v2") else engine.device_memory_size
    return layers, memory


def _write(plan: bytes, request: BuildRequest) -> None:
    try:
        with request.plan.open("wb") as file:
            file.write(plan)
    except OSError as error:
        raise cannot_write(request.plan.parent, error) from error
