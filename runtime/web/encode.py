"""One message per result for the page: the picture as JPEG, the mask as packed class ids, and the counts."""

from __future__ import annotations

import json
import struct
import threading
import time
import zlib
from collections.abc import Callable, Collection
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from hemonode.errors import PictureError
from hemonode.runtime.live.joining import join_until
from hemonode.runtime.live.mailbox import Mailbox
from hemonode.runtime.live.meters import FaultLog, StageMeter
from hemonode.runtime.live.result import Result
from hemonode.runtime.web.shown import Shown

JPEG_QUALITY = 85
LONGEST_SIDE = 1280
"""Larger pictures are shrunk for the page; masks and counts are made before."""


@dataclass(frozen=True)
class Packet:
    """One result as the page's WebSocket carries it. `number` rises with every packet."""

    number: int
    captured_ns: int
    payload: bytes


def encode_packet(result: Result, number: int, red_cell_um: float) -> Packet:
    """Pack a result: uint32 LE length of the header, header (JSON), JPEG, deflated class ids.

    Args:
        result: to be shown.
        number: of the packet.
        red_cell_um: diameter of a red cell, which turns the scale into micrometres per pixel of the camera.

    The mask is uint8 class ids, row by row, as zlib data; the page paints it, so that what it shows (classes,
    strength) can change without another byte from here.
    """
    height, width = result.segmentation.class_ids.shape
    factor = min(1.0, LONGEST_SIDE / max(height, width))
    picture, mask = result.frame.pixels, result.segmentation.class_ids
    if factor < 1:
        size = (max(1, round(width * factor)), max(1, round(height * factor)))
        picture = _resized(picture, size, cv2.INTER_AREA)
        mask = _resized(mask, size, cv2.INTER_NEAREST)
    done, jpeg = cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY))
    if not done:
        raise PictureError(f"OpenCV could not encode a {width}×{height} picture as JPEG for the page")
    packed = _packed(mask)
    used = result.segmentation.model
    header = json.dumps(
        {
            "number": number,
            "sequence": result.frame.sequence,
            "width": width,
            "height": height,
            "jpeg_bytes": len(jpeg),
            "mask_width": mask.shape[1],
            "mask_height": mask.shape[0],
            "counts": [
                {"id": class_id, "visible": visible, "in_frame": result.tally.in_frame[class_id]}
                for class_id, visible in result.tally.visible.items()
            ],
            "cells": [
                [cell.class_id, round(cell.x, 1), round(cell.y, 1), int(cell.in_frame)]
                for cell in result.segmentation.cells
            ],
            "red_cell_px": result.scale.red_cell_px,
            "scale_source": result.scale.source,
            "um_per_px": round(red_cell_um / result.scale.red_cell_px, 5),
            "latency_ms": round(result.latency_ms, 1),
            "captured_ms_ago": round((time.monotonic_ns() - result.frame.captured_ns) / 1e6, 1),
            "setting": used.setting if used else None,
            "engine": used.engine if used else None,
        },
        separators=(",", ":"),
    ).encode()
    return Packet(number, result.frame.captured_ns, struct.pack("<I", len(header)) + header + jpeg.tobytes() + packed)


def _packed(mask: npt.NDArray[np.uint8]) -> bytes:
    # Run-length matching is all that class ids need: several times faster than level 6, and as small.
    deflate = zlib.compressobj(level=1, strategy=zlib.Z_RLE)
    return deflate.compress(np.ascontiguousarray(mask).data) + deflate.flush()


def _resized(pixels: npt.NDArray[np.uint8], size: tuple[int, int], how: int) -> npt.NDArray[np.uint8]:
    return np.asarray(cv2.resize(pixels, size, interpolation=how), np.uint8)


class PageSink:
    """Encodes the latest result once for all who watch, on its own thread, and only while somebody waits for it.

    Args:
        wanted: whether a page can take another packet now.
        watched: numbers of the packets that pages show now.
        publish: gets each packet.
        red_cell_um: diameter that the model in use takes a red cell to have; it may change with the bundle.
    """

    name = "page"

    def __init__(
        self,
        wanted: Callable[[], bool],
        watched: Callable[[], Collection[int]],
        publish: Callable[[Packet], None],
        faults: FaultLog,
        red_cell_um: Callable[[], float],
    ) -> None:
        self._wanted = wanted
        self._publish = publish
        self._faults = faults
        self._red_cell_um = red_cell_um
        self._results = Mailbox[Result]()
        self._shown = Shown(watched)
        self._latest: Result | None = None
        self._stages = StageMeter()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="page", daemon=True)

    @property
    def stages(self) -> StageMeter:
        """Milliseconds of "encode"."""
        return self._stages

    def start(self) -> None:
        """Begin to encode."""
        self._thread.start()

    def request_stop(self) -> None:
        """Stop after the packet in work."""
        self._stopping.set()
        self._results.close()

    def join(self, deadline_s: float) -> bool:
        """Wait for the stop until a monotonic time. False: the encoder did not end in time."""
        return join_until(self._thread, deadline_s)

    def accept(self, result: Result) -> None:
        """Take a result; an earlier one that no page waited for is let go."""
        self._latest = result
        self._results.put(result)

    def shown(self, packet: int | None) -> Result | None:
        """What a packet showed, of the last ones (see `Shown`); None asks for the latest result, shown or not."""
        return self._latest if packet is None else self._shown.find(packet)

    def _run(self) -> None:
        latest: Result | None = None
        number = 0
        while not self._stopping.is_set():
            latest = self._results.take(0.1) or latest
            if latest is None or not self._wanted():
                continue
            number += 1
            began_s = time.perf_counter()
            try:
                packet = encode_packet(latest, number, self._red_cell_um())
                self._shown.keep(number, latest)
                self._publish(packet)
            except Exception as error:  # a page that cannot be fed is told of; the next result is tried
                self._faults.report(self.name, error)
            self._stages.add({"encode": 1e3 * (time.perf_counter() - began_s)})
            latest = None
