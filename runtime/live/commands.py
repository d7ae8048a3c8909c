"""The command `hemonode live`; registered by `hemonode.runtime.commands`."""

from __future__ import annotations

from pathlib import Path

import typer

from hemonode.runtime.commands import EngineChoice, PrecisionChoice


def register(app: typer.Typer) -> None:
    """Add `live` to the application."""

    @app.command()
    def live(
        source: str = typer.Argument(
            "simulated", help="Camera: 'simulated' (options as in simulated:seed=3), a folder, a picture or a video."
        ),
        bundle: Path = typer.Option(None, help="Model bundle (folder or zip).", show_default="the shipped one"),
        engine: EngineChoice = typer.Option("auto", help="What runs the model; auto takes the best that works."),
        setting: str = typer.Option(None, help="Solver setting.", show_default="the bundle's own"),
        precision: PrecisionChoice = typer.Option("auto", help="What the engine computes in."),
        red_cell_px: float = typer.Option(
            None,
            min=1,
            help="Red-cell diameter in pixels of the camera.",
            show_default="measured in the first pictures",
        ),
        um_per_px: float = typer.Option(None, min=0.001, help="Or micrometres per pixel of the camera."),
        rate_hz: float = typer.Option(
            None, min=0.01, help="Pictures a second.", show_default="as usual for the source"
        ),
        port: int = typer.Option(8080, min=0, max=65535, help="Port of the page; 0 takes any free one."),
        host: str = typer.Option("127.0.0.1", help="Address of the page. Any but this machine's own demands a token."),
        token: str = typer.Option(
            None, envvar="HEMONODE_TOKEN", help="What a browser must give to see the page; best set in the environment."
        ),
    ) -> None:
        """Show masks and counts on a camera's picture, live, on a page in the browser.

        Example: hemonode live simulated --port 8080
        """
        if red_cell_px is not None and um_per_px is not None:
            raise typer.BadParameter("give --red-cell-px or --um-per-px, not both")
        from hemonode.runtime.live.launch import LiveOptions, serve

        serve(
            LiveOptions(
                source=source,
                bundle=bundle,
                engine=engine.value,
                setting=setting,
                precision=precision.value,
                red_cell_px=red_cell_px,
                um_per_px=um_per_px,
                rate_hz=rate_hz,
                host=host,
                port=port,
                token=token,
            ),
            announce=lambda url, lines: typer.echo("\n".join([f"Live at {url}  (Ctrl-C stops)", *lines])),
        )
