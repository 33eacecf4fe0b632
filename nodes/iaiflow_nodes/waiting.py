"""Waiting: for some time, a moment, a decision, a message. A run that only waits holds nothing."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypedDict

from annotated_types import Ge, Gt, Le

from iaiflow_lab.model.moment import parse_moment
from iaiflow_lab.model.run import WaitKind, WaitOutcome
from iaiflow_lab.sdk.annotations import Json, Template
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.node import node
from iaiflow_lab.sdk.waiting import Asking

#: Longest wait, in seconds: 365 days.
LONGEST = 365 * 86_400

Limit = Annotated[float, Gt(0), Le(LONGEST)]


class Decision(TypedDict, total=False):
    """One of the first two is present; the branch behind the other is skipped."""

    approved: Any
    refused: Any
    #: Who decided, when, why, and what the form holds.
    answer: Json


class Message(TypedDict):
    """What came."""

    #: The message itself.
    payload: Json
    #: What was passed on.
    value: Any


@node("delay", category="Control", title="Delay", effects="read", untrusted=False)
async def delay(
    ctx: Context, value: Any = None, *, seconds: Annotated[float, Ge(0), Le(LONGEST)]
) -> Any:
    """Wait, then pass the value on.

    Args:
        value: Anything.
        seconds: How long, from 0 seconds to 365 days.
    """
    if seconds > 0:
        await ctx.awaits("delay", WaitKind.DELAY, due=ctx.now() + seconds)
    return value


@node("wait.until", category="Control", title="Wait until", effects="read", untrusted=False)
async def until(ctx: Context, value: Any = None, *, moment: Template, zone: str = "UTC") -> Any:
    """Wait for a moment, then pass the value on; one that has passed is not waited for.

    Args:
        value: Anything.
        moment: Such as `2026-12-01T06:00` or `{{params.start}}`.
        zone: The time zone that the moment is meant in, such as `Asia/Ho_Chi_Minh`.
    """
    await ctx.awaits("until", WaitKind.UNTIL, due=parse_moment(moment, zone))
    return value


@node("approval", category="Control", title="Approval", effects="read", untrusted=False)
async def approval(
    ctx: Context,
    value: Any = None,
    *,
    message: Template = "Go on?",
    form: dict[str, Any] | None = None,
    limit: Limit | None = None,
    on_timeout: Literal["fail", "approve", "refuse"] = "fail",
    **inputs: Any,
) -> Decision:
    """Ask somebody whether to go on, and pass the value on to one of two branches.

    Args:
        value: What is passed on.
        message: What is asked: `Publish {{params.title}}?`
        form: JSON Schema of what the answer has to say; nothing when left out.
        limit: How long an answer is waited for, in seconds; for ever when left out.
        on_timeout: What holds when no answer came in time.
        inputs: Further values for the message, by name.
    """
    del inputs  # the engine has put them into the message
    how: Asking = {"message": message, "form": form, "due": _due(ctx, limit)}
    if on_timeout != "fail":
        how["default"] = None
    answer = await ctx.awaits("approval", WaitKind.APPROVAL, **how)
    in_vain = answer.outcome is WaitOutcome.TIMED_OUT
    approved = on_timeout == "approve" if in_vain else answer.approved
    said = {
        "outcome": str(answer.outcome),
        "by": answer.by,
        "reason": answer.reason,
        "at": answer.at,
        "data": answer.value,
    }
    return {"approved": value, "answer": said} if approved else {"refused": value, "answer": said}


@node("wait.signal", category="Control", title="Wait for signal", effects="read")
async def signal(
    ctx: Context,
    value: Any = None,
    *,
    name: Template,
    message: Template = "",
    form: dict[str, Any] | None = None,
    limit: Limit | None = None,
    on_timeout: Literal["fail", "default"] = "fail",
    default: Json = None,
    **inputs: Any,
) -> Message:
    """Wait for a message to this run: `iaiflow runs signal RUN NAME --data '{"n": 1}'`.

    One that came before is taken at once.

    Args:
        value: What is passed on.
        name: What the signal is called.
        message: What is waited for, for people.
        form: JSON Schema of the message; anything when left out.
        limit: How long it is waited for, in seconds; for ever when left out.
        on_timeout: Whether the step fails or goes on with the default when none came in time.
        default: The message that is used then.
        inputs: Further values for the name and the message, by name.
    """
    del inputs  # the engine has put them into the texts
    how: Asking = {"name": name, "message": message, "form": form, "due": _due(ctx, limit)}
    if on_timeout == "default":
        how["default"] = default
    return await _message(ctx, WaitKind.SIGNAL, value, how)


@node("wait.webhook", category="Control", title="Wait for webhook", effects="read")
async def webhook(
    ctx: Context,
    value: Any = None,
    *,
    name: Template,
    message: Template = "",
    form: dict[str, Any] | None = None,
    limit: Limit | None = None,
    on_timeout: Literal["fail", "default"] = "fail",
    default: Json = None,
    **inputs: Any,
) -> Message:
    """Wait for a request from another system to this run; `iaiflow runs signal` sends one by hand.

    One that came before is taken at once.

    Args:
        value: What is passed on.
        name: What the webhook is called.
        message: What is waited for, for people.
        form: JSON Schema of the request's body; anything when left out.
        limit: How long it is waited for, in seconds; for ever when left out.
        on_timeout: Whether the step fails or goes on with the default when none came in time.
        default: The body that is used then.
        inputs: Further values for the name and the message, by name.
    """
    del inputs  # the engine has put them into the texts
    how: Asking = {"name": name, "message": message, "form": form, "due": _due(ctx, limit)}
    if on_timeout == "default":
        how["default"] = default
    return await _message(ctx, WaitKind.WEBHOOK, value, how)


def _due(ctx: Context, limit: float | None) -> float | None:
    return None if limit is None else ctx.now() + limit


async def _message(ctx: Context, kind: WaitKind, value: Any, how: Asking) -> Message:
    answer = await ctx.awaits(str(kind), kind, **how)
    return {"payload": answer.value, "value": value}
