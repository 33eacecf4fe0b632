"""Texts as vectors."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final, Literal, TypedDict, cast

from annotated_types import Ge, Le

from iaiflow_lab.errors import NodeError
from iaiflow_lab.sdk.annotations import Json
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.node import node

#: Texts that are made into vectors together.
_BATCH: Final = 64

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
        embedder: minilm, `ollama:MODEL`, `voyage:MODEL`, `openai:MODEL`.
        purpose: Whether the texts are to be found, or are questions.
        batch: How many are made together.
    """
    from iaiflow_memory import MemoryFault
    from iaiflow_memory.embed import embedder as open_embedder

    if not all(isinstance(text, str) for text in cast("list[Any]", texts)):
        raise NodeError("Only texts can be embedded.", where="texts", code="input-type")
    try:
        made = await asyncio.to_thread(open_embedder, embedder)
        vectors: list[list[float]] = []
        for start in range(0, len(texts), batch):
            part = texts[start : start + batch]

            async def work(part: list[str] = part) -> list[list[float]]:
                if purpose == "query":
                    return await asyncio.to_thread(lambda: [made.embed_query(t) for t in part])
                return await asyncio.to_thread(made.embed_documents, part)

            vectors += await ctx.aonce(f"batch:{start}", work)
            ctx.progress(len(vectors), len(texts))
    except MemoryFault as fault:
        raise NodeError(
            f"{fault.what.rstrip('.')}.",
            where=fault.where,
            remedy=fault.remedy,
            code=f"memory-{fault.code}",
        ) from fault
    return {"vectors": vectors, "model": made.model_id}
