"""Files of the memory tool that several processes change at once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import pytest

from iaiflow_memory import BadInput, Conflict, Memory, NotFound
from iaiflow_memory import files as module
from iaiflow_memory.desk import Door
from iaiflow_memory.files import ROOT, Files

NOTES = f"{ROOT}/notes.txt"
OTHER = f"{ROOT}/other.txt"
WRITES = frozenset({"add", "supersede", "forget"})


class Meddled:
    """A door before or after whose calls another process does something, each thing once."""

    def __init__(
        self,
        door: Door,
        acts: Iterator[Callable[[], object]],
        verbs: Collection[str] = WRITES,
        *,
        after: bool = False,
    ) -> None:
        self._door = door
        self._acts = acts
        self._verbs = verbs
        self._after = after

    def call(self, verb: str, arguments: Any) -> Any:
        act = next(self._acts, None) if verb in self._verbs else None
        if act and not self._after:
            act()
        answer = self._door.call(verb, arguments)
        if act and self._after:
            act()
        return answer

    def close(self) -> None:
        pass


@pytest.fixture
def memory(place: Path) -> Iterator[Memory]:
    with Memory(place, serve=True) as opened:
        yield opened


@pytest.fixture
def theirs(memory: Memory) -> Files:
    """Return the files as another process has them."""
    return Files(memory)


@pytest.fixture
def while_(memory: Memory) -> Callable[..., Files]:
    """Return a function that returns files before whose changes others are made."""

    def interfered(*acts: Callable[[], object], **more: Any) -> Files:
        slower = memory.scoped()
        slower.door = Meddled(memory.door, iter(acts), **more)
        return Files(slower)

    return interfered


def view(path: str) -> dict[str, str]:
    return {"command": "view", "path": path}


def text(files: Files, path: str = NOTES) -> str:
    shown = files.view(path).splitlines()[1:]
    return "\n".join(line.partition("\t")[2] for line in shown)


def listed(files: Files) -> list[str]:
    return [line.partition("\t")[2] for line in files.view(ROOT).splitlines()[2:]]


def test_two_that_insert_at_once_both_have_their_line(theirs: Files, while_) -> None:
    theirs.create(NOTES, "one\n")
    mine = while_(lambda: theirs.insert(NOTES, 1, "theirs"), lambda: theirs.insert(NOTES, 0, "top"))
    mine.insert(NOTES, 0, "mine")
    assert text(theirs) == "mine\ntop\none\ntheirs\n"


def test_a_replacement_is_made_in_what_the_file_says_by_then(theirs: Files, while_) -> None:
    theirs.create(NOTES, "tea\nmilk")
    mine = while_(lambda: theirs.insert(NOTES, 0, "to buy:"))
    told = mine.str_replace(NOTES, "milk", "honey")
    assert "     1\tto buy:\n     2\ttea\n     3\thoney" in told
    mine = while_(lambda: theirs.str_replace(NOTES, "tea", "coffee"))
    with pytest.raises(BadInput, match="did not appear verbatim"):
        mine.str_replace(NOTES, "tea", "water")
    assert text(theirs) == "to buy:\ncoffee\nhoney\n"


def test_what_another_process_took_away_is_not_edited(theirs: Files, while_) -> None:
    for take in (lambda: theirs.delete(NOTES), lambda: theirs.rename(NOTES, OTHER)):
        theirs.create(NOTES, "tea")
        for edit in (
            lambda mine: mine.insert(NOTES, 0, "x"),
            lambda mine: mine.str_replace(NOTES, "tea", "x"),
            lambda mine: mine.rename(NOTES, f"{ROOT}/x"),
        ):
            with pytest.raises(NotFound, match=r"path /memories/notes\.txt does not exist"):
                edit(while_(take))
            if OTHER in listed(theirs):
                theirs.rename(OTHER, NOTES)
            else:
                theirs.create(NOTES, "tea")
        assert text(theirs) == "tea"
        theirs.clear()


def test_a_file_is_moved_with_the_edit_that_came_before(memory: Memory, while_) -> None:
    marked = Files(memory, marks=["read from strangers"])
    Files(memory).create(NOTES, "tea")
    while_(lambda: marked.insert(NOTES, 0, "theirs")).rename(NOTES, OTHER)
    assert text(marked, OTHER) == "theirs\ntea\n"
    assert Files(memory).tell(view(OTHER))[1] == {"read from strangers"}


def test_what_is_shown_has_the_labels_that_it_had_then(memory: Memory, while_) -> None:
    marked, theirs = Files(memory, marks=["read from strangers"]), Files(memory)
    marked.create(NOTES, "tea")
    theirs.create(OTHER, "milk")

    def told_anew() -> None:
        theirs.delete(NOTES)
        theirs.create(NOTES, "water")

    shown, marks = while_(told_anew, verbs={"timeline"}, after=True).tell(view(NOTES))
    assert "tea" in shown
    assert marks == {"read from strangers"}
    assert theirs.tell(view(NOTES))[1] == theirs.tell(view(OTHER))[1] == frozenset()
    replace = {"command": "str_replace", "path": NOTES, "old_str": "water", "new_str": "wine"}
    told = while_(lambda: marked.insert(NOTES, 0, "theirs")).tell(replace)
    assert "theirs" in told[0]
    assert told[1] == {"read from strangers"}
    assert theirs.tell(view(ROOT))[1] == {"read from strangers"}


def test_a_file_that_was_moved_away_is_not_deleted(theirs: Files, while_) -> None:
    theirs.create(f"{ROOT}/a/1", "one")
    theirs.create(f"{ROOT}/a/2", "two")
    away = f"{ROOT}/away"
    while_(lambda: theirs.rename(f"{ROOT}/a/1", away)).delete(f"{ROOT}/a")
    assert listed(theirs) == [away]
    with pytest.raises(NotFound):
        while_(lambda: theirs.rename(away, NOTES)).delete(away)
    while_(lambda: theirs.insert(NOTES, 0, "x")).delete(NOTES)
    assert listed(theirs) == []


def test_of_two_made_at_once_the_older_stays(memory: Memory, theirs: Files, while_) -> None:
    for path, other in ((NOTES, NOTES), (NOTES, f"{NOTES}/below"), (f"{NOTES}/below", NOTES)):
        with pytest.raises(BadInput, match=r"already exists|is a file"):
            while_(lambda other=other: theirs.create(other, "tea")).create(path, "coffee")
        assert text(theirs, other) == "tea"
        assert len(memory.search("")) == 1
        theirs.clear()


def test_nothing_is_moved_to_where_a_file_was_just_made(theirs: Files, while_) -> None:
    theirs.create(NOTES, "mine")
    for path in (OTHER, f"{OTHER}/below"):
        with pytest.raises(BadInput, match="already exists"):
            while_(lambda path=path: theirs.create(path, "theirs")).rename(NOTES, OTHER)
        assert (text(theirs), text(theirs, path)) == ("mine", "theirs")
        theirs.delete(path)


def test_a_file_that_is_changed_all_the_time_is_left_as_it_is(
    theirs: Files, while_, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PAUSE", 0)
    monkeypatch.setattr(module, "_TRIES", 3)
    theirs.create(NOTES, "")
    mine = while_(*[lambda: theirs.insert(NOTES, 0, "x")] * 3)
    with pytest.raises(Conflict, match="changed by others all the time - view it"):
        mine.insert(NOTES, 0, "mine")
    assert text(theirs) == "x\nx\nx\n"


WRITER = """
import sys
from iaiflow_memory import Memory
from iaiflow_memory.files import Files
place, name, lines = sys.argv[1:]
with Memory(place) as memory:
    for number in range(int(lines)):
        Files(memory).insert("/memories/notes.txt", 0, f"{name} {number}")
"""


def test_no_line_of_several_processes_is_lost(place: Path) -> None:
    names, lines = ("ann", "bob", "cid"), 12
    with Memory(place) as memory:
        Files(memory).create(NOTES, "")
        arguments = [(sys.executable, "-c", WRITER, str(place), name, str(lines)) for name in names]
        writers = [subprocess.Popen(argument) for argument in arguments]
        assert [writer.wait() for writer in writers] == [0, 0, 0]
        written = text(Files(memory)).splitlines()
    for name in names:
        own = [line for line in written if line.startswith(name)]
        assert own == [f"{name} {number}" for number in reversed(range(lines))]
    assert len(written) == len(names) * lines
