"""What a notebook's file keeps of a chat: who said what, as text, without secrets."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

from iaiflow_agents.chat.thread import Thread, answer_of, shown_branch, title_of

#: Characters of a question or an answer that are kept, and exchanges, the last ones.
_LONGEST: Final = 4_000
_MOST: Final = 50


def still(name: str, model: str, thread: Thread | None) -> dict[str, str]:
    """Return a thread as text and as HTML.

    Args:
        name: The agent.
        model: What it asks.
        thread: The thread, which holds no secrets; None: nothing was said.
    """
    head = f"Chat with {name} ({model})"
    said = _said(thread)
    if thread is None or not said:
        return {"text/plain": head, "text/html": f"<p>{escape(head)}</p>"}
    lines = [f"{head}: {title_of(thread)}", *(f"\n{who}: {text}" for who, text in said)]
    rows = "".join(
        f"<dt><strong>{escape(who)}</strong></dt>"
        f'<dd style="white-space: pre-wrap">{escape(text)}</dd>'
        for who, text in said
    )
    caption = f"<p>{escape(head)}: {escape(title_of(thread))}</p>"
    return {"text/plain": "\n".join(lines), "text/html": f"{caption}<dl>{rows}</dl>"}


def _said(thread: Thread | None) -> Sequence[tuple[str, str]]:
    made: list[tuple[str, str]] = []
    for exchange in [] if thread is None else shown_branch(thread)[-_MOST:]:
        made.append(("You", _cut(exchange.text)))
        answer = answer_of(exchange) or exchange.fault
        made += [("Agent", _cut(answer))] if answer else []
    return made


def _cut(text: str) -> str:
    more = len(text) - _LONGEST
    return text if more <= 0 else f"{text[:_LONGEST]}… ({more:,} more characters)"
