"""A memory that is looked into from a notebook: the kernel's side, and what a notebook keeps."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iaiflow_memory import BadInput, Memory, New, Unavailable
from iaiflow_memory.inspector import inspector as door
from iaiflow_memory.inspector import static_files
from iaiflow_memory.inspector.requests import Desk
from iaiflow_memory.inspector.session import Session
from iaiflow_memory.terms import marked

START = datetime(2026, 11, 1, 9, tzinfo=UTC)


@pytest.fixture
def memory(place: Path) -> Iterator[Memory]:
    with Memory(place, user="anna", serve=True) as found:
        yield found


class Asking:
    """A page that asks, and waits for what is answered."""

    def __init__(self, desk: Desk) -> None:
        self.said: queue.Queue[dict[str, Any]] = queue.Queue()
        self.session = Session(desk, self.said.put)

    def send(self, do: Any, number: int = 1, view: str = "a", **args: Any) -> None:
        message = {"v": 1, "view": view, "id": number, "do": do, "args": args}
        self.session.receive(message)

    def answer(self, do: Any, **args: Any) -> dict[str, Any]:
        self.send(do, **args)
        return self.said.get(timeout=60)

    def __call__(self, do: str, **args: Any) -> Any:
        said = self.answer(do, **args)
        json.dumps(said, allow_nan=False)
        assert "error" not in said, said
        return said["result"]

    def refusal(self, do: Any, **args: Any) -> str:
        return self.answer(do, **args)["error"]["message"]


@pytest.fixture
def ask(memory: Memory) -> Asking:
    return Asking(Desk(memory))


def fill(memory: Memory, count: int) -> None:
    news = [New(f"note {n}", at=START + timedelta(hours=n // 3)) for n in range(count)]
    memory.add(news)


def texts(items: list[dict[str, Any]]) -> list[str]:
    return [item["text"] for item in items]


# -- timeline ----------------------------------------------------------------------------------


def test_what_is_of_others_is_not_shown_or_changed(memory: Memory, ask: Asking) -> None:
    told = memory.scoped(user="bert").add("likes tea")
    n = memory.scoped(user="bert").get(told.id).n
    for do, args in (
        ("detail", {}),
        ("forget", {}),
        ("erase", {}),
        ("edit", {"n": n, "text": "likes nothing"}),
    ):
        assert "scope" in ask.refusal(do, id=told.id, **args)
    assert memory.scoped(user="bert").get(told.id).body == "likes tea"


def test_a_timeline_in_pages_holds_each_memory_once(memory: Memory, ask: Asking) -> None:
    fill(memory, 25)  # three of each moment: pages end between them
    found: list[str] = []
    before = None
    while True:
        page = ask("timeline", limit=10, before=before)
        found += texts(page["items"])
        if not page["more"]:
            break
        last = page["items"][-1]
        before = [last["at"], last["n"]]
    assert found == [f"note {n}" for n in reversed(range(25))]
    assert memory.timeline(limit=3, before=memory.timeline(limit=2)[-1])[0].body == "note 22"


def test_a_timeline_is_limited(memory: Memory, ask: Asking) -> None:
    memory.add("pho", kind="semantic", subject="Bob", tags=["food", "good"])
    memory.add("tea", tags=["food"])
    memory.scoped(user="bob").add("of another")

    def limited(**limits: Any) -> list[str]:
        return texts(ask("timeline", limits=limits)["items"])

    assert limited() == ["tea", "pho"]
    assert limited(kinds=["semantic"]) == ["pho"]
    assert limited(tags=["food", "good"]) == ["pho"]
    assert limited(subject="Bob") == ["pho"]
    assert limited(until=START.timestamp()) == []


def test_a_timeline_tells_of_what_has_ended_when_asked(memory: Memory, ask: Asking) -> None:
    told = memory.add("Anna flies on Monday", at=START)
    memory.supersede(told.id, "Anna flies on Tuesday")
    gone = memory.add("a secret", at=START)
    memory.forget(gone.id)
    over = memory.add("it was so", at=START, valid_to=START + timedelta(days=1))
    assert texts(ask("timeline")["items"]) == ["Anna flies on Tuesday"]
    ended = ask("timeline", ended=True)["items"]
    assert texts(ended) == ["it was so", "a secret", "Anna flies on Tuesday"]
    assert [item["standing"] for item in ended] == ["over", "forgotten", "now"]
    assert ended[0]["id"] == over.id


def test_the_past_is_shown_as_it_stood(memory: Memory, ask: Asking) -> None:
    told = memory.add("Anna flies on Monday")
    then = memory.get(told.id).recorded_from
    memory.supersede(told.id, "Anna flies on Tuesday")
    (item,) = ask("timeline", limits={"as_of": then})["items"]
    assert item["text"] == "Anna flies on Monday"
    assert (item["standing"], item["recorded_to"]) == ("now", None)
    detail = ask("detail", id=told.id, as_of=then)
    assert detail["item"]["text"] == "Anna flies on Monday"
    assert detail["item"]["recorded_to"] is None
    assert detail["count"] == 1


def test_a_page_has_a_largest_size(ask: Asking) -> None:
    assert "limit is 5001" in ask.refusal("timeline", limit=5_000)
    assert "limit is 0" in ask.refusal("timeline", limit=-1)


# -- search ------------------------------------------------------------------------------------


def test_a_hit_says_why_and_where_it_fits(memory: Memory, ask: Asking) -> None:
    memory.add("It rains")
    memory.add("Anna flies to Hanoi <b>soon</b>", subject="Anna")
    question = "When does Anna fly to Hanoi?"
    hit = ask("search", text=question)["hits"][0]
    words = [text for text, found in hit["pieces"] if found]
    assert words == ["Anna", "flies", "Hanoi"]
    assert "".join(text for text, _ in hit["pieces"]) == "Anna flies to Hanoi <b>soon</b>"
    assert sum(part["value"] for part in hit["parts"]) == pytest.approx(hit["score"])
    explained = memory.explain(memory.search(question)[0])
    assert all(part["words"] in explained for part in hit["parts"])
    assert texts(hit["near"]) == ["It rains"]


def test_a_long_text_is_shown_around_what_was_found(memory: Memory, ask: Asking) -> None:
    memory.add("filler " * 500 + "Hanoi " + "more " * 500)
    pieces = ask("search", text="Hanoi")["hits"][0]["pieces"]
    shown = "".join(text for text, _ in pieces)
    assert ("Hanoi", True) in pieces
    assert len(shown) < 800
    assert shown.startswith("…")
    assert shown.endswith("…")


@given(st.text(max_size=80), st.text(max_size=80))
def test_the_pieces_of_a_text_are_the_text(question: str, text: str) -> None:
    assert "".join(piece for piece, _ in marked(question, text)) == text


# -- changes -----------------------------------------------------------------------------------


def test_an_edit_keeps_what_was(memory: Memory, ask: Asking) -> None:
    told = memory.add("Anna flies on Monday", tags=["travel"])
    first = ask("detail", id=told.id)["item"]
    since = START.timestamp() + 10**9
    edit = {"text": "Anna flies on Tuesday", "tags": ["trip"], "valid_from": since}
    assert ask("edit", id=told.id, n=first["n"], **edit)["is_new"]
    detail = ask("detail", id=told.id)
    assert detail["item"]["text"] == "Anna flies on Monday"  # it is so until then
    new = next(one for one in detail["versions"] if one["text"] == "Anna flies on Tuesday")
    assert (new["valid_from"], new["tags"], new["supersedes"]) == (since, ["trip"], first["n"])
    assert detail["episode"]["text"] == "Anna flies on Monday"


def test_an_edit_of_what_was_changed_meanwhile_is_refused(memory: Memory, ask: Asking) -> None:
    told = memory.add("one")
    n = ask("detail", id=told.id)["item"]["n"]
    memory.supersede(told.id, "two")
    assert "changed meanwhile" in ask.refusal("edit", id=told.id, n=n, text="three")
    assert memory.get(told.id).body == "two"


def test_what_is_forgotten_keeps_its_history(memory: Memory, ask: Asking) -> None:
    told = memory.add("a secret")
    assert ask("forget", id=told.id) == {"stood": True}
    detail = ask("detail", id=told.id)
    assert (detail["item"]["text"], detail["stands"]) == ("a secret", False)
    assert "forgotten" in ask.refusal("edit", id=told.id, n=detail["item"]["n"], text="x")


def test_what_is_erased_is_gone_and_nothing_of_others(memory: Memory, ask: Asking) -> None:
    told = memory.add("the password is xyzzy")
    theirs = memory.scoped(user="bob").add("of another")
    assert ask("erase", id=told.id)["items"] == 1
    assert "There is no memory" in ask.refusal("detail", id=told.id)
    assert "Nothing was erased" in ask.refusal("erase", id=theirs.id)
    assert memory.scoped(user="bob").get(theirs.id).body == "of another"
    assert b"xyzzy" not in Path(memory.place).read_bytes()


def test_the_past_alone_cannot_be_changed(memory: Memory) -> None:
    told = memory.add("one")
    then = memory.get(told.id).recorded_from
    memory.add("two")
    looked: Desk = memory.as_of(then).inspect().widget._session._desk
    ask = Asking(looked)
    assert ask("hello")["read_only"]
    assert texts(ask("timeline", limits={"as_of": then + 10**6})["items"]) == ["one"]
    for change in ("forget", "erase"):
        assert "The past cannot be changed" in ask.refusal(change, id=told.id)
    assert "The past cannot be changed" in ask.refusal("edit", id=told.id, n=1, text="x")


# -- the line ----------------------------------------------------------------------------------


def test_what_cannot_be_asked_is_one_sentence(ask: Asking) -> None:
    assert "cannot be asked for 'fly'" in ask.refusal("fly")
    assert "cannot be asked for None" in ask.refusal(None)
    assert "This cannot be asked" in ask.refusal("timeline", limit="ten")
    ask.session.receive({"v": 2, "view": "a", "id": 1, "do": "hello"})
    assert "different versions" in ask.said.get(timeout=60)["error"]["message"]
    ask.session.receive({})
    assert "error" in ask.said.get(timeout=60)


class Slow:
    """A memory whose counts are told when they may be."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.begun = threading.Event()
        self.go = threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._memory, name)

    def stats(self) -> Any:
        self.begun.set()
        assert self.go.wait(60)
        return self._memory.stats()


