"""Threads of a chat: files of the workspace that outlive kernels and hold no secrets."""

from __future__ import annotations

import base64
import json
import os
import stat

import pytest
from agent_runs import calls
from hypothesis import given, settings
from hypothesis import strategies as st

from iaiflow_agents import Agent
from iaiflow_agents.chat import house
from iaiflow_agents.chat.news import MOST
from iaiflow_agents.chat.shelf import Shelf
from iaiflow_agents.chat.thread import (
    Exchange,
    KernelAgent,
    Thread,
    asked,
    branch_to,
    shown,
    shown_branch,
)
from iaiflow_lab import Context, Lab

CANARY = "canary-4f1d0c2b9a"


def folder(workspace):
    return workspace / ".iaiflow" / "chats"


def text_of(exchange):
    return json.loads(exchange["trace"])["turns"][-1]["text"]


def test_opening_a_chat_does_nothing(page, scripted, workspace):
    scripted({"text": "Hi."})
    found = page("hello")
    assert found["threads"] == []
    assert found["workspace"] == str(workspace)
    assert found["problems"] == []
    (info,) = found["agents"]
    assert info == {
        "agent": {"kind": "kernel", "name": "analyst"},
        "title": "analyst",
        "model": "scripted",
        "is_scripted": True,
        "has_memory": False,
        "fault": "",
    }
    assert not (workspace / ".iaiflow" / "lab.db").exists()


def test_a_chat_of_one_agent_shows_that_one(pages, scripted):
    scripted({"text": "A."})
    other = scripted({"text": "B."}, name="other")
    nameless = Agent("nameless", model="scripted", script=[{"text": "N."}])
    assert [one["title"] for one in pages(other)("hello")["agents"]] == ["other"]
    page = pages(nameless)
    assert [one["title"] for one in page("hello")["agents"]] == ["nameless"]
    thread = page.begin({"kind": "kernel", "name": "nameless"})
    assert text_of(page.ask(thread, "Hi")) == "N."
    names = [one["agent"]["name"] for one in pages()("hello")["agents"]]
    assert names == ["analyst", "other"]


def test_two_pages_see_the_same(pages, scripted):
    scripted({"text": "Hello {{last}}"})
    one, two = pages(), pages()
    two("hello")
    thread = one.begin()
    told = two.until(lambda push: push["push"] == "threads" and push["threads"])
    assert [info["id"] for info in told["threads"]] == [thread]
    asked_here = one.ask(thread, "a")
    push = two.until(lambda push: push["push"] == "exchange" and push["state"] == "done")
    assert (push["thread"], push["exchange"]) == (thread, asked_here["id"])
    assert push["trace"] == asked_here["trace"]
    assert two("thread", id=thread) == one("thread", id=thread)
    one("rename", id=thread, title="  About a ")
    two.until(lambda push: push["push"] == "threads" and push["threads"][0]["title"] == "About a")
    two("remove", id=thread)
    one.until(lambda push: push["push"] == "threads" and not push["threads"])
    assert one.refusal("thread", id=thread)["code"] == "no-thread"


def test_pages_that_are_gone_are_not_told_for_ever(pages, scripted):
    scripted({"text": "Hi."})
    opened = [pages() for _ in range(MOST + 5)]
    for page in opened:
        page("hello")
    opened[0]("hello")  # it is there still
    thread = opened[-1].begin()
    for page in (opened[0], opened[-1]):
        page.until(lambda push: push["push"] == "threads" and push["threads"])
    opened[-1]("rename", id=thread, title="x")
    opened[-1].until(lambda push: push["push"] == "threads" and push["threads"][0]["title"] == "x")
    assert opened[1].said.empty()
    assert opened[1].pushes == []


def test_threads_outlive_the_kernel(pages, scripted, workspace):
    scripted({"text": "One: {{last}}"}, {"text": "Two: {{last}}"})
    page = pages()
    thread = page.begin()
    first = page.ask(thread, "a\nand more")
    before = page("thread", id=thread)
    house._houses.clear()
    page = pages()
    (info,) = page("hello")["threads"]
    assert (info["id"], info["title"], info["count"], info["state"]) == (thread, "a", 1, "done")
    assert page("thread", id=thread) == before
    assert text_of(page.ask(thread, "b", parent=first["id"])) == "Two: b"
    (place,) = folder(workspace).glob("*.json")
    assert stat.S_IMODE(place.stat().st_mode) == 0o600


def test_an_answer_that_a_kernel_took_with_it_is_not_waited_for(pages, scripted):
    scripted({"text": "One."}, {"text": "Two: {{last}}"})
    page = pages()
    thread = page.begin()
    lost = Exchange("lost", None, 1.0, "a", run_id="run_that_is_gone")
    kept = page.session._chats.house
    kept.shelf.put(asked(kept.get(thread), lost))
    house._houses.clear()
    page = pages()
    assert page("hello")["threads"][0]["state"] == "failed"
    found = page.exchange(thread, "lost")
    assert found["fault"] == "The kernel ended before there was an answer."
    assert text_of(page.ask(thread, "b", parent="lost")) == "One."


