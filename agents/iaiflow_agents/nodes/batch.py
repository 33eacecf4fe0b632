"""A model asked about many items at once: as one batch, for half the price."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypedDict

from iaiflow_agents.blocks import text_of, user
from iaiflow_agents.errors import ModelFault
from iaiflow_agents.models.protocol import Reply, Request
from iaiflow_agents.nodes.fields import MODEL, Effort, Positive, Tokens, model_faults, needed_keys
from iaiflow_lab.errors import FlowError, NodeError
from iaiflow_lab.model import template
from iaiflow_lab.model.run import WaitKind
from iaiflow_lab.model.signature import Fault
from iaiflow_lab.sdk.annotations import Json, Secret
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.node import node

if TYPE_CHECKING:
    from iaiflow_agents.bill import Bill
    from iaiflow_agents.budget import Spent
    from iaiflow_agents.running import Opened

#: What stands for an item in the text.
_ITEM: Final = "item"
_REMEDY: Final = "Write {{item}} where the item belongs, or {{item.field}}."


class Answered(TypedDict):
    """What a model answered about each item."""

    #: A text for each item, in their order; null where there is no answer.
    texts: Json
    #: What went wrong: number of the item, code and sentence.
    errors: Json
    #: Tokens and cost of all of them.
    usage: Json


def _check(config: Mapping[str, Any], wired: Collection[str]) -> Iterator[Fault]:
    yield from model_faults(config, wired)
    text = config.get("prompt")
    if not isinstance(text, str):
        return
    try:
        _parsed(text)
    except NodeError as error:
        yield Fault("prompt", error.what, error.remedy)


@node(
    "llm.batch",
    category="Agents",
    title="Ask about many",
    effects="read",
    untrusted=False,
    check=_check,
    needs=needed_keys,
)
async def batch(
    ctx: Context,
    items: list[Any],
    *,
    prompt: str,
    system: str = "",
    model: str = MODEL,
    max_tokens: Tokens = 4096,
    thinking: bool = False,
    effort: Effort = "",
    max_cost: Positive | None = None,
    base_url: str = "",
    key: Secret = "",
    script: Json = None,
) -> Answered:
    """Ask a model about each item, all as one batch: within a day, for half the price.

    The run waits without a worker, and asks nothing twice when it goes on.

    Args:
        items: What is asked about.
        prompt: What is asked about each, such as `Summarise: {{item}}`.
        system: Instructions that stand above it.
        model: A Claude model at Anthropic, or `scripted`.
        max_tokens: How long an answer may be, in tokens.
        thinking: Whether the model may think aloud.
        effort: How much trouble it takes.
        max_cost: How many dollars it may take.
        base_url: Address of another server that speaks the Messages API.
        key: The secret with the key: `secret:NAME`; the provider's usual one when left empty.
        script: What a scripted model says.
    """
    from iaiflow_agents.bill import Bill
    from iaiflow_agents.running import open_model
    from iaiflow_agents.spec import ModelChoice

    choice = ModelChoice(model, base_url, key, script, max_tokens, thinking, effort)
    text = _parsed(prompt)
    asked = [text.render({_ITEM: item}) for item in items]
    async with AsyncExitStack() as stack:
        opened = await open_model(choice, ctx, stack)
        shared = opened.request(system=system)
        requests = [replace(shared, messages=[user(words)]) for words in asked]
        bill = Bill(ctx, opened, requests)
        bill.check(max_cost)
        answers = await _answers(ctx, opened, requests, bill)
        took = await bill.settle(answers)
    return _outputs(answers, took)


def _parsed(text: str) -> template.Template:
    """Read what is asked about each item.

    Raises:
        NodeError: It names something else than the item.
    """
    try:
        parsed = template.parse(text)
    except FlowError as error:
        raise NodeError(error.what, remedy=_REMEDY, code="config-invalid") from None
    if set(parsed.names) != {_ITEM} or parsed.parameters:
        raise NodeError(
            "The text has to be about the item, and about nothing else.",
            where="prompt",
            remedy=_REMEDY,
            code="config-invalid",
        )
    return parsed


async def _answers(
    ctx: Context, opened: Opened, requests: Sequence[Request], bill: Bill
) -> Sequence[Reply | ModelFault]:
    from iaiflow_agents.models.batch import SUBMIT, run_batch
    from iaiflow_agents.models.claude import ClaudeModel

    client = opened.client
    if isinstance(client, ClaudeModel):

        async def wait(key: str, seconds: float) -> None:
            due = ctx.now() + seconds
            await ctx.awaits(key, WaitKind.DELAY, due=due, message="A batch is answered.")

        return await run_batch(client, requests, once=bill.once, wait=wait)
    if client.is_scripted:
        await bill.once(SUBMIT, _sent)
        return [await client.stream(request, lambda _: None) for request in requests]
    raise NodeError(
        f"There are no batches at {client.provider}.",
        remedy="Choose a Claude model, or put `llm.prompt` into a map.",
        code="config-invalid",
    )


async def _sent() -> str:
    return "scripted"


def _outputs(answers: Sequence[Reply | ModelFault], took: Spent) -> Answered:
    total = took.usage
    return {
        "texts": [_text(answer) for answer in answers],
        "errors": [
            {"item": number, **_wrong(answer)}
            for number, answer in enumerate(answers)
            if _text(answer) is None
        ],
        "usage": {
            "steps": took.steps,
            "input": total.all_input,
            "output": total.output,
            "cache_read": total.cache_read,
            "cache_write": total.cache_write_5m + total.cache_write_1h,
            "cost": took.cost,
            "currency": "USD",
        },
    }


def _text(answer: Reply | ModelFault) -> str | None:
    """Return the text of an answer that has come to its end."""
    if isinstance(answer, ModelFault) or answer.stop_reason not in {"end_turn", "stop_sequence"}:
        return None
    return text_of(answer.content)


def _wrong(answer: Reply | ModelFault) -> dict[str, str]:
    if isinstance(answer, ModelFault):
        return {"code": answer.code, "message": answer.what}
    if answer.stop_reason == "refusal":
        return {"code": "model-refusal", "message": "The model refused to answer."}
    return {"code": "model-cut-off", "message": "The answer was cut off before its end."}
