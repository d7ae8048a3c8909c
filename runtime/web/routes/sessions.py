"""What was recorded: sessions, their fields, events and pictures, and exports."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from hemonode.runtime.record.store import ExportFormat
from hemonode.runtime.record.told import PictureKind, RecordedEvent, RecordedField, RecordedSession
from hemonode.runtime.web.download import Downloads
from hemonode.runtime.web.models import FieldId, Number, SessionId
from hemonode.runtime.web.site import Site

MOST_FIELDS = 1000
"""Told in one answer; ask for those after the last."""

FormatQuery = Annotated[ExportFormat, Query(alias="format")]


def session_routes(site: Site) -> APIRouter:
    """`GET /api/sessions`, `/api/sessions/{session}`, and below it `fields`, `events`, `export` and pictures."""
    router = APIRouter(prefix="/api/sessions", tags=["sessions"])
    view, ask = site.view, site.ask
    downloads = Downloads()

    @router.get("")
    async def sessions() -> list[RecordedSession]:
        """All that was recorded, newest first."""
        return list(await ask(lambda: view.store.sessions()))

    @router.get("/{session}")
    async def one_session(session: SessionId) -> RecordedSession:
        """One of them."""
        return await ask(lambda: view.store.session(session))

    @router.get("/{session}/fields")
    async def fields(
        session: SessionId,
        after: Number = 0,
        limit: Annotated[int, Query(ge=1, le=MOST_FIELDS)] = MOST_FIELDS,
    ) -> list[RecordedField]:
        """Its fields with an id above `after`, oldest first."""
        return list(await ask(lambda: view.store.fields(session, after, limit)))

    @router.get("/{session}/events")
    async def events(session: SessionId) -> list[RecordedEvent]:
        """What happened while it was recorded, oldest first."""
        return list(await ask(lambda: view.store.events(session)))

    @router.get(
        "/{session}/export", response_class=Response, responses={200: {"content": {"application/octet-stream": {}}}}
    )
    async def export(
        session: SessionId, file_format: Annotated[ExportFormat, Query(alias="format")] = "csv"
    ) -> Response:
        """One file: "csv" a row for each field, "cells" for each cell, "summary", "parquet", or "html", a report."""
        return await downloads.send(lambda: view.store.export(session, file_format))

    @router.get(
        "/{session}/fields/{field}/picture", response_class=Response, responses={200: {"content": {"image/png": {}}}}
    )
    async def picture(session: SessionId, field: FieldId, kind: PictureKind = "picture") -> Response:
        """A field's picture as PNG: as the camera gave it, its mask (class ids as grey values), or both."""
        png = await ask(lambda: view.store.picture(session, field, kind))
        return Response(png, media_type="image/png")

    return router
