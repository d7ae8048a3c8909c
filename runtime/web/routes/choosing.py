"""Choosing the source, the bundle, the solver setting and the scale."""

from __future__ import annotations

from fastapi import APIRouter

from hemonode.runtime.web.models import Chosen, Done, ScaleAnswer, ScaleRequest, SolverRequest
from hemonode.runtime.web.site import Site


def choosing_routes(site: Site) -> APIRouter:
    """`POST /api/source`, `/api/bundle`, `/api/solver`, `/api/scale`."""
    router = APIRouter(prefix="/api", tags=["choosing"])
    view = site.view

    @router.post("/source")
    async def choose_source(chosen: Chosen) -> Done:
        """Show another camera. The tally pauses."""
        await site.ask(view.choose_source, chosen.id)
        return Done()

    @router.post("/bundle")
    async def choose_bundle(chosen: Chosen) -> Done:
        """Open a bundle, or read the one in use again, and put it in place when it is ready."""
        await site.ask(view.choose_bundle, chosen.id)
        return Done()

    @router.post("/solver")
    async def wish_solver(wish: SolverRequest) -> Done:
        """Choose a solver setting, or leave it to the governor with a target."""
        await site.ask(view.wish_solver, wish.wish())
        return Done()

    @router.post("/scale")
    async def scale(wish: ScaleRequest | None = None) -> ScaleAnswer:
        """Set the red-cell diameter, or have it measured anew."""
        if wish is None or wish.red_cell_px is None:
            return ScaleAnswer(measuring=await site.ask(view.measure_scale_again))
        await site.ask(view.give_scale, wish.red_cell_px)
        return ScaleAnswer(measuring=False)

    return router
