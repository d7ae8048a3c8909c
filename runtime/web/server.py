"""The live view's web page, its API and its stream, at one address."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from socket import socket

import uvicorn
from fastapi import FastAPI

from hemonode import __version__
from hemonode.runtime.live.view import LiveView
from hemonode.runtime.web.access import Access
from hemonode.runtime.web.answers import ERRORS, add_error_answers
from hemonode.runtime.web.assets import read_assets
from hemonode.runtime.web.calls import Calls
from hemonode.runtime.web.guard import Application, Guard
from hemonode.runtime.web.hub import Hub
from hemonode.runtime.web.limits import Limits
from hemonode.runtime.web.listener import listen
from hemonode.runtime.web.protocol import with_deadline
from hemonode.runtime.web.refusals import Refusals
from hemonode.runtime.web.routes.camera import camera_routes
from hemonode.runtime.web.routes.choosing import choosing_routes
from hemonode.runtime.web.routes.counting import counting_routes
from hemonode.runtime.web.routes.health import health_routes
from hemonode.runtime.web.routes.page import page_routes
from hemonode.runtime.web.routes.sessions import session_routes
from hemonode.runtime.web.routes.state import state_routes
from hemonode.runtime.web.site import Site

__all__ = ["LiveServer", "build_app", "listen"]


_API = (state_routes, choosing_routes, camera_routes, counting_routes, session_routes)


def build_app(
    view: LiveView,
    hub: Hub,
    access: Access,
    limits: Limits | None = None,
    refusals: Refusals | None = None,
    *,
    headless: bool = False,
) -> Application:
    """The web application, behind the `Guard`.

    Args:
        view: what it shows and asks.
        hub: carries its stream.
        access: who is let in.
        limits: of what a client may send.
        refusals: hears of all that was refused.
        headless: health and metrics only: no page, no API, no stream.
    """
    limits, refusals = limits or Limits(), refusals or Refusals()
    hub.limits, hub.refusals = limits, refusals
    site = Site(view, hub, access, limits, refusals, Calls(limits.calls, limits.call_s))
    app = FastAPI(
        title="hemonode live",
        version=__version__,
        description="Everything that the page does. For research use; not a diagnostic device.",
        docs_url=None,
        redoc_url=None,
        openapi_url=None if headless else "/api/openapi.json",
        responses=ERRORS,
    )
    app.include_router(health_routes(site))
    if not headless:
        app.include_router(page_routes(site, read_assets()))
        for routes in _API:
            app.include_router(routes(site))
    add_error_answers(app)
    return Guard(app, access, limits, refusals)


class LiveServer(uvicorn.Server):
    """uvicorn that says when it answers, and ends the streams when it is told to stop, so that it stops at once.

    Args:
        app: from `build_app`.
        hub: whose streams end with the server.
        announce: called once the server answers.
        limits: of connections and messages.
        tls: for https; see `tls_context`.
    """

    def __init__(
        self,
        app: Application,
        hub: Hub,
        announce: Callable[[], None] = lambda: None,
        limits: Limits | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        config = _config(app, limits or Limits())
        config.load()
        config.ssl = tls
        super().__init__(config)
        self._hub = hub
        self._announce = announce

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Start the server, then say that it answers."""
        await super().startup(sockets)
        self._announce()

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """End the streams, then the server."""
        self._hub.close()
        await super().shutdown(sockets)


def _config(app: Application, limits: Limits) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="asyncio",
        http=with_deadline(limits.header_s),
        h11_max_incomplete_event_size=limits.header_bytes,
        timeout_keep_alive=limits.idle_s,
        # JPEG and deflated masks get no smaller, and a compressed message may unpack to anything.
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_max_size=limits.message_bytes,
        ws_ping_interval=limits.ping_s,
        ws_ping_timeout=limits.ping_s,
        # The app has no lifespan events; were they on, a second Ctrl-C would end in uvicorn's traceback.
        lifespan="off",
        timeout_graceful_shutdown=1,
        # Headers of a proxy would let anyone choose the address that attempts are counted by.
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        log_level="warning",
    )
