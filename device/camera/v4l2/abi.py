"""What linux/videodev2.h and linux/v4l2-controls.h define, as far as we use it: structures, requests, numbers.

The structures are laid out by ctypes as the C compiler does; a test compares each of them with the header.
"""

from __future__ import annotations

import ctypes
from ctypes import Structure, Union, c_int32, c_long, c_uint8, c_uint32, c_ulong
from typing import Any

BUF_TYPE_VIDEO_CAPTURE, MEMORY_MMAP = 1, 1

CAP_VIDEO_CAPTURE, CAP_VIDEO_CAPTURE_MPLANE = 0x1, 0x1000
CAP_STREAMING, CAP_DEVICE_CAPS = 0x04000000, 0x80000000

FRMSIZE_TYPE_DISCRETE, FRMIVAL_TYPE_DISCRETE = 1, 1
BUF_FLAG_ERROR = 0x40
BUF_FLAG_TIMESTAMP_MASK, BUF_FLAG_TIMESTAMP_MONOTONIC = 0xE000, 0x2000

CTRL_TYPE_INTEGER, CTRL_TYPE_BOOLEAN = 1, 2
CTRL_FLAG_DISABLED, CTRL_FLAG_GRABBED, CTRL_FLAG_READ_ONLY = 0x1, 0x2, 0x4
CTRL_FLAG_INACTIVE, CTRL_FLAG_WRITE_ONLY = 0x10, 0x40


class Capability(Structure):
    """`struct v4l2_capability`."""

    _fields_ = (
        ("driver", c_uint8 * 16),
        ("card", c_uint8 * 32),
        ("bus_info", c_uint8 * 32),
        ("version", c_uint32),
        ("capabilities", c_uint32),
        ("device_caps", c_uint32),
        ("reserved", c_uint32 * 3),
    )


class FormatDescription(Structure):
    """`struct v4l2_fmtdesc`."""

    _fields_ = (
        ("index", c_uint32),
        ("type", c_uint32),
        ("flags", c_uint32),
        ("description", c_uint8 * 32),
        ("pixelformat", c_uint32),
        ("mbus_code", c_uint32),
        ("reserved", c_uint32 * 3),
    )


class FrameSize(Structure):
    """`struct v4l2_frmsizeenum`: `size` holds width and height, or least, most and step of each."""

    _fields_ = (
        ("index", c_uint32),
        ("pixel_format", c_uint32),
        ("type", c_uint32),
        ("size", c_uint32 * 6),
        ("reserved", c_uint32 * 2),
    )


class Fraction(Structure):
    """`struct v4l2_fract`."""

    _fields_ = (("numerator", c_uint32), ("denominator", c_uint32))


class FrameInterval(Structure):
    """`struct v4l2_frmivalenum`: `interval` holds one, or the shortest, the longest and the step. Seconds."""

    _fields_ = (
        ("index", c_uint32),
        ("pixel_format", c_uint32),
        ("width", c_uint32),
        ("height", c_uint32),
        ("type", c_uint32),
        ("interval", Fraction * 3),
        ("reserved", c_uint32 * 2),
    )


class PixelFormat(Structure):
    """`struct v4l2_pix_format`."""

    _fields_ = (
        ("width", c_uint32),
        ("height", c_uint32),
        ("pixelformat", c_uint32),
        ("field", c_uint32),
        ("bytesperline", c_uint32),
        ("sizeimage", c_uint32),
        ("colorspace", c_uint32),
        ("priv", c_uint32),
        ("flags", c_uint32),
        ("ycbcr_enc", c_uint32),
        ("quantization", c_uint32),
        ("xfer_func", c_uint32),
    )


class _FormatUnion(Union):
    # Another member of the header's union holds pointers, which align it.
    _fields_ = (("pix", PixelFormat), ("raw_data", c_uint8 * 200), ("_align", ctypes.c_void_p))


class Format(Structure):
    """`struct v4l2_format`."""

    _anonymous_ = ("fmt",)
    _fields_ = (("type", c_uint32), ("fmt", _FormatUnion))


class CaptureParameters(Structure):
    """`struct v4l2_captureparm`."""

    _fields_ = (
        ("capability", c_uint32),
        ("capturemode", c_uint32),
        ("timeperframe", Fraction),
        ("extendedmode", c_uint32),
        ("readbuffers", c_uint32),
        ("reserved", c_uint32 * 4),
    )


