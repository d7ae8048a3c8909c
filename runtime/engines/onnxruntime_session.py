"""Sessions of ONNX Runtime that say what is wrong instead of running on something else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import onnxruntime

from hemonode.errors import EngineError

VERSION = f"ONNX Runtime {onnxruntime.__version__}"

Provider = str | tuple[str, Mapping[str, str]]


def session_options(threads: int | None) -> onnxruntime.SessionOptions:
    """Options for `open_session`; `threads` of the CPU, None leaves them to the library."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    if threads is not None:
        options.intra_op_num_threads = threads
    return options


def open_session(
    graph: Path, options: onnxruntime.SessionOptions, providers: Sequence[Provider]
) -> onnxruntime.InferenceSession:
    """Open a graph.

    Raises:
        EngineError: the graph or a provider's options are refused.
    """
    try:
        # Without this the library prints a banner and takes another provider.
        return onnxruntime.InferenceSession(graph, options, providers=providers, enable_fallback=0)
    except Exception as error:  # the library's types have no common base
        raise EngineError(f"ONNX Runtime cannot open {graph}: {error}") from error
