"""Many requests as one batch: answered within a day, for half the price."""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol

from iaiflow_agents.errors import ModelFault
from iaiflow_agents.models.assembly import reply_of
from iaiflow_agents.models.claude import ClaudeModel
from iaiflow_agents.models.claude_request import parameters
from iaiflow_agents.models.faults import Refusal, refused, truncated
from iaiflow_agents.models.protocol import Reply, Request

#: The key under which it is recorded that a batch is sent.
SUBMIT: Final = "batch:submit"
#: Most requests in a batch.
MOST: Final = 100_000
#: How long is waited before it is asked about, at first and at most, in seconds.
_FIRST_WAIT: Final = 30.0
_LONGEST_WAIT: Final = 600.0
_GROWTH: Final = 1.5


class Once(Protocol):
    """Does something once in a run and records its JSON, as `Context.aonce` does."""

    async def __call__(self, key: str, function: Callable[[], Awaitable[Any]]) -> Any:
        """Return what is recorded under `key`, else do it and record it."""
        ...


async def run_batch(
    client: ClaudeModel,
    requests: Sequence[Request],
    *,
    once: Once,
    wait: Callable[[str, float], Awaitable[object]],
) -> list[Reply | ModelFault]:
    """Send requests as a batch, wait for its end, and return an answer or a fault for each.

    A run that goes on elsewhere sends nothing again: that the batch is about to be sent, its id,
    each look at it and the results are recorded. If a process died between sending and recording,
    the batch is looked for by the ids of its requests, which its results tell.

    Args:
        client: Claude at Anthropic, or elsewhere with batches.
        requests: What is asked; each stands for itself.
        once: Records what was done, such as `ctx.aonce`.
        wait: Waits under a key for so many seconds, holding nothing, such as
            `lambda key, s: ctx.awaits(key, "delay", due=ctx.now() + s)`.

    Raises:
        ModelFault: The batch as a whole is refused, or cannot be asked about.
    """
    if len(requests) > MOST:
        raise ModelFault(
            f"A batch holds at most {MOST:,} requests; here are {len(requests):,}.",
            code="model-bad-request",
            remedy="Split them",
        )
    if not requests:
        return []
    batch = _Batch(client, requests, once, wait)
    name, mark = await batch.sent()
    await batch.end(name)
    results = await once("batch:results", lambda: batch.results(name))
    return [_answer(results.get(_id(mark, n)), one) for n, one in enumerate(requests)]


class _Batch:
    """The calls of the API for one batch."""

    def __init__(
        self,
        client: ClaudeModel,
        requests: Sequence[Request],
        once: Once,
        wait: Callable[[str, float], Awaitable[object]],
    ) -> None:
        self._client, self._requests = client, requests
        self._once, self._wait = once, wait
        self._model = requests[0].model

    async def sent(self) -> tuple[str, str]:
        """Send the requests unless that was done before.

        Returns:
            The batch's id, and the mark that the ids of its requests begin with.
        """
        is_new = False

        async def begin() -> dict[str, str]:
            nonlocal is_new
            is_new = True
            newest = await self._client.asked(self._newest(), self._model)
            return {"mark": secrets.token_hex(8), **newest}

        begun: Mapping[str, str] = await self._once("batch:begin", begin)
        mark = begun["mark"]

        async def send() -> str:
            found = "" if is_new else await self._found(begun)
            return found or await self._send(mark)

        return await self._once(SUBMIT, send), mark

    async def _found(self, begun: Mapping[str, str]) -> str:
        """Return the id of the batch that was about to be sent; "" when it never arrived.

        Args:
            begun: The mark that the ids of its requests begin with; the newest batch before it, and
                when that was made: "" when there was none.
        """
        since = self._since(begun["newest"], begun.get("made_at", ""))
        for name in await self._client.asked(since, self._model):
            await self.end(name)  # nothing but its results says whose it is
            if _id(begun["mark"], 0) in await self.results(name):
                return name
        return ""

    async def _newest(self) -> dict[str, str]:
        async for one in self._all():
            return {"newest": one.id, "made_at": one.created_at.isoformat()}
        return {"newest": "", "made_at": ""}

    async def _since(self, newest: str, made_at: str) -> list[str]:
        """Return batches of this size that were made later than `newest`, which may be gone."""
        found: list[str] = []
        async for one in self._all():
            if one.id == newest or (made_at and one.created_at < datetime.fromisoformat(made_at)):
                break
            if sum(one.request_counts.to_dict().values()) == len(self._requests):
                found.append(one.id)
        return found

    async def _all(self) -> AsyncGenerator[Any]:
        """Yield the batches of this key's workspace, the newest first."""
        sdk = await self._client.sdk()
        async for one in sdk.messages.batches.list(limit=20):
            yield one

    async def _ask(self, method: str, *arguments: Any, **said: Any) -> Any:
        sdk = await self._client.sdk()
        call = getattr(sdk.messages.batches, method)(*arguments, **said)
        return await self._client.asked(call, self._model)

    async def _send(self, mark: str) -> str:
        said = [
            {"custom_id": _id(mark, number), "params": parameters(request)}
            for number, request in enumerate(self._requests)
        ]
        return (await self._ask("create", requests=said)).id

    async def end(self, name: str) -> None:
        """Wait until there is nothing left to wait for."""
        seconds = _FIRST_WAIT
        look = 0
        while not await self._once(f"batch:{name}:look:{look}", lambda: self._has_ended(name)):
            await self._wait(f"batch:{name}:wait:{look}", seconds)
            seconds = min(seconds * _GROWTH, _LONGEST_WAIT)
            look += 1

    async def _has_ended(self, name: str) -> bool:
        return (await self._ask("retrieve", name)).processing_status == "ended"

    async def results(self, name: str) -> dict[str, Any]:
        """Return the results by the requests' ids: they come in any order."""
        return await self._client.guarded(self._read(name), self._model)

    async def _read(self, name: str) -> dict[str, Any]:
        sdk = await self._client.sdk()
        lines = await sdk.messages.batches.results(name)
        said = [line.to_dict(mode="json", warnings=False) async for line in lines]
        return {line["custom_id"]: line["result"] for line in said}


def _id(mark: str, number: int) -> str:
    return f"{mark}-{number}"


def _answer(result: Mapping[str, Any] | None, request: Request) -> Reply | ModelFault:
    if result is None:
        return truncated(request.model, "the batch has no result for this request")
    if result["type"] == "succeeded":
        return reply_of(result["message"], request.model)
    if result["type"] == "errored":
        error: Mapping[str, Any] = result["error"].get("error") or {}
        kind, message = str(error.get("type") or ""), str(error.get("message") or "")
        return refused(Refusal(400, kind, message), model=request.model)
    return truncated(request.model, f"the batch was {result['type']} before its turn")