class _ParametersUnion(Union):
    _fields_ = (("capture", CaptureParameters), ("raw_data", c_uint8 * 200))


class StreamParameters(Structure):
    """`struct v4l2_streamparm`."""

    _anonymous_ = ("parm",)
    _fields_ = (("type", c_uint32), ("parm", _ParametersUnion))


class RequestBuffers(Structure):
    """`struct v4l2_requestbuffers`."""

    _fields_ = (
        ("count", c_uint32),
        ("type", c_uint32),
        ("memory", c_uint32),
        ("capabilities", c_uint32),
        ("flags", c_uint8),
        ("reserved", c_uint8 * 3),
    )


class _Timestamp(Structure):
    _fields_ = (("seconds", c_long), ("microseconds", c_long))


class _Timecode(Structure):
    _fields_ = (("type", c_uint32), ("flags", c_uint32), ("frames_to_userbits", c_uint8 * 8))


class _Memory(Union):
    _fields_ = (("offset", c_uint32), ("userptr", c_ulong), ("fd", c_int32))


class Buffer(Structure):
    """`struct v4l2_buffer`."""

    _fields_ = (
        ("index", c_uint32),
        ("type", c_uint32),
        ("bytesused", c_uint32),
        ("flags", c_uint32),
        ("field", c_uint32),
        ("timestamp", _Timestamp),
        ("timecode", _Timecode),
        ("sequence", c_uint32),
        ("memory", c_uint32),
        ("m", _Memory),
        ("length", c_uint32),
        ("reserved2", c_uint32),
        ("request_fd", c_int32),
    )


class QueryControl(Structure):
    """`struct v4l2_queryctrl`."""

    _fields_ = (
        ("id", c_uint32),
        ("type", c_uint32),
        ("name", c_uint8 * 32),
        ("minimum", c_int32),
        ("maximum", c_int32),
        ("step", c_int32),
        ("default_value", c_int32),
        ("flags", c_uint32),
        ("reserved", c_uint32 * 2),
    )


class QueryMenu(Structure):
    """`struct v4l2_querymenu`."""

    _fields_ = (("id", c_uint32), ("index", c_uint32), ("name", c_uint8 * 32), ("reserved", c_uint32))


class ControlValue(Structure):
    """`struct v4l2_control`."""

    _fields_ = (("id", c_uint32), ("value", c_int32))


_WRITE, _READ = 1, 2


def _request(direction: int, number: int, argument: type[Any]) -> int:
    """_IOC of asm-generic/ioctl.h, which x86 and ARM use."""
    return direction << 30 | ctypes.sizeof(argument) << 16 | ord("V") << 8 | number


QUERYCAP = _request(_READ, 0, Capability)
ENUM_FMT = _request(_READ | _WRITE, 2, FormatDescription)
G_FMT = _request(_READ | _WRITE, 4, Format)
S_FMT = _request(_READ | _WRITE, 5, Format)
REQBUFS = _request(_READ | _WRITE, 8, RequestBuffers)
QUERYBUF = _request(_READ | _WRITE, 9, Buffer)
QBUF = _request(_READ | _WRITE, 15, Buffer)
DQBUF = _request(_READ | _WRITE, 17, Buffer)
STREAMON = _request(_WRITE, 18, ctypes.c_int)
STREAMOFF = _request(_WRITE, 19, ctypes.c_int)
G_PARM = _request(_READ | _WRITE, 21, StreamParameters)
S_PARM = _request(_READ | _WRITE, 22, StreamParameters)
G_CTRL = _request(_READ | _WRITE, 27, ControlValue)
S_CTRL = _request(_READ | _WRITE, 28, ControlValue)
QUERYCTRL = _request(_READ | _WRITE, 36, QueryControl)
QUERYMENU = _request(_READ | _WRITE, 37, QueryMenu)
ENUM_FRAMESIZES = _request(_READ | _WRITE, 74, FrameSize)
ENUM_FRAMEINTERVALS = _request(_READ | _WRITE, 75, FrameInterval)


def fourcc(name: str) -> int:
    """The number of a pixel format: "MJPG", "YUYV"."""
    return int.from_bytes(name.encode("ascii").ljust(4), "little")


def fourcc_name(number: int) -> str:
    """Its four letters."""
    return (number & 0x7FFFFFFF).to_bytes(4, "little").decode("ascii", "replace").strip()
