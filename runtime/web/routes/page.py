"""The page itself, its stream, and its login."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qs

from fastapi import APIRouter, Request, WebSocket
from fastapi.responses import RedirectResponse, Response

from hemonode.errors import UnknownNameError
from hemonode.runtime.web.answers import answer
from hemonode.runtime.web.assets import Asset
from hemonode.runtime.web.guard import too_many_attempts
from hemonode.runtime.web.site import Site


def page_routes(site: Site, assets: Mapping[str, Asset]) -> APIRouter:
    """`/`, `/static/…`, `/login` and the WebSocket `/stream`."""
    router = APIRouter()

    def file(name: str, request: Request) -> Response:
        asset = assets.get(name)
        if asset is None:
            raise UnknownNameError("There is no such file.")
        headers = {"etag": asset.tag}
        if request.headers.get("if-none-match") == asset.tag:
            return Response(status_code=304, headers=headers)
        return Response(asset.content, media_type=asset.media_type, headers=headers)

    @router.get("/", include_in_schema=False)
    async def page(request: Request) -> Response:
        return file("index.html", request)

    @router.get("/static/{name:path}", include_in_schema=False)
    async def static(name: str, request: Request) -> Response:
        return file(name, request)

    @router.get("/login", include_in_schema=False)
    async def login_page(request: Request) -> Response:
        return file("login.html", request) if site.access.needs_token else RedirectResponse("/", 303)

    @router.post("/login", include_in_schema=False)
    async def login(request: Request) -> Response:
        address = request.client.host if request.client else "unknown"
        if site.access.try_token(await _token(request), address):
            return _admitted(site)
        wait_s = site.access.wait_s(address)
        if wait_s > 0:
            refusal = too_many_attempts(wait_s)
            site.refusals.note(refusal.cause, refusal.sentence, address, "/login")
            return answer(refusal.status, refusal.sentence, {"retry-after": str(round(wait_s + 0.5))})
        site.refusals.note("token", "wrong token at the login", address, "/login")
        return RedirectResponse("/login#wrong", 303)

    @router.websocket("/stream")
    async def stream(websocket: WebSocket) -> None:
        await site.hub.serve(websocket)

    return router


async def _token(request: Request) -> str:
    """The token of a login form; empty where the form is none."""
    try:
        fields = parse_qs((await request.body()).decode(), max_num_fields=4)
    except ValueError:
        return ""
    return fields.get("token", [""])[0]


def _admitted(site: Site) -> Response:
    welcome = RedirectResponse("/", 303)
    welcome.set_cookie(
        site.access.cookie, site.access.session, httponly=True, samesite="strict", secure=site.access.secure, path="/"
    )
    return welcome
