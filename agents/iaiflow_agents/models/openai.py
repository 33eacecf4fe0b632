"""Services that speak chat completions: OpenAI, and servers that do the same."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast

from iaiflow_agents.errors import ModelFault
from iaiflow_agents.models.chat_assembly import ChatAssembly
from iaiflow_agents.models.chat_request import parameters
from iaiflow_agents.models.estimate import estimate
from iaiflow_agents.models.faults import Refusal, refused, stalled, truncated, unreachable
from iaiflow_agents.models.keys import find_key, hiding, missing_key
from iaiflow_agents.models.limits import known
from iaiflow_agents.models.patience import Patience, in_time, within
from iaiflow_agents.models.protocol import Delta, ModelInfo, Reply, Request

if TYPE_CHECKING:
    import httpx

    from iaiflow_agents.models.registry import Opening

#: Where the service itself is.
HOME: Final = "https://api.openai.com/v1"
#: The secret that holds the key.
KEY: Final = "OPENAI_API_KEY"
#: Longest line of a stream, in bytes.
_LONGEST_LINE: Final = 50_000_000


class OpenAIModel:
    """A model behind chat completions.

    Args:
        address: The address above `/chat/completions`.
        key: The key; "": the server needs none.
        patience: For how long it is waited for.
    """

    provider = "openai"
    is_scripted = False

    def __init__(self, address: str, key: str = "", patience: Patience | None = None) -> None:
        self._address = address
        self._hide = hiding(key)
        self._patience = patience or Patience()
        self._headers = {"authorization": f"Bearer {key}"} if key else dict[str, str]()
        self._made: httpx.AsyncClient | None = None

    @property
    def _client(self) -> httpx.AsyncClient:
        if self._made is None:
            import httpx

            wait = self._patience
            timeout = httpx.Timeout(wait.silence, connect=wait.connect)
            self._made = httpx.AsyncClient(headers=self._headers, timeout=timeout)
        return self._made

    async def stream(self, request: Request, show: Callable[[Delta], None]) -> Reply:
        """Ask, show the answer piece by piece, and return it once it is whole.

        Raises:
            ModelFault: There is no whole answer.
        """
        assembly = ChatAssembly(request)
        await self._guarded(self._listen(request, assembly, show), request.model, assembly)
        return assembly.reply()

    async def _guarded(self, doing: Any, model: str, assembly: ChatAssembly | None = None) -> Any:
        """Await something of the connection; its own errors hold the request, and with it the key.

        Raises:
            ModelFault: It went wrong.
        """
        import httpx

        try:
            return await doing
        except (httpx.ReadTimeout, httpx.WriteTimeout, TimeoutError):
            fault = stalled(model, assembly and assembly.usage)
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as error:
            why = self._hide(str(error) or type(error).__name__)
            fault = unreachable(model, why, assembly and assembly.usage)
        raise fault

    async def _listen(
        self, request: Request, assembly: ChatAssembly, show: Callable[[Delta], None]
    ) -> None:
        said = parameters(request, is_home=self._address == HOME)
        url = f"{self._address}/chat/completions"
        asked = self._client.build_request("POST", url, json=said)
        sent = self._client.send(asked, stream=True)
        async with aclosing(await within(sent, self._patience.signs)) as answer:
            if not answer.is_success:
                await within(answer.aread(), self._patience.signs)
                raise self._refusal(answer, request.model)
            lines = in_time(
                _events(answer.aiter_bytes()),
                self._patience.signs,
                lambda: stalled(request.model, assembly.usage),
            )
            async for line in lines:
                if line == b"[DONE]":
                    return
                for delta in assembly.take(self._chunk(line, request.model, assembly)):
                    show(delta)

    def _chunk(self, line: bytes, model: str, assembly: ChatAssembly) -> Mapping[str, Any]:
        try:
            chunk = json.loads(line)
        except ValueError:
            raise truncated(model, "it can't be read", assembly.usage) from None
        if not isinstance(chunk, dict):
            raise truncated(model, "it can't be read", assembly.usage)
        said = cast("dict[str, Any]", chunk)
        if error := said.get("error"):
            raise refused(
                _error(error, 200, {}), model=model, hide=self._hide, usage=assembly.usage
            )
        return said

    def _refusal(self, answer: httpx.Response, model: str) -> ModelFault:
        try:
            body = json.loads(answer.content)
        except ValueError:
            body = answer.text[:300]
        error = cast("dict[str, Any]", body).get("error", body) if isinstance(body, dict) else body
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return refused(_error(error, answer.status_code, headers), model=model, hide=self._hide)

    async def count(self, request: Request) -> int:
        """Return about how many tokens would be read, four characters each: nobody can be asked."""
        return estimate(request)

    async def models(self) -> Sequence[ModelInfo]:
        """Return the models that the service names.

        Raises:
            ModelFault: The service cannot be asked.
        """
        asked = self._client.get(f"{self._address}/models")
        answer = await self._guarded(within(asked, self._patience.signs), self.provider)
        if not answer.is_success:
            raise self._refusal(answer, self.provider)
        try:
            listed = json.loads(answer.content)["data"]
            return [_info(one) for one in listed]
        except (ValueError, KeyError, TypeError):
            raise truncated(self.provider, "its list of models can't be read") from None

    async def aclose(self) -> None:
        """Close connections."""
        if self._made is not None:
            await self._made.aclose()


async def _events(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the data of server-sent events, each a line here.

    Lines are told apart as bytes: a text may hold characters that Python takes for ends of lines.
    """
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                yield line[5:].strip()
        if len(rest) > _LONGEST_LINE:
            return


def _error(error: Any, status: int, headers: Mapping[str, str]) -> Refusal:
    if not isinstance(error, dict):
        return Refusal(status, "", str(error or ""), headers)
    said = cast("dict[str, Any]", error)
    return Refusal(
        status=status,
        kind=str(said.get("type") or ""),
        message=str(said.get("message") or ""),
        headers=headers,
        detail=str(said.get("code") or ""),
    )


def _info(said: Mapping[str, Any]) -> ModelInfo:
    """Return what a service says of a model; OpenAI itself says nothing of its limits."""
    table = known(str(said["id"]))
    most = said.get("max_model_len") or said.get("context_length")  # as vLLM and OpenRouter say it
    return replace(table, max_input=most) if isinstance(most, int) else table


def open_openai(opening: Opening) -> OpenAIModel:
    """Return a model at OpenAI, or at another address that speaks chat completions.

    The key is `opening.key`, else the secret `OPENAI_API_KEY`, which goes to OpenAI only.

    Raises:
        ModelFault: `model-no-key`, there is no key for OpenAI.
    """
    key = find_key(opening.key, opening.secret, KEY, base_url=opening.base_url)
    if not key and not opening.base_url:
        raise missing_key(opening.model, KEY)
    return OpenAIModel(opening.base_url.rstrip("/") or HOME, key)
