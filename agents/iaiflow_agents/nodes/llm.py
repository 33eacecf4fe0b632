"""Nodes that ask a model once: a prompt, an extraction into a schema, a classification."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final, TypedDict, cast

from annotated_types import Ge, Le

from iaiflow_agents.nodes.fields import MODEL, Effort, Positive, Tokens, model_faults, needed_keys
from iaiflow_lab.errors import NodeError
from iaiflow_lab.model.json_schema import violations
from iaiflow_lab.model.json_value import spell_place
from iaiflow_lab.model.signature import Fault
from iaiflow_lab.sdk.annotations import Json, Secret, Template
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.node import node

if TYPE_CHECKING:
    from iaiflow_agents.single import Desk

_FENCE: Final = re.compile(r"```(?:json)?\s*\n(.*?)```", re.DOTALL)
#: Violations that the model is told of at once.
_TOLD: Final = 20

Attempts = Annotated[int, Ge(1), Le(10)]


class Prompted(TypedDict):
    """What a model answered."""

    text: str
    #: Why it did not end by itself, such as `max_tokens`; empty when it did.
    stopped: str
    #: What it said and thought, and what it took.
    trace: Json
    #: Tokens, cost and time.
    usage: Json


class Extracted(TypedDict):
    """What was found."""

    #: A value that fits the schema.
    value: Json
    #: How often the model was asked.
    attempts: int
    trace: Json
    usage: Json


class Classified(TypedDict):
    """Which labels fit."""

    #: The one that fits best.
    label: str
    #: All that fit, best first.
    labels: list[str]
    #: Why, in a sentence.
    reason: str
    trace: Json
    usage: Json


def _check(config: Mapping[str, Any], wired: Collection[str]) -> Iterator[Fault]:
    yield from model_faults(config, wired)


@node(
    "llm.prompt",
    category="Agents",
    title="Ask a model",
    effects="read",
    untrusted=False,
    check=_check,
    needs=needed_keys,
)
async def prompt(
    ctx: Context,
    *,
    prompt: Template,
    system: Template = "",
    model: str = MODEL,
    max_tokens: Tokens = 4096,
    thinking: bool = False,
    effort: Effort = "",
    max_cost: Positive | None = None,
    max_run_cost: Positive | None = None,
    max_seconds: Positive | None = None,
    base_url: str = "",
    key: Secret = "",
    script: Json = None,
    **inputs: Any,
) -> Prompted:
    """Ask a model once, without tools.

    Args:
        prompt: What is asked, such as `Summarise: {{document}}`.
        system: Instructions that stand above it.
        model: Such as `claude-sonnet-5-5`, `openai:NAME`, `scripted`.
        max_tokens: How long the answer may be, in tokens.
        thinking: Whether the model may think aloud.
        effort: How much trouble it takes.
        max_cost: How many dollars it may take.
        max_run_cost: How many dollars all agents of the run may take together.
        max_seconds: How many seconds it may take.
        base_url: Address of another server that speaks the Messages API.
        key: The secret with the key: `secret:NAME`; the provider's usual one when left empty.
        script: What a scripted model says.
        inputs: Values for the texts, by name.
    """
    from iaiflow_agents.budget import Budget
    from iaiflow_agents.single import desk
    from iaiflow_agents.spec import ModelChoice

    del inputs  # the engine has put them into the texts
    choice = ModelChoice(model, base_url, key, script, max_tokens, thinking, effort)
    budget = Budget(cost=max_cost, seconds=max_seconds, run_cost=max_run_cost)
    async with desk(ctx, choice, budget, system=system) as asked:
        answer = await asked.ask(prompt)
        ended = answer.stop_reason in ("end_turn", "stop_sequence")
    return {
        "text": answer.text,
        "stopped": "" if ended else answer.stop_reason,
        "trace": asked.trace.data(),
        "usage": asked.usage,
    }


@node(
    "llm.extract",
    category="Agents",
    title="Extract",
    effects="read",
    untrusted=False,
    check=_check,
    needs=needed_keys,
)
async def extract(
    ctx: Context,
    *,
    prompt: Template,
    schema: dict[str, Any],
    system: Template = "",
    model: str = MODEL,
    attempts: Attempts = 3,
    max_tokens: Tokens = 4096,
    effort: Effort = "",
    max_cost: Positive | None = None,
    max_run_cost: Positive | None = None,
    max_seconds: Positive | None = None,
    base_url: str = "",
    key: Secret = "",
    script: Json = None,
    **inputs: Any,
) -> Extracted:
    """Have a model find values in a text, as a JSON Schema wants them.

    What does not fit is told to the model, which tries again; every attempt is recorded.

    Args:
        prompt: The text and what to find in it, such as `The invoice: {{document}}`.
        schema: JSON Schema of the value; of a pydantic model it is `schema_of(Model)`.
        system: Instructions that stand above it.
        model: Such as `claude-sonnet-5-5`, `openai:NAME`, `scripted`.
        attempts: How often it may try.
        max_tokens: How long an answer may be, in tokens.
        effort: How much trouble it takes.
        max_cost: How many dollars it may take.
        max_run_cost: How many dollars all agents of the run may take together.
        max_seconds: How many seconds it may take.
        base_url: Address of another server that speaks the Messages API.
        key: The secret with the key: `secret:NAME`; the provider's usual one when left empty.
        script: What a scripted model says.
        inputs: Values for the texts, by name.
    """
    from iaiflow_agents.budget import Budget
    from iaiflow_agents.single import desk
    from iaiflow_agents.spec import ModelChoice

    del inputs  # the engine has put them into the texts
    choice = ModelChoice(model, base_url, key, script, max_tokens, effort=effort)
    budget = Budget(cost=max_cost, seconds=max_seconds, run_cost=max_run_cost)
    async with desk(ctx, choice, budget, system=_told(system, schema), schema=schema) as asked:
        value = await _fitting(asked, prompt, schema, attempts)
    return {
        "value": value,
        "attempts": asked.asked,
        "trace": asked.trace.data(),
        "usage": asked.usage,
    }


@node(
    "llm.classify",
    category="Agents",
    title="Classify",
    effects="read",
    untrusted=False,
    check=_check,
    needs=needed_keys,
)
async def classify(
    ctx: Context,
    *,
    prompt: Template,
    labels: list[str],
    several: bool = False,
    system: Template = "",
    model: str = MODEL,
    attempts: Attempts = 3,
    max_tokens: Tokens = 1024,
    effort: Effort = "",
    max_cost: Positive | None = None,
    max_run_cost: Positive | None = None,
    base_url: str = "",
    key: Secret = "",
    script: Json = None,
    **inputs: Any,
) -> Classified:
    """Have a model say which labels fit a text.

    Args:
        prompt: The text, such as `{{mail}}`.
        labels: What to choose from; a label may explain itself: `urgent: needs an answer today`.
        several: Whether more than one may fit.
        system: Instructions that stand above it.
        model: Such as `claude-sonnet-5-5`, `openai:NAME`, `scripted`.
        attempts: How often it may try.
        max_tokens: How long an answer may be, in tokens.
        effort: How much trouble it takes.
        max_cost: How many dollars it may take.
        max_run_cost: How many dollars all agents of the run may take together.
        base_url: Address of another server that speaks the Messages API.
        key: The secret with the key: `secret:NAME`; the provider's usual one when left empty.
        script: What a scripted model says.
        inputs: Values for the texts, by name.
    """
    from iaiflow_agents.budget import Budget
    from iaiflow_agents.single import desk
    from iaiflow_agents.spec import ModelChoice

    del inputs  # the engine has put them into the texts
    names = [label.partition(":")[0].strip() for label in labels]
    if not names or not all(names) or len(set(names)) < len(names):
        raise NodeError(
            "The labels are no list of different names.",
            where="labels",
            remedy='Write such as ["urgent: needs an answer today", "other"].',
            code="config-invalid",
        )
    schema = _label_schema(names, several=several)
    choice = ModelChoice(model, base_url, key, script, max_tokens, effort=effort)
    told = "\n".join([system, "Classify the text. The labels:", *(f"- {each}" for each in labels)])
    budget = Budget(cost=max_cost, run_cost=max_run_cost)
    async with desk(ctx, choice, budget, system=_told(told, schema), schema=schema) as asked:
        value = await _fitting(asked, prompt, schema, attempts)
    chosen: list[str] = value["labels"]
    return {
        "label": chosen[0],
        "labels": chosen,
        "reason": value["reason"],
        "trace": asked.trace.data(),
        "usage": asked.usage,
    }


def _label_schema(names: Sequence[str], *, several: bool) -> dict[str, Any]:
    most = len(names) if several else 1
    return {
        "type": "object",
        "properties": {
            "reason": {"type": "string"},
            "labels": {
                "type": "array",
                "items": {"type": "string", "enum": list(names)},
                "minItems": 1,
                "maxItems": most,
            },
        },
        "required": ["reason", "labels"],
        "additionalProperties": False,
    }


def _told(system: str, schema: Mapping[str, Any]) -> str:
    """Return the instructions, with the schema for models that know it by words alone."""
    wanted = f"Answer with JSON alone, which fits this JSON Schema:\n{json.dumps(schema)}"
    return f"{system}\n\n{wanted}".strip()


async def _fitting(asked: Desk, words: str, schema: Mapping[str, Any], attempts: int) -> Any:
    """Ask until the answer fits the schema.

    Raises:
        NodeError: It does not after all attempts.
    """
    from iaiflow_agents.single import require_whole

    wrong: list[str] = []
    for _ in range(attempts):
        answer = await asked.ask(words)
        value, wrong = read_value(require_whole(answer), schema)
        if not wrong:
            return value
        words = "\n".join(
            ["This does not fit:", *(f"- {line}" for line in wrong), "Answer with all of it anew."]
        )
    raise NodeError(
        f"The model's answer does not fit the schema after {attempts} attempts: {wrong[0]}",
        remedy="Make the schema simpler, say in its descriptions what is meant, or try more often.",
        code="extract-invalid",
    )


def read_value(text: str, schema: Mapping[str, Any]) -> tuple[Any, list[str]]:
    """Return the JSON value of an answer, and how it fails to fit, one line for each place."""
    fenced = _FENCE.search(text)
    spelled = fenced[1] if fenced else text[_start(text) :]
    try:
        value = json.loads(spelled)
    except (ValueError, RecursionError) as error:
        return None, [f"it is no JSON: {error}"]
    found = [f"{spell_place(v.path) or 'it'} {v.message}" for v in violations(value, schema)]
    return value, found[:_TOLD]


def _start(text: str) -> int:
    """Return where a JSON object or list starts in a text; 0 when none does."""
    places = [place for sign in "{[" if (place := text.find(sign)) >= 0]
    return min(places, default=0)


def schema_of(model: Any) -> dict[str, Any]:
    """Return the JSON Schema of a pydantic model, for `llm.extract`.

    Raises:
        NodeError: It is none.
    """
    made = getattr(model, "model_json_schema", None)
    if made is None:
        raise NodeError(
            f"{getattr(model, '__name__', type(model).__name__)} is no pydantic model.",
            remedy="Give a class that inherits from pydantic.BaseModel.",
            code="schema-invalid",
        )
    return cast("dict[str, Any]", made())
