"""What is to be told is written with the change that makes it true, once, and grouped."""

from __future__ import annotations

from itertools import pairwise

import pytest

from iaiflow_lab.errors import ConflictError
from iaiflow_lab.model.quiet import parse_quiet
from iaiflow_lab.model.run import RunState, WaitOutcome
from iaiflow_lab.queue import signals
from iaiflow_lab.queue.protocol import Settlement
from iaiflow_lab.service import notifications, outbox
from iaiflow_lab.service.notifications import Told
from iaiflow_lab.store.waits import Answer


def test_a_rule_is_told_what_it_asks_for(desk):
    desk.rule(events=(Told.FAILED, Told.COMPLETED))
    failed, completed = desk.fail(), desk.complete()
    assert desk.told() == [(failed, "failed"), (completed, "completed")]


def test_a_rule_is_told_of_its_own_flow_only(desk, workspace):
    (workspace / "mine.ipynb").write_text("{}")
    desk.rule(flow="mine.ipynb")
    desk.fail(flow="other.ipynb")
    mine = desk.fail(flow="mine.ipynb")
    assert desk.told() == [(mine, "failed")]


def test_a_rule_tells_nothing_that_happened_before_it(desk):
    desk.fail()
    desk.rule()
    assert desk.told() == []


def test_a_run_that_is_watched_in_its_kernel_is_not_told(desk):
    desk.rule()
    owner = "kernel:here:1:1:x"
    run_id = desk.put(queue=f"kernel:{owner}")
    claim = desk.session.coordinator.claim(owner, [f"kernel:{owner}"], run_id)
    desk.session.coordinator.start(claim.run_id, claim.fence)
    desk.settle(claim, RunState.FAILED)
    assert desk.told() == []


def test_the_row_and_the_change_are_one_transaction(desk):
    desk.rule(events=(Told.COMPLETED,))
    claim = desk.begin()
    desk.session.world.faults.armed = "settle.before_commit"
    with pytest.raises(BaseException, match=r"settle\.before_commit"):
        desk.settle(claim, RunState.COMPLETED)
    assert desk.told() == []
    desk.settle(claim, RunState.COMPLETED)
    with pytest.raises(ConflictError):
        desk.session.coordinator.settle(claim.run_id, claim.fence, Settlement(RunState.FAILED))
    assert desk.told() == [(claim.run_id, "completed")]


def test_every_wait_for_people_is_told_once(desk):
    rule_id = desk.rule(events=(Told.WAITING,))
    claim = desk.wait(desk.approval())
    letter = outbox.take(desk.session, rule_id)
    assert [wait.message for wait in letter.items[0].waits] == ["Ship it?"]
    outbox.sent(desk.session, letter)
    answer(desk, claim, "ask")
    again = desk.begin(claim.run_id)
    desk.clock.advance(5)
    desk.append(again, desk.approval("second"))
    desk.settle(again, RunState.WAITING, seen=1)
    assert [event for _, event in desk.told()] == ["waiting", "waiting"]
    letter = outbox.take(desk.session, rule_id)
    assert [wait.step for wait in letter.items[0].waits] == ["second"]


def test_a_run_that_parks_again_with_the_same_question_is_no_news(desk):
    desk.rule(events=(Told.WAITING,))
    soon = desk.approval("rest", "r", wait_kind="delay", message="", due=desk.clock.now() + 60)
    claim = desk.wait(desk.approval(), soon)
    desk.clock.advance(61)
    desk.session.coordinator.sweep()
    again = desk.begin(claim.run_id)
    desk.settle(again, RunState.WAITING, seen=1)
    assert desk.told() == [(claim.run_id, "waiting")]


def answer(desk, claim, step):
    with desk.session.store.db.write() as tx:
        given = Answer(WaitOutcome.APPROVED, by="anna")
        signals.answer(tx, desk.session.world, claim.run_id, step, given)


def test_a_delay_is_no_news(desk):
    desk.rule(events=(Told.WAITING,))
    due = desk.clock.now() + 600
    desk.wait(desk.approval(wait_kind="delay", message="", due=due))
    assert desk.told() == []


def test_what_was_answered_before_it_was_told_is_not_told(desk):
    rule_id = desk.rule(events=(Told.WAITING,))
    claim = desk.wait(desk.approval())
    answer(desk, claim, "ask")
    assert outbox.take(desk.session, rule_id) is None
    assert desk.rows()[0]["error"] == "It was answered before it was told."
    assert outbox.due_rules(desk.session) == []


def test_a_scheduled_run_that_does_not_begin_is_late_once(desk):
    rule_id = desk.rule(events=(Told.LATE,), late_s=300.0)
    due = desk.clock.now()
    run_id = desk.put(schedule_id="sch_1", due_at=due)
    desk.clock.advance(299)
    assert outbox.note_late(desk.session) == 0
    desk.clock.advance(2)
    assert outbox.note_late(desk.session) == 1
    assert outbox.note_late(desk.session) == 0
    desk.settle(desk.begin(run_id), RunState.COMPLETED)
    assert desk.told() == [(run_id, "late")]
    item = outbox.take(desk.session, rule_id).items[0]
    assert (item.due_at, item.told) == (due, Told.LATE)


