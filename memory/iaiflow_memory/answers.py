"""What was answered to those who may ask for a write once more, of the next owner.

Most writes can be asked for twice by their nature. Where one cannot, its caller makes a key, under
which the answer stands in the same transaction; answers are kept for a day.
"""

from __future__ import annotations

import json
from typing import Any, Final

from iaiflow_memory.checking import name
from iaiflow_memory.ids import new_id
from iaiflow_memory.store import Reader, Writer

_DAY: Final = 86_400.0


def answered(reader: Reader, done: str, key: str) -> Any:
    """Return what was answered under a key; None if nothing was.

    Args:
        reader: Reads.
        done: What was done.
        key: The caller's; "" is none.

    Raises:
        BadInput: It is no key.
    """
    row = reader.one("answers_get", [f"{done}.{name(key, 'key')}"]) if key else None
    return None if row is None else json.loads(row[0])


def note_answer(writer: Writer, done: str, key: str, answer: Any, moment: float) -> None:
    """Keep an answer under a key that has none.

    Args:
        writer: Writes.
        done: What was done.
        key: The caller's; "" keeps nothing.
        answer: As JSON knows it.
        moment: The present, in seconds since the epoch.
    """
    if key:
        writer.run("answers_put", [f"{done}.{key}", json.dumps(answer)])
        writer.run("answers_trim", [f"{done}.", f"{done}.{new_id(moment - _DAY)}"])
