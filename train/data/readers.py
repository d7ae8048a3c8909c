"""The table of label formats: a new one is one file with its reader, and one line here."""

from __future__ import annotations

from typing import Annotated, Union

from pydantic import Field

from hemonode.train.data.masks import ClassIdMasks
from hemonode.train.data.yolo import YoloBoxes

AnyLabels = Annotated[
    Union[
        ClassIdMasks,
        YoloBoxes,
    ],
    Field(discriminator="format"),
]
