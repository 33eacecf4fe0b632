from __future__ import annotations

import json
import re
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from iaiflow_lab.cli import main
from iaiflow_lab.errors import InputError, NotFoundError
from iaiflow_lab.lab.workspace import Lab
from iaiflow_lab.model import event as ev
from iaiflow_lab.model.flow import Flow, Node
from iaiflow_lab.model.run import RunState
from iaiflow_lab.queue.protocol import Settlement
from iaiflow_lab.service import log_search, runs
from iaiflow_lab.service.log_search import LogSearch

OWNER = "worker:elsewhere:1:1:x"


@pytest.fixture
def wrote(session, types):
    """Return `wrote(name, *texts)`: a run of the flow `name` whose step wrote them."""

    def write(name, *texts, at=1.0, step="a", stream="stdout"):
        run_id = runs.start(session, Flow(name, nodes={"a": Node("echo")}), {}, types)
        claim = session.coordinator.claim(OWNER, ["default"], run_id)
        session.coordinator.start(run_id, claim.fence)
        logs = [ev.StepLog(at=at, step=step, stream=stream, text=text) for text in texts]
        session.coordinator.append(run_id, claim.fence, logs)
        session.coordinator.settle(run_id, claim.fence, Settlement(RunState.COMPLETED))
        return run_id

    return write


def found(session, pattern, **rest):
    return [line.text for line in log_search.search(session, LogSearch(pattern, **rest)).lines]


def test_lines_are_found_in_all_runs_the_newest_first(session, wrote):
    first = wrote("One", "read 3 rows\nread 4 rows\n", "wrote 5 rows")
    wrote("Two", "READ 6 rows", "nothing")
    assert found(session, r"^read \d+ rows$") == ["read 3 rows", "read 4 rows"]
    assert len(found(session, "read", ignore_case=True)) == 3
    assert found(session, "rows", run_id=first) == ["read 3 rows", "read 4 rows", "wrote 5 rows"]
    assert found(session, "rows", flow="Two") == ["READ 6 rows"]
    assert found(session, "rows", flow="Three") == []


def test_what_is_wrong_with_a_pattern_is_said_in_one_sentence(session):
    with pytest.raises(InputError) as refusal:
        found(session, "(a", ignore_case=True)
    assert str(refusal.value).startswith(
        "The pattern '(a' is no regular expression: unclosed group."
    )


def test_a_search_that_is_stopped_looks_no_further(session, wrote):
    wrote("One", *["a row"] * 5)
    wrote("Two", *["a row"] * 5)

    def stopped_after(asked):
        left = iter([False] * asked)
        return log_search.search(session, LogSearch("row"), lambda: next(left, True)).lines

    assert stopped_after(0) == []
    assert [line.flow for line in stopped_after(4)] == ["Two"] * 3
    assert len(stopped_after(1_000)) == 10


def test_steps_moments_and_progress_bars_are_told_apart(session, wrote):
    wrote("One", "early", at=1.0, step="each[1]/a")
    wrote("One", "late", at=9.0, step="other")
    wrote("One", "50 %", stream="progress")
    assert sorted(found(session, ".")) == ["early", "late"]
    assert found(session, ".", since=5.0) == ["late"]
    assert found(session, ".", step="each") == ["early"]
    assert found(session, ".", step="each[2]") == []


def test_no_more_is_returned_than_was_asked_for(session, wrote, monkeypatch):
    monkeypatch.setattr(log_search, "_EVENTS", 3)
    monkeypatch.setattr(log_search, "_RUNS", 2)
    ids = [wrote("One", *(f"line {line}" for line in range(7))) for _ in range(5)]
    assert len(found(session, "line")) == 35
    cut = log_search.search(session, LogSearch("line", limit=8))
    newest = sorted(ids, reverse=True)  # ids sort by time
    assert [line.run_id for line in cut.lines] == [*[newest[0]] * 7, newest[1]]
    assert cut.lines[-1].text == "line 0"
    assert cut.is_cut
    assert not log_search.search(session, LogSearch("line", limit=35)).is_cut


@pytest.mark.parametrize("pattern", ["(", "(?=x)", "a{9999999}", "x" * 1_001, r"\1"])
def test_what_is_no_pattern_is_refused(session, pattern):
    with pytest.raises(InputError):
        log_search.search(session, LogSearch(pattern))


def test_bad_limits_runs_and_moments_are_refused(session):
    with pytest.raises(InputError, match="out of range"):
        log_search.search(session, LogSearch("a", limit=0))
    with pytest.raises(NotFoundError, match="There is no run"):
        log_search.search(session, LogSearch("a", run_id="run_none"))
    for moment in ("yesterday", "some-day"):
        with pytest.raises(InputError) as caught:
            log_search.since(session, moment)
        assert "2h" in caught.value.remedy
        assert "2026-12-01T06:00" in caught.value.remedy


def test_a_moment_may_be_named_by_how_long_ago_it_is(session):
    now = session.world.clock.now()
    assert log_search.since(session, "") is None
    assert abs(now - 7_200 - log_search.since(session, "2h")) < 60
    assert log_search.since(session, "2026-11-23T06:00+00:00") == 1_795_413_600


def test_a_pattern_that_would_take_ages_elsewhere_is_quick(session, wrote):
    wrote("One", "a" * 5_000 + "b")
    assert found(session, "(a*)*(a*)*$", limit=1) != []
    assert found(session, "(a|aa)+c") == []


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text("ab \0\r\n\u2028\"'\\"), max_size=5), letter=st.sampled_from("ab "))
def test_whatever_was_written_is_found(session, wrote, texts, letter):
    run_id = wrote("One", *texts)
    lines = [line for text in texts for line in text.removesuffix("\n").split("\n")]
    assert found(session, letter, run_id=run_id) == [line for line in lines if letter in line]


def test_the_command_line_and_python_search_as_well(session, wrote, monkeypatch, capsys):
    run_id = wrote("One", "good luck", "bad luck")

    def said(*arguments):
        monkeypatch.setattr(sys, "argv", ["iaiflow", "runs", "logs", *arguments])
        capsys.readouterr()
        try:
            main()
        except SystemExit as left:
            return left.code, capsys.readouterr()
        return 0, capsys.readouterr()

    status, told = said("--grep", "bad")
    assert (status or 0, told.out) == (0, f"{run_id} One a | bad luck\n")
    assert said(run_id, "--grep", "luck", "-n", "1")[1] == (
        "a | good luck\n",
        "There are more lines; --limit shows more of them.\n",
    )
    [line] = json.loads(said("--grep", "good", "--since", "1970-01-01", "--json")[1].out)["lines"]
    assert (line["run_id"], line["text"], line["at"]) == (
        run_id, "good luck", "1970-01-01T00:00:01.000Z",
    )  # fmt: skip
    status, told = said()
    assert status == 2
    assert re.search("No run is named. - Name one, or look in all with --grep", told.err)
    assert [line.text for line in Lab(session.workspace).runs.grep("bad")] == ["bad luck"]
