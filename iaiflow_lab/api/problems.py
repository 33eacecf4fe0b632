"""Refusals as problem documents (RFC 9457), each with a stable code."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from iaiflow_lab.errors import LabError

#: How soon a caller may try again, in seconds.
_RETRY_S: Final = 5
_CODES: Final = {404: "not-found", 405: "method-not-allowed", 413: "too-large"}


def problem(
    status: int, code: str, detail: str, *, where: str = "", remedy: str = ""
) -> JSONResponse:
    """Return a problem document.

    Args:
        status: The HTTP status.
        code: What programs may rely on.
        detail: One sentence for people.
        where: The place; "" when the sentence names it.
        remedy: What to do; "" when nothing can be done.
    """
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "where": where,
        "remedy": remedy,
    }
    headers = {"Retry-After": str(_RETRY_S)} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}
    return JSONResponse(body, status, headers, media_type="application/problem+json")


def explain_refusals(app: FastAPI) -> None:
    """Have an application answer with problem documents only."""
    app.add_exception_handler(LabError, _of_ours)
    app.add_exception_handler(RequestValidationError, _of_request)
    app.add_exception_handler(HTTPException, _of_framework)
    app.add_exception_handler(Exception, _of_defect)


async def _of_ours(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, LabError)
    return problem(
        error.http_status, error.code, error.what, where=error.where, remedy=error.remedy
    )


async def _of_request(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first: dict[str, Any] = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    more = len(error.errors()) - 1
    return problem(
        422,
        "request-invalid",
        f"The request cannot be used: {first['msg']}{f'; {more} more' if more else ''}.",
        where=where,
        remedy="/openapi.json says what is expected",
    )


async def _of_framework(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = _CODES.get(error.status_code, "request-refused")
    answer = problem(error.status_code, code, f"{error.detail.rstrip('.')}.")
    answer.headers.update(error.headers or {})
    return answer


async def _of_defect(_: Request, error: Exception) -> JSONResponse:
    return problem(500, "internal", f"This is a defect: {type(error).__name__}.")
