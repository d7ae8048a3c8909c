"""Every error of the API as {"error": sentence}, with the status that says whose it is."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from hemonode.errors import HemonodeError, UnknownNameError
from hemonode.runtime.web.calls import NoAnswerError
from hemonode.runtime.web.models import ErrorAnswer

ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorAnswer, "description": description}
    for status, description in {
        404: "Unknown id or path",
        409: "Cannot be done now",
        413: "Too large",
        422: "Not valid",
        429: "Too many wrong tokens",
        503: "No answer in time",
    }.items()
}
"""For the OpenAPI document: what any route may answer."""

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_]{1,40}")

logger = logging.getLogger("hemonode.web")


def add_error_answers(app: FastAPI) -> None:
    """Have the application answer errors so."""

    @app.exception_handler(HemonodeError)
    async def known(_: Request, error: HemonodeError) -> JSONResponse:
        return answer(_status_of(error), str(error))

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        return answer(422, "; ".join(_sentence(found) for found in error.errors()[:5]))

    @app.exception_handler(HTTPException)
    async def refused(_: Request, error: HTTPException) -> JSONResponse:
        return answer(error.status_code, HTTPStatus(error.status_code).phrase, error.headers)

    @app.exception_handler(Exception)
    async def unexpected(_: Request, __: Exception) -> JSONResponse:
        # Whoever reads the log sees the traceback; a client sees nothing of the inside.
        return answer(500, "This failed in a way that nobody foresaw; the log says more.")


def answer(status: int, sentence: str, headers: Any = None) -> JSONResponse:  # noqa: ANN401 - as in starlette
    """An error as the API answers it."""
    return JSONResponse({"error": sentence}, status, headers)


def _status_of(error: HemonodeError) -> int:
    if isinstance(error, UnknownNameError):
        return 404
    return 503 if isinstance(error, NoAnswerError) else 409


def _sentence(found: dict[str, Any]) -> str:
    """One fault of a request, without a word of what was sent: it might be shown to somebody."""
    where = _where(found["loc"])
    if found["type"] == "extra_forbidden":
        return f"{where}: is not known here"
    if found["type"] == "model_attributes_type":
        return f"{where}: must be a JSON object, sent as Content-Type: application/json"
    return f"{where}: {found['msg']}"


def _where(location: Sequence[object]) -> str:
    keys = [str(part) for part in location[1:]]
    named = ".".join(key if _PLAIN_KEY.fullmatch(key) else "(a key)" for key in keys)
    return named or str(location[0])
