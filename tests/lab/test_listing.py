"""Lists of `Lab()` show themselves as tables."""

from __future__ import annotations

import json

from iaiflow_lab import Lab
from iaiflow_lab.lab.listing import Listing

FLOW = {
    "format": "iaiflow/1",
    "name": "Tick <b>",
    "nodes": {"say": {"type": "text.template", "config": {"template": "tick"}}},
}


def test_every_list_is_a_table_and_still_a_list(workspace):
    (workspace / "tick.flow.json").write_text(json.dumps(FLOW))
    lab = Lab(workspace)
    made = lab.schedules.add("tick.flow.json", cron="0 6 * * *", zone="Asia/Tokyo", name="a<b")
    run = lab.runs.start("tick.flow.json")
    rule = lab.notifications.add(slack="env:SLACK")
    shown = repr(lab.schedules.ls())
    assert shown.splitlines()[0].split() == [
        "Name",
        "State",
        "Target",
        "Next",
        "Last",
        "run",
        "When",
    ]
    assert "a<b   active  tick.flow.json" in shown
    assert "At 06:00 every day (Asia/Tokyo)" in shown
    html = lab.schedules.ls()._repr_html_()
    assert "<td>a&lt;b</td>" in html
    assert "a<b" not in html
    assert run in repr(lab.runs.ls())
    assert "queued" in lab.runs.ls()._repr_html_()
    assert "Tick &lt;b&gt;" in lab.flows.ls()._repr_html_()
    assert rule.id in repr(lab.notifications.ls())
    assert repr(lab.schedules.next(made.id, 3)).count("06:00:00+09:00") == 3
    assert "text.template" in repr(lab.nodes.ls())
    assert repr(lab.schedules.misses()) == repr(lab.runs.files(run)) == "[]"
    assert lab.schedules.ls()[0] == made
    assert [each.id for each in lab.runs.ls()] == [run]


def test_a_long_list_is_counted():
    long = Listing(range(250), {"n": str, "text": lambda n: "x" * n})
    assert repr(long).endswith("and 150 more")
    assert len(long.__repr__().splitlines()) == 102
    assert max(map(len, repr(long).splitlines())) < 70
    assert long._repr_html_().count("<tr>") == 101
