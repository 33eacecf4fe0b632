"""A conversation as a notebook: the questions, the code that asks them again, what was answered."""

# pyright: reportUnknownMemberType=false
# nbformat has no types of its own
from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from pprint import pformat
from typing import Any, BinaryIO, Final

from iaiflow_agents.chat.code import to_python, variable
from iaiflow_agents.chat.partners import Partner
from iaiflow_agents.chat.shelf import hide
from iaiflow_agents.chat.thread import (
    Exchange,
    Table,
    Thread,
    answer_of,
    shown_branch,
    title_of,
)
from iaiflow_lab.errors import StoreError

_UNFIT: Final = re.compile(r"[^A-Za-z0-9._-]+")
#: Characters of the name of a file.
_NAME: Final = 60
#: How many names are tried.
_TRIES: Final = 1_000
_KERNEL: Final = {"display_name": "Python 3", "language": "python", "name": "python3"}


def export(thread: Thread, partner: Partner, folder: Path, root: Path) -> str:
    """Write the branch of a thread that is shown as a notebook; no other file is replaced.

    Args:
        thread: The thread.
        partner: The agent.
        folder: Where the notebook goes.
        root: The workspace.

    Returns:
        Its path in the workspace.

    Raises:
        StoreError: It can't be written.
    """
    import nbformat

    notebook: Any = nbformat.v4.new_notebook(metadata={"kernelspec": _KERNEL})
    notebook.cells = list(_cells(thread, partner))
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"chat-{number}"
    text = nbformat.writes(nbformat.from_dict(hide(json.loads(nbformat.writes(notebook)))))
    data = text.encode("utf-8", "replace")  # what a model said may hold half a character
    place = _new_file(folder, _UNFIT.sub("-", title_of(thread)).strip("-.")[:_NAME], data)
    inside = place.is_relative_to(root)
    return place.relative_to(root).as_posix() if inside else str(place)


def _new_file(folder: Path, name: str, data: bytes) -> Path:
    """Write a file under a name that nobody has."""
    try:
        for number in range(1, _TRIES):
            more = f"-{number}" if number > 1 else ""
            place = folder / f"{name or 'chat'}{more}.ipynb"
            try:
                opened = place.open("xb")
            except FileExistsError:
                continue
            _fill(opened, place, data)
            return place
    except OSError as error:
        raise _unwritable(folder, error.strerror or str(error)) from error
    raise _unwritable(folder, "too many notebooks have this name")


def _fill(opened: BinaryIO, place: Path, data: bytes) -> None:
    """Write a new file; nothing is left of one that can't be written whole."""
    try:
        with opened:
            opened.write(data)
    except BaseException:
        place.unlink(missing_ok=True)
        raise


def _unwritable(folder: Path, why: str) -> StoreError:
    return StoreError(
        f"The notebook can't be written: {why}.",
        where=str(folder),
        remedy="Check the disk's space and the folder's permissions.",
        code="notebook-unwritable",
    )


def _cells(thread: Thread, partner: Partner) -> Iterator[Any]:
    from nbformat import v4

    branch = shown_branch(thread)
    yield v4.new_markdown_cell(_introduction(thread, partner, branch))
    yield v4.new_code_cell(to_python(partner.spec))
    last = "None"
    for number, exchange in enumerate(branch, 1):
        yield v4.new_markdown_cell(_quoted(exchange.text))
        said = f"answer_{number}"
        code = f"{said} = {variable(partner.spec.name)}.run({_call(exchange, last)})\n{said}"
        cell: Any = v4.new_code_cell(code, execution_count=None)
        cell.outputs = list(_outputs(exchange))
        yield cell
        last = said


def _introduction(thread: Thread, partner: Partner, branch: list[Exchange]) -> str:
    lines = [f"# {_plain(title_of(thread)) or 'A conversation'}"]
    lines.append(f"A conversation with the agent `{_plain(partner.title)}`. Run it to ask again.")
    attached = [one for exchange in branch for one in exchange.attachments]
    names = {one.name for one in attached if isinstance(one, Table)}
    if names:
        listed = ", ".join(f"`{name}`" for name in sorted(names))
        lines.append(f"It needs what was attached: the tables {listed}.")
    if partner.values:
        listed = ", ".join(f"`{name}`" for name in sorted(partner.values))
        lines.append(f"In its flow the agent was given {listed}: give them to `run`, too.")
    return "\n\n".join(lines)


def _call(exchange: Exchange, last: str) -> str:
    """Return what `run` is given: the question as it was asked."""
    tables = [one.name for one in exchange.attachments if isinstance(one, Table)]
    more = [f"{name}={name}" for name in tables]
    if len(tables) == len(exchange.attachments):
        asked = [_text(exchange.text), f"history={last}"]
    else:
        before = "[]" if last == "None" else f"{last}.messages"
        message = pformat(exchange.messages[0], width=96, sort_dicts=False)
        asked = ['""', f"history=[*{before}, {message}]"]
    if exchange.untrusted:
        more.append("untrusted=True")
    return ", ".join([*asked, *more, "show=False"])


def _text(question: str) -> str:
    """Return a question as Python, in which braces are no template."""
    return repr(question.replace("{{", r"\{{"))


def _outputs(exchange: Exchange) -> Iterator[Any]:
    from nbformat import v4

    trace: dict[str, Any] = json.loads(exchange.trace) if exchange.trace else {}
    said = answer_of(exchange)
    if said:
        why = trace.get("reason", "") if exchange.state == "stopped" else ""
        text = f"{said}\n[stopped: {why}]" if why else said
        yield v4.new_output("execute_result", {"text/plain": text}, execution_count=None)
    elif exchange.fault:
        yield v4.new_output("stream", name="stderr", text=exchange.fault)


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.splitlines())


def _plain(text: str) -> str:
    """Return a text that Markdown takes as it is."""
    return re.sub(r"([\\`*_{}\[\]<>#|])", r"\\\1", " ".join(text.split()))
