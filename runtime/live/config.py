"""What a live view is started with: every option of the command line and of the configuration file, checked."""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, field_validator, model_validator

from hemonode.errors import HemonodeError
from hemonode.runtime.engines import ENGINES
from hemonode.runtime.engines.contract import AskedPrecision
from hemonode.runtime.live.status import SolverMode, TargetKind
from hemonode.runtime.live.view import SolverWish
from hemonode.runtime.record.places import sessions_folder

LogFormat = Literal["auto", "plain", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]
Text = Annotated[str, StringConstraints(min_length=1, max_length=500)]

HIDDEN = "***"
"""Stands for a password where a source is shown."""

# What cameras call a secret behind the question mark of their address.
_SECRET_PARAMETER = re.compile(r"([?&][^=&]*(?:pass|pwd|token|secret|key|auth)[^=&]*=)[^&]*", re.IGNORECASE)


class _Section(BaseModel):
    """A table of the file. A key that is not known is an error: it is a slip, or of a newer hemonode."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class SourceConfig(_Section):
    """A camera, folder, picture or video that can be chosen."""

    source: Text = Field(
        default="simulated", description="as on the command line: v4l2:serial=…, csi:0, rtsp://…, a folder"
    )
    name: Text | None = Field(default=None, description="what the page calls it")
    rate_hz: float | None = Field(
        default=None, strict=True, ge=0.01, le=1000, description="pictures a second; left out: as usual for it"
    )

    @field_validator("source")
    @classmethod
    def _is_whole(cls, source: str) -> str:
        if f":{HIDDEN}@" in source or f"={HIDDEN}" in source:
            raise ValueError("its password was left out when it was printed; put it back")
        return source


class ModelConfig(_Section):
    """What computes the masks."""

    bundles: tuple[Path, ...] = Field(
        default=(), description="that can be chosen, first one first; none: the shipped one"
    )
    engine: str = Field(default="auto", description=f"auto, {', '.join(ENGINES)}")
    precision: AskedPrecision = Field(default="auto", description="auto, fp32, fp16, bf16 or int8")

    @model_validator(mode="after")
    def _engine_is_known(self) -> ModelConfig:
        if self.engine not in ("auto", *ENGINES):
            raise ValueError(f"there is no engine {self.engine!r}; take auto, {', '.join(ENGINES)}")
        return self


class SolverConfig(_Section):
    """Which solver setting runs."""

    mode: SolverMode = Field(default="automatic", description="automatic keeps the target; fixed keeps the setting")
    setting: Text | None = Field(default=None, description="where mode is fixed; left out: the bundle's own")
    target: TargetKind = Field(
        default="latency", description="latency: capture to result; frame_time: result to result"
    )
    target_ms: float | None = Field(default=None, strict=True, ge=1, le=60_000, description="where mode is automatic")

    def wish(self) -> SolverWish:
        """The same, as the governor takes it."""
        return SolverWish(self.mode, self.setting, self.target, self.target_ms)


class ScaleConfig(_Section):
    """How large red cells are. Neither given: measured in the first pictures."""

    red_cell_px: float | None = Field(
        default=None, strict=True, ge=1, le=10_000, description="red-cell diameter, pixels of the camera"
    )
    um_per_px: float | None = Field(
        default=None, strict=True, ge=0.001, le=100, description="or micrometres per pixel of the camera"
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> ScaleConfig:
        if self.red_cell_px is not None and self.um_per_px is not None:
            raise ValueError("give red_cell_px or um_per_px, not both")
        return self


class TallyConfig(_Section):
    """What a tally aims at, unless it is started with another goal."""

    goal_percent: float = Field(
        default=10.0, strict=True, ge=0.5, le=100, description="half width of the 95 % interval, percent of the count"
    )
    goal_class: int | None = Field(
        default=None,
        strict=True,
        ge=1,
        le=254,
        description="class id of that count; left out: white cells",
    )


class RecorderConfig(_Section):
    """What is kept, and where."""

    folder: Path = Field(default_factory=sessions_folder, description="of all sessions")
    budget_gb: float = Field(
        default=20.0, strict=True, gt=0, le=100_000, description="that pictures may take; counts are always kept"
    )
    reserve_gb: float = Field(
        default=2.0, strict=True, ge=0, le=100_000, description="that stays free on the disk; pictures stop first"
    )
    pictures: bool = Field(default=True, strict=True, description="keep each counted field with its picture and mask")


class PageConfig(_Section):
    """Where the page and the API are, and who may use them."""

    host: Text = Field(default="127.0.0.1", description="any but this machine's own demands a token")
    port: int = Field(default=8080, strict=True, ge=0, le=65535, description="0 takes any free one")
    names: tuple[Text, ...] = Field(
        default=(), description="host names by which the page is reached; none: any, with a token"
    )
    token_file: Path | None = Field(
        default=None, description="holds the token, of at least 16 characters, and nothing else"
    )
    certificate: Path | None = Field(default=None, description="PEM file for https, with the whole chain")
    key: Path | None = Field(default=None, description="PEM file of its private key, without a password")
    token: SecretStr | None = Field(default=None, exclude=True, repr=False)
    """From the command line or the environment, before any file; never in a file that is printed or shared."""

    @model_validator(mode="after")
    def _belong_together(self) -> PageConfig:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key belong together: give both, or neither")
        return self

    def secret(self) -> str | None:
        """The token that a browser must give.

        Raises:
            HemonodeError: its file cannot be read, or everybody on this machine can read it.
        """
        if self.token is not None:
            return self.token.get_secret_value()
        return None if self.token_file is None else _read_secret(self.token_file)


class LogConfig(_Section):
    """What is logged to standard error."""

    format: LogFormat = Field(
        default="auto", description="plain, json (one object a line), or auto: plain on a terminal"
    )
    level: LogLevel = Field(default="info", description="debug, info, warning or error")


class LiveConfig(_Section):
    """A whole live view. `hemonode live --print-config` writes it as a file that `--config` reads back unchanged."""

    headless: bool = Field(default=False, strict=True, description="no page, no API: camera, model and recorder only")
    metrics: bool = Field(
        default=False, strict=True, description="headless: /metrics and /health are served all the same"
    )
    source: tuple[SourceConfig, ...] = (SourceConfig(),)
    model: ModelConfig = ModelConfig()
    solver: SolverConfig = SolverConfig()
    scale: ScaleConfig = ScaleConfig()
    tally: TallyConfig = TallyConfig()
    recorder: RecorderConfig = Field(default_factory=lambda: RecorderConfig())
    page: PageConfig = PageConfig()
    log: LogConfig = LogConfig()

    @model_validator(mode="after")
    def _there_is_a_source(self) -> LiveConfig:
        if not self.source:
            raise ValueError("name at least one [[source]], or leave all out for the simulated microscope")
        return self

    @model_validator(mode="after")
    def _each_source_is_another(self) -> LiveConfig:
        texts = [source.source for source in self.source]
        twice = next((text for text in texts if texts.count(text) > 1), None)
        if twice is not None:
            raise ValueError(f"the source {without_password(twice)} is named twice; each [[source]] must be another")
        return self


def without_password(source: str) -> str:
    """A source as it may be printed: rtsp://user:***@camera/1?password=***. Other parameters stay."""
    without = re.sub(r"(?<=://)([^/@:]*):[^/]*(?=@)", rf"\1:{HIDDEN}", source)
    return _SECRET_PARAMETER.sub(rf"\1{HIDDEN}", without)


def _read_secret(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise HemonodeError(f"the token file {path} cannot be read: {error}") from error
    if mode & stat.S_IROTH:
        raise HemonodeError(f"everybody on this machine can read the token in {path}; run: chmod 600 {path}")
    return text.strip()
