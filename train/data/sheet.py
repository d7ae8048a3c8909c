"""Draws a contact sheet: pictures of every split with their masks and boxes, those with findings first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from hemonode.errors import DatasetError, OutputError, PictureError
from hemonode.runtime.classes import BACKGROUND_ID, IGNORE_ID, CellClass
from hemonode.train.data.dataset import Dataset, Entry
from hemonode.train.data.findings import Report
from hemonode.train.data.sample import Sample

Pixels = npt.NDArray[np.uint8]

COLUMNS, ROWS = 6, 4
TILE_PX, CAPTION_PX = 300, 22
TINT = 0.35
_INK, _PAPER, _ALARM = (40, 40, 40), (245, 245, 245), (40, 40, 220)


def write_sheet(dataset: Dataset, report: Report, path: Path) -> None:
    """Write the sheet as PNG or JPEG, as the name ends.

    Raises:
        OutputError: it cannot be written.
    """
    warned = {name for finding in report.findings for name in finding.pictures}
    chosen = _choose(dataset.entries(), warned)
    pictures = [_thumbnail(dataset, entry) for entry in chosen]
    height = max(picture.shape[0] for picture in pictures)
    captions = [f"{entry.split}: {entry.name}"[:46] for entry in chosen]
    tiles = [
        _tile(picture, height, caption, _ALARM if entry.name in warned else _INK)
        for picture, caption, entry in zip(pictures, captions, chosen, strict=True)
    ]
    columns = min(COLUMNS, len(tiles))
    tiles += [np.full_like(tiles[0], _PAPER[0])] * (-len(tiles) % columns)
    sheet = np.vstack([np.hstack(tiles[start : start + columns]) for start in range(0, len(tiles), columns)])
    try:
        encoded = cv2.imencode(path.suffix, np.vstack([sheet, _legend(dataset.classes, sheet.shape[1])]))[1]
        path.write_bytes(encoded.tobytes())
    except cv2.error as error:
        raise OutputError(f"{path}: a sheet is a .png or .jpg file; name it so.") from error
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror}); choose another place.") from error


def _choose(entries: Sequence[Entry], warned: set[str]) -> list[Entry]:
    """Pictures with findings, up to half of the sheet, then evenly spaced ones of every split."""
    places = COLUMNS * ROWS
    chosen = [entry for entry in entries if entry.name in warned][: places // 2]
    splits = sorted({entry.split for entry in entries})
    for index, split in enumerate(splits):
        rest = [entry for entry in entries if entry.split == split and entry not in chosen]
        count = min((places - len(chosen)) // (len(splits) - index), len(rest))
        chosen += [rest[place * len(rest) // count] for place in range(count)]
    return chosen


def _thumbnail(dataset: Dataset, entry: Entry) -> Pixels:
    try:
        picture = draw_labels(dataset.read(entry), dataset.classes)
    except (DatasetError, PictureError):
        # The report says why; the sheet shows that it is so.
        crossed = np.full((TILE_PX, TILE_PX, 3), _PAPER, np.uint8)
        cv2.line(crossed, (0, 0), (TILE_PX, TILE_PX), _ALARM, 2)
        cv2.line(crossed, (0, TILE_PX), (TILE_PX, 0), _ALARM, 2)
        return crossed
    scale = TILE_PX / max(picture.shape[:2])
    size = (max(round(picture.shape[1] * scale), 1), max(round(picture.shape[0] * scale), 1))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _tile(picture: Pixels, height: int, caption: str, ink: tuple[int, int, int]) -> Pixels:
    tile = np.full((height + CAPTION_PX, TILE_PX, 3), _PAPER, np.uint8)
    tile[: picture.shape[0], : picture.shape[1]] = picture
    cv2.putText(tile, caption, (4, height + 15), cv2.FONT_HERSHEY_SIMPLEX, 0.36, ink, 1, cv2.LINE_AA)
    return tile


def draw_labels(sample: Sample, classes: Sequence[CellClass]) -> Pixels:
    """The picture with tinted classes and boxes, uint8 [H, W, 3] BGR; unlabelled pixels are hatched."""
    drawn = sample.pixels.copy()
    colours = {entry.id: entry.colour_bgr for entry in classes}
    line_px = max(round(min(drawn.shape[:2]) / 200), 1)
    if sample.mask is not None:
        for class_id, colour in colours.items():
            if class_id != BACKGROUND_ID:
                inside = sample.mask == class_id
                drawn[inside] = (drawn[inside] * (1 - TINT) + np.array(colour) * TINT).astype(np.uint8)
        rows, columns = np.ogrid[: drawn.shape[0], : drawn.shape[1]]
        drawn[(sample.mask == IGNORE_ID) & ((rows + columns) % (6 * line_px) < line_px)] = _INK
    for box in sample.boxes or ():
        corner = (round(box.x - box.width / 2), round(box.y - box.height / 2))
        opposite = (round(box.x + box.width / 2), round(box.y + box.height / 2))
        cv2.rectangle(drawn, corner, opposite, colours[box.class_id], line_px)
    return np.asarray(drawn, np.uint8)


def _legend(classes: Sequence[CellClass], width: int) -> Pixels:
    strip = np.full((2 * CAPTION_PX, width, 3), _PAPER, np.uint8)
    x = 10
    entries = [(entry.name.replace("_", " "), entry.colour_bgr) for entry in classes if entry.id != BACKGROUND_ID]
    for text, colour in [*entries, ("hatched: unlabelled", _INK), ("red caption: see the report", _ALARM)]:
        cv2.rectangle(strip, (x, 14), (x + 16, 30), colour, -1)
        cv2.putText(strip, text, (x + 24, 28), cv2.FONT_HERSHEY_SIMPLEX, 0.45, _INK, 1, cv2.LINE_AA)
        x += 40 + cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.45, 1)[0][0]
    return strip
