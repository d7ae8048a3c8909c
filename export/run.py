"""The `export` command: from what was asked on the command line to a bundle and a summary."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, TimeRemainingColumn

from hemonode.errors import ExportError
from hemonode.export.bundle import Order, export_bundle, rounds
from hemonode.export.draft import check_target
from hemonode.export.findings import Limits
from hemonode.export.frames import Preparation, read_frames
from hemonode.export.manifest import MINIMUM_PX, class_records
from hemonode.export.settings import Setting, parse_settings
from hemonode.runtime.bundle.schema import Manifest, Precision
from hemonode.train.checkpoint import load_checkpoint
from hemonode.train.models.nodes_unet import STRIDE


@dataclass(frozen=True)
class Request:
    """What was asked on the command line."""

    checkpoint: Path
    out: Path
    solvers: tuple[str, ...]
    default_solver: str | None
    precisions: tuple[Precision, ...]
    data: Path
    root: Path
    images: int
    least_agreement: float
    count_difference: int
    accuracy: Path | None


def run_export(request: Request) -> None:
    """Export, with a progress bar, and print what was written.

    Raises:
        HemonodeError: what was asked could not be done; nothing was written.
    """
    # Everything that can be refused at once is, before minutes of solving.
    check_target(request.out)
    accuracy = _read_accuracy(request.accuracy)
    checkpoint = load_checkpoint(request.checkpoint)
    class_records(checkpoint)
    model = checkpoint.build_model()
    settings = parse_settings(request.solvers, model)
    order = Order(
        name=request.out.name.removesuffix(".hemo"),
        settings=settings,
        default_setting=_default(request, settings),
        precisions=request.precisions,
        limits=Limits(agreement_adaptive_onnx=request.least_agreement, count_difference=request.count_difference),
        accuracy=accuracy,
    )
    recipe = checkpoint.recipe
    preparation = Preparation(recipe.scale.red_cell_px, recipe.preprocessing, STRIDE, MINIMUM_PX)
    frames = read_frames(request.data, request.root, request.images, preparation)
    console = Console(stderr=True)
    with Progress(*Progress.get_default_columns()[:3], TimeRemainingColumn(), console=console, transient=True) as bar:
        task = bar.add_task("Verifying on real pictures", total=rounds(order, len(frames)))
        manifest = export_bundle(checkpoint, model, order, frames, request.out, lambda: bar.advance(task))
    _print_summary(manifest, request.out)


def _default(request: Request, settings: tuple[Setting, ...]) -> str:
    if request.default_solver is None and not request.solvers:
        return settings[0].name
    wanted = request.default_solver or request.solvers[0]
    if wanted not in request.solvers:
        raise ExportError(f"--default {wanted} is none of the solvers asked for: repeat it with --solver {wanted}")
    return wanted.replace(":", "x")


def _read_accuracy(path: Path | None) -> str | None:
    try:
        return None if path is None else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ExportError(f"--accuracy {path} cannot be read as text ({error}): give a Markdown file") from error


def _print_summary(manifest: Manifest, out: Path) -> None:
    console = Console(soft_wrap=True, highlight=False)
    size = sum((out / name).stat().st_size for name in manifest.files)
    console.print(f"{out}: {len(manifest.settings)} settings, {size / 1e6:.1f} MB, reach {manifest.input.reach_px} px")
    for setting in manifest.settings:
        for precision, proof in setting.verification.items():
            console.print(
                f"  {setting.name} {precision}: on {proof.images} pictures at least "
                f"{proof.mask_agreement_adaptive_onnx:.2%} of the mask as the adaptive solver, "
                f"{proof.mask_agreement_unrolled_onnx:.3%} as torch; counts within "
                f"{proof.count_difference_adaptive_onnx:g}"
            )
