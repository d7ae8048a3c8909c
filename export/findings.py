"""What a graph did on each verification picture, and whether that is good enough to be written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from hemonode.errors import ExportError
from hemonode.runtime.bundle.schema import Precision, SettingVerification


@dataclass(frozen=True)
class Limits:
    """What every verification picture must keep, or the setting is not written.

    Attributes:
        agreement_unrolled_onnx: least share of equal mask pixels, torch unrolled against ONNX. An fp16 graph keeps it
            in FP16 arithmetic, an int8 graph on every CPU engine here, if need be with parts of them in FP32.
        agreement_adaptive_onnx: least share of equal mask pixels, torch adaptive against ONNX.
        count_difference: most cells by which adaptive and ONNX may differ, summed over the classes.
        largest_magnitude: that an FP16 convolution may take or give; FP16 ends at 65504.
    """

    agreement_unrolled_onnx: Mapping[Precision, float] = field(
        default_factory=lambda: {"fp32": 0.999, "fp16": 0.999, "int8": 0.999}
    )
    agreement_adaptive_onnx: float = 0.99
    count_difference: int = 2
    largest_magnitude: float = 6e4


@dataclass(frozen=True)
class Finding:
    """What one graph did on one picture: shares of equal mask pixels, and cells counted otherwise.

    Attributes:
        agreement_unrolled: as the CPU engine runs it, with torch unrolled.
        agreement_rounded: the same in FP16 arithmetic; None of other graphs.
        agreement_adaptive: in its own arithmetic, with torch adaptive.
        count_difference: likewise.
    """

    image: str
    agreement_unrolled: float
    agreement_rounded: float | None
    agreement_adaptive: float
    count_difference: int


def judge(graph: str, precision: Precision, findings: Sequence[Finding], limits: Limits) -> SettingVerification:
    """The verification record of one graph, which errors call `graph`.

    Raises:
        ExportError: a limit is not kept; the sentence names the worst picture and the figure.
    """
    unrolled = min(findings, key=lambda finding: finding.agreement_unrolled)
    if what := _unlike_torch(unrolled, precision, limits):
        raise ExportError(f"{graph} differs from torch: {what}; the graph is at fault, so nothing was written")
    adaptive = min(findings, key=lambda finding: finding.agreement_adaptive)
    count = max(findings, key=lambda finding: finding.count_difference)
    if what := _unlike_adaptive(adaptive, limits) or _counted_otherwise(count, limits):
        raise ExportError(f"{graph} is too coarse: {what}; take more steps or a higher order")
    rounded = [finding.agreement_rounded for finding in findings if finding.agreement_rounded is not None]
    return SettingVerification(
        images=len(findings),
        mask_agreement_unrolled_onnx=unrolled.agreement_unrolled,
        mask_agreement_strict_fp16=min(rounded, default=None),
        mask_agreement_adaptive_onnx=adaptive.agreement_adaptive,
        count_difference_adaptive_onnx=count.count_difference,
        worst_image=adaptive.image,
    )


def shortfall(precision: Precision, finding: Finding, limits: Limits) -> str | None:
    """Which limit a picture does not keep, in words; None where it keeps all."""
    return (
        _unlike_torch(finding, precision, limits)
        or _unlike_adaptive(finding, limits)
        or _counted_otherwise(finding, limits)
    )


# Comparisons are written so that NaN fails.


def _unlike_torch(finding: Finding, precision: Precision, limits: Limits) -> str | None:
    if finding.agreement_unrolled >= limits.agreement_unrolled_onnx[precision]:
        return None
    return (
        f"on {finding.image} {finding.agreement_unrolled:.4%} of the mask agrees, below "
        f"{limits.agreement_unrolled_onnx[precision]:.2%}"
    )


def _unlike_adaptive(finding: Finding, limits: Limits) -> str | None:
    if finding.agreement_adaptive >= limits.agreement_adaptive_onnx:
        return None
    return (
        f"on {finding.image} {finding.agreement_adaptive:.4%} of the mask agrees with the adaptive solver, below "
        f"{limits.agreement_adaptive_onnx:.2%}"
    )


def _counted_otherwise(finding: Finding, limits: Limits) -> str | None:
    if finding.count_difference <= limits.count_difference:
        return None
    return (
        f"on {finding.image} it counts {finding.count_difference} cells otherwise than the adaptive solver, more than "
        f"{limits.count_difference}"
    )


def share_equal(first: npt.NDArray[np.uint8], second: npt.NDArray[np.uint8]) -> float:
    """Share of equal entries of two arrays of one shape."""
    return float(np.mean(first == second))
