"""Schedules from the command line."""

from __future__ import annotations

import json
from functools import partial

import pytest

from iaiflow_lab.service import open_session, servers

FLOW = {
    "format": "iaiflow/1",
    "name": "Tick",
    "parameters": {"n": {"type": "integer", "default": 1}},
    "nodes": {"say": {"type": "text.template", "config": {"template": "tick"}}},
}
FIELDS = {
    "id", "name", "state", "target", "version", "inputs", "kind", "when", "rule", "zone", "start",
    "end", "jitter_s", "catchup", "overlap", "queue", "priority", "timeout", "budget",
    "use_cache", "next_due", "next_fire", "last_due", "last_run", "last_state", "created_at",
    "fault",
}  # fmt: skip


@pytest.fixture
def iaiflow(workspace, command_line):
    (workspace / ".iaiflow").mkdir()
    (workspace / "tick.flow.json").write_text(json.dumps(FLOW))

    return partial(command_line, "schedule")


def test_a_schedule_is_added_shown_and_listed(iaiflow):
    made = iaiflow(
        "add", "tick.flow.json", "--cron", "0 6 * * 1-5", "--zone", "Europe/Berlin", "--name",
        "morning", "-p", "n=4", "--catchup", "all", "--overlap", "queue", "--jitter", "5m",
        "--queue", "night", "--end", "2199-01-01", "--json",
    ).data  # fmt: skip
    assert made.keys() == FIELDS | {"next", "fired_by"}
    assert len(made["next"]) == 10
    assert all("06:00:00+0" in moment["local"] for moment in made["next"])
    assert (made["inputs"], made["jitter_s"], made["queue"]) == ({"n": 4}, 300.0, "night")
    assert made["when"] == "At 06:00 on Monday through Friday (Europe/Berlin)"
    (listed,) = iaiflow("ls", "--json").data
    assert listed == {key: made[key] for key in FIELDS}
    shown = iaiflow("show", "morning")
    assert "At 06:00 on Monday" in shown.out
    assert "Nothing fires schedules yet" in shown.err
    assert "morning" in iaiflow("ls").out
    assert len(iaiflow("next", "morning", "-n", "3", "--json").data) == 3
    assert iaiflow("next", "morning").out.count("06:00:00") == 10


@pytest.mark.parametrize(
    ("rule", "kind"),
    [
        (("--every", "1h30m"), "interval"),
        (("--at", "2199-01-01T06:00"), "once"),
        (("--on-change", "data/*.csv", "--on-change", "a.txt"), "file"),
        (("--cron", "@daily"), "cron"),
    ],
)
def test_every_kind_of_rule(iaiflow, rule, kind):
    made = iaiflow("add", "tick.flow.json", *rule, "--json").data
    assert (made["kind"], made["state"], made["name"]) == (kind, "active", "tick")
    assert iaiflow("show", "tick").status == 0


