"""A sensor on a Jetson's ribbon cable (CSI), through NVIDIA's Argus and GStreamer."""

from __future__ import annotations

from fractions import Fraction

import cv2

from hemonode.device.camera.opencv import OpenCvCamera
from hemonode.device.camera.pace import checked_rate_hz
from hemonode.device.camera.source import Source, read_source
from hemonode.errors import DeviceError

OPTIONS = ("width", "height", "rate", "exposure_ms", "gain")


def open_camera(source: str, rate_hz: float | None, loop: bool) -> OpenCvCamera:  # noqa: ARG001 - a sensor has no end
    """Open "csi:0" with the options width, height (px), rate (frames a second), exposure_ms and gain (a factor).

    An exposure or a gain that is given is locked; else Argus chooses it.

    Raises:
        DeviceError: an option is not usable, this OpenCV has no GStreamer, or there is no such sensor.
    """
    asked = read_source(source, OPTIONS)
    description = pipeline(asked, rate_hz)
    if not cv2.videoio_registry.hasBackend(cv2.CAP_GSTREAMER):
        raise DeviceError(
            "Cameras on a ribbon cable need an OpenCV with GStreamer, which pip's never has; on a Jetson use that of "
            "JetPack: make the environment with --system-site-packages and without opencv-python-headless."
        )
    capture = cv2.VideoCapture(description, cv2.CAP_GSTREAMER)
    if not capture.isOpened():
        capture.release()
        raise DeviceError(
            f"The sensor csi:{asked.place} gives no pictures; check its cable and whether it has this size and rate. "
            "Where it worked before: sudo systemctl restart nvargus-daemon."
        )
    return OpenCvCamera(capture, f"CSI camera {asked.place}", source)


def pipeline(source: Source, rate_hz: float | None = None) -> str:
    """What GStreamer shall do: of pictures that wait, the newest alone, in BGR.

    Raises:
        DeviceError: an option is not usable.
    """
    if not (source.place.isascii() and source.place.isdigit()):
        raise DeviceError(f"'csi:{source.place}' names no sensor; give its number: csi:0.")
    stages = (
        " ".join(["nvarguscamerasrc", f"sensor-id={int(source.place)}", *_locked(source)]),
        ",".join(["video/x-raw(memory:NVMM)", *_wanted(source, rate_hz)]),
        # The image processor makes no BGR; its BGRx costs the processor the least to turn into it.
        "nvvidconv",
        "video/x-raw,format=BGRx",
        "videoconvert",
        "video/x-raw,format=BGR",
        "appsink drop=true max-buffers=1 sync=false",
    )
    return " ! ".join(stages)


def _wanted(source: Source, rate_hz: float | None) -> list[str]:
    width, height = source.whole("width"), source.whole("height")
    if (width is None) != (height is None) or width == 0 or height == 0:
        raise DeviceError("csi: needs width and height together, in pixels, or neither.")
    rate = rate_hz if rate_hz is not None else source.number("rate")
    wanted = [] if width is None else [f"width={width}", f"height={height}"]
    if rate is not None:
        fraction = Fraction(checked_rate_hz(rate)).limit_denominator(1001)
        wanted.append(f"framerate={fraction.numerator}/{fraction.denominator}")
    return wanted


def _locked(source: Source) -> list[str]:
    """Argus takes ranges, and a value as a range from it to itself; exposures in ns."""
    exposure_ms, gain = source.number("exposure_ms"), source.number("gain")
    locked = []
    if exposure_ms is not None:
        exposure_ns = round(_positive("exposure_ms", exposure_ms) * 1e6)
        locked.append(f'exposuretimerange="{exposure_ns} {exposure_ns}"')
    if gain is not None:
        gain = _positive("gain", gain)
        locked.append(f'gainrange="{gain:g} {gain:g}"')
        locked.append('ispdigitalgainrange="1 1"')
    return locked


def _positive(name: str, value: float) -> float:
    if value <= 0:
        raise DeviceError(f"The option {name}={value:g} of csi: needs a number above 0.")
    return value
