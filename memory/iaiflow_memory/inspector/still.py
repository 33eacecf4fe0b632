"""What a notebook's file keeps of an inspector: how much there is, and nothing that was said.

A text in a notebook would outlast its erasure from the memory.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from iaiflow_memory.errors import MemoryFault

if TYPE_CHECKING:
    from iaiflow_memory.memory import Memory


def still(memory: Memory) -> dict[str, str]:
    """Return counts of a memory as HTML and as text; where it cannot be opened, the reason."""
    try:
        rows = _rows(memory)
    except MemoryFault as fault:
        text = f"Memory {memory.place}: {fault}"
        return {"text/plain": text, "text/html": f"<p>{escape(text)}</p>"}
    width = max(len(name) for name, _ in rows)
    lines = [f"Memory {memory.place}", *(f"  {name:<{width}}  {said}" for name, said in rows)]
    cells = "".join(
        f'<tr><th style="text-align: left">{escape(name)}</th><td>{escape(said)}</td></tr>'
        for name, said in rows
    )
    caption = f"<caption>Memory {escape(memory.place)}</caption>"
    return {"text/plain": "\n".join(lines), "text/html": f"<table>{caption}{cells}</table>"}


def _rows(memory: Memory) -> list[tuple[str, str]]:
    stats = memory.stats()
    kinds = [(f"of them {kind}", f"{count:,}") for kind, count in stats.kinds.items()]
    return [
        ("memories", f"{stats.memories:,}"),
        *kinds,
        ("versions", f"{stats.versions:,}"),
        ("episodes", f"{stats.episodes:,}"),
        ("size", f"{stats.bytes:,} bytes"),
        ("embedder", memory.embedder or "none: found by words alone"),
    ]
