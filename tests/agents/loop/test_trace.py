"""What people see of an agent: small enough to be sent often, and never torn."""

from __future__ import annotations

import asyncio
import json

from hypothesis import given
from hypothesis import strategies as st

from iaiflow_agents.budget import Budget, Spent
from iaiflow_agents.models.protocol import Delta
from iaiflow_agents.trace import LARGEST, Trace
from iaiflow_agents.usage import Usage
from iaiflow_lab.safe.redact import Hider


def record(text="", stop_reason="tool_use"):
    content = [{"type": "text", "text": text}]
    return {
        "content": content,
        "stop_reason": stop_reason,
        "usage": Usage(output=1).to_dict(),
        "cost": 0.1,
        "seconds": 1.0,
    }


def watched(work):
    """Let a function work on a trace, and return what was shown."""
    shown = []

    async def on_a_loop():
        trace = Trace("a", "m", Budget(), lambda data, said: shown.append((data, said)))
        await work(trace)
        trace.close()

    asyncio.run(on_a_loop())
    return shown


def test_a_secret_is_seen_in_no_piece_of_an_answer_on_its_way(monkeypatch):
    hider = Hider()
    hider.add("canary-5f1c9a77")
    monkeypatch.setattr("iaiflow_agents.trace.RESOLVED", hider)

    async def work(trace):
        trace.begin(1)
        for piece in "It is canary-5f1c9a77, " + "word " * 8_000:
            trace.piece(Delta("text", piece, 0))
            if len(trace._turns[0]["text"]) < 40:
                trace.flush()
        trace.flush()

    shown = [data["turns"][0]["text"] for data, _ in watched(work)]
    assert shown[:3] == ["", "I", "It"]
    assert not [text for text in shown if "canar" in text]
    assert shown[-1].startswith("It is [secret], word")


@given(
    st.lists(
        st.tuples(st.text(max_size=40), st.integers(0, 4_000), st.integers(0, 20_000)), max_size=40
    )
)
def test_a_trace_of_any_size_fits(turns):
    async def work(trace):
        for n, (word, times, size) in enumerate(turns, 1):
            trace.begin(n)
            trace.replied(record(word * times), Spent(n))
            trace.call(f"c{n}", "tool", {"text": word * times, "other": [word] * 50}, "")
            trace.change(f"c{n}", state="done", result="x" * size)
        trace.move("done")

    data, said = watched(work)[-1]
    assert len(json.dumps(data, ensure_ascii=False)) <= LARGEST
    assert data["kind"] == "agent-trace/1"
    assert data["state"] == "done"
    assert said.startswith("done")
    assert len(data["turns"]) + data.get("omitted", 0) == len(turns)
    assert data["totals"]["steps"] == len(turns)


def test_pieces_are_shown_together():
    async def work(trace):
        trace.begin(1)
        for _ in range(1_000):
            trace.piece(Delta("text", "word ", 0))
        trace.move("done")

    shown = watched(work)
    assert len(shown) == 2  # what began, and the end: nothing was waited for between
    assert shown[-1][0]["turns"][0]["text"] == "word " * 1_000


def test_an_answer_that_is_begun_again_forgets_its_pieces():
    async def work(trace):
        trace.begin(1)
        trace.piece(Delta("text", "Hal", 0))
        trace.begin(1)
        trace.piece(Delta("thinking", "Hm", 0))
        trace.replied(record("Hello"), Spent(1))
        trace.begin(2)
        trace.move("stopped", "Why.")

    data = watched(work)[-1][0]
    assert [turn["text"] for turn in data["turns"]] == ["Hello", ""]
    assert (data["state"], data["reason"]) == ("stopped", "Why.")


def test_pieces_are_shown_after_a_while():
    shown = []

    async def on_a_loop():
        came = asyncio.Event()

        def show(data, said):
            shown.append((data, said))
            if len(shown) == 2:
                came.set()

        trace = Trace("a", "m", Budget(), show)
        trace.begin(1)
        trace.piece(Delta("text", "word", 0))
        await came.wait()

    asyncio.run(on_a_loop())
    assert shown[-1][0]["turns"][0]["text"] == "word"
    assert shown[-1][1] == ""
