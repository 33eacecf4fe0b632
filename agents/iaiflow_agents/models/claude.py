"""Claude, and every service that speaks the Messages API."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from iaiflow_agents.errors import ModelFault
from iaiflow_agents.models.assembly import Assembly
from iaiflow_agents.models.claude_errors import explain
from iaiflow_agents.models.claude_request import parameters
from iaiflow_agents.models.estimate import estimate
from iaiflow_agents.models.faults import stalled
from iaiflow_agents.models.keys import find_key, hiding, missing_key
from iaiflow_agents.models.limits import known
from iaiflow_agents.models.patience import Patience, in_time, within
from iaiflow_agents.models.protocol import Delta, ModelInfo, Reply, Request

if TYPE_CHECKING:
    from iaiflow_agents.models.recording import Recorder
    from iaiflow_agents.models.registry import Opening

#: Where the service itself is.
HOME: Final = "https://api.anthropic.com"
#: The secret that holds the key.
KEY: Final = "ANTHROPIC_API_KEY"
#: What the SDK sends to a server that needs no key.
_NO_KEY: Final = "none"


class ClaudeModel:
    """Claude through Anthropic's SDK; the SDK itself tries nothing twice.

    Args:
        make: Makes the SDK's client, at first use and in a thread: importing it takes seconds. It
            is given the keyword arguments that all of its clients take.
        provider: What the provider is called.
        hide: Cuts the key out of a text.
        patience: For how long it is waited for.
        recorder: Records what the service says, or plays it.
    """

    is_scripted = False

    def __init__(
        self,
        make: Callable[[Mapping[str, Any]], Any],
        *,
        provider: str = "claude",
        hide: Callable[[str], str],
        patience: Patience | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        self.provider = provider
        self._make = make
        self._hide = hide
        self._patience = patience or Patience()
        self._recorder = recorder
        self._made: Any = None
        self._making = asyncio.Lock()

    async def sdk(self) -> Any:
        """Return the SDK's client.

        Raises:
            ModelFault: It cannot be made: it is not installed, or lacks a setting.
        """
        async with self._making:
            if self._made is None:
                self._made = await self.guarded(asyncio.to_thread(self._build), "")
        return self._made

    def _build(self) -> Any:
        import httpx2
        from anthropic import DefaultAsyncHttpxClient

        wait = self._patience
        timeout = httpx2.Timeout(wait.silence, connect=wait.connect)
        stays = DefaultAsyncHttpxClient(follow_redirects=False, timeout=timeout)
        settings: dict[str, Any] = {"max_retries": 0, "timeout": timeout, "http_client": stays}
        if self._recorder is None:
            return self._make(settings)
        made = self._make({**settings, "middleware": [self._recorder.handle]})
        self._recorder.client = made
        return made

    async def guarded(self, doing: Any, model: str, assembly: Assembly | None = None) -> Any:
        """Await something of the SDK; what goes wrong becomes a fault without the SDK's own error.

        The SDK's errors hold the request, and with it the key.

        Raises:
            ModelFault: It went wrong.
        """
        try:
            return await doing
        except ModelFault:
            raise
        except Exception as error:
            usage = assembly.usage if assembly else None
            fault = explain(error, model or self.provider, self._hide, usage)
            if fault is None:
                raise
        raise fault

    async def asked(self, call: Any, model: str) -> Any:
        """Await a call whose answer comes at once.

        Raises:
            ModelFault: It went wrong.
        """
        return await self.guarded(within(call, self._patience.signs), model)

    async def stream(self, request: Request, show: Callable[[Delta], None]) -> Reply:
        """Ask, show the answer piece by piece, and return it once it is whole.

        Raises:
            ModelFault: There is no whole answer.
        """
        sdk = await self.sdk()
        assembly = Assembly(request.model)
        await self.guarded(self._listen(sdk, request, assembly, show), request.model, assembly)
        return assembly.reply()

    async def _listen(
        self, sdk: Any, request: Request, assembly: Assembly, show: Callable[[Delta], None]
    ) -> None:
        said = parameters(request)
        temperature = said.pop("temperature", None)
        # The SDK has no parameter for it any more; services still take it.
        extra = None if temperature is None else {"temperature": temperature}
        asked = sdk.messages.create(**said, stream=True, extra_body=extra)
        answer = await within(asked, self._patience.signs)
        async with answer:
            # The SDK passes over signs of life, so that time passes here while only those come.
            events = in_time(
                aiter(answer),
                self._patience.signs,
                lambda: stalled(request.model, assembly.usage),
            )
            async for event in events:
                delta = assembly.take(event.to_dict(mode="json", warnings=False))
                if delta is not None:
                    show(delta)

    async def count(self, request: Request) -> int:
        """Return how many tokens would be read.

        A service that cannot count, or cannot be reached, is estimated: four characters a token.

        Raises:
            ModelFault: The service refuses the request itself or the key.
        """
        said = parameters(request)
        wanted = ("model", "messages", "system", "tools", "tool_choice", "thinking")
        asked = {name: said[name] for name in wanted if name in said}
        sdk = await self.sdk()
        try:
            counted = await self.asked(sdk.messages.count_tokens(**asked), request.model)
        except ModelFault as fault:
            if fault.code in {"model-refused-key", "model-bad-request", "model-too-long"}:
                raise
            return estimate(request)
        return int(counted.input_tokens)

    async def models(self) -> Sequence[ModelInfo]:
        """Return the models that the service names; a cloud that names none has none here.

        Raises:
            ModelFault: The service cannot be asked.
        """
        sdk = await self.sdk()
        listing = getattr(sdk, "models", None)
        if listing is None:
            return []
        return await self.asked(_listed(listing), self.provider)

    async def aclose(self) -> None:
        """Close connections."""
        if self._made is not None:
            await self._made.close()


async def _listed(listing: Any) -> list[ModelInfo]:
    return [_info(model.to_dict(mode="json", warnings=False)) async for model in listing.list()]


def _info(said: Mapping[str, Any]) -> ModelInfo:
    table = known(said["id"])
    capabilities: Mapping[str, Any] | None = said.get("capabilities")
    return ModelInfo(
        id=said["id"],
        max_input=said.get("max_input_tokens") or table.max_input,
        max_output=said.get("max_tokens") or table.max_output,
        capabilities=table.capabilities if capabilities is None else _can(capabilities),
        retires_at=(said.get("retires_at") or table.retires_at)[:10],
    )


def _can(capabilities: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of what is supported; `adaptive_thinking` lies deeper."""
    names = {name for name, one in capabilities.items() if _part(one, "supported")}
    types = _part(capabilities.get("thinking"), "types")
    if _part(_part(types, "adaptive"), "supported"):
        names.add("adaptive_thinking")
    return frozenset(names)


def _part(said: Any, name: str) -> Any:
    return cast("Mapping[str, Any]", said).get(name) if isinstance(said, Mapping) else None


def open_claude(opening: Opening) -> ClaudeModel:
    """Return Claude at Anthropic, or at another address that speaks the Messages API.

    The key is `opening.key`, else the secret `ANTHROPIC_API_KEY`, which goes to Anthropic only.
    What the SDK itself would look for (environment variables, profiles on disk, identity tokens of
    the machine) is not used, except `ANTHROPIC_CUSTOM_HEADERS`, which it always adds.

    Raises:
        ModelFault: `model-no-key`, there is no key for Anthropic.
    """
    key = find_key(opening.key, opening.secret, KEY, base_url=opening.base_url)
    if not key and not opening.base_url:
        raise missing_key(opening.model, KEY)
    address = opening.base_url.rstrip("/").removesuffix("/v1") or HOME

    def make(settings: Mapping[str, Any]) -> Any:
        from anthropic import AsyncAnthropic

        return AsyncAnthropic(api_key=key or _NO_KEY, base_url=address, **settings)

    return ClaudeModel(make, hide=hiding(key), recorder=opening.recorder)
