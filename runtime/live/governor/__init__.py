"""Chooses the solver setting: the most accurate of the bundle's that keeps a target of latency or frame time."""

from hemonode.runtime.live.governor.governor import Governor

__all__ = ["Governor"]
