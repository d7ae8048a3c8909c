"""The camera's controls: exposure, gain, white balance and what else it has."""

from __future__ import annotations

from fastapi import APIRouter

from hemonode.device.camera.contract import Control
from hemonode.runtime.web.models import ControlName, ControlRequest
from hemonode.runtime.web.site import Site


def camera_routes(site: Site) -> APIRouter:
    """`GET /api/controls`, `POST /api/controls/{name}`."""
    router = APIRouter(prefix="/api/controls", tags=["camera"])

    @router.get("")
    async def controls() -> list[Control]:
        """What can be set at the camera; none while it is away."""
        return list(await site.ask(site.view.controls))

    @router.post("/{name}")
    async def set_control(name: ControlName, wish: ControlRequest) -> Control:
        """Set a value, or let the camera choose it; the answer is what it became."""
        return await site.ask(site.view.set_control, name, value=wish.value, automatic=wish.automatic)

    return router
