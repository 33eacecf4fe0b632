"""Whether words of strangers stand in a conversation that another agent of the run has had."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from iaiflow_agents.blocks import Message, tool_uses
from iaiflow_lab.sdk.context import Context


def holds_strangers(context: Context, messages: Sequence[Message]) -> bool:
    """Say whether a call in the conversation gave what strangers may have written.

    The records of the run tell it: they are there again whenever the step is.

    Args:
        context: The step's.
        messages: The conversation.
    """
    ids = {re.escape(use["id"]) for message in messages for use in tool_uses(message["content"])}
    if not ids:
        return False
    keys = re.compile(f"(?:.*/)?tool:(?:{'|'.join(sorted(ids))})", re.DOTALL)
    return any(_is_untrusted(read()) for _, _, read in context.recorded(keys))


def _is_untrusted(record: Any) -> bool:
    return isinstance(record, dict) and record.get("untrusted") is True  # pyright: ignore[reportUnknownMemberType]
