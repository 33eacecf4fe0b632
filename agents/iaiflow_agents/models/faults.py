"""Refusals and failures of services, as faults with one sentence each."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Final

from iaiflow_agents.errors import ModelFault
from iaiflow_agents.usage import Usage
from iaiflow_lab.model.names import shorten

#: What the Messages API and others call what went wrong.
_BY_KIND: Final = {
    "overloaded_error": "model-overloaded",
    "rate_limit_error": "model-rate-limit",
    "rate_limit_exceeded": "model-rate-limit",
    "authentication_error": "model-refused-key",
    "permission_error": "model-refused-key",
    "invalid_api_key": "model-refused-key",
    "billing_error": "model-spend-limit",
    "insufficient_quota": "model-spend-limit",
    "not_found_error": "model-unknown",
    "model_not_found": "model-unknown",
    "timeout_error": "model-overloaded",
    "api_error": "model-unreachable",
    "server_error": "model-unreachable",
    "request_too_large": "model-too-long",
    "context_length_exceeded": "model-too-long",
}
_BY_STATUS: Final = {
    401: "model-refused-key",
    402: "model-spend-limit",
    403: "model-refused-key",
    404: "model-unknown",
    408: "model-overloaded",
    409: "model-overloaded",
    413: "model-too-long",
    429: "model-rate-limit",
    503: "model-overloaded",
    529: "model-overloaded",
}
#: Words by which a refusal that has no kind of its own is known.
_BY_WORDS: Final = {
    "prompt is too long": "model-too-long",
    "context window": "model-too-long",
    "context length": "model-too-long",
    "context limit": "model-too-long",
    "context size": "model-too-long",
    "input is too long": "model-too-long",
    "credit balance": "model-spend-limit",
    "spend_limit": "model-spend-limit",
    "billing_unavailable": "model-spend-limit",
}
_SENTENCES: Final = {
    "model-overloaded": ("The service has too much to do", "Try again in a while"),
    "model-rate-limit": ("The service allows no more requests now", "Try again in a while"),
    "model-refused-key": (
        "The service refused the key",
        "Set another with `iaiflow secrets set`, and see what the key may be used for",
    ),
    "model-spend-limit": (
        "The account's limit of spending is reached",
        "Raise it, or wait until the service begins to count anew",
    ),
    "model-unknown": ("The service does not know this model", "Choose another model"),
    "model-too-long": (
        "The conversation is too long for this model",
        "Shorten it, or choose a model that reads more",
    ),
    "model-bad-request": ("The service refused the request", "Correct what it names"),
    "model-unreachable": ("The service failed", "Try again in a while"),
}
_NEVER: Final = 86_400.0 * 366


def unhidden(text: str) -> str:
    """Return a text as it is: nothing in it is secret."""
    return text


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a service said when it gave no answer."""

    #: The HTTP status; 200 when it began to answer.
    status: int
    #: What it calls the error, such as "overloaded_error"; "": it does not say.
    kind: str
    #: Its words.
    message: str
    #: Headers of its answer, names in lower case.
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    #: A finer name, such as "enforced_spend_limit_reached"; "": none.
    detail: str = ""


def refused(
    refusal: Refusal,
    *,
    model: str,
    hide: Callable[[str], str] = unhidden,
    usage: Usage | None = None,
) -> ModelFault:
    """Return the fault for a refusal.

    Args:
        refusal: What the service said.
        model: The model that was asked.
        hide: Cuts the key out of what the service said: some repeat it.
        usage: What is known to be billed.
    """
    if 300 <= refusal.status < 400:
        return _moved(refusal, model, hide)
    code = _code(refusal)
    what, remedy = _SENTENCES[code]
    said = shorten(" ".join(hide(refusal.message).split()), 300)
    sentence = f"{what} ({refusal.status}): {said.rstrip('.')}." if said else f"{what}."
    fault = ModelFault(
        sentence,
        code=code,
        where=model,
        remedy=remedy,
        retry_after=retry_after(refusal.headers),
        usage=usage,
    )
    should = refusal.headers.get("x-should-retry", "")
    if should in {"true", "false"}:
        fault.is_retryable = should == "true"
    return fault


def _moved(refusal: Refusal, model: str, hide: Callable[[str], str]) -> ModelFault:
    """Return the fault for an address that sends elsewhere: a key goes where it was meant to go."""
    to = shorten(hide(refusal.headers.get("location", "")), 300) or "another address"
    return ModelFault(
        f"The address sends requests on to {to} ({refusal.status}), and they are not sent there.",
        code="model-bad-request",
        where=model,
        remedy="Set base_url to the address that is meant",
    )


def _code(refusal: Refusal) -> str:
    words = f"{refusal.detail} {refusal.message}".lower()
    for part, code in _BY_WORDS.items():
        if part in words and refusal.status < 500:
            return code
    for name in (refusal.detail, refusal.kind):
        if name in _BY_KIND:
            return _BY_KIND[name]
    if refusal.status in _BY_STATUS:
        return _BY_STATUS[refusal.status]
    return "model-bad-request" if 400 <= refusal.status < 500 else "model-unreachable"


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return for how long a service asks to wait, in seconds; None when it does not say."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        given = headers.get(name, "")
        try:
            seconds = float(given) / unit
        except ValueError:
            continue
        # Not a number and infinity are no waits.
        return max(0.0, seconds) if seconds < _NEVER else None
    try:
        moment = parsedate_to_datetime(headers.get("retry-after", ""))
    except (ValueError, TypeError, IndexError):
        return None
    return max(0.0, moment.timestamp() - time.time())


def unreachable(model: str, why: str, usage: Usage | None = None) -> ModelFault:
    """Return the fault for a connection that could not be made, or that ended."""
    return ModelFault(
        f"The service can't be reached: {why.rstrip('.') or 'the connection ended'}.",
        code="model-unreachable",
        where=model,
        remedy="See whether the network and the address are right, and try again",
        usage=usage,
    )


def stalled(model: str, usage: Usage | None = None) -> ModelFault:
    """Return the fault for an answer that does not go on."""
    return ModelFault(
        "The service has stopped in the middle of its answer.",
        code="model-stalled",
        where=model,
        remedy="Try again",
        usage=usage,
    )


def truncated(model: str, why: str, usage: Usage | None = None) -> ModelFault:
    """Return the fault for an answer that is not whole."""
    return ModelFault(
        f"The answer is not whole: {why}.",
        code="model-truncated",
        where=model,
        remedy="Try again; nothing of it was acted upon",
        usage=usage,
    )
