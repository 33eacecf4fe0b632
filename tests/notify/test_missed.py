"""Rules are told what schedules missed: one thing for each time that it is noted."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace

import pytest

from iaiflow_lab.api.news import News
from iaiflow_lab.api.routes import events
from iaiflow_lab.model.schedule import Catchup, Interval, Overlap, Rule
from iaiflow_lab.notify.message import compose
from iaiflow_lab.sdk.catalog import load_catalog
from iaiflow_lab.service import firing, outbox, schedules
from iaiflow_lab.service.as_data import missed_data
from iaiflow_lab.service.missed import NewlyMissed
from iaiflow_lab.service.notifications import Told
from iaiflow_lab.service.schedule_rows import ScheduleSpec

FLOW = {
    "format": "iaiflow/1",
    "name": "Tick",
    "nodes": {"say": {"type": "text.template", "config": {"template": "tick"}}},
}


@pytest.fixture
def types(desk):
    return load_catalog(desk.session.workspace)


@pytest.fixture
def add(desk, types, workspace):
    (workspace / "tick.flow.json").write_text(json.dumps(FLOW))

    def put(name="ticks", **more):
        spec = ScheduleSpec("tick.flow.json", Rule(Interval(60.0)), name, **more)
        return schedules.add(desk.session, spec, types)

    return put


def test_a_thousand_misses_are_one_message(desk, add, types):
    rule_id = desk.rule(events=(Told.MISSED,), group_s=0.0)
    made = add()
    desk.clock.advance(1_000 * 60 + 1)
    firing.fire_due(desk.session, types)
    assert desk.told() == [(made.id, "missed")]
    letter = outbox.take(desk.session, rule_id)
    message = compose(letter, "https://example.org/{run}")
    assert message.subject == "Schedule ticks missed 999 moments of tick.flow.json"
    assert message.type == "schedule.missed"
    assert "Nothing fired schedules then." in message.text
    assert f"To look: iaiflow schedule misses {made.id}\n" in message.text
    (item,) = message.data["items"]
    assert (item["missed"]["count"], item["run"], item["state"]) == (999, "", None)
    outbox.sent(desk.session, letter)
    assert outbox.due_rules(desk.session) == []


def test_a_target_that_has_gone_is_told_by_every_channel_alike(desk, add, types, workspace, site):
    site.answers["/hook"] = (200, {}, b"")
    desk.rule(target=f"{site.origin}/hook", events=tuple(Told))
    add()
    (workspace / "tick.flow.json").unlink()
    desk.clock.advance(61)
    firing.fire_due(desk.session, types)
    assert desk.send() == []
    body = json.loads(site.requests[0][3])
    assert body["type"] == "schedule.missed"
    assert "tick.flow.json" in body["data"]["items"][0]["missed"]["message"]


def test_what_is_left_out_by_choice_is_no_news(desk, add, types):
    desk.rule(events=tuple(Told))
    add(overlap=Overlap.SKIP)
    for _ in range(2):
        desk.clock.advance(60)
        firing.fire_due(desk.session, types)
    assert schedules.misses(desk.session)[0].reason == "overlap"
    assert desk.told() == []


def test_only_rules_that_want_it_are_told_and_only_of_their_flow(desk, add, types, workspace):
    desk.rule()
    (workspace / "other.flow.json").write_text(json.dumps(FLOW))
    desk.rule(events=(Told.MISSED,), flow="other.flow.json")
    add(catchup=Catchup.NONE)
    desk.clock.advance(1_000)
    firing.fire_due(desk.session, types)
    assert desk.told() == []


def test_a_schedule_that_was_deleted_has_nothing_to_tell(desk, add, types):
    rule_id = desk.rule(events=(Told.MISSED,))
    made = add()
    desk.clock.advance(1_000)
    firing.fire_due(desk.session, types)
    schedules.remove(desk.session, made.id)
    assert outbox.take(desk.session, rule_id) is None
    assert desk.rows()[0]["error"] == "The schedule was deleted before it was told."


def test_pages_are_told_once(desk, add, types):
    listening = NewlyMissed(desk.clock.now())
    made = add()
    desk.clock.advance(1_000)
    firing.fire_due(desk.session, types)
    (missed,) = listening.look(desk.session)
    assert (missed.schedule_id, missed.count, missed.name) == (made.id, 15, "ticks")
    assert missed_data(missed)["id"].startswith(made.id)
    assert listening.look(desk.session) == []
    desk.clock.advance(1_000)
    firing.fire_due(desk.session, types)
    assert [each.count for each in listening.look(desk.session)] == [16]


def test_pages_are_told_of_what_was_committed_after_later_ones(desk, add, types):
    listening = NewlyMissed(desk.clock.now())
    made, slow = add(), add("slow")
    desk.clock.advance(61)
    begun = desk.clock.now()
    desk.clock.advance(10)
    row = {"due_at": begun - 1, "reason": "down", "message": "Nothing fired schedules then."}
    for schedule, noted_at in ((made, begun + 10), (slow, begun)):
        with desk.session.store.db.write() as tx:
            tx.run("miss_put", {"schedule_id": schedule.id, "noted_at": noted_at, **row})
        assert [missed.name for missed in listening.look(desk.session)] == [schedule.spec.name]
        desk.clock.advance(2)
    assert listening.look(desk.session) == []


def test_the_stream_of_all_changes_tells_it(desk, add, types):
    made = add()
    desk.clock.advance(1_000)
    firing.fire_due(desk.session, types)
    beside = SimpleNamespace(session=desk.session, news=News(desk.session.store.db))

    async def told():
        sent = [each async for each in _until_missed(events._of_all(beside, None))]
        return json.loads(sent[-1].partition("data: ")[2])

    data = asyncio.run(told())
    assert (data["schedule_id"], data["count"], data["flow"]) == (made.id, 15, "tick.flow.json")


async def _until_missed(stream):
    async for sent in stream:
        yield sent
        if sent.startswith("event: missed\n"):
            return
