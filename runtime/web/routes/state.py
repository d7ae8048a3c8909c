"""What is shown and what happened: status, choices, events."""

from __future__ import annotations

from fastapi import APIRouter

from hemonode.runtime.live.events import Event
from hemonode.runtime.live.status import LiveStatus
from hemonode.runtime.live.view import Choices
from hemonode.runtime.web.models import Number
from hemonode.runtime.web.site import Site


def state_routes(site: Site) -> APIRouter:
    """`GET /api/status`, `/api/choices`, `/api/events`."""
    router = APIRouter(prefix="/api", tags=["state"])

    @router.get("/status")
    async def status() -> LiveStatus:
        """Everything that is shown beside the picture; the stream tells the same twice a second."""
        return await site.ask(site.view.status)

    @router.get("/choices")
    async def choices() -> Choices:
        """Sources, bundles and solver settings that may be chosen now."""
        return await site.ask(site.view.choices)

    @router.get("/events")
    async def events(after: Number = 0) -> list[Event]:
        """What happened lately, oldest first: those numbered above `after`."""
        return list(await site.ask(site.view.events, after))

    return router