def test_a_broken_file_is_set_aside_and_the_others_stay(page, scripted, workspace):
    scripted({"text": "Hi."})
    threads = [page.begin() for _ in range(3)]
    broken, other, _ = (folder(workspace) / f"{thread}.json" for thread in threads)
    broken.write_bytes(b'{"id": "\xff')
    other.write_text(json.dumps({**json.loads(other.read_text()), "id": "elsewhere"}))
    (folder(workspace) / "page.txt").write_text("not ours")
    found = page("hello")
    assert [info["id"] for info in found["threads"]] == [threads[2]]
    assert len(found["problems"]) == 2
    assert all("was set aside as" in problem for problem in found["problems"])
    names = {place.name for place in folder(workspace).iterdir()}
    aside = {f"{broken.name}.broken", f"{other.name}.broken", ".lock"}
    assert names == {*aside, f"{threads[2]}.json", "page.txt"}
    assert page("hello")["problems"] == []
    assert page.refusal("thread", id=threads[0])["code"] == "no-thread"


def test_what_another_kernel_wrote_is_read(pages, scripted):
    scripted({"text": "Hi."})
    here = pages()
    thread = here.begin()
    house._houses.clear()
    there = pages()
    there("rename", id=thread, title="From there")
    assert here("hello")["threads"][0]["title"] == "From there"


@pytest.fixture
def secret(workspace):
    Lab().secrets.set("API", CANARY)


@pytest.mark.usefixtures("secret")
def test_a_secret_stands_nowhere(pages, names, scripted, workspace, monkeypatch):
    monkeypatch.setenv("OTHER_PASSWORD", "hunter2-of-the-environment")
    spelled = [CANARY, base64.b64encode(CANARY.encode()).decode(), "hunter2-of-the-environment"]

    def leak(ctx: Context) -> str:
        """Tell all."""
        ctx.secret("API")
        return " ".join(spelled)

    scripted(
        {"calls": calls("leak")},
        {"text": "It said: {{last}}"},
        {"text": "Again: {{last}}"},
        tools=[leak],
    )
    page = pages()
    thread = page.begin()
    first = page.ask(thread, f"My password is {spelled[2]}")
    second = page.ask(thread, f"and the key is {CANARY}", parent=first["id"])
    page("rename", id=thread, title=f"About {CANARY}")
    exported = page("export", id=thread)["path"]
    whole = json.dumps([page("hello"), page("thread", id=thread), first, second, page.pushes])
    files = [place for place in workspace.rglob("*") if place.is_file()]
    assert workspace / exported in files
    for word in spelled:
        assert word not in whole
        for place in files:
            if place.suffix in (".json", ".ipynb"):
                assert word not in place.read_text(), place
    assert "[secret]" in text_of(second)


def test_a_thought_that_holds_a_secret_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setenv("OTHER_PASSWORD", CANARY)
    thoughts = [{"type": "thinking", "thinking": t, "signature": "s"} for t in (CANARY, "So.")]
    said = {"role": "assistant", "content": [*thoughts, {"type": "text", "text": CANARY}]}
    exchange = Exchange("e", None, 0.0, "Hi", state="done", messages=(said,))
    kept = Shelf(lambda: tmp_path).put(Thread("t", KernelAgent("a"), 0.0, exchanges=(exchange,)))
    content = [thoughts[1], {"type": "text", "text": "[secret]"}]
    assert list(kept.exchanges[0].messages) == [{"role": "assistant", "content": content}]


def test_a_full_disk_is_a_sentence(page, scripted, monkeypatch):
    scripted({"text": "Hi."})
    thread = page.begin()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    refused = page.refusal("ask", **page.question(thread, "Hi"))
    assert refused["code"] == "thread-unwritable"
    assert "No space left on device" in refused["message"]
    monkeypatch.undo()


texts = st.text(max_size=20).filter(lambda text: not any("\ud800" <= c <= "\udfff" for c in text))


@settings(max_examples=15)
@given(st.lists(st.tuples(st.integers(-1, 20), texts), max_size=12))
def test_a_tree_of_questions_is_kept_as_it_is(tmp_path_factory, given_):
    place = tmp_path_factory.mktemp("shelf")
    thread = Thread("t", KernelAgent("a"), 0.0)
    for number, (after, text) in enumerate(given_):
        parent = None if after < 0 or not number else f"e{after % number}"
        thread = asked(thread, Exchange(f"e{number}", parent, float(number), text, state="done"))
        branch = branch_to(thread, f"e{number}")
        for one in branch:
            thread = shown(thread, one)
        assert shown_branch(thread) == branch
    Shelf(lambda: place).put(thread)
    assert Shelf(lambda: place).get("t") == thread
