"""Texts as vectors."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypedDict, cast

from annotated_types import Ge, Le

from iaiflow_lab.errors import NodeError, NotFoundError
from iaiflow_lab.sdk.annotations import Json
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.node import node

if TYPE_CHECKING:
    from iaiflow_agents.budget import Spent

_REMEDY: Final = "Raise the limit, or embed fewer texts."
#: Texts that are made into vectors together.
_BATCH: Final = 64
#: Embedders that cost nothing: they run in this process.
_HERE: Final = frozenset({"minilm", "e5"})

Batch = Annotated[int, Ge(1), Le(1_000)]


class Embedded(TypedDict):
    """What texts mean, as numbers."""

    #: A vector for each text, in their order.
    vectors: Json
    #: What made them: vectors of different models never compare.
    model: str


@node("embed", category="Agents", title="Embed", effects="read", untrusted=False)
async def embed(
    ctx: Context,
    texts: list[str],
    *,
    embedder: str = "minilm",
    purpose: Literal["documents", "query"] = "documents",
    batch: Batch = _BATCH,
) -> Embedded:
    """Turn texts into vectors, by the embedders of the memory. Batches that are done are kept.

    Args:
        texts: A text, or several.
        embedder: minilm, e5, `ollama:MODEL`, `voyage:MODEL`, `openai:MODEL`.
        purpose: Whether the texts are to be found, or are questions.
        batch: How many are made together.
    """
    from iaiflow_agents.charge import Charge
    from iaiflow_memory import MemoryFault
    from iaiflow_memory.embed import embedder as open_embedder

    if not all(isinstance(text, str) for text in cast("list[Any]", texts)):
        raise NodeError("Only texts can be embedded.", where="texts", code="input-type")
    try:
        made = await asyncio.to_thread(lambda: open_embedder(embedder, key=_key(ctx, embedder)))
        charge = Charge(ctx, _model(embedder))
        vectors: list[list[float]] = []
        for start in range(0, len(texts), batch):
            part = texts[start : start + batch]
            took = _taken(ctx, embedder, part, _requests(len(part), purpose))

            async def work(part: list[str] = part, took: Spent = took) -> list[list[float]]:
                if took.steps:
                    await charge.admit(took, _REMEDY)
                if purpose == "query":
                    return await asyncio.to_thread(lambda: [made.embed_query(t) for t in part])
                return await asyncio.to_thread(made.embed_documents, part)

            try:
                vectors += await ctx.aonce(f"batch:{start}", work)
                if took.steps:
                    await charge.record(f"model:{start}", took, took)
            finally:
                charge.free()
            ctx.progress(len(vectors), len(texts))
    except MemoryFault as fault:
        raise NodeError(
            f"{fault.what.rstrip('.')}.",
            where=fault.where,
            remedy=fault.remedy,
            code=f"memory-{fault.code}",
        ) from fault
    return {"vectors": vectors, "model": made.model_id}


def _key(ctx: Context, embedder: str) -> str:
    """Return the workspace's secret for a service; "" where there is none, or another address."""
    from iaiflow_memory.embed import KEYS

    name = KEYS.get(embedder.partition(":")[0], "")
    if not name or (name == "OPENAI_API_KEY" and os.environ.get("OPENAI_BASE_URL")):
        return ""
    try:
        return ctx.secret(name)
    except NotFoundError:
        return ""


def _requests(texts: int, purpose: str) -> int:
    """Return how many requests a service gets: questions go one by one."""
    from iaiflow_memory.embed.remote import BATCH

    return texts if purpose == "query" else ceil(texts / BATCH)


def _taken(ctx: Context, embedder: str, texts: Sequence[str], requests: int) -> Spent:
    """Estimate what texts take of the run's budget; nothing where this process embeds."""
    from iaiflow_agents import prices
    from iaiflow_agents.budget import Spent
    from iaiflow_agents.models.estimate import tokens_in
    from iaiflow_agents.usage import Usage

    kind = embedder.partition(":")[0]
    if kind in _HERE:
        return Spent()
    used = Usage(input=sum(map(tokens_in, texts)))
    if kind == "ollama":  # the machine's own server
        return Spent(requests, used, 0.0)
    return Spent(requests, used, prices.cost(_model(embedder), used, ctx.configured("prices")))


def _model(embedder: str) -> str:
    """Return what prices call an embedder."""
    kind, _, model = embedder.partition(":")
    return model or kind
