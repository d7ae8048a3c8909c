"""Figures for Prometheus."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from hemonode.runtime.web.metrics import metrics_text
from hemonode.runtime.web.site import Site


def metrics_routes(site: Site) -> APIRouter:
    """`GET /metrics`; where there is a token, Prometheus gives it as `authorization: credentials`."""
    router = APIRouter(tags=["state"])

    def scrape(accept: str) -> tuple[bytes, str]:
        return metrics_text(site.view.status(), site.refusals.counts(), accept)

    @router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def metrics(request: Request) -> Response:
        """All figures of this moment."""
        text, media_type = await site.ask(scrape, request.headers.get("accept", ""))
        return Response(text, headers={"content-type": media_type})

    return router
