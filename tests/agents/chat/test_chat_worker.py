"""What pages ask for is done in its order, and no thread stays for pages that are gone."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from iaiflow_agents.chat import shelf as shelves
from iaiflow_agents.chat.session import Session
from iaiflow_agents.chat.shelf import Shelf
from iaiflow_agents.chat.thread import KernelAgent, Thread
from iaiflow_agents.chat.worker import Worker

PATIENCE = 60.0


def ended(name: str) -> bool:
    """Say whether the threads of this name end."""
    for thread in threading.enumerate():
        if thread.name == name:
            thread.join(PATIENCE)
    return name not in {thread.name for thread in threading.enumerate()}


def test_a_thread_ends_when_nothing_is_left_and_begins_anew() -> None:
    worker, done = Worker("test-worker"), list[int]()
    for number in range(100):
        worker.submit(lambda number=number: done.append(number))
    assert ended("test-worker")
    worker.submit(lambda: done.append(1 // 0))
    worker.submit(lambda: done.append(100))
    assert ended("test-worker")
    assert done == list(range(101))


def test_what_was_not_begun_is_left_when_the_page_is_closed() -> None:
    worker, gate, done = Worker("test-closed"), threading.Event(), list[str]()
    began = threading.Event()

    def first() -> None:
        began.set()
        gate.wait(PATIENCE)
        done.append("first")

    worker.submit(first)
    worker.submit(lambda: done.append("second"))
    assert began.wait(PATIENCE)
    worker.close()
    gate.set()
    assert ended("test-closed")
    assert done == ["first"]


def test_a_thread_that_cannot_start_is_told_and_tried_anew(monkeypatch) -> None:
    worker, done = Worker("test-refused"), list[str]()

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError):
            worker.submit(lambda: done.append("told that it is not done"))
    worker.submit(lambda: done.append("next"))
    assert ended("test-refused")
    assert done == ["next"]


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_what_would_end_a_program_ends_no_line(kind: type[BaseException]) -> None:
    worker, done = Worker("test-exit"), list[str]()

    def leave() -> None:
        raise kind

    worker.submit(leave)
    worker.submit(lambda: done.append("next"))
    assert ended("test-exit")
    assert done == ["next"]


def test_a_page_is_answered_although_code_of_people_wants_to_exit() -> None:
    said: list[dict] = []
    is_said = threading.Event()

    def send(message: dict) -> None:
        said.append(message)
        is_said.set()

    def leave(session: Session) -> None:
        raise SystemExit(3)

    session = Session(SimpleNamespace(join=leave), send)
    session.receive({"id": 7, "verb": "tables", "args": {}})
    assert is_said.wait(PATIENCE)
    assert said[0]["id"] == 7
    assert "SystemExit: 3" in said[0]["error"]["message"]


def test_threads_that_are_not_listed_are_not_kept(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(shelves, "LISTED", 2)
    shelf = Shelf(lambda: tmp_path)
    for name in ("a", "b", "c"):
        shelf.put(Thread(id=name * 16, agent=KernelAgent("analyst"), created_at=1.0))
    assert len(shelf.all()) == 2
    assert len(shelf._known) == 2
    assert len({shelf.get(name * 16).id for name in ("a", "b", "c")}) == 3
