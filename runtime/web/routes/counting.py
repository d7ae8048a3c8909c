"""Counting this field, the running tally, snapshots, and whether pictures are kept."""

from __future__ import annotations

from fastapi import APIRouter

from hemonode.runtime.live.status import RecorderStatus, TallyStatus
from hemonode.runtime.live.view import FieldCount
from hemonode.runtime.web.models import CountRequest, RecordingRequest, SnapshotRequest, TallyRequest
from hemonode.runtime.web.site import Site


def counting_routes(site: Site) -> APIRouter:
    """`POST /api/fields`, `/api/snapshots`, `/api/tally`, `/api/recording`."""
    router = APIRouter(prefix="/api", tags=["counting"])
    view = site.view

    @router.post("/fields")
    async def count_field(wish: CountRequest | None = None) -> FieldCount:
        """Count the field that a packet showed, and keep it with its picture."""
        wish = wish or CountRequest()
        return await site.ask(view.count_field, wish.packet, wish.note)

    @router.post("/snapshots")
    async def snapshot(wish: SnapshotRequest | None = None) -> FieldCount:
        """Keep the picture, mask and counts that a packet showed, outside of any tally."""
        return await site.ask(view.snapshot, wish.packet if wish else None)

    @router.post("/tally")
    async def tally(wish: TallyRequest) -> TallyStatus:
        """Start, pause, resume or finish the tally; the answer is what it became."""
        await site.ask(view.tally, wish.wish())
        return (await site.ask(view.status)).tally

    @router.post("/recording")
    async def recording(wish: RecordingRequest) -> RecorderStatus:
        """Whether each tallied field is kept with its picture, or with its counts only."""
        await site.ask(view.keep_pictures, wish.pictures)
        return (await site.ask(view.status)).recorder

    return router
