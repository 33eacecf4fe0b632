"""Names in flows: which ones are allowed, and what to say about the others."""

from __future__ import annotations

import difflib
import keyword
import re
import unicodedata
from collections.abc import Iterable

from iaiflow_lab.model.flow import PARAMS

#: What a node id looks like.
NODE_ID_PATTERN = r"[A-Za-z_][A-Za-z0-9_-]{0,63}"

_NODE_ID = re.compile(rf"{NODE_ID_PATTERN}\Z")
#: Joiners shape emoji and several scripts, so a text may hold them.
_JOINERS = frozenset("\u200c\u200d")


def invisible(text: str) -> str:
    """Return the first invisible or direction-changing character as `U+202E`; "" without one."""
    for character in text:
        if unicodedata.category(character) == "Cf" and character not in _JOINERS:
            return f"U+{ord(character):04X}"
    return ""


def node_id_fault(node_id: str) -> str:
    """Return what is wrong with a node id, as a sentence; "" when it is fine."""
    if node_id == PARAMS:
        return f"Node id {PARAMS!r} is reserved for the flow's parameters."
    if _NODE_ID.match(node_id):
        return ""
    if character := invisible(node_id):
        return f"Node id {node_id!a} holds the invisible character {character}."
    return (
        f"Node id {shorten(node_id)!r} must be 1 to 64 ASCII letters, digits, '_' or '-', "
        "and start with a letter or '_'."
    )


def is_name(name: str) -> bool:
    """Say whether `name` can name a port, parameter or output: a Python name, not a keyword."""
    return (
        name.isidentifier()
        and not keyword.iskeyword(name)
        and unicodedata.normalize("NFKC", name) == name
    )


def shorten(text: str, limit: int = 60) -> str:
    """Return `text` cut to `limit` characters, for messages."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `Did you mean 'x'?` for the nearest known name; "" when none is near."""
    near = difflib.get_close_matches(name[:100], list(known), n=1, cutoff=0.6)
    return f"Did you mean {near[0]!r}?" if near else ""


def listed(names: Iterable[str], limit: int = 8) -> str:
    """Return names separated by commas, the end of a long list left out; "none" without any."""
    shown = list(names)
    more = ", …" if len(shown) > limit else ""
    return ", ".join(shown[:limit]) + more if shown else "none"
