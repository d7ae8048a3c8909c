"""What the routes share."""

from __future__ import annotations

from dataclasses import dataclass

from hemonode.runtime.live.view import LiveView
from hemonode.runtime.web.access import Access
from hemonode.runtime.web.calls import Calls
from hemonode.runtime.web.hub import Hub
from hemonode.runtime.web.limits import Limits
from hemonode.runtime.web.refusals import Refusals


@dataclass(frozen=True)
class Site:
    """A live view on the web.

    Attributes:
        ask: calls the view in a thread; see `Calls`.
    """

    view: LiveView
    hub: Hub
    access: Access
    limits: Limits
    refusals: Refusals
    ask: Calls
