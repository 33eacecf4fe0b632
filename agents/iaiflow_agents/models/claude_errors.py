"""What Anthropic's SDK raises, as faults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from json import JSONDecodeError
from typing import Any, cast

from iaiflow_agents.errors import ModelFault
from iaiflow_agents.models.faults import Refusal, refused, stalled, truncated, unreachable
from iaiflow_agents.usage import Usage


def explain(
    error: Exception, model: str, hide: Callable[[str], str], usage: Usage | None = None
) -> ModelFault | None:
    """Return the fault for what the SDK raised; None for what is a mistake of the program.

    Args:
        error: What was raised.
        model: The model that was asked.
        hide: Cuts the key out of a text.
        usage: What is known to be billed.
    """
    if isinstance(error, ImportError):
        return _not_installed(error, model)
    import anthropic
    import httpx2

    match error:
        case anthropic.APIStatusError():
            return refused(_refusal(error), model=model, hide=hide, usage=usage)
        case TimeoutError():
            return stalled(model, usage)
        case anthropic.APIConnectionError() if error.__cause__ is not None:
            return _of_connection(error.__cause__, model, hide, usage)
        case httpx2.HTTPError() | httpx2.StreamError() | anthropic.APIConnectionError():
            return _of_connection(error, model, hide, usage)
        case JSONDecodeError() | UnicodeDecodeError() | anthropic.APIResponseValidationError():
            return truncated(model, "it can't be read", usage)
        # Before an answer begins, the SDK says in this way what it lacks.
        case ValueError() | anthropic.AnthropicError() if usage is None:
            return _not_set_up(error, model, hide)
        case _:
            return None


def _of_connection(
    error: BaseException, model: str, hide: Callable[[str], str], usage: Usage | None
) -> ModelFault:
    import httpx2

    if isinstance(error, httpx2.ReadTimeout | httpx2.WriteTimeout):
        return stalled(model, usage)
    return unreachable(model, hide(str(error) or type(error).__name__), usage)


def _refusal(error: Any) -> Refusal:
    headers = {name.lower(): value for name, value in error.response.headers.items()}
    message = error.api_message or _words(error.body) or str(error.message)
    return Refusal(
        status=error.status_code,
        kind=error.type or "",
        message=message,
        headers=headers,
        detail=error.error_code or "",
    )


def _words(body: object) -> str:
    """Return what a server says that spells its errors in another way."""
    if isinstance(body, str):
        return body
    if not isinstance(body, Mapping):
        return ""
    said = cast("Mapping[str, Any]", body)
    return str(said.get("message") or said.get("detail") or said.get("error") or "")


def _not_set_up(error: Exception, model: str, hide: Callable[[str], str]) -> ModelFault:
    why = " ".join(hide(str(error)).split())
    return ModelFault(
        f"{model} is not set up: {why.rstrip('.')}.",
        code="model-no-key",
        remedy="Set what it names",
    )


def _not_installed(error: ImportError, model: str) -> ModelFault:
    missing = error.name or str(error)
    extra = "anthropic[bedrock]" if missing.startswith("boto") else "iaiflow-lab[agents]"
    return ModelFault(
        f"{model} needs {missing}, which is not installed.",
        code="model-not-installed",
        remedy=f'Install it: pip install "{extra}"',
    )
