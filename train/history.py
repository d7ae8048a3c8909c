"""What happened in each epoch: metrics as JSON lines, and the curves as a picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hemonode.runtime.atomic import write_atomically

Record = dict[str, Any]


def write_history(records: list[Record], path: Path) -> None:
    """All epochs as JSON lines; replaces the file, so that a resumed run leaves no epoch twice."""
    write_atomically(path, "".join(json.dumps(record) + "\n" for record in records).encode())


def draw_curves(records: list[Record], path: Path) -> None:
    """Losses, validation scores and function evaluations over the epochs, as a PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    epochs = [record["epoch"] for record in records]
    panels = figure.subplots(1, 3)
    for name in ("loss", "mask_loss", "heat_loss"):
        panels[0].plot(epochs, [record[name] for record in records], label=name.replace("_", " "))
    panels[0].set_ylabel("training loss")
    panels[1].plot(epochs, [record["score"] for record in records], label="score", linewidth=2.5)
    panels[1].plot(epochs, [record["miou"] for record in records], label="MIoU")
    for class_id in records[-1]["f1"]:
        panels[1].plot(epochs, [record["f1"].get(class_id) for record in records], label=f"F1 of class {class_id}")
    panels[1].set_ylabel("validation")
    for position in records[-1]["evaluations"]:
        values = [record["evaluations"].get(position) for record in records]
        panels[2].plot(epochs, values, label=f"position {position}")
    panels[2].set_ylabel("function evaluations of dopri5")
    for panel in panels:
        panel.set_xlabel("epoch")
        panel.grid(alpha=0.3)
        if panel.lines:
            panel.legend(fontsize=8)
    figure.savefig(path, dpi=110)
