"""What an evaluation found, as it is written to evaluation.json."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from hemonode.train.metrics.counting import CountingResult
from hemonode.train.metrics.detection import DetectionResult
from hemonode.train.metrics.segmentation import SegmentationResult


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class Evaluation(_Record):
    """One method on one split of one data set.

    Attributes:
        method: its name.
        details: what it is and how it ran.
        dataset: name of the data set.
        licence: of its pictures and labels.
        pictures: in the split; `segmentation` and the others say how many of them have such labels.
        class_names: by class id.
        scale_ratio: median over pictures of the red-cell diameter the method worked with over the labels' one.
        segmentation: None where no picture has a mask.
        detection: per class that has complete boxes in some picture.
        counting: the same classes, for each counting rule.
    """

    method: str
    details: dict[str, str]
    dataset: str
    licence: str
    split: str
    pictures: int
    class_names: dict[int, str]
    scale_ratio: float
    segmentation: SegmentationResult | None
    detection: tuple[DetectionResult, ...]
    counting: tuple[CountingResult, ...]


class EvaluationFile(_Record):
    """The whole evaluation.json. Intervals are of 95 %, from a bootstrap over pictures."""

    hemonode_version: str
    evaluations: tuple[Evaluation, ...]
