"""Models by name: the providers that packages bring."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from typing import Any, Final, NamedTuple

from iaiflow_agents.errors import ModelFault
from iaiflow_agents.models.protocol import ModelClient
from iaiflow_agents.models.recording import Recorder
from iaiflow_lab.model.names import did_you_mean, listed

#: The entry points that name providers: `name = "module:function"`, with a function that takes an
#: `Opening` and returns a `ModelClient`.
GROUP: Final = "iaiflow.models"
#: The model that is asked when none is named.
MODEL: Final = "claude-sonnet-5-5"
#: How models are called whose provider need not be said.
_GUESSED: Final = {
    "claude-": "claude",
    "gpt-": "openai",
    "o1": "openai",
    "o3": "openai",
    "o4": "openai",
}


@dataclass(frozen=True, slots=True)
class Opening:
    """What a provider is given to make a client."""

    #: The model's id, without the provider.
    model: str
    #: Returns secrets of the workspace; raises `NotFoundError`.
    secret: Callable[[str], str]
    #: Another address than the provider's own; "": its own.
    base_url: str = ""
    #: A key, or `secret:NAME`; "": the provider's usual secret.
    key: str = field(default="", repr=False)
    #: The script of a scripted model.
    script: Mapping[str, Any] | Sequence[Any] | str | None = None
    #: Records what the service says, or plays it; for what speaks by Anthropic's SDK.
    recorder: Recorder | None = None


class ModelName(NamedTuple):
    """A model's name, taken apart."""

    #: Who serves it, such as "claude".
    provider: str
    #: Its id there; what a `Request` names.
    model: str


@cache
def providers() -> Mapping[str, metadata.EntryPoint]:
    """Return the installed providers by name; looked for once in a process."""
    return {entry.name: entry for entry in metadata.entry_points(group=GROUP)}


def parse(name: str, *, base_url: str = "") -> ModelName:
    """Take a model's name apart: `claude-sonnet-5-5`, `openai:gpt-5`, `bedrock:NAME`, ...

    With an address of one's own, a name without a provider speaks the Messages API.

    Raises:
        ModelFault: `model-unknown`, nobody is known who serves it.
    """
    provider, colon, model = name.strip().partition(":")
    if colon and provider in providers():
        return ModelName(provider, model)
    for prefix, guessed in _GUESSED.items():
        if name.startswith(prefix):
            return ModelName(guessed, name)
    if name.strip() == "scripted":
        return ModelName("scripted", "scripted")
    if base_url and name.strip():
        return ModelName("claude", name.strip())
    near = did_you_mean(provider, providers())
    raise ModelFault(
        f"No provider is known for the model {name!r}.",
        code="model-unknown",
        remedy=near or f"Write PROVIDER:MODEL; installed: {listed(sorted(providers()))}",
    )


def open_model(
    name: str,
    *,
    secret: Callable[[str], str],
    base_url: str = "",
    key: str = "",
    script: Mapping[str, Any] | Sequence[Any] | str | None = None,
    recorder: Recorder | None = None,
) -> ModelClient:
    """Return a client for the model called `name`; `parse` says what it is called in requests.

    Nothing is connected, and no SDK imported, before the client is used.

    Args:
        name: Such as `claude-sonnet-5-5`, `openai:gpt-5`, `vertex:claude-sonnet-5-5`, `scripted`.
        secret: Returns secrets of the workspace, such as `ctx.secret`.
        base_url: The address of a server that speaks the same, such as `http://127.0.0.1:8080`.
        key: `secret:NAME`, or a key; "": the provider's usual secret, which is never sent to
            `base_url`.
        script: The script of a scripted model.
        recorder: Records what the service says, or plays it; for what speaks by Anthropic's SDK.

    Raises:
        ModelFault: The model is unknown, there is no key for it, or its provider is broken.
    """
    provider, model = parse(name, base_url=base_url)
    entry = providers()[provider]
    try:
        make = entry.load()
    except Exception as error:
        raise ModelFault(
            f"The provider {provider} can't be loaded: {error}.",
            code="model-not-installed",
            where=entry.value,
            remedy="Install it anew",
        ) from error
    return make(Opening(model, secret, _address(base_url), key, script, recorder))


def _address(base_url: str) -> str:
    address = base_url.strip()
    if address and not address.startswith(("http://", "https://")):
        raise ModelFault(
            f"base_url {address!r} is no address.",
            code="model-bad-request",
            remedy="Write it with http:// or https://",
        )
    return address
