"""Many requests as one batch: answered within a day, for half the price."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from iaiflow_agents.errors import ModelFault
from iaiflow_agents.models.assembly import reply_of
from iaiflow_agents.models.claude import ClaudeModel
from iaiflow_agents.models.claude_request import parameters
from iaiflow_agents.models.faults import Refusal, refused, truncated
from iaiflow_agents.models.protocol import Reply, Request

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

    A run that goes on elsewhere sends nothing again: the batch's id, each look at it and the
    results are recorded.

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
    batch = _Batch(client, requests)
    name = await once("batch:submit", batch.submit)
    seconds = _FIRST_WAIT
    look = 0
    while not await once(f"batch:look:{look}", lambda: batch.has_ended(name)):
        await wait(f"batch:wait:{look}", seconds)
        seconds = min(seconds * _GROWTH, _LONGEST_WAIT)
        look += 1
    results = await once("batch:results", lambda: batch.results(name))
    return [_answer(results.get(_id(n)), one) for n, one in enumerate(requests)]


class _Batch:
    """The calls of the API for one batch."""

    def __init__(self, client: ClaudeModel, requests: Sequence[Request]) -> None:
        self._client = client
        self._requests = requests
        self._model = requests[0].model

    async def _ask(self, method: str, *arguments: Any, **said: Any) -> Any:
        sdk = await self._client.sdk()
        call = getattr(sdk.messages.batches, method)(*arguments, **said)
        return await self._client.asked(call, self._model)

    async def submit(self) -> str:
        """Send the requests; returns the batch's id."""
        said = [
            {"custom_id": _id(number), "params": parameters(request)}
            for number, request in enumerate(self._requests)
        ]
        return (await self._ask("create", requests=said)).id

    async def has_ended(self, name: str) -> bool:
        """Say whether there is nothing left to wait for."""
        return (await self._ask("retrieve", name)).processing_status == "ended"

    async def results(self, name: str) -> dict[str, Any]:
        """Return the results by the requests' ids: they come in any order."""
        return await self._client.guarded(self._read(name), self._model)

    async def _read(self, name: str) -> dict[str, Any]:
        sdk = await self._client.sdk()
        lines = await sdk.messages.batches.results(name)
        said = [line.to_dict(mode="json", warnings=False) async for line in lines]
        return {line["custom_id"]: line["result"] for line in said}


def _id(number: int) -> str:
    return f"item-{number}"


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
