"""Answers of a service, recorded and played again: for tests, and to repeat a run without it.

It stands inside Anthropic's SDK, around each attempt to send a request, so that all above it (the
SDK's reading of streams, ours of blocks) does the same with what was recorded as with what comes.
Of requests only a hash is kept, and of answers nothing but status, kind and content.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, MutableMapping
from typing import TYPE_CHECKING, Any, Final, Literal

from iaiflow_agents.blocks import digest
from iaiflow_agents.errors import ModelFault

if TYPE_CHECKING:
    import httpx2
    from anthropic import APIRequest, AsyncAPIResponse

#: `record` asks the service and keeps what it says, `replay` never asks it, `both` asks it for
#: what is not kept.
Mode = Literal["record", "replay", "both"]

_KEPT_HEADERS: Final = ("content-type", "request-id")


class Recorder:
    """Records answers on a tape, or plays them from it.

    Args:
        tape: Recorded answers by the hash of their request.
        mode: What is done.
        hide: Cuts secrets out of what is recorded.
    """

    def __init__(
        self,
        tape: MutableMapping[str, bytes],
        mode: Mode = "both",
        *,
        hide: Callable[[str], str] = str,
    ) -> None:
        self._tape = tape
        self._mode = mode
        self._hide = hide
        #: The SDK's client, which reads what is played.
        self.client: Any = None

    async def handle(self, request: APIRequest, call_next: Any) -> AsyncAPIResponse[Any]:
        """Answer a request from the tape, or pass it on and record the answer.

        Raises:
            ModelFault: `model-bad-request`, it is not on the tape, and nobody may be asked.
        """
        key = digest([request.method.lower(), request.url, request.json])
        if self._mode != "record" and key in self._tape:
            return self._play(self._tape[key], request)
        if self._mode == "replay":
            raise ModelFault(
                "This request is not recorded.",
                code="model-bad-request",
                where=request.url,
                remedy="Record it anew, with the service",
            )
        response = await call_next(request)
        if response.http_response.is_success:
            self._listen(response.http_response, key)
        return response

    def _listen(self, response: httpx2.Response, key: str) -> None:
        """Have the answer recorded once all of it was read; one that breaks is not."""
        if response.is_stream_consumed or response.is_closed:
            self._keep(key, response, response.content)
            return
        import httpx2

        original = response.stream
        assert isinstance(original, httpx2.AsyncByteStream)
        keep = self._keep

        class Overheard(httpx2.AsyncByteStream):
            async def __aiter__(self) -> AsyncIterator[bytes]:
                pieces: list[bytes] = []
                async for piece in original:
                    pieces.append(piece)
                    yield piece
                raw = httpx2.Response(200, headers=response.headers, content=b"".join(pieces))
                keep(key, response, raw.content)

            async def aclose(self) -> None:
                await original.aclose()

        response.stream = Overheard()

    def _keep(self, key: str, response: httpx2.Response, content: bytes) -> None:
        headers = {name: response.headers.get(name, "") for name in _KEPT_HEADERS}
        said = self._hide(content.decode("utf-8", "surrogateescape"))
        line = json.dumps({"status": response.status_code, "headers": headers}).encode()
        self._tape[key] = line + b"\n" + said.encode("utf-8", "surrogateescape")

    def _play(self, recorded: bytes, request: APIRequest) -> AsyncAPIResponse[Any]:
        import httpx2
        from anthropic import AsyncAPIResponse

        line, _, content = recorded.partition(b"\n")
        said = json.loads(line)
        asked = httpx2.Request(request.method, "http://recorded.invalid" + request.url)
        raw = httpx2.Response(
            said["status"], headers=said["headers"], content=content, request=asked
        )
        return AsyncAPIResponse(
            raw=raw,
            cast_to=request.cast_to,
            client=self.client,
            stream=request.stream,
            stream_cls=request.stream_cls,
            options=request.options,
        )
