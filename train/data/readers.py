"""The table of label formats: a new one is one file with its reader, and one line here."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from hemonode.train.data.coco import CocoAnnotations
from hemonode.train.data.colour_masks import ColourMasks
from hemonode.train.data.labelme import LabelMeShapes
from hemonode.train.data.masks import ClassIdMasks
from hemonode.train.data.voc import VocBoxes
from hemonode.train.data.yolo import YoloBoxes

AnyLabels = Annotated[
    ClassIdMasks  #
    | CocoAnnotations
    | ColourMasks
    | LabelMeShapes
    | VocBoxes
    | YoloBoxes,
    Field(discriminator="format"),
]
