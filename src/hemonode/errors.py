"""The errors hemonode raises: one sentence that says what is wrong, where, and what to do."""

from __future__ import annotations


class HemonodeError(Exception):
    """What was asked could not be done. The command line prints the sentence and exits with 1."""


class PictureError(HemonodeError):
    """A picture or video cannot be read, or is not what it claims to be."""


class BundleError(HemonodeError):
    """A bundle is damaged, of a newer schema, or lacks what was asked of it."""


class EngineError(HemonodeError):
    """An inference engine cannot be opened, or failed while running."""


class TooManyCellsError(EngineError):
    """A frame shows more cells than the model can list, so a count would be short."""


class DatasetError(HemonodeError):
    """A data set is incomplete, contradicts itself, or is described wrongly."""


class CheckpointError(HemonodeError):
    """A checkpoint is not ours, or does not fit the model or the recipe."""


class RecipeError(HemonodeError):
    """A training recipe or model configuration is not usable."""


class SolverError(HemonodeError):
    """An ODE block cannot be integrated at the tolerance asked for."""


class ExportError(HemonodeError):
    """A model cannot be unrolled, written or verified as asked."""


class OutputError(HemonodeError):
    """Results cannot be written where they were asked for."""


class DeviceError(HemonodeError):
    """A camera, stage or other device is missing, stalled or misbehaves."""


class UnknownNameError(HemonodeError):
    """What was named is not among what there is: a source, a setting, a session, a field."""


class InterruptedByUser(HemonodeError):
    """Ctrl-C: what was finished before it is complete and valid."""
