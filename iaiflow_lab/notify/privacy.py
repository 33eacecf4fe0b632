"""What is secret is cut out of messages.

Before they are made, since a line that was cut may hold half a secret; and after, since the codes
of a terminal may have stood within one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from msgspec import structs

from iaiflow_lab.model.event import ErrorInfo
from iaiflow_lab.notify.message import Message
from iaiflow_lab.service.outbox import Item, Letter
from iaiflow_lab.store.waits import Wait

Hide = Callable[[str], str]


def without_secrets(letter: Letter, hide: Hide) -> Letter:
    """Return a letter whose long texts hold no secrets."""
    return replace(letter, items=[_item(item, hide) for item in letter.items])


def hidden(message: Message, hide: Hide) -> Message:
    """Return a message that holds no secrets."""
    return replace(
        message,
        subject=hide(message.subject),
        text=hide(message.text),
        data=_data(message.data, hide),
    )


def _item(item: Item, hide: Hide) -> Item:
    missed = item.missed
    return replace(
        item,
        said=[hide("".join(item.said))],  # as one: a secret may have been written in pieces
        error=None if item.error is None else _error(item.error, hide),
        waits=[_wait(wait, hide) for wait in item.waits],
        missed=None if missed is None else replace(missed, message=hide(missed.message)),
    )


def _error(error: ErrorInfo, hide: Hide) -> ErrorInfo:
    return structs.replace(error, message=hide(error.message), trace=hide(error.trace))


def _wait(wait: Wait, hide: Hide) -> Wait:
    return structs.replace(wait, message=hide(wait.message))


def _data(value: Any, hide: Hide) -> Any:
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, list):
        return [_data(item, hide) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {key: _data(item, hide) for key, item in cast("dict[str, Any]", value).items()}
    return value
