"""Text files below `/memories`, as models keep them with a memory tool, over the memory's tables.

A file is a memory whose subject is its path; each edit is a version that takes the place of the one
before, and a deleted file is a forgotten memory. Nothing of it is on a disk but the memory's file.
Other processes may change a file meanwhile: it is read again then, and what was asked is done anew.
What the model is told are the words of the tool in Anthropic's SDK: models know those.
"""

from __future__ import annotations

import hashlib
import json
import time
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import astuple
from itertools import dropwhile, islice
from random import uniform
from threading import Lock
from typing import Any, Final, TypeVar, cast
from urllib.parse import unquote

from iaiflow_memory.errors import BadInput, Conflict, NotFound
from iaiflow_memory.memory import Memory
from iaiflow_memory.model import Item, New
from iaiflow_memory.timeline import MOST

#: The folder in which all files are.
ROOT: Final = "/memories"
#: The longest file, in characters.
LONGEST_FILE: Final = 100_000
#: The most characters of all files of a scope together, and the most files.
LONGEST_ALL: Final = 4_000_000
MOST_FILES: Final = MOST
#: The longest path, in characters.
LONGEST_PATH: Final = 500
#: How many folders deep a listing goes.
_DEEP: Final = 2
#: How often an edit is tried: each time, another process has changed the file since it was read.
_TRIES: Final = 200
#: The longest pause before the next time, in seconds; each is another, lest two keep step.
_PAUSE: Final = 0.05
#: Lines shown before and after an edit.
_AROUND: Final = 2
#: Digits of a line number.
_DIGITS: Final = 6
#: What a command takes beside its name, and of which type.
_TAKES: Final[Mapping[str, Mapping[str, type[Any]]]] = {
    "view": {"path": str},
    "create": {"path": str, "file_text": str},
    "str_replace": {"path": str, "old_str": str, "new_str": str},
    "insert": {"path": str, "insert_line": int, "insert_text": str},
    "delete": {"path": str},
    "rename": {"old_path": str, "new_path": str},
}

_Done = TypeVar("_Done")