def test_a_late_run_that_ends_between_two_looks_is_told_as_well(desk):
    desk.rule(events=(Told.LATE,), late_s=300.0)
    run_id = desk.put(schedule_id="sch_1", due_at=desk.clock.now())
    desk.clock.advance(301)
    desk.settle(desk.begin(run_id), RunState.FAILED)
    in_time = desk.put(schedule_id="sch_1", due_at=desk.clock.now())
    desk.settle(desk.begin(in_time), RunState.COMPLETED)
    by_hand = desk.put(schedule_id="sch_1", due_at=None)
    desk.settle(desk.begin(by_hand), RunState.COMPLETED)
    assert desk.told() == [(run_id, "late")]


def test_a_storm_is_two_messages(desk):
    rule_id = desk.rule(group_s=600.0)
    desk.fail()
    first = outbox.take(desk.session, rule_id)
    outbox.sent(desk.session, first)
    for _ in range(50):
        desk.fail()
    assert outbox.take(desk.session, rule_id) is None
    assert outbox.due_rules(desk.session) == []
    desk.clock.advance(601)
    second = outbox.take(desk.session, rule_id)
    assert (first.count, second.count, len(second.items)) == (1, 50, outbox.DETAILED)
    assert outbox.due_rules(desk.session) == []


def test_quiet_hours_keep_everything_until_the_morning(desk):
    desk.clock.wall = 1_800_050_400.0  # 2027-01-15 22:00 UTC
    rule_id = desk.rule(quiet=parse_quiet("22:00-07:00", "UTC"))
    desk.rule(quiet=parse_quiet("22:00-07:00", "America/New_York"), events=(Told.FAILED,))
    desk.fail()
    assert outbox.take(desk.session, rule_id) is None
    assert len(outbox.due_rules(desk.session)) == 1
    desk.clock.advance(9 * 3_600)
    assert outbox.take(desk.session, rule_id).count == 1


def test_a_message_is_tried_again_later_and_later_under_one_id(desk):
    rule_id = desk.rule(group_s=60.0)
    desk.fail()
    ids, pauses = set(), []
    for _ in range(outbox.MOST_ATTEMPTS):
        letter = outbox.take(desk.session, rule_id)
        ids.add(letter.id)
        due = outbox.failed(desk.session, letter, "No answer.")
        if due is not None:
            desk.fail()  # waits for its turn
            assert outbox.take(desk.session, rule_id) is None
            pauses.append(due - desk.clock.now())
            desk.clock.wall = due
    assert len(ids) == 1
    assert pauses[0] < 20
    assert all(later > earlier for earlier, later in pairwise(pauses[:9]))
    assert max(pauses) < 2 * outbox.LONGEST_PAUSE_S
    found = notifications.get(desk.session, rule_id)
    assert (found.given_up, found.error) == (1, "No answer.")


def test_the_server_may_ask_for_more_time_but_not_for_ever(desk):
    rule_id = desk.rule()
    desk.fail()
    letter = outbox.take(desk.session, rule_id)
    assert outbox.failed(desk.session, letter, "Busy.", 900.0) == desk.clock.now() + 900.0
    desk.clock.advance(901)
    letter = outbox.take(desk.session, rule_id)
    assert outbox.failed(desk.session, letter, "Busy.", 1e9) <= desk.clock.now() + 3_600.0


def test_a_message_that_was_taken_and_never_noted_is_sent_again(desk):
    rule_id = desk.rule()
    desk.fail()
    lost = outbox.take(desk.session, rule_id)
    assert outbox.take(desk.session, rule_id) is None
    desk.clock.advance(outbox.LEASE_S + 1)
    again = outbox.take(desk.session, rule_id)
    assert (again.id, again.attempt) == (lost.id, 2)


def test_pausing_settles_what_was_open_and_resuming_starts_anew(desk):
    rule_id = desk.rule()
    desk.fail()
    assert notifications.pause(desk.session, rule_id).pending == 0
    desk.fail()
    assert notifications.resume(desk.session, rule_id).paused is False
    assert outbox.due_rules(desk.session) == []
    desk.fail()
    assert notifications.get(desk.session, rule_id).pending == 1
    assert notifications.remove(desk.session, rule_id[:20]) == rule_id
    assert desk.told() == []


def test_old_news_is_forgotten_and_open_news_is_not(desk):
    rule_id = desk.rule()
    desk.fail()
    outbox.sent(desk.session, outbox.take(desk.session, rule_id))
    desk.fail()
    desk.clock.advance(40 * 86_400)
    outbox.trim(desk.session)
    assert len(desk.rows()) == 1


def test_what_came_while_a_message_was_sent_has_its_turn_at_once(desk):
    rule_id = desk.rule()
    desk.fail()
    first = outbox.take(desk.session, rule_id)
    desk.fail()
    assert outbox.take(desk.session, rule_id) is None  # another process looks
    outbox.sent(desk.session, first)
    assert outbox.take(desk.session, rule_id).count == 1