def test_a_preview_saves_nothing(iaiflow):
    shown = iaiflow(
        "add", "tick.flow.json", "--cron", "30 2 14 3 *", "--zone", "America/New_York", "--preview",
        "--start", "2027-01-01",
    )  # fmt: skip
    assert "02:30 doesn't exist on 14 Mar 2027; will run 03:00." in shown.out
    assert iaiflow("ls", "--json").data == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--cron", "99 * * * *"), "Minute must be 0-59; got 99."),
        (("--cron", "0 0 31 2 *"), "never fires"),
        (("--every", "soon"), "'soon' is no length of time."),
        (("--every", "0s"), "The interval must be 1 s - 365 days; got 0.0 s."),
        (("--at", "2020-01-01"), "all of its moments are past"),
        (("--cron", "* * * * *", "--zone", "Mars/X"), "There is no time zone 'Mars/X'."),
        ((), "A schedule has one rule; 0 are given."),
        (("--every", "5m", "--cron", "* * * * *"), "A schedule has one rule; 2 are given."),
        (("--every", "5m", "-p", "m=1"), "m"),
        (("--every", "5m", "--queue", "a b"), "is no queue name"),
        (("--every", "5m", "--version", "9"), "has no saved versions"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(iaiflow, arguments, sentence):
    answer = iaiflow("add", "tick.flow.json", *arguments)
    assert answer.status == 2
    assert sentence in answer.err
    assert "Traceback" not in answer.err
    assert iaiflow("ls", "--json").data == []


def test_an_edit_changes_what_is_given_and_shows_the_next_moments(iaiflow, workspace):
    made = iaiflow(
        "add", "tick.flow.json", "--every", "15m", "-p", "n=4", "--overlap", "allow", "--jitter",
        "5m", "--end", "2199-01-01", "--timeout", "60", "--budget", "cost=2", "--cache", "--json",
    ).data  # fmt: skip
    assert made["budget"] == {"cost": 2.0}
    edited = iaiflow("edit", "tick", "--name", "tock", "--priority", "7", "--json").data
    changes = {"name": "tock", "priority": 7}
    assert edited == {**made, **changes}
    shown = iaiflow("edit", "tock", "--cron", "0 6 * * *", "--zone", "Asia/Tokyo")
    assert shown.out.count("06:00:00+09:00") == 10
    edited = iaiflow("edit", "tock", "--on-change", "data/*.csv", "--unset", "end", "--unset",
                     "timeout", "--budget", "calls=9", "--no-cache", "--json").data  # fmt: skip
    assert (edited["kind"], edited["jitter_s"], edited["end"]) == ("file", 0.0, None)
    assert (edited["timeout"], edited["use_cache"]) == (None, False)
    assert edited["budget"] == {"calls": 9}
    assert (edited["inputs"], edited["overlap"], edited["id"]) == ({"n": 4}, "allow", made["id"])
    (workspace / "tock.flow.json").write_text(json.dumps(FLOW))
    moved = iaiflow(
        "edit", "tock", "--target", "tock.flow.json", "--unset", "inputs", "--unset", "budget",
        "--json",
    ).data  # fmt: skip
    assert moved["budget"] is None
    assert (moved["target"], moved["inputs"], moved["name"]) == ("tock.flow.json", {}, "tock")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--cron", "99 * * * *"), "Minute must be 0-59; got 99."),
        (("--every", "soon"), "'soon' is no length of time."),
        (("--end", "2020-01-01"), "The schedule ends before it starts."),
        (("--every", "5m", "--cron", "* * * * *"), "A schedule has one rule; 2 are given."),
        (("--name", "taken"), "There is a schedule 'taken' already."),
        (("-p", "m=1"), "m"),
        (("--target", "gone.flow.json"), "gone.flow.json"),
        (("--jitter", "2h"), "is not shorter than"),
        (("--catchup", "all", "--overlap", "skip"), "runs that overlap"),
    ],
)
def test_a_refused_edit_changes_nothing(iaiflow, arguments, sentence):
    iaiflow("add", "tick.flow.json", "--every", "15m")
    iaiflow("add", "tick.flow.json", "--every", "15m", "--name", "taken")
    before = iaiflow("ls", "--json").data
    answer = iaiflow("edit", "tick", "--priority", "9", *arguments)
    assert answer.status in {1, 2}
    assert sentence in answer.err
    assert "Traceback" not in answer.err
    assert iaiflow("ls", "--json").data == before


def test_a_preview_of_an_edit_changes_nothing(iaiflow):
    iaiflow("add", "tick.flow.json", "--every", "15m")
    before = iaiflow("ls", "--json").data
    shown = iaiflow("edit", "tick", "--cron", "0 6 * * *", "--zone", "UTC", "--preview")
    assert shown.out.count("06:00:00+00:00") == 10
    assert iaiflow("ls", "--json").data == before
    assert iaiflow("edit", "nobody", "--name", "x").status == 2


def test_a_schedule_is_paused_resumed_run_and_removed(iaiflow):
    iaiflow("add", "tick.flow.json", "--every", "1d")
    assert iaiflow("pause", "tick").out == "tick  paused\n"
    assert iaiflow("pause", "tick", "--json").data["next_due"] is None
    assert iaiflow("resume", "tick").out.startswith("tick  active; next 2")
    run = iaiflow("run", "tick", "--json").data
    assert run["state"] == "queued"
    shown = iaiflow("show", "tick", "--json").data
    assert (shown["last_run"], shown["last_state"]) == (run["id"], "queued")
    assert iaiflow("run", "tick").out.endswith("  queued\n")
    assert iaiflow("misses").err == "No moment was missed.\n"
    assert iaiflow("misses", "tick", "--json").data == []
    assert iaiflow("rm", "tick").out == "tick  removed\n"
    assert iaiflow("show", "tick").status == 2


def test_who_fires_is_said(iaiflow, workspace):
    with open_session(workspace) as session:
        servers.register(session, "serve")
        assert "Fired by `iaiflow serve`" in iaiflow("ls").err