class Files:
    """The files of a memory's scope: those of its agent, user and thread, and of nobody else.

    Args:
        memory: The memory.
        marks: Labels of all that is written; a file that bears one keeps it.
    """

    def __init__(self, memory: Memory, *, marks: Iterable[str] = ()) -> None:
        self._memory = memory
        self._marks = tuple(marks)
        self._tag = f"memory-file:{_digest(memory)}"
        self._turn = Lock()
        self._shown: list[Item] = []  # the files that the model is shown by the command at hand
        self._commands: Mapping[str, Callable[..., str]] = {
            "view": self.view,
            "create": self.create,
            "str_replace": self.str_replace,
            "insert": self.insert,
            "delete": self.delete,
            "rename": self.rename,
        }

    def do(self, command: object) -> str:
        """Carry out a command as a model writes it: `{"command": "view", "path": "/memories"}`.

        Returns:
            What the model is told.

        Raises:
            BadInput: It is no command, or cannot be carried out.
            NotFound: There is no such file.
        """
        return self.tell(command)[0]

    def tell(self, command: object) -> tuple[str, frozenset[str]]:
        """Carry out a command as `do` does.

        Returns:
            What the model is told, and the labels of the files of which it is shown something.

        Raises:
            BadInput: It is no command, or cannot be carried out.
            NotFound: There is no such file.
        """
        is_mapping = isinstance(command, Mapping)
        given = cast("Mapping[str, Any]", command if is_mapping else {})
        name = given.get("command")
        if not isinstance(name, str) or name not in _TAKES:
            raise BadInput(
                f"{name!r} is no command", where="command", remedy=f"use {', '.join(_TAKES)}"
            )
        arguments = {key: _taken(given, key, kind) for key, kind in _TAKES[name].items()}
        if name == "view":
            arguments["view_range"] = given.get("view_range")
        with self._turn:
            self._shown = []
            told = self._commands[name](**arguments)
            marks = frozenset(tag for item in self._shown for tag in item.tags)
        return told, marks - {self._tag}

    def view(self, path: str, view_range: object = None) -> str:
        """Return a file with line numbers, or what is in a folder, two levels deep.

        Args:
            path: A file or folder.
            view_range: The first and last line, from 1; -1 is the end.

        Raises:
            BadInput: The range cannot be used.
            NotFound: There is nothing.
        """
        place, files = checked(path), self._files()
        if place in files:
            self._shown = [files[place]]
            lines = _text(files[place]).split("\n")
            first, last = _range(view_range, len(lines))
            shown = _numbered(lines, first, last)
            return f"Here's the content of {place} with line numbers:\n{shown}"
        below = {at: item for at, item in files.items() if at.startswith(f"{place}/")}
        if not below and place != ROOT:
            raise _missing(place)
        self._shown = list(below.values())
        lines = [f"{_size(size)}\t{at}" for at, size in _listed(place, below)]
        head = f"Here're the files and directories up to {_DEEP} levels deep in {place}:"
        return "\n".join([head, *lines])

    def create(self, path: str, file_text: str) -> str:
        """Make a file.

        Raises:
            BadInput: There is one already, or no room for it.
        """
        place, files = checked(path), self._files()
        taken = f"File {place} already exists"
        _check_free(place, files, taken)
        self._check_room(files, place, file_text)
        new = New(
            **_kept(file_text),
            kind="semantic",
            role="assistant",
            subject=place,
            tags=(self._tag, *self._marks),
            once=False,
        )
        added = self._memory.add([new])[0]
        older = islice(dropwhile(lambda item: item.id != added.id, self._newest_first()), 1, None)
        try:  # once more: another process may have made one at the same time
            _check_free(place, [item.subject for item in older], taken)
        except BadInput:
            self._memory.forget(added.id)
            raise
        return f"File created successfully at: {place}"

    def str_replace(self, path: str, old_str: str, new_str: str) -> str:
        """Replace a text that a file holds exactly once.

        Raises:
            BadInput: It does not hold it, holds it more often, or would be too long.
            NotFound: There is no such file.
        """
        place = checked(path)

        def replaced(text: str) -> str:
            _check_once(place, text, old_str)
            return text.replace(old_str, new_str, 1)

        item = self._edit(place, replaced)
        self._shown, before = [item], _text(item)
        first = before.count("\n", 0, before.find(old_str)) + 1
        last = first + new_str.count("\n")
        changed = replaced(before).split("\n")
        shown = _numbered(changed, max(1, first - _AROUND), min(len(changed), last + _AROUND))
        return (
            "The memory file has been edited. Here is the snippet showing the change "
            f"(with line numbers):\n{shown}"
        )

    def insert(self, path: str, insert_line: int, insert_text: str) -> str:
        """Put a text below a line; line 0 is the top.

        Raises:
            BadInput: There is no such line, or the file would be too long.
            NotFound: There is no such file.
        """
        place = checked(path)

        def longer(text: str) -> str:
            lines = text.removesuffix("\n").split("\n") if text else []
            if not 0 <= insert_line <= len(lines):
                raise BadInput(
                    f"Invalid `insert_line` parameter: {insert_line}. "
                    f"It should be within the range [0, {len(lines)}]."
                )
            lines.insert(insert_line, insert_text.removesuffix("\n"))
            return "\n".join(lines) + "\n"

        self._edit(place, longer)
        return f"The file {place} has been edited."

    def delete(self, path: str) -> str:
        """Forget a file, or all in a folder; what they held stays in the history.

        Raises:
            BadInput: It is the folder of all files.
            NotFound: There is nothing.
        """
        place = _inside(path, "delete")
        self._each(place, self._files(), lambda item: self._memory.forget(item.id, of=item))
        return f"Successfully deleted {place}"

    def rename(self, old_path: str, new_path: str) -> str:
        """Move a file, or a folder with all that is in it.

        Raises:
            BadInput: Something is there already, or a folder would be within itself.
            NotFound: There is nothing to move.
        """
        old, new, files = _inside(old_path, "rename"), checked(new_path), self._files()
        moved = {item.id for item in _at(old, files).values()}
        if new.startswith(f"{old}/"):
            raise BadInput(f"{old} can't be moved into itself", where="new_path")
        taken = f"The destination {new} already exists"
        _check_free(new, files, taken)
        self._move(files, old, new)
        seen = self._newest_first()
        try:  # once more: another process may have put something there at the same time
            _check_free(new, [item.subject for item in seen if item.id not in moved], taken)
        except BadInput:
            self._move({item.subject: item for item in seen if item.id in moved}, new, old)
            raise
        return f"Successfully renamed {old} to {new}"

    def clear(self) -> str:
        """Forget all files of the scope."""
        with self._turn:
            for item in self._files().values():
                self._memory.forget(item.id)
        return "All memory cleared"

    def _newest_first(self) -> list[Item]:
        """Return the files of the scope."""
        return self._memory.timeline(limit=MOST, tags=(self._tag,))

    def _files(self) -> dict[str, Item]:
        """Return the files of the scope by path; of two with one path the older."""
        return {item.subject: item for item in self._newest_first()}

    def _edit(self, place: str, change: Callable[[str], str]) -> Item:
        """Change the text of a file; return the file as it was before."""
        files = self._files()

        def edit(item: Item) -> Item:
            after = change(_text(item))
            self._check_room(files, place, after)
            self._supersede(item, **_kept(after))
            return item

        return self._anew(_file(place, files), edit)

    def _move(self, files: Mapping[str, Item], old: str, new: str) -> None:
        targets = {place: checked(new + place.removeprefix(old)) for place in _at(old, files)}
        self._each(old, files, lambda item: self._supersede(item, subject=targets[item.subject]))

    def _each(self, place: str, files: Mapping[str, Item], act: Callable[[Item], object]) -> None:
        """Do something to each file of a place but those that another process takes away."""
        done = [self._is_done(item, act) for item in _at(place, files).values()]
        if not any(done):
            raise _missing(place)

    def _is_done(self, item: Item, act: Callable[[Item], object]) -> bool:
        try:
            self._anew(item, act)
        except NotFound:
            return False
        return True

    def _anew(self, item: Item, act: Callable[[Item], _Done]) -> _Done:
        """Do something to a file; again, as it is by then, if another process changes it meanwhile.

        Raises:
            Conflict: It does so all the time.
            NotFound: It takes the file away.
        """
        for _ in range(_TRIES):
            try:
                return act(item)
            except Conflict:
                time.sleep(uniform(0, _PAUSE))  # noqa: S311  no secret
                item = self._again(item)
            except NotFound:
                raise _missing(item.subject) from None
        raise Conflict(
            f"File {item.subject} is changed by others all the time",
            remedy="view it, and try again",
        )

    def _again(self, item: Item) -> Item:
        try:
            now = self._memory.get(item.id)
        except NotFound:
            raise _missing(item.subject) from None
        if now.subject != item.subject:
            raise _missing(item.subject)
        return now

    def _supersede(self, item: Item, **changes: Any) -> None:
        """Change a file, if it is still as it was read."""
        self._memory.supersede(
            item.id,
            of=item,
            tags=tuple(dict.fromkeys([*item.tags, *self._marks])),
            valid_from=item.valid_from,  # the version before is in the history only
            **changes,
        )

    def _check_room(self, files: Mapping[str, Item], place: str, text: str) -> None:
        if len(text) > LONGEST_FILE:
            raise BadInput(
                f"The file would have {len(text):,} characters; {LONGEST_FILE:,} are allowed",
                where=place,
                remedy="split it, or say it in fewer words",
            )
        others = [_text(item) for at, item in files.items() if at != place]
        if len(others) >= MOST_FILES or sum(map(len, others)) + len(text) > LONGEST_ALL:
            raise BadInput(
                f"There is room for {MOST_FILES:,} files and {LONGEST_ALL:,} characters",
                where=ROOT,
                remedy="delete what is no longer needed",
            )


