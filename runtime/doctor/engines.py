"""Checks of the engines: which one `auto` takes, why not another, and what is built already."""

from __future__ import annotations

from collections.abc import Iterator

from hemonode.device.host.nvidia import has_nvidia_gpu
from hemonode.runtime.doctor.finding import Facts, Finding, green, red, yellow
from hemonode.runtime.doctor.machine import Machine

_FOR_GPUS = ("tensorrt", "cuda")


def auto(machine: Machine) -> Iterator[Finding]:
    """The engine that `auto` takes, one line for each better one that it passed over."""
    answer = machine.ask("auto")
    if answer.facts is None:
        yield red(f"The shipped model does not run: {answer.why_not}.", "See what is red above.")
        return
    facts = answer.facts
    yield green(
        f"`auto` takes {facts['engine']} in {facts['precision']} ({facts['version']} on {facts['device']}).",
        **{name: facts[name] for name in ("engine", "precision", "version", "device")},
    )
    for reason in facts["passed_over"]:
        engine = reason.partition(":")[0]
        if engine in _FOR_GPUS and not has_nvidia_gpu(machine.root):
            yield green(f"{engine} was passed over: no NVIDIA GPU.", passed_over=engine)
        else:
            yield yellow(f"{engine} was passed over.", reason.partition(": ")[2], passed_over=engine)
    for remark in facts["remarks"]:
        yield yellow(remark, "It works as it is.")


def plans(machine: Machine) -> Iterator[Finding]:
    """The cache of engines that were built here."""
    answer = machine.ask("plans")
    if answer.facts is None:
        yield red(f"The cache of built engines cannot be read: {answer.why_not}.", "Run: hemonode engines list")
        return
    names, faults = answer.facts["plans"], answer.facts["faults"]
    facts: Facts = {"folder": answer.facts["folder"], "plans": len(names), "bytes": answer.facts["bytes"]}
    size = f"{answer.facts['bytes'] / 1e6:.0f} MB in {answer.facts['folder']}"
    if names:
        yield green(f"{len(names)} built engine{'s' if len(names) > 1 else ''}, {size}.", **facts)
    elif has_nvidia_gpu(machine.root) and machine.ask("tensorrt").facts is not None:
        yield yellow("No TensorRT engine has been built yet.", "Run: hemonode build", **facts)
    else:
        yield green("No engine has been built, and none needs to be.", **facts)
    for name, fault in faults.items():
        yield yellow(f"The built engine {name} does not run here: {fault}.", "Run: hemonode engines clean", plan=name)
