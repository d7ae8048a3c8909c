"""What a graph did on each verification picture, and whether that is good enough to be written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hemonode.errors import ExportError
from hemonode.export.session import Magnitude
from hemonode.runtime.bundle.schema import Precision, SettingVerification


@dataclass(frozen=True)
class Limits:
    """What every verification picture must keep, or the setting is not written.

    Attributes:
        agreement_unrolled_onnx: least share of equal mask pixels, torch unrolled against ONNX.
        agreement_adaptive_onnx: least share of equal mask pixels, torch adaptive against ONNX.
        count_difference: most cells by which adaptive and ONNX may differ, summed over the classes.
        largest_magnitude: of any value in an fp16 graph; FP16 ends at 65504.
    """

    agreement_unrolled_onnx: Mapping[Precision, float] = field(default_factory=lambda: {"fp32": 0.999, "fp16": 0.995})
    agreement_adaptive_onnx: float = 0.99
    count_difference: int = 2
    largest_magnitude: float = 6e4


@dataclass(frozen=True)
class Finding:
    """What one graph did on one picture: shares of equal mask pixels, counts, and its largest value."""

    image: str
    agreement_unrolled: float
    agreement_adaptive: float
    count_difference: int
    magnitude: Magnitude


def judge(graph: str, precision: Precision, findings: Sequence[Finding], limits: Limits) -> SettingVerification:
    """The verification record of one graph, which errors call `graph`.

    Raises:
        ExportError: a limit is not kept; the sentence names the worst picture and the figure.
    """
    # Comparisons are written so that NaN fails.
    unrolled = min(findings, key=lambda finding: finding.agreement_unrolled)
    check_agreement(graph, unrolled.image, unrolled.agreement_unrolled, precision, limits)
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
    largest = max(findings, key=lambda finding: finding.magnitude.largest)
    if precision == "fp16" and not largest.magnitude.largest <= limits.largest_magnitude:
        raise ExportError(
            f"{graph} would overflow: on {largest.image} {largest.magnitude.value} reaches "
            f"{largest.magnitude.largest:.3g}, above {limits.largest_magnitude:.0f}; export it in fp32 only"
        )
    return SettingVerification(
        images=len(findings),
        mask_agreement_unrolled_onnx=unrolled.agreement_unrolled,
        mask_agreement_adaptive_onnx=adaptive.agreement_adaptive,
        count_difference_adaptive_onnx=count.count_difference,
        largest_magnitude=largest.magnitude.largest,
    )


def check_agreement(graph: str, image: str, agreement: float, precision: Precision, limits: Limits) -> None:
    """Refuse a graph that does not answer what torch does.

    Raises:
        ExportError: the share of equal mask pixels is below the limit of the precision.
    """
    if not agreement >= limits.agreement_unrolled_onnx[precision]:
        raise ExportError(
            f"{graph} differs from torch: on {image} {agreement:.4%} of the mask agrees, "
            f"below {limits.agreement_unrolled_onnx[precision]:.2%}; the graph is at fault, so nothing was written"
        )
