"""The command `hemonode live`; registered by `hemonode.runtime.commands`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from hemonode.runtime.commands import EngineChoice, PrecisionChoice


def register(app: typer.Typer) -> None:
    """Add `live` to the application."""

    @app.command()
    def live(
        source: str = typer.Argument(
            None,
            help="Camera: v4l2:…, csi:0, genicam:SERIAL, rtsp://…, 'simulated' (options as in simulated:seed=3), "
            "a folder, a picture or a video; or the name of one in the configuration.",
            show_default="simulated",
        ),
        config: Path = typer.Option(None, help="TOML file with everything; what is given here as well wins."),
        print_config: bool = typer.Option(
            False, "--print-config", help="Print the whole configuration as such a file, and end."
        ),
        bundle: Path = typer.Option(None, help="Model bundle (folder or zip).", show_default="the shipped one"),
        engine: EngineChoice = typer.Option(
            None, help="What runs the model; auto takes the best that works.", show_default="auto"
        ),
        precision: PrecisionChoice = typer.Option(None, help="What the engine computes in.", show_default="auto"),
        setting: str = typer.Option(
            None, help="Solver setting.", show_default="the most accurate that keeps the target"
        ),
        target_ms: float = typer.Option(
            None, min=1, max=60_000, help="Latency to keep, capture to result.", show_default="the governor's"
        ),
        red_cell_px: float = typer.Option(
            None,
            min=1,
            max=10_000,
            help="Red-cell diameter in pixels of the camera.",
            show_default="measured in the first pictures",
        ),
        um_per_px: float = typer.Option(None, min=0.001, max=100, help="Or micrometres per pixel of the camera."),
        rate_hz: float = typer.Option(
            None, min=0.01, max=1000, help="Pictures a second.", show_default="as usual for the source"
        ),
        headless: bool = typer.Option(None, "--headless", help="No page and no API: camera, model and recorder only."),
        port: int = typer.Option(
            None, min=0, max=65535, help="Port of the page; 0 takes any free one.", show_default="8080"
        ),
        host: str = typer.Option(
            None, help="Address of the page. Any but this machine's own demands a token.", show_default="127.0.0.1"
        ),
        token: str = typer.Option(
            None, envvar="HEMONODE_TOKEN", help="What a browser must give to see the page; best set in the environment."
        ),
    ) -> None:
        """Show masks and counts on a camera's picture, live, on a page in the browser.

        Example: hemonode live simulated --port 8080
        """
        if red_cell_px is not None and um_per_px is not None:
            raise typer.BadParameter("give --red-cell-px or --um-per-px, not both")
        if setting is not None and target_ms is not None:
            raise typer.BadParameter("give --setting or --target-ms, not both")
        from hemonode.runtime.live.config_file import load_config

        loaded = load_config(
            config,
            _given(
                headless=headless,
                source={"source": source, "rate_hz": rate_hz},
                model={
                    "bundles": None if bundle is None else [bundle.absolute()],
                    "engine": engine and engine.value,
                    "precision": precision and precision.value,
                },
                solver=_solver(setting, target_ms),
                scale={"red_cell_px": red_cell_px, "um_per_px": um_per_px},
                page={"host": host, "port": port, "token": token},
            ),
        )
        if print_config:
            from hemonode.runtime.live.config_text import config_text

            typer.echo(config_text(loaded), nl=False)
            return
        from hemonode.runtime.live.launch import serve

        def announce(url: str | None, lines: list[str]) -> None:
            where = f"Live at {url}" if url is not None else "Live without a page"
            typer.echo("\n".join([f"{where}  (Ctrl-C stops)", *lines]))

        serve(loaded, announce)


def _given(**sections: dict[str, Any] | bool | None) -> dict[str, Any]:
    """What was given at all; the rest is left to the file."""
    given = {
        name: {key: value for key, value in keys.items() if value is not None} if isinstance(keys, dict) else keys
        for name, keys in sections.items()
    }
    return {name: keys for name, keys in given.items() if keys not in (None, {})}


def _solver(setting: str | None, target_ms: float | None) -> dict[str, Any]:
    if setting is not None:
        return {"mode": "fixed", "setting": setting}
    return {} if target_ms is None else {"mode": "automatic", "target": "latency", "target_ms": target_ms}
