"""Which models there are."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import AsyncExitStack
from typing import Any, TypedDict

from iaiflow_agents.models.protocol import ModelInfo
from iaiflow_agents.nodes.fields import MODEL, model_faults, needed_keys
from iaiflow_agents.prices import OwnPrices, price_of
from iaiflow_agents.running import open_model
from iaiflow_agents.spec import ModelChoice
from iaiflow_lab.model.signature import Fault
from iaiflow_lab.sdk.annotations import Json, Secret
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.node import node


class Listed(TypedDict):
    """The models of a service."""

    #: Name, limits in tokens, capabilities, day of retirement and price of each.
    models: Json


def _check(config: Mapping[str, Any], wired: Collection[str]) -> Iterator[Fault]:
    if config.get("model", MODEL) != "scripted":
        yield from model_faults(config, wired)


@node(
    "llm.models",
    category="Agents",
    title="List models",
    effects="read",
    check=_check,
    needs=needed_keys,
)
async def models(
    ctx: Context, *, model: str = MODEL, base_url: str = "", key: Secret = ""
) -> Listed:
    """List the models of a service, with what they can do and cost, as far as it is known.

    Prices are dollars per million tokens, those of the workspace's config.toml first.

    Args:
        model: Any model of the service, such as `claude-sonnet-5-5` or `openai:NAME`.
        base_url: Address of another server that speaks the Messages API.
        key: The secret with the key: `secret:NAME`; the provider's usual one when left empty.
    """
    async with AsyncExitStack() as stack:
        opened = await open_model(ModelChoice(model, base_url, key), ctx, stack)
        found = await opened.client.models()
    own = ctx.configured("prices")
    return {"models": [_shown(info, own) for info in found]}


def _shown(info: ModelInfo, own: OwnPrices) -> dict[str, Any]:
    price = price_of(info.id, own)
    return {
        "id": info.id,
        "max_input": info.max_input,
        "max_output": info.max_output,
        "capabilities": sorted(info.capabilities),
        "retires_at": info.retires_at,
        "input_price": price.rates["input"] if price else None,
        "output_price": price.rates["output"] if price else None,
    }
