"""Saving, editing, pausing and reading schedules."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace

import nbformat
import pytest
from msgspec import structs

from iaiflow_lab.errors import ConflictError, FlowError, InputError, NotFoundError
from iaiflow_lab.model.flow import Flow, Node
from iaiflow_lab.model.moment import parse_moment
from iaiflow_lab.model.schedule import (
    Catchup,
    Cron,
    FileChange,
    Interval,
    Once,
    Overlap,
    Rule,
)
from iaiflow_lab.service import firing, flows, history, open_session, schedules, servers
from iaiflow_lab.service.as_data import schedule_data
from iaiflow_lab.service.runs import Options
from iaiflow_lab.service.schedule_rows import ScheduleSpec

HOURLY = Rule(Cron("0 * * * *"), "Europe/Berlin")
SPEC = ScheduleSpec("example.flow.json", HOURLY, inputs={"n": 3})


@pytest.fixture
def simulated(simulate):
    return simulate(3)


@pytest.fixture
def session(workspace, simulated, flow, types):
    with open_session(workspace, simulated.world) as opened:
        flows.save(opened, "example.flow.json", flow, types)
        yield opened


def write_notebook(path, value=1):
    cell = nbformat.v4.new_code_cell(f"size = {value}", metadata={"tags": ["parameters"]})
    notebook = nbformat.v4.new_notebook(cells=[cell])
    notebook.metadata["kernelspec"] = {"name": "python3", "language": "python"}
    path.write_text(nbformat.writes(notebook))


def test_a_schedule_is_what_was_asked_for(session, types, simulated):
    spec = replace(
        SPEC,
        name="each hour",
        rule=Rule(Cron("0 * * * *"), "Europe/Berlin", end=2e9, jitter_s=30.0),
        catchup=Catchup.ALL,
        overlap=Overlap.QUEUE,
        options=Options(
            queue="night", priority=5, timeout=60.0, budget={"cost": 2.0}, use_cache=True
        ),
    )
    made = schedules.add(session, spec, types)
    assert made.spec == spec
    assert made.state == "active"
    now = simulated.clock.now()
    assert made.next_due == now // 3_600 * 3_600 + 3_600
    assert made.next_due <= made.next_fire <= made.next_due + 30
    assert schedules.get(session, "each hour") == made
    assert schedules.get(session, made.id[:12]) == made
    assert schedules.list_schedules(session) == [made]


def test_an_interval_counts_from_when_it_was_saved(session, types, simulated):
    made = schedules.add(session, replace(SPEC, rule=Rule(Interval(900.0))), types)
    assert made.next_due == simulated.clock.now() + 900
    assert made.spec.rule.start == simulated.clock.now()


def test_names_are_made_and_unique(session, types):
    names = [schedules.add(session, SPEC, types).spec.name for _ in range(3)]
    assert names == ["example", "example-2", "example-3"]
    with pytest.raises(ConflictError, match="There is a schedule 'example' already"):
        schedules.add(session, replace(SPEC, name="example"), types)


@pytest.mark.parametrize(
    ("change", "error", "sentence"),
    [
        ({"target": "gone.flow.json"}, NotFoundError, "There is no flow 'gone.flow.json'"),
        ({"target": "../x.flow.json"}, InputError, "can't be used"),
        ({"target": "x.txt"}, InputError, "is no flow or notebook: it does not end in"),
        ({"inputs": {"m": 1}}, InputError, "m"),
        ({"inputs": {}}, InputError, "n"),
        ({"rule": Rule(Cron("99 * * * *"))}, InputError, "Minute must be 0-59; got 99."),
        ({"rule": Rule(Once("2020-01-01"))}, InputError, "all of its moments are past"),
        ({"rule": Rule(Cron("* * * * *"), end=5.0)}, InputError, "all of its moments are past"),
        ({"rule": Rule(Cron("* * * * *"), jitter_s=60.0)}, InputError, "The jitter of 1m is not"),
        ({"catchup": Catchup.ALL}, InputError, "Catching up on all moments"),
        ({"options": Options(priority=5_000)}, InputError, "priority"),
        ({"options": Options(budget={"cost": -1})}, InputError, "no limit"),
        ({"options": Options(delay=5.0)}, InputError, "no moment or delay"),
        ({"options": Options(idempotency_key="k")}, InputError, "no key"),
        ({"name": "a\u202eb"}, InputError, "can't name a schedule"),
        ({"name": "x" * 101}, InputError, "can't name a schedule"),
        ({"version": "77"}, NotFoundError, "no version '77'"),
    ],
)
def test_a_refusal_leaves_nothing(session, types, change, error, sentence):
    with pytest.raises(error) as refusal:
        schedules.add(session, replace(SPEC, **change), types)
    assert sentence in str(refusal.value)
    assert schedules.list_schedules(session) == []


def test_a_flow_with_errors_is_refused(session, types):
    flows.save(session, "broken.flow.json", Flow("Broken", nodes={"a": Node("needy")}), types)
    with pytest.raises(FlowError):
        schedules.add(session, replace(SPEC, target="broken.flow.json", inputs={}), types)


def test_next_moments_are_shown_before_and_after_saving(session, types):
    shown = schedules.preview(session, HOURLY)
    made = schedules.add(session, SPEC, types)
    assert len(shown) == 10
    assert schedules.next_times(session, made.id) == shown
    assert shown[0].at == made.next_due
    with pytest.raises(InputError):
        schedules.next_times(session, made.id, 0)
    with pytest.raises(InputError):
        schedules.preview(session, Rule(Cron("x")))


def test_a_pause_lasts_until_it_is_resumed(session, types, simulated):
    made = schedules.add(session, SPEC, types)
    paused = schedules.pause(session, "example")
    assert (paused.state, paused.next_due, paused.next_fire) == ("paused", None, None)
    assert schedules.next_times(session, "example") == []
    simulated.clock.advance(100 * 3_600)
    assert firing.fire_due(session, types) == []
    resumed = schedules.resume(session, "example")
    assert resumed.next_due == made.next_due + 100 * 3_600
    assert schedules.misses(session) == []


@pytest.mark.parametrize(
    "rule",
    [
        Rule(Cron("0 * * * *"), "UTC", end=5e9),
        Rule(Interval(600.0), end=5e9),
        Rule(Once("2100-01-01"), "UTC", end=5e9),
        Rule(FileChange(("data/*",)), end=5e9),
    ],
    ids=["cron", "interval", "once", "file"],
)
def test_what_is_over_shows_as_ended(session, types, simulated, rule):
    start = simulated.clock.now()
    wall = 4_102_444_000.0 if isinstance(rule.when, Once) else start
    rule = structs.replace(rule, end=wall + 2 * 3_600)
    made = schedules.add(session, replace(SPEC, rule=rule, catchup=Catchup.NONE), types)
    assert made.state == "active"
    simulated.clock.wall = wall + 3 * 3_600
    firing.fire_due(session, types)
    assert schedules.get(session, made.id).state == "ended"
    assert schedules.list_schedules(session)[0].state == "ended"
    assert schedules.pause(session, made.id).state == "paused"
    assert schedules.resume(session, made.id).state == "ended"


def test_a_schedule_that_cannot_be_reckoned_here_says_so_and_can_be_paused(session, types):
    made = schedules.add(session, SPEC, types)
    with sqlite3.connect(session.store.db.path) as database:  # this machine lacks its zone
        database.execute("UPDATE schedules SET zone = 'Mars/X'")
    database.close()
    broken = schedules.get(session, made.id)
    assert broken.state == schedule_data(broken)["state"] == "broken"
    assert "Mars/X" in schedule_data(broken)["fault"]
    assert schedules.next_times(session, made.id) == []
    assert schedules.pause(session, made.id).state == "paused"
    with pytest.raises(InputError, match="Mars/X"):
        schedules.resume(session, made.id)


def test_an_edit_of_a_schedule_that_is_resumed_meanwhile_lets_it_go_on(session, types, monkeypatch):
    schedules.add(session, SPEC, types)
    schedules.pause(session, "example")
    check = schedules._checked

    def resume_first(*given):
        schedules.resume(session, "example")
        return check(*given)

    monkeypatch.setattr(schedules, "_checked", resume_first)
    assert schedules.edit(session, "example", SPEC, types).next_due is not None


def test_an_edit_reckons_from_now(session, types, simulated):
    made = schedules.add(session, SPEC, types)
    simulated.clock.advance(10_000)
    spec = replace(made.spec, rule=Rule(Interval(60.0)), name="faster")
    edited = schedules.edit(session, "example", spec, types)
    assert (edited.id, edited.spec.name) == (made.id, "faster")
    assert edited.next_due == simulated.clock.now() + 60
    schedules.pause(session, "faster")
    assert schedules.edit(session, "faster", edited.spec, types).next_due is None
    other = schedules.add(session, SPEC, types)
    with pytest.raises(ConflictError):
        schedules.edit(session, other.id, replace(SPEC, name="faster"), types)


def test_an_edit_that_leaves_the_rule_keeps_its_moment_and_what_was_seen(
    session, types, simulated, workspace
):
    made = schedules.add(session, SPEC, types)
    watching = replace(SPEC, rule=Rule(FileChange(("data/*",))), name="watching")
    seen = schedules.add(session, watching, types).seen
    (workspace / "data").mkdir()
    (workspace / "data/new.csv").write_text("1")
    simulated.clock.advance(3 * 3_600)  # nothing fires: the moment is still to be handled
    edited = schedules.edit(session, made.id, replace(made.spec, name="other"), types)
    assert (edited.spec.name, edited.next_due) == ("other", made.next_due)
    edited = schedules.edit(session, "watching", replace(watching, inputs={"n": 4}), types)
    assert edited.seen == seen


def test_two_edits_at_once_lose_nothing(session, types, simulated):
    made = schedules.add(session, SPEC, types)
    tries = []

    def change(spec):
        tries.append(spec)
        if len(tries) == 1:  # somebody else is faster
            simulated.clock.advance(0.001)
            schedules.edit(session, made.id, replace(spec, name="theirs"), types)
        return replace(spec, inputs={"n": 9})

    edited = schedules.alter(session, made.id, change, types)
    assert (edited.spec.name, edited.spec.inputs) == ("theirs", {"n": 9})
    assert len(tries) == 2


def test_a_schedule_that_is_edited_while_it_is_resumed_goes_on_by_its_new_rule(
    session, types, simulated, monkeypatch
):
    made = schedules.add(session, SPEC, types)
    schedules.pause(session, made.id)
    reckon = schedules.next_moment

    def edit_first(*given):
        monkeypatch.undo()
        simulated.clock.advance(0.001)
        spec = replace(made.spec, rule=Rule(Interval(90.0), start=0.0))
        schedules.edit(session, made.id, spec, types)
        return reckon(*given)

    monkeypatch.setattr(schedules, "next_moment", edit_first)
    resumed = schedules.resume(session, made.id)
    assert resumed.spec.rule.when == Interval(90.0)
    assert resumed.next_due % 90 == 0


def test_what_is_removed_leaves_its_runs(session, types):
    made = schedules.add(session, SPEC, types)
    run_id = firing.run_now(session, "example", types)
    schedules.remove(session, "example")
    assert history.get(session, run_id).state == "queued"
    for verb in (schedules.get, schedules.pause, schedules.resume, schedules.remove):
        with pytest.raises(NotFoundError):
            verb(session, made.id)


def test_a_name_that_is_nearly_right_is_guessed(session, types):
    schedules.add(session, SPEC, types)
    with pytest.raises(NotFoundError, match="Did you mean 'example'"):
        schedules.get(session, "exmple")


def run_of(session, ref, types):
    return history.get(session, firing.run_now(session, ref, types))


def test_a_version_is_pinned_and_the_latest_is_not(session, types, flow):
    schedules.add(session, replace(SPEC, name="latest"), types)
    schedules.add(session, replace(SPEC, name="first", version="1"), types)
    schedules.add(session, replace(SPEC, name="now", version="now"), types)
    before = run_of(session, "latest", types).version
    changed = replace(flow, nodes={**flow.nodes, "new": Node("echo")})
    flows.save(session, "example.flow.json", changed, types)
    assert run_of(session, "latest", types).version != before
    assert run_of(session, "first", types).version == before
    assert run_of(session, "now", types).version == before
    spec = replace(schedules.get(session, "first").spec, inputs={"n": 9})
    schedules.edit(session, "first", spec, types)
    run = run_of(session, "first", types)
    assert (run.version, run.inputs["n"]) == (before, 9)


def test_a_notebook_is_pinned_as_it_is(session, types, workspace):
    path = workspace / "book.ipynb"
    write_notebook(path, 1)
    spec = ScheduleSpec("book.ipynb", HOURLY, inputs={"size": 5})
    schedules.add(session, replace(spec, name="latest"), types)
    pinned = schedules.add(session, replace(spec, name="pinned", version="now"), types)
    before = run_of(session, "pinned", types).version
    assert run_of(session, "latest", types).version == before
    write_notebook(path, 2)
    assert run_of(session, "latest", types).version != before
    assert run_of(session, "pinned", types).version == before
    edited = replace(pinned.spec, inputs={"size": 6})
    schedules.edit(session, "pinned", edited, types)
    definition = history.definition(session, run_of(session, "pinned", types).id)
    assert definition.nodes["notebook"].config["parameters"] == {"size": 6}
    with pytest.raises(InputError):
        schedules.edit(session, "pinned", replace(edited, inputs={"length": 1}), types)
    with pytest.raises(InputError, match="A notebook has no saved version"):
        schedules.add(session, replace(spec, version="3"), types)


def test_what_a_version_needs_is_not_collected(session, types, workspace, simulated):
    write_notebook(workspace / "book.ipynb")
    spec = ScheduleSpec("book.ipynb", HOURLY, version="now")
    schedules.add(session, spec, types)
    (workspace / "book.ipynb").unlink()
    simulated.clock.advance(90_000)
    session.store.artifacts.collect()
    assert run_of(session, "book", types).state == "queued"


def test_files_are_seen_when_the_schedule_is_saved(session, types, workspace):
    (workspace / "data").mkdir()
    (workspace / "data" / "a.csv").write_text("1")
    rule = Rule(FileChange(("data/*.csv",)))
    made = schedules.add(session, replace(SPEC, rule=rule), types)
    assert list(json.loads(made.seen)) == ["data/a.csv"]
    assert (made.state, made.next_due) == ("active", None)


def test_which_process_fires_and_when_it_stopped(session, simulated):
    assert servers.firing_note(session) == "Nothing fires schedules yet: start `iaiflow serve`."
    owner = servers.register(session, "serve")
    (server,) = servers.who_fires(session)
    assert server.stopped_at is None
    assert f"`iaiflow serve` (process {server.pid}" in servers.firing_note(session)
    simulated.clock.advance(50)
    servers.beat(session, owner)
    simulated.clock.advance(50)
    assert servers.who_fires(session)[0].stopped_at is None
    simulated.clock.advance(50)
    assert servers.who_fires(session)[0].stopped_at == simulated.clock.now() - 100
    servers.leave(session, owner)
    assert servers.who_fires(session)[0].stopped_at == simulated.clock.now()
    assert servers.firing_note(session).startswith("Nothing fires schedules since ")
    servers.register(session, "jupyter")
    assert "until JupyterLab is closed" in servers.firing_note(session)
    assert len(servers.who_fires(session)) == 2


def test_servers_of_long_ago_are_forgotten(session, simulated):
    for _ in range(20):
        servers.leave(session, servers.register(session, "serve"))
        simulated.clock.advance(1)
    assert len(servers.who_fires(session)) == 5


def test_a_server_that_slept_is_not_forgotten(session, simulated):
    asleep = servers.register(session, "serve")
    simulated.clock.advance(3_600)
    for _ in range(10):
        servers.leave(session, servers.register(session, "jupyter"))
    servers.beat(session, asleep)
    assert "Fired by `iaiflow serve`" in servers.firing_note(session)


def test_a_time_that_no_clock_shows_runs_when_the_gap_ends(session, types):
    rule = Rule(Once("2027-03-28T02:30"), "Europe/Berlin")
    made = schedules.add(session, replace(SPEC, rule=rule), types)
    assert made.next_due == parse_moment("2027-03-28T03:00", "Europe/Berlin")
    (shown,) = schedules.next_times(session, made.id)
    assert shown.note == "02:30 doesn't exist on 28 Mar 2027; will run 03:00."
