"""Frames of what OpenCV has opened: the part that sensors on a ribbon cable and streams have in common."""

from __future__ import annotations

import threading
import time

import cv2
import numpy as np

from hemonode.device.camera.contract import PATIENCE_S, Camera
from hemonode.device.frame import Frame
from hemonode.errors import DeviceError

LEAVES_WITHIN_S = 0.8


class OpenCvCamera(Camera):
    """Frames as they come. Their time is that of their arrival: these drivers tell no other on our clock."""

    def __init__(self, capture: cv2.VideoCapture, name: str, identity: str, remarks: tuple[str, ...] = ()) -> None:
        self.name = name
        self.identity = identity
        self.remarks = remarks
        self._capture = capture
        self._sequence = 0
        self._closed = False
        # OpenCV crashes where one thread releases what another reads.
        self._in_use = threading.Lock()

    def read(self) -> Frame:
        """The next picture; these sources have no end that can be told from a fault."""
        with self._in_use:
            there, pixels = (False, None) if self._closed else self._capture.read()
        captured_ns = time.monotonic_ns()
        if self._closed:
            raise DeviceError(f"{self.name} was closed; open it again to read from it.")
        if not there or pixels is None:
            raise DeviceError(f"{self.name} stopped, or gave no picture for {PATIENCE_S:g} s; open it again.")
        frame = Frame(np.asarray(pixels, np.uint8), self._sequence, captured_ns)
        self._sequence += 1
        return frame

    def close(self) -> None:
        """Release it, unless a read has it and does not return: then it ends with its process."""
        self._closed = True
        if self._in_use.acquire(timeout=LEAVES_WITHIN_S):
            self._capture.release()
            self._in_use.release()
