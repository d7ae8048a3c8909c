"""Takes apart the text that names a camera: `kind:place,option=value,…`."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from hemonode.errors import DeviceError

# What stands before the @ of an address, and behind its question mark: either may be a password.
_SECRET = re.compile(r"(\w+://)(?:[^/\s]*@)?([^\s?]*)(?:\?[^\s'\"]*)?")


def without_credentials(text: str) -> str:
    """A text, in which addresses tell no user, password or query: for all that is shown or logged."""
    return _SECRET.sub(r"\1\2", text)


@dataclass(frozen=True)
class Source:
    """A camera as a person wrote it.

    Attributes:
        kind: what stands before the colon.
        place: the first part after it, where that is no option: a device, a number, a serial number.
        options: by name, as text.
    """

    kind: str
    place: str
    options: dict[str, str]

    def number(self, name: str) -> float | None:
        """An option that is a number; None where it was not given.

        Raises:
            DeviceError: it is no finite number.
        """
        text = self.options.get(name)
        if text is None:
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise DeviceError(f"The option {name}={text} of {self.kind}: needs a number.")
        return value

    def whole(self, name: str) -> int | None:
        """An option that is a whole number, not negative; None where it was not given.

        Raises:
            DeviceError: it is none.
        """
        text = self.options.get(name)
        if text is None:
            return None
        if not (text.isascii() and text.isdigit()):
            raise DeviceError(f"The option {name}={text} of {self.kind}: needs a whole number.")
        return int(text)


def read_source(text: str, options: Sequence[str]) -> Source:
    """Take `text` apart.

    Args:
        text: "v4l2:/dev/v4l/by-id/NAME,width=1280", "csi:0", "simulated:seed=3", "simulated".
        options: the names that are known.

    Raises:
        DeviceError: an option is unknown, has no value or is given twice.
    """
    kind, _, rest = text.partition(":")
    first, *others = rest.split(",")
    # A device's name below /dev may hold an equals sign.
    is_place = first.startswith("/") or "=" not in first
    given: dict[str, str] = {}
    for part in filter(None, others if is_place else [first, *others]):
        name, _, value = part.partition("=")
        if name not in options or not value:
            raise DeviceError(f"{kind}: has no option {part!r}; write name=value with {', '.join(options)}.")
        if name in given:
            raise DeviceError(f"{kind}: is given the option {name} twice; give it once.")
        given[name] = value
    return Source(kind, first if is_place else "", given)
