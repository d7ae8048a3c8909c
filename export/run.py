"""The `export` command: from what was asked on the command line to a bundle and a summary."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, TimeRemainingColumn

from hemonode.errors import ExportError
from hemonode.export.bundle import Order, export_bundle, rounds
from hemonode.export.card import agreement_with_torch
from hemonode.export.choice import Choice
from hemonode.export.draft import check_target
from hemonode.export.findings import Limits
from hemonode.export.frames import Preparation, spread_frames
from hemonode.export.manifest import MINIMUM_PX, class_records
from hemonode.export.search.network import Network
from hemonode.export.search.question import Question
from hemonode.export.search.search import search
from hemonode.export.settings import Setting, ladder
from hemonode.runtime.bundle.schema import Manifest, Precision, SolverSetting
from hemonode.train.checkpoint import load_checkpoint
from hemonode.train.metrics.run import open_datasets
from hemonode.train.models.nodes_unet import STRIDE


@dataclass(frozen=True)
class Request:
    """What was asked on the command line."""

    checkpoint: Path
    out: Path
    choice: Choice
    precisions: tuple[Precision, ...]
    data: str
    root: Path | None
    images: int
    search_images: int
    calibration_images: int
    limits: Limits
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
    request.choice.check(model)
    (dataset,) = open_datasets([request.data], [] if request.root is None else [request.root])
    recipe = checkpoint.recipe
    precisions = _with_reference(request.precisions)
    preparation = Preparation(recipe.scale.red_cell_px, recipe.preprocessing, STRIDE, MINIMUM_PX)
    calibration = (
        spread_frames(dataset, request.calibration_images, preparation, "train") if "int8" in precisions else ()
    )
    console = Console(stderr=True)
    with Progress(*Progress.get_default_columns()[:3], TimeRemainingColumn(), console=console, transient=True) as bar:

        def find(question: Question) -> list[Setting]:
            task = bar.add_task("Searching solvers")
            found = search(
                Network.of(checkpoint, model),
                spread_frames(dataset, request.search_images, preparation),
                question,
                advance=lambda what, done, total: bar.update(task, description=what, completed=done, total=total),
            )
            bar.remove_task(task)
            return [rung.setting() for rung in found.rungs]

        settings = request.choice.settings(model, request.checkpoint, find)
        order = Order(
            name=request.out.name.removesuffix(".hemo"),
            settings=ladder(settings),
            default_setting=request.choice.default_of(settings),
            precisions=precisions,
            limits=request.limits,
            calibration=calibration,
            accuracy=accuracy,
        )
        frames = spread_frames(dataset, request.images, preparation)
        task = bar.add_task("Verifying on real pictures", total=rounds(order, len(frames)))
        manifest = export_bundle(
            checkpoint,
            model,
            order,
            frames,
            request.out,
            lambda: bar.advance(task),
            lambda sentence: console.print(f"Warning: {sentence}", soft_wrap=True, highlight=False),
        )
    _print_summary(manifest, request.out)


def _with_reference(precisions: tuple[Precision, ...]) -> tuple[Precision, ...]:
    """A machine checks an int8 graph against the one in fp32 before it runs it."""
    return ("fp32", *precisions) if "int8" in precisions and "fp32" not in precisions else precisions


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
        console.print(f"  {setting.name}: {_solvers(setting)}")
        for precision, proof in setting.verification.items():
            kept = f"; in FP32: {', '.join(proof.kept_fp32)}" if proof.kept_fp32 else ""
            share = "" if proof.int8_share is None else f"; {proof.int8_share:.0%} of the work in 8 bits"
            console.print(
                f"  {setting.name} {precision}: on {proof.images} pictures at least "
                f"{proof.mask_agreement_adaptive_onnx:.3%} of the mask as the adaptive solver, "
                f"{agreement_with_torch(proof):.3%} as torch; counts within "
                f"{proof.count_difference_adaptive_onnx:g}{share}{kept}"
            )


def _solvers(setting: SolverSetting) -> str:
    if not setting.blocks:
        return "no ODE blocks"
    price = sum(block.price_of_estimate for block in setting.blocks)
    blocks = ", ".join(
        f"block {block.position} {block.method} in {len(block.grid) - 1} (error {block.error:.1e})"
        for block in setting.blocks
    )
    estimates = f", {price} of them for error estimates" if any(block.estimates for block in setting.blocks) else ""
    return f"{blocks}; {sum(block.evaluations for block in setting.blocks)} evaluations{estimates}"
