"""Chooses a camera's pixel format, size and rate, and agrees on them with its driver."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hemonode.device.camera.v4l2 import abi
from hemonode.device.camera.v4l2.decode import COMPRESSED, DECODERS, Layout
from hemonode.device.camera.v4l2.handle import Handle
from hemonode.errors import DeviceError

USUAL_PIXELS = 1280 * 960
USUAL_RATE_HZ = 30.0
ENOUGH_HZ = 15.0
"""A format that reaches it need not be compressed further."""

LONGEST_LIST = 256
"""Drivers number what they offer; a broken one never ends."""


@dataclass(frozen=True)
class Wish:
    """What the user asked for; None where that was nothing."""

    width: int | None = None
    height: int | None = None
    format: str | None = None
    rate_hz: float | None = None


@dataclass(frozen=True)
class Offer:
    """One way in which a camera can give pictures. `fastest_hz` is None where the driver does not tell."""

    format: str
    width: int
    height: int
    fastest_hz: float | None


@dataclass(frozen=True)
class Mode:
    """How it gives them. `remarks`: what it does otherwise than asked, one sentence each."""

    layout: Layout
    rate_hz: float | None
    remarks: tuple[str, ...]


def agree(handle: Handle, wish: Wish) -> Mode:
    """Set format, size and rate, as near to the wish as the camera comes.

    Raises:
        DeviceError: the camera is in use, or gives no pictures that can be decoded.
    """
    offer = choose(handle.name, offers(handle, wish), wish)
    layout = _set_format(handle, offer)
    rate_hz = _set_rate(handle, wish.rate_hz or min(USUAL_RATE_HZ, offer.fastest_hz or USUAL_RATE_HZ))
    return Mode(layout, rate_hz, tuple(_remarks(handle.name, wish, layout, rate_hz)))


def choose(name: str, offered: Sequence[Offer], wish: Wish) -> Offer:
    """The offer to take.

    A size that was asked for comes first; without one, a usual rate does, and then the largest size up to about
    1280×960. What is not compressed is preferred where it is fast enough: compression leaves marks on cells.

    Raises:
        DeviceError: none is in a format that we decode, or in the one asked for.
    """
    known = [offer for offer in offered if offer.format in DECODERS and wish.format in (None, offer.format)]
    if not known:
        there = ", ".join(dict.fromkeys(offer.format for offer in offered)) or "none"
        wanted = wish.format or f"one of {', '.join(DECODERS)}"
        raise DeviceError(f"{name} gives pictures in the formats {there}, and {wanted} is wanted; choose another.")
    enough_hz = wish.rate_hz or ENOUGH_HZ

    def rank(offer: Offer) -> tuple[float, ...]:
        order: tuple[float, ...]
        fast = offer.fastest_hz is None or offer.fastest_hz >= 0.95 * enough_hz
        pixels = offer.width * offer.height
        if wish.width is not None or wish.height is not None:
            size = abs(offer.width - (wish.width or offer.width)) + abs(offer.height - (wish.height or offer.height))
            order = (size, not fast, -pixels)
        else:
            order = (not fast, max(0, pixels - USUAL_PIXELS), -pixels)
        return (*order, offer.format in COMPRESSED, -(offer.fastest_hz or 0.0))

    return min(known, key=rank)


def offers(handle: Handle, wish: Wish) -> list[Offer]:
    """All that the driver lists; of sizes that can be set freely the one nearest to the wish."""
    now = abi.Format(type=abi.BUF_TYPE_VIDEO_CAPTURE)
    handle.ask(abi.G_FMT, now, "tell its picture format")
    wanted = (wish.width or now.pix.width, wish.height or now.pix.height)
    found = []
    for pixel_format in _formats(handle):
        for width, height in _sizes(handle, pixel_format, wanted):
            fastest_hz = _fastest_hz(handle, pixel_format, width, height)
            found.append(Offer(abi.fourcc_name(pixel_format), width, height, fastest_hz))
    return found


def _formats(handle: Handle) -> Iterator[int]:
    for index in range(LONGEST_LIST):
        told = abi.FormatDescription(index=index, type=abi.BUF_TYPE_VIDEO_CAPTURE)
        if not handle.can(abi.ENUM_FMT, told, "list its picture formats"):
            return
        yield int(told.pixelformat)


def _sizes(handle: Handle, pixel_format: int, wanted: tuple[int, int]) -> Iterator[tuple[int, int]]:
    for index in range(LONGEST_LIST):
        told = abi.FrameSize(index=index, pixel_format=pixel_format)
        if not handle.can(abi.ENUM_FRAMESIZES, told, "list its picture sizes"):
            if index == 0:
                yield wanted
            return
        if told.type != abi.FRMSIZE_TYPE_DISCRETE:
            yield _within(wanted[0], *told.size[:3]), _within(wanted[1], *told.size[3:])
            return
        yield int(told.size[0]), int(told.size[1])


def _within(wanted: int, least: int, most: int, step: int) -> int:
    inside = min(max(wanted, least), most)
    return inside - (inside - least) % max(1, step)


def _fastest_hz(handle: Handle, pixel_format: int, width: int, height: int) -> float | None:
    shortest_s = []
    for index in range(LONGEST_LIST):
        told = abi.FrameInterval(index=index, pixel_format=pixel_format, width=width, height=height)
        if not handle.can(abi.ENUM_FRAMEINTERVALS, told, "list its frame rates"):
            break
        # The first is the only one, or the shortest.
        shortest_s.append(told.interval[0].numerator / max(1, told.interval[0].denominator))
        if told.type != abi.FRMIVAL_TYPE_DISCRETE:
            break
    shortest_s = [interval_s for interval_s in shortest_s if interval_s > 0]
    return 1 / min(shortest_s) if shortest_s else None


def _set_format(handle: Handle, offer: Offer) -> Layout:
    asked = abi.Format(type=abi.BUF_TYPE_VIDEO_CAPTURE)
    asked.pix.width, asked.pix.height = offer.width, offer.height
    asked.pix.pixelformat = abi.fourcc(offer.format)
    handle.ask(abi.S_FMT, asked, f"give {offer.width}×{offer.height} px in {offer.format}")
    taken = abi.fourcc_name(asked.pix.pixelformat)
    if taken not in DECODERS:
        raise DeviceError(f"{handle.name} insists on pictures in the format {taken}, which we do not decode.")
    return Layout(taken, int(asked.pix.width), int(asked.pix.height), int(asked.pix.bytesperline))


def _set_rate(handle: Handle, rate_hz: float) -> float | None:
    """The rate that the camera keeps now, or None where it does not tell."""
    asked = abi.StreamParameters(type=abi.BUF_TYPE_VIDEO_CAPTURE)
    asked.capture.timeperframe = abi.Fraction(1000, round(1000 * rate_hz))
    if not handle.can(abi.S_PARM, asked, f"give {rate_hz:g} pictures a second"):
        return None
    taken = asked.capture.timeperframe
    return taken.denominator / taken.numerator if taken.numerator and taken.denominator else None


def _remarks(name: str, wish: Wish, layout: Layout, rate_hz: float | None) -> Iterator[str]:
    asked_size = (wish.width or layout.width, wish.height or layout.height)
    if asked_size != (layout.width, layout.height):
        yield f"{name} gives {layout.width}×{layout.height} px instead of {asked_size[0]}×{asked_size[1]}."
    if wish.format is not None and wish.format != layout.format:
        yield f"{name} gives pictures in the format {layout.format} instead of {wish.format}."
    if wish.rate_hz is not None and rate_hz is None:
        yield f"{name} cannot be told its rate; it gives as many pictures a second as it likes."
    elif wish.rate_hz is not None and rate_hz is not None and abs(rate_hz / wish.rate_hz - 1) > 0.05:
        yield f"{name} gives {rate_hz:.3g} pictures a second instead of {wish.rate_hz:.3g}."
