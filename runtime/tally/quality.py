"""Whether cells can be judged in a picture: in focus, well lit, not burnt out, not empty, at the right scale."""

from __future__ import annotations

from collections.abc import Sequence

from hemonode.runtime.bundle.schema import ClassRecord
from hemonode.runtime.live.result import Result
from hemonode.runtime.live.status import QualityStatus


class Quality:
    """Judges pictures one after another."""

    def __init__(self, classes: Sequence[ClassRecord]) -> None:
        self._classes = tuple(classes)

    def judge(self, result: Result) -> QualityStatus:  # noqa: ARG002 - the gates follow
        """Check one picture."""
        return QualityStatus(ok=True, focus_share=None, gates=())

    def forget(self) -> None:
        """Another camera: how sharp it can be is not known."""
