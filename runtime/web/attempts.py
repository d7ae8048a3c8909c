"""How often a wrong token may be tried: so often by one address, so often by all together."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict, deque
from collections.abc import Callable

SPAN_S = 60.0
FOR_ONE = 10
FOR_ALL = 60
ADDRESSES_KEPT = 1024


class Attempts:
    """Counts wrong tokens over the last minute. Used in the event loop only.

    An address that gave the right one is let in although others try: strangers must not lock out who works here.

    Args:
        clock: seconds that never jump.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._of_all = deque[float](maxlen=FOR_ALL)
        self._of_one = OrderedDict[str, deque[float]]()
        self._known = OrderedDict[str, None]()

    def wait_s(self, address: str) -> float:
        """Seconds until this address may try again; 0: now."""
        one = neighbourhood(address)
        own = self._left_s(self._of_one.get(one, deque()), FOR_ONE)
        return own if one in self._known else max(own, self._left_s(self._of_all, FOR_ALL))

    def wrong(self, address: str) -> None:
        """A wrong token came from there."""
        one = neighbourhood(address)
        times = self._of_one.setdefault(one, deque(maxlen=FOR_ONE))
        self._of_one.move_to_end(one)
        if len(self._of_one) > ADDRESSES_KEPT:
            self._of_one.popitem(last=False)
        times.append(self._clock())
        self._of_all.append(self._clock())

    def right(self, address: str) -> None:
        """The token came from there."""
        self._known[neighbourhood(address)] = None
        if len(self._known) > ADDRESSES_KEPT:
            self._known.popitem(last=False)

    def _left_s(self, times: deque[float], most: int) -> float:
        return 0.0 if len(times) < most else max(0.0, times[0] + SPAN_S - self._clock())


def neighbourhood(address: str) -> str:
    """What counts as one address: of IPv6 the /64, since everyone has as many as they like within it."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))
    return address
