"""Whether all is well, and figures for Prometheus."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from hemonode.runtime.live.status import State
from hemonode.runtime.web.metrics import metrics_text
from hemonode.runtime.web.site import Site


class Health(BaseModel):
    """How the live view fares: answered with 503 where it is in trouble."""

    state: State


def health_routes(site: Site) -> APIRouter:
    """`GET /health`, which anyone may ask, and `/metrics`; where there is a token, Prometheus gives it as a bearer."""
    router = APIRouter(tags=["health"])

    def scrape(accept: str) -> tuple[bytes, str]:
        return metrics_text(site.view.status(), site.refusals.counts(), accept)

    @router.head("/health", include_in_schema=False)
    @router.get("/health", response_model=Health, responses={503: {"model": Health}})
    async def health() -> Response:
        """In a word, for machines."""
        state = (await site.ask(site.view.condition)).state
        return JSONResponse({"state": state}, 503 if state == "trouble" else 200)

    @router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def metrics(request: Request) -> Response:
        """All figures of this moment."""
        text, media_type = await site.ask(scrape, request.headers.get("accept", ""))
        return Response(text, headers={"content-type": media_type})

    return router
