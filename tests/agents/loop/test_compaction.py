"""What stays of a conversation that is made shorter is one that the service takes."""

from __future__ import annotations

import messages_face
from hypothesis import given
from hypothesis import strategies as st
from messages_api import call

from iaiflow_agents.blocks import assistant, tool_result, tool_uses, user
from iaiflow_agents.compaction import KEPT, RESULT, cut, summarised, with_short_results

PARTS = {
    "question": lambda: [user("And now?")],
    "answer": lambda: [assistant("So.")],
    "calls": lambda: called(call("look"), call("look")),
}


def called(*calls):
    """Return calls of tools with their results."""
    uses = tool_uses(calls)
    return [assistant(calls), user([tool_result(use["id"], "word " * 500) for use in uses])]


@given(st.lists(st.sampled_from([*PARTS]), max_size=12))
def test_no_call_is_torn_from_its_result(parts):
    whole = [user("Begin."), *(message for part in parts for message in PARTS[part]())]
    body = {"model": "m", "max_tokens": 9, "messages": whole}
    assert messages_face.fault(body) == ""
    shorter = with_short_results(whole)
    assert messages_face.fault({**body, "messages": shorter}) == ""
    older = [block for message in shorter[:-KEPT] for block in message["content"]]
    assert all(len(block["content"]) < 3 * RESULT for block in older if "content" in block)
    assert shorter[-KEPT:] == whole[-KEPT:]
    start = cut(shorter)
    if start:
        made = summarised(shorter, start, "They looked.")
        assert messages_face.fault({**body, "messages": made}) == ""
        assert len(made) < len(whole)
        assert made[-1] == whole[-1]
