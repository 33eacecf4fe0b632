"""The web."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypedDict

from iaiflow_lab.errors import NodeError
from iaiflow_lab.safe.fetch import Fetched, safe_fetch
from iaiflow_lab.safe.load import safe_load
from iaiflow_lab.sdk.annotations import Edited, Json, Template
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.node import node

_JSON = re.compile(r"application/(?:[\w.-]+\+)?json\b", re.IGNORECASE)
_TEXT = re.compile(r"text/|application/(?:xml|javascript|[\w.-]+\+xml)\b", re.IGNORECASE)


class Response(TypedDict):
    """The answer of a server."""

    #: HTTP status, such as 200.
    status: int
    #: Headers by name, in lower case.
    headers: Json
    #: The content.
    body: Any


@node("http.request", category="Web", title="HTTP request", effects="write")
async def request(
    ctx: Context,
    data: Json = None,
    *,
    url: Template,
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] = "GET",
    headers: Annotated[dict[str, str] | None, Edited("secret")] = None,
    body: Template = "",
    read_as: Literal["auto", "json", "text", "bytes"] = "auto",
    any_status: bool = False,
    timeout_s: float = 30.0,
    max_mb: float = 10.0,
) -> Response:
    """Send an HTTP request to a server on the public internet.

    Servers on this machine or in a private network are refused unless config.toml allows them:
    `[fetch] allow = ["127.0.0.1:8123"]`. Requests other than GET and HEAD carry an
    `Idempotency-Key`, so that a server can tell a repetition.

    Args:
        data: JSON to send, instead of `body`.
        url: The address; `{{params.x}}` and `{{input}}` are filled in.
        method: The HTTP method.
        headers: Headers to send; `secret:NAME` in a value stands for that secret.
        body: Text to send.
        read_as: How the answer is read; auto goes by its content type.
        any_status: Whether a status of 400 and above is an answer like any other.
        timeout_s: Longest time for everything, in seconds.
        max_mb: Largest answer, in megabytes.
    """
    if timeout_s <= 0 or max_mb <= 0:
        raise NodeError(
            "timeout_s and max_mb must be greater than 0.",
            remedy="Correct the configuration.",
            code="config-invalid",
        )
    answer = await safe_fetch(
        url,
        method=method,
        headers=_headers(ctx, headers or {}, method, has_json=data is not None),
        content=_content(data, body),
        allowed=ctx.allowed_hosts,
        timeout=timeout_s,
        max_bytes=int(max_mb * 1_000_000),
    )
    if answer.status >= 400 and not any_status:
        raise _bad_status(answer)
    return {
        "status": answer.status,
        "headers": dict(answer.headers),
        "body": _read(answer, read_as),
    }


def _headers(
    ctx: Context, headers: Mapping[str, str], method: str, *, has_json: bool
) -> dict[str, str]:
    made = dict(headers)
    given = {name.lower() for name in made}
    if has_json and "content-type" not in given:
        made["Content-Type"] = "application/json"
    if method not in {"GET", "HEAD"} and "idempotency-key" not in given:
        made["Idempotency-Key"] = ctx.idempotency_key
    return made


def _content(data: Any, body: str) -> bytes | None:
    if data is None:
        return body.encode() if body else None
    if body:
        raise NodeError(
            "There are both `data` and `body` to send.",
            remedy="Leave one out.",
            code="config-invalid",
        )
    try:
        return json.dumps(data, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise NodeError(
            f"`data` is no JSON: {error}.",
            remedy="Wire a JSON value into it.",
            code="inputs-invalid",
        ) from None


def _read(answer: Fetched, read_as: str) -> Any:
    kind = answer.headers.get("content-type", "")
    if read_as == "bytes":
        return answer.body
    if read_as == "json" or (read_as == "auto" and _JSON.match(kind)):
        return safe_load(answer.body, where=answer.url) if answer.body else None
    if read_as == "auto" and kind and not _TEXT.match(kind):
        return answer.body
    try:
        return answer.body.decode(answer.encoding)
    except (UnicodeDecodeError, LookupError):
        if read_as == "auto":
            return answer.body
        raise NodeError(
            f"The answer is no {answer.encoding} text.",
            where=answer.url,
            remedy="Read it as bytes.",
            code="answer-invalid",
        ) from None


def _bad_status(answer: Fetched) -> NodeError:
    said = answer.body[:200].decode("utf-8", "replace")
    shown = " ".join(said.split())
    return NodeError(
        f"The server answered with status {answer.status}{f': {shown}' if shown else ''}.",
        where=answer.url.partition("?")[0],
        remedy="Check the request, or set any_status to go on with such answers.",
        code=f"http-{answer.status}",
    )
