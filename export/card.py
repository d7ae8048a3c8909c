"""`card.md`: what a bundle was trained on, how well it does, and where it ends, for whoever receives it."""

from __future__ import annotations

from collections.abc import Iterator

from hemonode.runtime.bundle.schema import Manifest

RESEARCH_USE = "For research use. hemonode is not a diagnostic device, and this model is no basis for a diagnosis."


def write_card(manifest: Manifest, accuracy: str | None) -> str:
    """The card as Markdown.

    Args:
        manifest: what the bundle holds.
        accuracy: Markdown with measured figures, or None, which the card then says.
    """
    return "\n".join(_lines(manifest, accuracy)) + "\n"


def _lines(manifest: Manifest, accuracy: str | None) -> Iterator[str]:
    origin, scale = manifest.provenance, manifest.scale
    yield f"# {manifest.name}"
    yield f"\n{RESEARCH_USE}"
    yield f"\nA {manifest.model} for blood smears: masks of {_list(c.name for c in manifest.classes)}; "
    yield f"counts of {_list(c.name for c in manifest.classes if c.countable)}."
    yield "\n## Trained on\n"
    for data, licence in zip(origin.trained_on, origin.licences, strict=True):
        yield f"- {data} ({licence})"
    yield f"\nRecipe `{origin.recipe}`, seed {origin.seed}, {origin.epochs} epochs, hemonode "
    yield f"{origin.hemonode_version}, torch {origin.torch_version}."
    yield "\n## Measured accuracy\n"
    yield accuracy.strip() if accuracy else "None was given when this bundle was written."
    yield "\n## Solver settings\n"
    yield from _settings(manifest)
    yield "\n## Limits\n"
    yield f"- Works at {scale.red_cell_px:g} px per red cell, to which it resamples: a wrong diameter gives wrong"
    yield "  masks and counts. Training varied the scale by a quarter around it."
    yield "- Stains, microscopes and cell types that the data above does not show are unknown to it: check the masks."
    yield "- A smear gives proportions and cells per field, never a concentration."
    yield f"- {RESEARCH_USE}"


def _settings(manifest: Manifest) -> Iterator[str]:
    yield "Worst figures over the verification pictures: mask agreement with the adaptively solved network and with the"
    yield "same solver in torch, difference of counts, largest value in the graph, and error of each ODE block.\n"
    yield "| setting | evaluations | precision | pictures | adaptive | torch | cells | largest | block errors |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for setting in manifest.settings:
        evaluations = sum(block.evaluations for block in setting.blocks)
        errors = ", ".join(f"{b.position}: {b.error:.1e}" for b in setting.blocks if b.error is not None) or "–"
        for precision, proof in setting.verification.items():
            largest = "–" if proof.largest_magnitude is None else f"{proof.largest_magnitude:.3g}"
            yield (
                f"| {setting.name} | {evaluations} | {precision} | {proof.images} "
                f"| {proof.mask_agreement_adaptive_onnx:.3%} | {proof.mask_agreement_unrolled_onnx:.3%} "
                f"| {proof.count_difference_adaptive_onnx:g} | {largest} | {errors} |"
            )


def _list(words: Iterator[str]) -> str:
    return ", ".join(word.replace("_", " ") for word in words)
