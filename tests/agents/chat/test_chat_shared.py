"""Threads that several kernels write, that cannot be written, and that cannot be read."""

from __future__ import annotations

import fcntl
import json
import threading
from pathlib import Path
from time import time

from iaiflow_agents.chat import kernel, shelf
from iaiflow_agents.chat.house import House
from iaiflow_agents.chat.shelf import Shelf
from iaiflow_agents.chat.thread import Exchange, KernelAgent, Thread, asked, told

AGENT = KernelAgent("analyst")


def put(house, **how):
    """Keep a thread with one question."""
    exchange = Exchange(**{"id": "e", "parent": None, "sent_at": 1.0, "text": "a", **how})
    return house.shelf.put(asked(Thread("t", AGENT, 0.0), exchange))


def test_an_answer_that_another_kernel_wrote_is_not_lost(workspace):
    here, there = House(workspace), House(workspace)
    stale = put(there, run_id="run_that_ended")
    here.shelf.put(told(stale, "e", state="done", trace="{}"))
    assert there._healed(stale).exchanges[0].state == "done"
    assert House(workspace).get("t").exchanges[0].trace == "{}"


def test_a_thread_that_another_kernel_removed_does_not_come_back(workspace):
    here, there = House(workspace), House(workspace)
    stale = put(there, run_id="run_that_ended")
    here.shelf.remove("t")
    there._healed(stale)
    assert there.threads() == []


def test_a_question_that_another_kernel_begins_is_waited_for(workspace):
    here = House(workspace)
    put(here, sent_at=time())
    assert here.get("t").exchanges[0].state == "working"
    put(here, sent_at=time() - 3600)
    assert here.get("t").exchanges[0].state == "failed"


def test_one_kernel_at_a_time_changes_threads(workspace):
    here = House(workspace)

    def is_free():
        with (workspace / ".iaiflow" / "chats" / ".lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

    with here.changing():
        with here.changing():
            here.put(Thread("t", AGENT, 0.0))
        assert not is_free()
    assert is_free()


def test_an_answer_that_is_too_large_is_said(page, scripted, monkeypatch):
    scripted({"text": "x" * 9_000})
    thread = page.begin()
    monkeypatch.setattr(shelf, "LARGEST", 6_000)
    found = page.ask(thread, "Hi")
    assert (found["state"], found["trace"]) == ("failed", "")
    assert "This thread holds more than" in found["fault"]
    assert page("hello")["threads"][0]["state"] == "failed"


def test_what_cannot_be_written_blocks_no_list(page, workspace, monkeypatch):
    put(House(workspace), run_id="run_that_is_gone")
    (place,) = (workspace / ".iaiflow" / "chats").glob("*.json")
    monkeypatch.setattr(shelf, "LARGEST", place.stat().st_size)
    assert page("hello")["threads"][0]["state"] == "failed"


def test_a_page_that_read_too_early_is_told_the_end(page, workspace, monkeypatch):
    put(House(workspace), state="done", trace="{}")
    late = page("thread", id="t")
    late["thread"]["exchanges"][0]["state"] = "working"
    monkeypatch.setattr(page.session._chats, "thread", lambda _: late)
    page("thread", id="t")
    push = page.until(lambda push: push["push"] == "exchange")
    assert (push["exchange"], push["state"], push["trace"]) == ("e", "done", "{}")
    assert page.until(lambda push: push["push"] == "asks")["asks"] == []


def test_a_question_holds_up_no_stop(page, scripted, monkeypatch):
    scripted({"text": "a"})
    goes_on = threading.Event()
    real = page.session._chats.ask

    def ask(question):
        assert goes_on.wait(90)
        return real(question)

    monkeypatch.setattr(page.session._chats, "ask", ask)
    thread = page.begin()
    question = page.question(thread, "Hi")
    number = page.send("ask", question)
    assert page.refusal("stop", run_id="another")["code"] == "no-run"
    goes_on.set()
    assert page.reply(number)["ok"]["run_id"]
    assert page.ended(thread, question["exchange"])["state"] == "done"


def test_a_thread_that_is_removed_while_a_question_begins_ends_it(page, scripted, monkeypatch):
    scripted({"text": "a"})
    thread = page.begin()
    real, outcomes = kernel.begin, []
    has_ended = threading.Event()

    def begin(work, follower):
        page.session._chats.remove(thread)
        return real(work, follower)

    def end(*given):
        outcomes.append(given[-1])
        has_ended.set()

    monkeypatch.setattr(kernel, "begin", begin)
    monkeypatch.setattr(page.session._chats.house, "_end", end)
    assert page.refusal("ask", **page.question(thread, "Hi"))["code"] == "no-thread"
    assert has_ended.wait(90)
    assert [one.state for one in outcomes] == ["stopped"]


def test_half_a_character_is_refused(page, scripted):
    scripted({"text": "a"})
    thread = page.begin()
    refused = page.refusal("ask", **page.question(thread, "half \ud800"))
    assert "half of a character" in refused["message"]
    assert page("thread", id=thread)["thread"]["exchanges"] == []


def test_a_nested_file_is_set_aside(tmp_path):
    (tmp_path / "t.json").write_text('{"exchanges": ' + "[" * 100_000)
    kept = Shelf(lambda: tmp_path)
    assert kept.all() == []
    assert "was set aside as t.json.broken" in kept.problems()[0]
    assert (tmp_path / "t.json.broken").exists()


def test_a_file_of_a_later_format_is_left_alone(tmp_path):
    place = tmp_path / "t.json"
    place.write_text(json.dumps({"format": "chat/2", "id": "t", "turns": []}))
    kept = Shelf(lambda: tmp_path)
    assert kept.all() == kept.all() == []
    (problem,) = kept.problems()
    assert "A newer version of iaiflow-lab wrote t.json" in problem
    assert [one.name for one in tmp_path.iterdir()] == ["t.json"]


def test_a_file_that_cannot_be_set_aside_blocks_no_list(tmp_path, monkeypatch):
    def refused(*_):
        raise PermissionError(13, "Permission denied")

    (tmp_path / "t.json").write_text("{")
    monkeypatch.setattr(Path, "replace", refused)
    kept = Shelf(lambda: tmp_path)
    assert kept.all() == []
    assert kept.problems() == [
        "The file of a thread, t.json, can't be read, nor set aside: Permission denied."
    ]


def test_ids_end_where_they_end(page):
    assert page.refusal("thread", id="t\n")["code"] == "arguments-invalid"
