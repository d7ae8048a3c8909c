"""What TensorRT's inspector shows of a plan: which layers there are, and what they compute in.

The JSON is that of `EngineInspector.get_engine_information` for a plan built with detailed profiling verbosity. Its
list of layers has the same fields from 8.6 to 11: "Name", "LayerType", "Inputs" and "Outputs", and each of those "Name"
and "Format/Datatype", in words ("Channel major FP16 format where channel % 8 == 0") or, for compiled layers, as "Half".
"Metadata" names the layers of the graph that went into one. Version 11 renamed "Bindings" to "I/O Tensors", which
nothing here reads.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hemonode.errors import EngineError
from hemonode.runtime.bundle.schema import Precision

_TOKEN = re.compile(r"\b(bfloat16|bf16|float16|fp16|half|float32|fp32|float|u?int8|int32|int64|bool)\b", re.IGNORECASE)
_SPOKEN = {
    "bfloat16": "bf16",
    "float16": "fp16",
    "half": "fp16",
    "float32": "fp32",
    "float": "fp32",
}
_TYPE_FIELDS = ("Format/Datatype", "Datatype", "DataType", "Format")
_COMPUTED = ("int8", "fp16", "bf16", "fp32")
_AS_SHOWN = {"HALF": "fp16", "FLOAT": "fp32", "INT8": "int8"}

# They move, convert or hold data; their names quote the layer they serve.
_MOVING = frozenset({"reformat", "noop", "constant", "signal", "wait"})
_METADATA = re.compile(r"\[ONNX Layer: ([^\]]+)\]")
# Fused layers join names with "+" or "||", or list them: "PWN(a, b)", "{ForeignNode[a...b]}".
_JOINTS = re.compile(r"\s*\+\s*|\s*\|\|\s*|\.\.\.|[\s(),\[\]{}]+")

_MOST_NAMED = 5


@dataclass(frozen=True)
class BuiltLayer:
    """One layer of a plan.

    Attributes:
        name: as the inspector calls it.
        kind: "CaskConvolution", "Reformat", "kgen", …
        holds: names of the graph's layers that went into it.
        takes: types of its inputs, as far as they are told: "fp16", "fp32", "int8", "uint8", "int32", …
        gives: types of its outputs.
        weights: type of its weights; empty where that is not told apart.
        constants: types of what a compiled layer holds, its weights among them.
        tactic: name of the kernel; empty where it is not told.
    """

    name: str
    kind: str
    holds: frozenset[str]
    takes: tuple[str, ...]
    gives: tuple[str, ...]
    weights: str
    constants: tuple[str, ...]
    tactic: str

    @property
    def precision(self) -> str:
        """What it computes in: the first of its inputs that says so, else an output; "other" for indices and shapes."""
        return next((shown for shown in (*self.takes, *self.gives) if shown in _COMPUTED), "other")

    def may_compute_in(self, precision: str) -> bool:
        """Whether anything shows it: the weights where they are told, since casts may be fused into a convolution."""
        return precision == self.weights if self.weights else precision in (*self.takes, *self.gives, *self.constants)

    @property
    def moves(self) -> bool:
        """Whether it only moves or converts data."""
        return self.kind.lower() in _MOVING


def read_layers(information: str) -> tuple[BuiltLayer, ...]:
    """The layers of a plan.

    Raises:
        EngineError: the text is not what the inspector of any known version writes, or shows names alone.
    """
    try:
        # Metadata is joined with control characters, which not every version escapes.
        entries = json.loads(information, strict=False)["Layers"]
        return tuple(_layer(entry) for entry in entries)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise EngineError(
            f"TensorRT's inspector describes this plan in a way that hemonode cannot read ({error!r}), so nothing "
            "proves its precision; install TensorRT 8.6 to 11, or a newer hemonode."
        ) from error


def count_layers(layers: tuple[BuiltLayer, ...]) -> dict[str, int]:
    """Layers by what they compute in, those that only move data left out: {"fp16": 41, "fp32": 12}."""
    return dict(Counter(layer.precision for layer in layers if not layer.moves).most_common())


def check_precision(layers: tuple[BuiltLayer, ...], precision: Precision, convolutions: Mapping[str, str]) -> None:
    """Refuse a plan whose convolutions do not compute in what the graph says.

    Args:
        layers: as built.
        precision: that was asked for.
        convolutions: what each convolution of the graph computes in, names of DataType by the layer's name.

    Raises:
        EngineError: the sentence names the layers.
    """
    computing = [layer for layer in layers if not layer.moves]
    if faults := [*_wrong_convolutions(computing, convolutions), *_with_tf32(computing)]:
        raise EngineError(
            f"TensorRT built layers in another precision than the {precision} graph has: {_named(faults)}; build in "
            "fp32, or install another TensorRT."
        )
    _check_seen(computing, precision, convolutions)


def doubts(layers: tuple[BuiltLayer, ...], wanted: Mapping[str, str]) -> tuple[str, ...]:
    """A sentence where layers show none of the types of what went into them, else nothing.

    Fused with casts a layer may compute in fp32 and take and give fp16 alone, so this proves no fault; what an engine
    answers is compared with fp32 before it is used.

    Args:
        layers: as built.
        wanted: what layers of the graph compute in, names of DataType by the layer's name.
    """
    found = [layer.name for layer in layers if not layer.moves and not _shows(layer, wanted)]
    if not found:
        return ()
    return (f"TensorRT shows no proof that these layers compute in the graph's precision: {_named(found)}.",)


def _layer(entry: Mapping[str, Any]) -> BuiltLayer:
    name, metadata = str(entry["Name"]), str(entry.get("Metadata", ""))
    return BuiltLayer(
        name=name,
        kind=str(entry["LayerType"]),
        holds=frozenset({*_JOINTS.split(name), *_METADATA.findall(metadata)} - {""}),
        takes=_types(entry.get("Inputs")),
        gives=_types(entry.get("Outputs")),
        weights=_told(str(dict(entry.get("Weights") or {}).get("Type", ""))),
        constants=_types(entry.get("Constants")),
        tactic=str(entry.get("TacticName", "")),
    )


def _types(tensors: object) -> tuple[str, ...]:
    if not isinstance(tensors, list):
        return ()
    return tuple(found for tensor in tensors if (found := _type(tensor)))


def _type(tensor: Mapping[str, object]) -> str:
    return _told(" ".join(str(tensor.get(field, "")) for field in _TYPE_FIELDS))


def _told(words: str) -> str:
    """The type that some words tell; empty where they tell none."""
    match = _TOKEN.search(words)
    if match is None:
        return ""
    token = match[1].lower()
    return _SPOKEN.get(token, token)


def _wrong_convolutions(layers: list[BuiltLayer], convolutions: Mapping[str, str]) -> Iterator[str]:
    """Convolutions that are seen, but nowhere in their type."""
    for name, dtype in convolutions.items():
        holding = [layer for layer in layers if name in layer.holds]
        shown = _AS_SHOWN.get(dtype, dtype)
        if holding and not any(layer.may_compute_in(shown) for layer in holding):
            yield f"{name} (in {holding[0].name})" if holding[0].name != name else name


def _shows(layer: BuiltLayer, wanted: Mapping[str, str]) -> bool:
    types = {_AS_SHOWN.get(wanted[name], wanted[name]) for name in layer.holds if name in wanted}
    return not types or bool(types & {*layer.takes, *layer.gives})


def _named(layers: list[str]) -> str:
    more = f" and {len(layers) - _MOST_NAMED} more" if len(layers) > _MOST_NAMED else ""
    return f"{', '.join(layers[:_MOST_NAMED])}{more}"


def _with_tf32(layers: list[BuiltLayer]) -> Iterator[str]:
    return (f"{layer.name} (TF32)" for layer in layers if "tf32" in layer.tactic.lower())


def _check_seen(layers: list[BuiltLayer], precision: Precision, convolutions: Mapping[str, str]) -> None:
    """At least one layer must prove the precision: a plan that shows none may be anything."""
    shown = {_AS_SHOWN.get(dtype, dtype) for dtype in convolutions.values()}
    if precision not in shown or not any(layer.may_compute_in(precision) for layer in layers):
        raise EngineError(
            f"TensorRT's inspector shows no layer that computes in {precision} "
            f"(it shows: {', '.join(sorted({layer.precision for layer in layers})) or 'nothing'}); build in fp32, or "
            "install another TensorRT."
        )
