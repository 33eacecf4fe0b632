"""What a step gives whose work is an agent's."""

from __future__ import annotations

from typing import TypedDict

from iaiflow_lab.sdk.annotations import Json


class Said(TypedDict):
    """What an agent gives."""

    #: What it said last.
    text: str
    #: The whole conversation, as blocks of the Messages API.
    messages: Json
    #: What it did: turns, calls of tools, totals.
    trace: Json
    #: Why it did not end by itself, such as `budget-cost` or `refusal`; empty when it did.
    stopped: str
    #: Tokens, cost and time.
    usage: Json
