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
            in FP16 arithmetic, if need be with parts of it in FP32.
        agreement_adaptive_onnx: least share of equal mask pixels, torch adaptive against ONNX.
        count_difference: most cells by which adaptive and ONNX may differ, summed over the classes.
        largest_magnitude: that an FP16 convolution may take or give; FP16 ends at 65504.
    """

    agreement_unrolled_onnx: Mapping[Precision, float] = field(default_factory=lambda: {"fp32": 0.999, "fp16": 0.999})
    agreement_adaptive_onnx: float = 0.99
    count_difference: int = 2
    largest_magnitude: float = 6e4


@dataclass(frozen=True)
class Finding:
    """What one graph did on one picture: shares of equal mask pixels, and cells counted otherwise.

    Attributes:
        agreement_unrolled: as the CPU engine runs it, with torch unrolled.
        agreement_rounded: the same in FP16 arithmetic; None for fp32.
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
    # Comparisons are written so that NaN fails.
    unrolled = min(findings, key=lambda finding: finding.agreement_unrolled)
    if not unrolled.agreement_unrolled >= limits.agreement_unrolled_onnx[precision]:
        raise ExportError(
            f"{graph} differs from torch: on {unrolled.image} {unrolled.agreement_unrolled:.4%} of the mask agrees, "
            f"below {limits.agreement_unrolled_onnx[precision]:.2%}; the graph is at fault, so nothing was written"
        )
    adaptive = min(findings, key=lambda finding: finding.agreement_adaptive)
    if not adaptive.agreement_adaptive >= limits.agreement_adaptive_onnx:
        raise ExportError(
            f"{graph} is too coarse: on {adaptive.image} {adaptive.agreement_adaptive:.4%} of the mask agrees with the "
            f"adaptive solver, below {limits.agreement_adaptive_onnx:.2%}; take more steps or a higher order"
        )
    count = max(findings, key=lambda finding: finding.count_difference)
    if not count.count_difference <= limits.count_difference:
        raise ExportError(
            f"{graph} is too coarse: on {count.image} it counts {count.count_difference} cells otherwise than the "
            f"adaptive solver, more than {limits.count_difference}; take more steps or a higher order"
        )
    rounded = [finding.agreement_rounded for finding in findings if finding.agreement_rounded is not None]
    return SettingVerification(
        images=len(findings),
        mask_agreement_unrolled_onnx=unrolled.agreement_unrolled,
        mask_agreement_strict_fp16=min(rounded, default=None),
        mask_agreement_adaptive_onnx=adaptive.agreement_adaptive,
        count_difference_adaptive_onnx=count.count_difference,
        worst_image=adaptive.image,
    )


def share_equal(first: npt.NDArray[np.uint8], second: npt.NDArray[np.uint8]) -> float:
    """Share of equal entries of two arrays of one shape."""
    return float(np.mean(first == second))
