"""`card.md`: what a bundle was trained on, how well it does, and where it ends, for whoever receives it."""

from __future__ import annotations

from collections.abc import Iterator

from hemonode.runtime.bundle.schema import Manifest, SettingVerification

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
    if any(setting.blocks for setting in manifest.settings):
        yield "\n## ODE blocks\n"
        yield from _blocks(manifest)
    yield "\n## Limits\n"
    yield f"- Works at {scale.red_cell_px:g} px per red cell, to which it resamples: a wrong diameter gives wrong"
    yield "  masks and counts. Training varied the scale by a quarter around it."
    yield "- Stains, microscopes and cell types that the data above does not show are unknown to it: check the masks."
    yield "- A smear gives proportions and cells per field, never a concentration."
    yield f"- {RESEARCH_USE}"


def _settings(manifest: Manifest) -> Iterator[str]:
    yield "Worst figures over the verification pictures: mask agreement with the adaptively solved network and with the"
    yield "same solver in torch, difference of counts, largest value in the graph. Work: multiply-adds per pixel.\n"
    yield "| setting | tolerance | work | precision | pictures | adaptive | torch | cells | largest | casts |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for setting in manifest.settings:
        tolerance = _figure(setting.tolerance, "g")
        for precision, proof in setting.verification.items():
            yield (
                f"| {setting.name} | {tolerance} | {_figure(setting.multiply_adds_per_px, ',.0f')} "
                f"| {precision} | {proof.images} | {proof.mask_agreement_adaptive_onnx:.3%} "
                f"| {agreement_with_torch(proof):.3%} | {proof.count_difference_adaptive_onnx:g} "
                f"| {_figure(proof.largest_magnitude, '.3g')} | {_figure(proof.casts, 'd')} |"
            )
    for setting in manifest.settings:
        for precision, proof in setting.verification.items():
            if proof.kept_fp32:
                yield f"\n{setting.name} in {precision} computes in FP32: {', '.join(proof.kept_fp32)}."
            if proof.int8_share is not None:
                yield from _eight_bits(setting.name, proof)


def _eight_bits(name: str, proof: SettingVerification) -> Iterator[str]:
    engines = ", ".join(f"{share:.3%} on {engine}" for engine, share in proof.agreement_by_engine.items())
    yield f"\n{name} in int8 does {proof.int8_share:.0%} of its work in 8 bits, whose ranges were seen on"
    yield f"{proof.calibration_images} pictures of the training split. It agrees with torch by {engines}."
    if proof.rounding_errors:
        worst = max(proof.rounding_errors.values())
        yield f"8 bits change what an ODE block does by up to {worst:.1e} of it, whatever the solver's own error."


def agreement_with_torch(proof: SettingVerification) -> float:
    """Share of equal mask pixels on the worst picture, torch unrolled against the graph in its own arithmetic."""
    strict = proof.mask_agreement_strict_fp16
    return proof.mask_agreement_unrolled_onnx if strict is None else strict


def _blocks(manifest: Manifest) -> Iterator[str]:
    yield "Errors are shares of what a block does to its state, the largest over whole pictures and over 32 px tiles."
    yield "Evaluations are of f in one pass, in brackets those for the error estimate; its ratio to the true error is"
    yield "the median over the pictures.\n"
    yield "| setting | block | method | steps | evaluations | error | tile error | estimate / error |"
    yield "|---|---|---|---|---|---|---|---|"
    for setting in manifest.settings:
        ratios = {estimate.position: estimate.ratio_to_true_error for estimate in setting.estimates}
        for block in setting.blocks:
            price = f" ({block.price_of_estimate})" if block.estimates else ""
            yield (
                f"| {setting.name} | {block.position} | {block.method} | {len(block.grid) - 1} "
                f"| {block.evaluations}{price} | {_figure(block.error, '.1e')} | {_figure(block.tile_error, '.1e')} "
                f"| {_figure(ratios.get(block.position), '.2g')} |"
            )


def _figure(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)


def _list(words: Iterator[str]) -> str:
    return ", ".join(word.replace("_", " ") for word in words)