def checked(path: str) -> str:
    """Return a path below `/memories` in its one spelling.

    Raises:
        BadInput: It leads elsewhere, or has parts that no file is called.
    """
    spelled = unicodedata.normalize("NFC", path)
    parts = spelled.removesuffix("/").split("/")
    if len(spelled) > LONGEST_PATH:
        raise BadInput(f"A path has at most {LONGEST_PATH} characters", where="path")
    if parts[:2] != ["", ROOT[1:]]:
        raise BadInput(f"Path must start with {ROOT}, got: {path}")
    if ".." in parts:
        raise BadInput(f"Path {path} would escape {ROOT} directory")
    if not all(map(_is_name, parts[2:])):
        raise BadInput(
            f"{path[:80]!r} has a part that is no name",
            where="path",
            remedy="leave out '.', '..', empty parts, backslashes and control characters",
        )
    return "/".join(parts)


def _is_name(part: str) -> bool:
    plain = unquote(part)
    is_step = plain.strip() in {"", ".", ".."} or "/" in plain or "\\" in plain
    return not is_step and not any(unicodedata.category(c) in {"Cc", "Cs"} for c in plain)


def _inside(path: str, command: str) -> str:
    place = checked(path)
    if place == ROOT:
        raise BadInput(f"Cannot {command} the {ROOT} directory itself")
    return place


