"""The dispatcher as a part of a process: it sends by itself, ends cleanly, and need not end so."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections import Counter

import pytest

from iaiflow_lab.faults import CRASH_AT, CRASH_STATUS
from iaiflow_lab.notify.channels import Post
from iaiflow_lab.notify.dispatcher import Dispatcher
from iaiflow_lab.service import notifications, open_session
from iaiflow_lab.service.notifications import Told

SECRET = "whsec_YSBzZWNyZXQgb2YgdHdlbnR5LWZvdXIh"
PROGRAM = """
import sys, threading
from pathlib import Path
from iaiflow_lab.notify.dispatcher import Dispatcher
from iaiflow_lab.service import open_session

dispatcher = Dispatcher(lambda: open_session(Path(sys.argv[1])), print)
dispatcher.start()
print("started", flush=True)
sys.stdin.read()
dispatcher.stop()
"""


def until(condition, what):
    for _ in range(6_000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError(f"{what} did not happen")


@pytest.fixture
def start(desk, workspace):
    """Return a function that starts a dispatcher with the machine's own time."""
    desk.clock.wall = time.time() - 10
    started: list[Dispatcher] = []
    troubles: list[str] = []

    def begin() -> list[str]:
        dispatcher = Dispatcher(
            lambda: open_session(workspace),
            troubles.append,
            lambda session: Post(session.store.settings, {"HOOK": SECRET}),
        )
        dispatcher.start()
        started.append(dispatcher)
        return troubles

    begin.stop = lambda: [dispatcher.stop() for dispatcher in started]
    yield begin
    begin.stop()


def hook(desk, site, path="/hook", status=200):
    site.answers[path] = (status, {}, b"")
    return desk.rule(target=f"{site.origin}{path}", events=(Told.FAILED, Told.COMPLETED))


def test_what_happens_while_it_runs_is_sent(desk, site, start):
    rule_id = hook(desk, site)
    desk.fail()
    troubles = start()
    until(lambda: notifications.get(desk.session, rule_id).sent == 1, "The first message")
    desk.complete()
    until(lambda: notifications.get(desk.session, rule_id).sent == 2, "The second message")
    start.stop()
    start.stop()
    assert troubles == []
    assert len(site.requests) == 2


def test_several_dispatchers_send_each_message_once(desk, site, start):
    rules = [hook(desk, site, f"/{number}") for number in range(3)]
    for _ in range(10):
        desk.fail()
    for _ in range(3):
        start()
    for rule_id in rules:
        until(lambda: notifications.get(desk.session, rule_id).sent == 10, "Every message")  # noqa: B023
    start.stop()
    assert Counter(path for _, path, _, _ in site.requests) == {"/0": 10, "/1": 10, "/2": 10}


def test_a_slow_server_does_not_keep_the_others_waiting(desk, site, start):
    held, left = threading.Event(), threading.Event()

    def answer_late(handler):
        held.set()
        left.wait(60)
        handler.send_response(200)
        handler.send_header("content-length", "0")
        handler.end_headers()

    slow = hook(desk, site, "/slow")
    site.answers["/slow"] = answer_late
    quick = hook(desk, site, "/quick")
    desk.fail()
    start()
    assert held.wait(60)
    until(lambda: notifications.get(desk.session, quick).sent == 1, "The quick message")
    assert notifications.get(desk.session, slow).sent == 0
    left.set()
    start.stop()  # what is being sent is finished
    assert notifications.get(desk.session, slow).sent == 1


def test_what_cannot_be_sent_is_told_and_kept(desk, site, start):
    rule_id = hook(desk, site, status=500)
    desk.fail()
    troubles = start()
    until(lambda: troubles, "The trouble")
    start.stop()
    assert "The server answered 500." in troubles[0]
    assert notifications.get(desk.session, rule_id).pending == 1


@pytest.mark.fault
@pytest.mark.slow
@pytest.mark.parametrize("point", ["notify.after_take", "notify.after_send"])
def test_a_process_that_is_killed_loses_no_message(desk, site, workspace, point):
    rule_id = hook(desk, site)
    desk.clock.wall = time.time() - 10
    desk.fail()
    command = [sys.executable, "-c", PROGRAM, str(workspace)]
    environment = os.environ | {"HOOK": SECRET, CRASH_AT: point}
    died = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE)
    assert died.wait(60) == CRASH_STATUS
    died.stdin.close()
    sent_before = len(site.requests)
    with desk.session.store.db.write() as tx:  # the lease of the dead one has passed
        tx.run("message_failed", {
            "rule_id": rule_id, "message": desk.rows()[0]["message"], "due": 0.0, "error": "",
        })  # fmt: skip
    alive = subprocess.Popen(command, env=environment | {CRASH_AT: ""}, stdin=subprocess.PIPE)
    until(lambda: notifications.get(desk.session, rule_id).sent == 1, "The message")
    alive.communicate(timeout=60)
    assert alive.returncode == 0
    ids = [headers["webhook-id"] for _, _, headers, _ in site.requests]
    assert len(ids) == sent_before + 1
    assert len(set(ids)) == 1
