"""Decodes the run lengths of COCO masks: both as numbers and packed into a string."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hemonode.train.data.regions import Area

# Packed counts: 6-bit characters from "0" on, five bits of value each, the sixth says that more follow (COCO).
_FIRST_CHARACTER = 48
_VALUE_BITS, _MORE, _SIGN = 5, 0x20, 0x10


def unpack_counts(packed: str) -> list[int]:
    """The run lengths in a packed string; from the fourth on, each is stored as its difference to the one two before.

    Raises:
        ValueError: the string holds other characters, or ends within a number.
    """
    counts: list[int] = []
    value = shift = 0
    for character in packed:
        code = ord(character) - _FIRST_CHARACTER
        if not 0 <= code < 64:
            raise ValueError(f"character {character!r} cannot be in packed run lengths")
        value |= (code & 0x1F) << shift
        shift += _VALUE_BITS
        if code & _MORE:
            continue
        if code & _SIGN:
            value -= 1 << shift
        counts.append(value + counts[-2] if len(counts) > 2 else value)
        value = shift = 0
    if shift:
        raise ValueError("packed run lengths end within a number")
    return counts


def area_from_counts(counts: Sequence[int], height: int, width: int) -> Area:
    """The mask whose columns, one after the other, are runs of outside and inside pixels in turn.

    Raises:
        ValueError: the runs do not add up to the size.
    """
    if any(count < 0 for count in counts) or sum(counts) != height * width:
        raise ValueError(f"run lengths do not add up to {width}×{height} pixels")
    inside = np.arange(len(counts)) % 2 == 1
    return np.asarray(np.repeat(inside, counts).reshape(width, height).T, np.bool_)