def _digest(memory: Memory) -> str:
    whose = json.dumps(astuple(memory.scope))
    return hashlib.sha256(whose.encode()).hexdigest()[:16]


def _taken(given: Mapping[str, Any], key: str, kind: type[Any]) -> Any:
    value = given.get(key)
    if not isinstance(value, kind) or isinstance(value, bool):
        wanted = "a text" if kind is str else "a whole number"
        raise BadInput(f"The command needs {wanted}", where=key)
    return value


def _kept(text: str) -> dict[str, Any]:
    """Return a file's text as a memory has it: one without words is kept as a value."""
    return {"text": text, "value": None} if text.strip() else {"text": "", "value": text}


def _text(item: Item) -> str:
    return item.value if isinstance(item.value, str) else item.body


def _missing(place: str) -> NotFound:
    return NotFound(f"The path {place} does not exist. Please provide a valid path.")


def _file(place: str, files: Mapping[str, Item]) -> Item:
    if place in files:
        return files[place]
    if place == ROOT or any(at.startswith(f"{place}/") for at in files):
        raise BadInput(f"The path {place} is not a file.")
    raise _missing(place)


def _at(place: str, files: Mapping[str, Item]) -> dict[str, Item]:
    found = {at: item for at, item in files.items() if f"{at}/".startswith(f"{place}/")}
    if not found:
        raise NotFound(f"The path {place} does not exist")
    return found


def _check_free(place: str, files: Collection[str], taken: str) -> None:
    if place == ROOT or any(f"{at}/".startswith(f"{place}/") for at in files):
        raise BadInput(taken)
    above = [at for at in files if place.startswith(f"{at}/")]
    if above:
        raise BadInput(f"{above[0]} is a file, not a folder", where="path")


def _check_once(place: str, text: str, wanted: str) -> None:
    if not wanted:
        raise BadInput("There is no text to replace", where="old_str", remedy="give some")
    lines = _lines_with(text, wanted)
    if not lines:
        raise BadInput(
            f"No replacement was performed, old_str `{wanted}` did not appear verbatim in {place}."
        )
    if len(lines) > 1:
        raise BadInput(
            f"No replacement was performed. Multiple occurrences of old_str `{wanted}` in "
            f"lines: {', '.join(map(str, lines))}. Please ensure it is unique"
        )


def _lines_with(text: str, wanted: str) -> list[int]:
    """Return the numbers of the lines in which a text begins, from 1."""
    found: list[int] = []
    at = text.find(wanted)
    while at >= 0:
        found.append(text.count("\n", 0, at) + 1)
        at = text.find(wanted, at + 1)
    return found


def _range(given: object, count: int) -> tuple[int, int]:
    if given is None:
        return 1, count
    ends = cast("list[Any]", given) if isinstance(given, list) else []
    if len(ends) != 2 or not all(type(end) is int for end in ends):
        raise BadInput("A range is two line numbers", where="view_range", remedy="such as [1, 20]")
    first, last = ends[0], count if ends[1] == -1 else min(ends[1], count)
    if not 1 <= first <= last:
        raise BadInput(
            f"There are no lines {ends[0]} to {ends[1]}",
            where="view_range",
            remedy=f"the file has lines 1 to {count}",
        )
    return first, last


def _numbered(lines: list[str], first: int, last: int) -> str:
    shown = enumerate(lines[first - 1 : last], first)
    return "\n".join(f"{number:>{_DIGITS}}\t{line}" for number, line in shown)


def _listed(folder: str, files: Mapping[str, Item]) -> Iterator[tuple[str, int]]:
    """Yield folders (with a slash) and files by path, each with its size in bytes."""
    sizes = {folder: 0}
    for place, item in files.items():
        size = len(_text(item).encode())
        sizes[folder] += size
        parts = place.removeprefix(f"{folder}/").split("/")
        for depth in range(1, min(_DEEP, len(parts)) + 1):
            at = "/".join((folder, *parts[:depth])) + ("/" if depth < len(parts) else "")
            sizes[at] = sizes.get(at, 0) + size
    return iter(sorted(sizes.items()))


def _size(size: int) -> str:
    if size < 1_024:
        return f"{size}B"
    return f"{size / 1_024:.1f}K" if size < 1_024**2 else f"{size / 1_024**2:.1f}M"
