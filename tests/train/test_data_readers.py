"""Labels of every format arrive as the same mask and boxes."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from hemonode.errors import DatasetError
from hemonode.train.data.coco import CocoAnnotations
from hemonode.train.data.colour_masks import ColourMasks
from hemonode.train.data.labelme import LabelMeShapes
from hemonode.train.data.masks import ClassIdMasks
from hemonode.train.data.rle import area_from_counts, unpack_counts
from hemonode.train.data.sample import Box
from hemonode.train.data.voc import VocBoxes
from hemonode.train.data.yolo import YoloBoxes

HEIGHT, WIDTH = 40, 60
CLASSES = {"wbc": 1, "rbc": 2, "plt": 3, "dirt": 255}


@pytest.fixture
def labelme(tmp_path):
    reader = LabelMeShapes(format="labelme", path=".", classes=CLASSES)

    def read(*shapes, **top):
        content = {"shapes": list(shapes), "imageHeight": HEIGHT, "imageWidth": WIDTH, **top}
        (tmp_path / "a.json").write_text(json.dumps(content))
        return reader.read(tmp_path, "a", HEIGHT, WIDTH)

    return read


@pytest.fixture
def coco(tmp_path):
    def read(*annotations, size=(HEIGHT, WIDTH)):
        content = {
            "images": [{"id": 7, "file_name": "pictures/a.jpg", "height": size[0], "width": size[1]}],
            "categories": [{"id": 5, "name": "wbc"}, {"id": 6, "name": "rbc"}],
            "annotations": [{"id": n, "image_id": 7, **entry} for n, entry in enumerate(annotations)],
        }
        (tmp_path / "all.json").write_text(json.dumps(content))
        reader = CocoAnnotations(format="coco", path="all.json", classes=CLASSES)
        return reader.read(tmp_path, "a", HEIGHT, WIDTH)

    return read


def rectangle(label, left, top, right, bottom, **more):
    return {"label": label, "points": [[left, top], [right, bottom]], "shape_type": "rectangle", **more}


def test_yolo_boxes_come_in_pixels_and_class_ids(tmp_path):
    (tmp_path / "a.txt").write_text("1 0.5 0.5 0.5 0.25\n\n0 0.1 0.5 0.2 0.5\n")
    labels = YoloBoxes(format="yolo", path=".", classes={0: 1, 1: 2}).read(tmp_path, "a", HEIGHT, WIDTH)
    assert labels.boxes == (Box(2, 30, 20, 30, 10), Box(1, 6, 20, 12, 20))
    assert labels.mask is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("7 0.5 0.5 0.1 0.1", "class 7"),
        ("1 0.5 0.5 0.1", "line 1"),
        ("1 50 0.5 0.1 0.1", "between 0 and 1"),
        ("1 nan 0.5 0.1 0.1", "between 0 and 1"),
    ],
)
def test_a_wrong_yolo_line_is_named(tmp_path, text, reason):
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(DatasetError, match=reason):
        YoloBoxes(format="yolo", path=".", classes={0: 1, 1: 2}).read(tmp_path, "a", HEIGHT, WIDTH)


def voc_xml(*objects, width=WIDTH, height=HEIGHT):
    items = "".join(
        f"<object><name>{name}</name><bndbox><xmin>{x0}</xmin><ymin>{y0}</ymin><xmax>{x1}</xmax><ymax>{y1}</ymax>"
        "</bndbox></object>"
        for name, x0, y0, x1, y1 in objects
    )
    return f"<annotation><size><width>{width}</width><height>{height}</height></size>{items}</annotation>"


def test_voc_boxes_count_pixels_from_one_and_include_the_last(tmp_path):
    (tmp_path / "a.xml").write_text(voc_xml(("rbc", 1, 11, 20, 20)))
    labels = VocBoxes(format="voc", path=".", classes=CLASSES).read(tmp_path, "a", HEIGHT, WIDTH)
    assert labels.boxes == (Box(2, 10, 15, 20, 10),)


def test_a_voc_box_without_area_is_dropped_and_reported(tmp_path):
    (tmp_path / "a.xml").write_text(voc_xml(("rbc", 5, 5, 5, 9), ("wbc", 5, 5, 9, 9)))
    labels = VocBoxes(format="voc", path=".", classes=CLASSES).read(tmp_path, "a", HEIGHT, WIDTH)
    assert [box.class_id for box in labels.boxes] == [1]
    assert len(labels.problems) == 1
    assert "object 1" in labels.problems[0]


@pytest.mark.parametrize(
    ("xml", "reason"),
    [
        (voc_xml(("alien", 1, 1, 9, 9)), "'alien' is not in"),
        (voc_xml(("rbc", "x", 1, 9, 9)), "no number"),
        (voc_xml(width=61), "61×40"),
        ("<annotation>", "not valid XML"),
    ],
)
def test_a_wrong_voc_file_is_named(tmp_path, xml, reason):
    (tmp_path / "a.xml").write_text(xml)
    with pytest.raises(DatasetError, match=reason):
        VocBoxes(format="voc", path=".", classes=CLASSES).read(tmp_path, "a", HEIGHT, WIDTH)


def test_class_id_masks_map_other_values(tmp_path):
    stored = np.zeros((HEIGHT, WIDTH), np.uint8)
    stored[3, 4] = 1
    cv2.imwrite(str(tmp_path / "a.png"), stored)
    mask = ClassIdMasks(format="mask", path=".", values={0: 255, 1: 2}).read(tmp_path, "a", HEIGHT, WIDTH).mask
    assert (mask[3, 4], mask[0, 0]) == (2, 255)
    with pytest.raises(DatasetError, match="the value 1"):
        ClassIdMasks(format="mask", path=".", values={0: 255}).read(tmp_path, "a", HEIGHT, WIDTH)


def test_colour_masks_follow_their_palette_and_name_an_unknown_colour(tmp_path):
    stored = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    stored[:, 30:] = (0, 128, 255)  # BGR of #ff8000
    cv2.imwrite(str(tmp_path / "a.png"), stored)
    known = ColourMasks(format="colour_mask", path=".", colours={"#000000": 0, "#FF8000": 2})
    assert np.unique(known.read(tmp_path, "a", HEIGHT, WIDTH).mask[:, 30:]).tolist() == [2]
    with pytest.raises(DatasetError, match=r"a\.png holds the colour #ff8000"):
        ColourMasks(format="colour_mask", path=".", colours={"#000000": 0}).read(tmp_path, "a", HEIGHT, WIDTH)
    with pytest.raises(DatasetError, match="coloured"):
        ClassIdMasks(format="mask", path=".").read(tmp_path, "a", HEIGHT, WIDTH)


def test_labelme_polygon_covers_exactly_its_pixels(labelme):
    corners = [[10, 10], [20, 10], [20, 15], [10, 15]]
    labels = labelme({"label": "rbc", "points": corners, "shape_type": "polygon"}, rectangle("wbc", 30, 10, 40, 15))
    assert labels.boxes == (Box(2, 15, 12.5, 10, 5), Box(1, 35, 12.5, 10, 5))
    assert (labels.mask == 2).sum() == (labels.mask == 1).sum() == 50


def test_labelme_circle_and_bitmap(labelme):
    bitmap = np.zeros((4, 5), np.uint8)
    bitmap[1:3, 1:4] = 255
    encoded = base64.b64encode(cv2.imencode(".png", bitmap)[1].tobytes()).decode()
    labels = labelme(
        {"label": "rbc", "points": [[20, 20], [26, 20]], "shape_type": "circle"},
        {"label": "plt", "points": [[50, 30], [54, 33]], "shape_type": "mask", "mask": encoded},
    )
    assert labels.boxes == (Box(2, 20, 20, 12, 12), Box(3, 52.5, 32, 3, 2))
    assert abs((labels.mask == 2).sum() - np.pi * 36) < 4


def test_labelme_parts_of_one_group_are_one_cell(labelme):
    halves = [rectangle("wbc", 0, 0, 10, 10, group_id=1), rectangle("wbc", 20, 0, 30, 10, group_id=1)]
    assert labelme(*halves).boxes == (Box(1, 15, 5, 30, 10),)
    other_label = rectangle("rbc", 40, 0, 50, 10, group_id=1)
    assert len(labelme(*halves, other_label, rectangle("wbc", 0, 20, 10, 30)).boxes) == 3


@pytest.mark.parametrize("white_first", [True, False])
def test_white_cells_lie_over_red_whatever_was_drawn_first(labelme, white_first):
    white, red = rectangle("wbc", 10, 10, 20, 20), rectangle("rbc", 15, 10, 30, 20)
    mask = labelme(*((white, red) if white_first else (red, white))).mask
    assert mask[15, 17] == 1
    assert mask[15, 25] == 2


def test_labelme_leaves_dirt_unlabelled_and_reports_shapes_without_area(labelme):
    line = {"label": "rbc", "points": [[1, 1], [2, 2]], "shape_type": "line"}
    labels = labelme(rectangle("dirt", 0, 0, 5, 5), line, rectangle("rbc", 100, 100, 110, 110))
    assert labels.mask[2, 2] == 255
    assert labels.mask[20, 20] == 0
    assert labels.boxes == ()
    assert len(labels.problems) == 2


def test_wrong_labelme_files_are_named(labelme, tmp_path):
    with pytest.raises(DatasetError, match="61×40"):
        labelme(imageWidth=61)
    with pytest.raises(DatasetError, match="alien"):
        labelme(rectangle("alien", 0, 0, 5, 5))
    with pytest.raises(DatasetError, match="at least 3 points"):
        labelme({"label": "rbc", "points": [[1, 1], [2, 2]], "shape_type": "polygon"})
    with pytest.raises(DatasetError, match="not a LabelMe file"):
        labelme(shapes=[{"points": []}])


SQUARE_COUNTS = [10 * HEIGHT + 5, *[4, HEIGHT - 4] * 3, 4, (WIDTH - 13) * HEIGHT - 9]
"""Columns 10 to 13, rows 5 to 8."""


def pack(counts):
    """The packed form, written from its description: differences to the count two before, five bits a character."""
    text = ""
    for place, count in enumerate(counts):
        value = count - counts[place - 2] if place > 2 else count
        while True:
            bits, value = value & 31, value >> 5
            more = value != (-1 if bits & 16 else 0)
            text += chr(48 + bits + 32 * more)
            if not more:
                break
    return text


@pytest.mark.parametrize(
    "segmentation",
    [
        [[10, 5, 14, 5, 14, 9, 10, 9]],
        {"size": [HEIGHT, WIDTH], "counts": SQUARE_COUNTS},
        {"size": [HEIGHT, WIDTH], "counts": pack(SQUARE_COUNTS)},
    ],
    ids=["polygon", "counts", "packed"],
)
def test_coco_areas_of_all_forms_agree(coco, segmentation):
    labels = coco({"category_id": 6, "segmentation": segmentation})
    expected = np.zeros((HEIGHT, WIDTH), np.uint8)
    expected[5:9, 10:14] = 2
    np.testing.assert_array_equal(labels.mask, expected)
    assert labels.boxes == (Box(2, 12, 7, 4, 4),)


def test_packed_counts_survive_large_and_falling_values():
    counts = [0, 7, 1000, 3, 123456, 2, 1]
    assert unpack_counts(pack(counts)) == counts
    # A published pair: pycocotools packs the column-wise runs 6, 1, 40, 4, 5, 4, 5, 4, 21 like this.
    assert unpack_counts("61X13mN000`0") == [6, 1, 40, 4, 5, 4, 5, 4, 21]
    with pytest.raises(ValueError, match="add up"):
        area_from_counts([1, 2], 2, 2)
    with pytest.raises(ValueError, match="end within"):
        unpack_counts("o")


def test_coco_boxes_alone_give_no_mask(coco):
    labels = coco({"category_id": 5, "bbox": [10, 10, 20, 5]}, {"category_id": 5, "bbox": [10, 10, 0, 5]})
    assert labels.mask is None
    assert labels.boxes == (Box(1, 20, 12.5, 20, 5),)
    assert len(labels.problems) == 1


def test_coco_box_beside_areas_is_unknown_inside(coco):
    area = {"category_id": 6, "segmentation": [[30, 20, 40, 20, 40, 30, 30, 30]]}
    labels = coco({"category_id": 5, "bbox": [2, 2, 10, 10]}, area)
    assert labels.mask[5, 5] == 255
    assert labels.mask[25, 35] == 2
    assert sorted(box.class_id for box in labels.boxes) == [1, 2]


def test_coco_crowd_is_area_but_not_a_cell(coco):
    labels = coco({"category_id": 6, "segmentation": [[10, 5, 14, 5, 14, 9, 10, 9]], "iscrowd": 1})
    assert (labels.mask == 2).sum() == 16
    assert labels.boxes == ()


def test_wrong_coco_files_are_named(coco):
    with pytest.raises(DatasetError, match="61"):
        coco(size=(HEIGHT, 61))
    with pytest.raises(DatasetError, match="category 9"):
        coco({"category_id": 9, "bbox": [0, 0, 5, 5]})
    with pytest.raises(DatasetError, match="add up"):
        coco({"category_id": 6, "segmentation": {"size": [HEIGHT, WIDTH], "counts": [3]}})


def test_an_overlap_order_that_leaves_a_class_out_is_refused():
    with pytest.raises(ValueError, match="not in `paint`"):
        LabelMeShapes(format="labelme", path=".", classes={"x": 4})
    assert LabelMeShapes(format="labelme", path=".", classes={"x": 4}, paint=(4,)).paint == (4,)


def test_every_format_is_listed_once():
    from hemonode.train.data.readers import AnyLabels

    readers = AnyLabels.__origin__.__args__
    formats = [reader.model_fields["format"].annotation.__args__[0] for reader in readers]
    assert len(set(formats)) == len(formats) == 6
    assert all(Path(__import__(reader.__module__, fromlist=["x"]).__file__).exists() for reader in readers)