def test_of_what_waits_the_newest_is_answered_and_every_change(memory: Memory) -> None:
    told = [memory.add(f"note {n}").id for n in range(2)]
    slow = Slow(memory)
    ask = Asking(Desk(slow))  # type: ignore[arg-type]
    ask.send("stats", 1)
    assert slow.begun.wait(60)
    ask.send("timeline", 2)
    ask.send("timeline", 3, view="b")
    ask.send("forget", 4, id=told[0])
    ask.send("timeline", 5)
    ask.send("forget", 6, id=told[1])
    slow.go.set()
    answers = [ask.said.get(timeout=60) for _ in range(5)]
    assert [one["reply"] for one in answers] == [1, 3, 4, 5, 6]
    assert len(answers[3]["result"]["items"]) == 1


def test_an_answer_goes_out_in_the_context_of_its_request(memory: Memory) -> None:
    where: ContextVar[str] = ContextVar("where", default="nowhere")
    heard: queue.Queue[str] = queue.Queue()
    session = Session(Desk(memory), lambda _: heard.put(where.get()))
    where.set("the subshell")
    session.receive({"v": 1, "view": "a", "id": 1, "do": "stats"})
    assert heard.get(timeout=60) == "the subshell"


# -- what a cell shows -------------------------------------------------------------------------


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The browser side is there, whether or not it was built."""
    script = tmp_path / "inspector.js"
    script.write_text("export default { render() {} }")
    monkeypatch.setattr(static_files, "SCRIPT", script)


def test_a_notebook_keeps_counts_and_no_text(memory: Memory, built: None) -> None:
    memory.add("the password is xyzzy", subject="xyzzy", tags=["xyzzy"])
    inspector = memory.inspect(height=300)
    bundle = inspector._repr_mimebundle_()
    assert bundle[door.WIDGET_TYPE]["model_id"] == inspector.widget.model_id
    state = inspector.widget.get_state(["height"])
    assert state == {"height": 300}
    assert "xyzzy" not in str([bundle, inspector.widget.get_state()])
    assert "memories" in bundle["text/plain"]


def test_outside_of_a_notebook_a_memory_is_its_counts(place: Path) -> None:
    folder = place.parent / "<b>"
    with Memory(folder / "memory.duckdb", serve=True) as memory:
        memory.add("a secret")
        bundle = memory._repr_mimebundle_()
        past = memory.as_of(START)._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html"} == set(past)
    assert "<b>" not in bundle["text/html"]
    assert "&lt;b&gt;" in bundle["text/html"]
    assert "secret" not in str(bundle)


def test_a_memory_that_cannot_be_opened_says_why(tmp_path: Path) -> None:
    with Memory(tmp_path / ("x" * 300)) as memory:
        assert "File name too long" in memory._repr_mimebundle_()["text/plain"]


def test_what_an_inspector_lacks_is_one_sentence(
    memory: Memory, built: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match="10 pixels"):
        memory.inspect(height=10)
    monkeypatch.setattr(static_files, "SCRIPT", tmp_path / "missing.js")
    with pytest.raises(Unavailable, match="not built"):
        memory.inspect()
    monkeypatch.setattr(door, "find_spec", lambda _: None)
    with pytest.raises(Unavailable, match="pip install anywidget"):
        memory.inspect()


def test_a_memory_needs_neither_widgets_nor_the_workbench() -> None:
    code = "import sys, iaiflow_memory as m; m.Memory; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not loaded & {"anywidget", "ipywidgets", "IPython", "iaiflow_lab"}
    assert not any(name.startswith("iaiflow_memory.inspector") for name in loaded)
