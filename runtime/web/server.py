"""The live view's web page, its stream and its status, at one address."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs

import uvicorn
from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles

from hemonode.errors import HemonodeError
from hemonode.runtime.live.status import Condition
from hemonode.runtime.web.access import COOKIE, Access, Guard
from hemonode.runtime.web.hub import Hub

STATIC = Path(__file__).parent / "static"
LONGEST_LOGIN_BYTES = 4096
WRONG_TOKEN_PAUSE_S = 1.0


class LiveView(Protocol):
    """What the page shows and can ask for."""

    def status(self) -> dict[str, Any]:
        """Everything beside the picture, as JSON types."""

    def condition(self) -> Condition:
        """How the view fares."""

    def measure_scale_again(self) -> bool:
        """Measure the red-cell diameter anew. False: it was given, not measured."""


def build_app(view: LiveView, hub: Hub, access: Access) -> FastAPI:
    """The web application: page, stream, status, health and login."""
    app = FastAPI(title="hemonode live", docs_url=None, redoc_url=None, openapi_url=None)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")

    @app.get("/")
    async def page() -> FileResponse:
        return FileResponse(STATIC / "index.html")

    @app.get("/api/status")
    async def status() -> JSONResponse:
        return JSONResponse(view.status())

    @app.post("/api/scale")
    async def measure_scale_again() -> JSONResponse:
        return JSONResponse({"measuring": view.measure_scale_again()})

    @app.get("/health")
    async def health() -> JSONResponse:
        state = view.condition().state
        return JSONResponse({"state": state}, status_code=503 if state == "trouble" else 200)

    @app.websocket("/stream")
    async def stream(websocket: WebSocket) -> None:
        await hub.serve(websocket)

    _add_login(app, access)
    app.add_middleware(Guard, access=access)
    return app


def _add_login(app: FastAPI, access: Access) -> None:
    @app.get("/login")
    async def login_page() -> Response:
        return FileResponse(STATIC / "login.html") if access.needs_token else RedirectResponse("/", 303)

    @app.post("/login")
    async def login(request: Request) -> Response:
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > LONGEST_LOGIN_BYTES:
                return Response("the login form is too long\n", 413)
        token = parse_qs(body.decode("utf-8", "replace")).get("token", [""])[0]
        if not access.is_token(token):
            await asyncio.sleep(WRONG_TOKEN_PAUSE_S)
            return RedirectResponse("/login#wrong", 303)
        answer = RedirectResponse("/", 303)
        answer.set_cookie(COOKIE, access.session, httponly=True, samesite="strict")
        return answer


def listen(host: str, port: int) -> socket.socket:
    """Take the address before anything slow is opened. Port 0 takes any free one.

    Raises:
        HemonodeError: the port is in use, or the address is not one of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise HemonodeError(
            f"cannot serve on {host} port {port}: {error.strerror or error}; "
            "choose another with --port (0 takes any free one)"
        ) from error
    return listener


class LiveServer(uvicorn.Server):
    """uvicorn that says when it answers, and ends the streams when it is told to stop, so that it stops at once."""

    def __init__(self, app: FastAPI, hub: Hub, announce: Callable[[], None] = lambda: None) -> None:
        # The app has no lifespan events; were they on, a second Ctrl-C would end in uvicorn's traceback.
        super().__init__(
            uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off", timeout_graceful_shutdown=1)
        )
        self._hub = hub
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the server, then say that it answers."""
        await super().startup(sockets)
        self._announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, then the server."""
        self._hub.close()
        await super().shutdown(sockets)
