"""The table of a run: the same facts in HTML, as text and on a terminal."""

from __future__ import annotations

import io

import pytest

from iaiflow_lab.lab import table
from iaiflow_lab.model.event import (
    ErrorInfo,
    Event,
    OutputRef,
    StepExpanded,
    StepFinished,
    StepLog,
    StepProgress,
    StepRetrying,
    StepStarted,
    Usage,
)
from iaiflow_lab.model.progress import RunProgress
from iaiflow_lab.model.run import StepState


def finished(step: str, state: StepState, **more: object) -> StepFinished:
    return StepFinished(at=3.0, step=step, state=state, node="n", type="t", **more)


@pytest.fixture
def progress() -> RunProgress:
    """Return a run in the middle of its life, whose paths start with `report/1:`."""
    events: list[Event] = [
        StepStarted(at=0.0, step="report/1:read", node="read", type="table.read"),
        finished(
            "report/1:read",
            StepState.COMPLETED,
            outputs={"out": OutputRef("live", rows=1200, preview="1,200 rows <wide>")},
            usage=Usage(duration_s=3.0, rows=1200),
        ),
        StepExpanded(at=3.0, step="report/1:each", items=3, node="each"),
        StepStarted(at=3.0, step="report/1:each[0]/clean", node="clean", type="t"),
        finished("report/1:each[0]/clean", StepState.COMPLETED),
        StepStarted(at=3.0, step="report/1:slow", node="slow", type="t"),
        StepProgress(at=4.0, step="report/1:slow", done=1, total=4, text="one of four"),
        finished("report/1:bad", StepState.FAILED, error=ErrorInfo("E", "It broke.\nSecond line")),
    ]
    made = RunProgress(["report/1:read", "report/1:each", "report/1:later"])
    for event in events:
        made.apply(event)
    return made


def test_text_lines_up_and_hides_the_prefix(progress: RunProgress):
    text = table.text(progress, 10.0, "The foot", "report/1:")
    assert "report" not in text
    lines = {line.split()[0]: line for line in text.splitlines() if line}
    assert lines["read"].split("  ")[0] == "read"
    assert "✓ completed" in lines["read"]
    assert "3.00 s" in lines["read"]
    assert "1,200" in lines["read"]
    assert "  clean" in lines["clean"]
    assert "1/3" in lines["clean"]
    assert "▶ running" in lines["slow"]
    assert "7.00 s" in lines["slow"]
    assert "✗ failed" in lines["bad"]
    assert lines["bad"].endswith("It broke.")
    assert "○ pending" in lines["later"]
    assert text.endswith("\n\nThe foot")


def test_html_says_the_same_and_is_escaped(progress: RunProgress):
    html = table.html(progress, 10.0, "Foot <1>", "report/1:")
    assert "1,200 rows &lt;wide&gt;" in html
    assert "Foot &lt;1&gt;" in html
    assert '<progress value="0.250" max="1">25%</progress> 25%' in html
    assert '<td class="failed">✗ failed</td>' in html
    assert "<td>1/3</td>" in html


def test_a_terminal_shows_the_same(progress: RunProgress):
    from rich.console import Console

    screen = Console(file=io.StringIO(), width=120)
    screen.print(table.rich_table(progress, 10.0, "The foot", "report/1:"))
    shown = screen.file.getvalue()
    for fact in ("read", "✓ completed", "1,200", "1/3", "✗ failed", "It broke.", "The foot"):
        assert fact in shown


def test_a_long_run_is_cut():
    progress = RunProgress(f"node{number}" for number in range(1_000))
    text = table.text(progress, 0.0, "Foot")
    assert text.endswith("Foot · 800 more nodes")
    assert "node199" in text
    assert "node200" not in text


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (finished("p:a", StepState.SKIPPED), "a skipped"),
        (
            finished("p:a", StepState.COMPLETED, usage=Usage(duration_s=65, rows=1000)),
            "a completed in 1 m 05 s, 1,000 rows",
        ),
        (finished("p:a", StepState.COMPLETED, source="cache"), "a completed, from the cache"),
        (
            finished("p:a", StepState.COMPLETED, source="replay"),
            "a completed, from the run that is retried",
        ),
        (
            StepRetrying(
                at=0, step="p:a", node="a", attempt=2, due=1, error=ErrorInfo("E", "Broken.")
            ),
            "a failed at attempt 2: Broken.",
        ),
        (StepLog(at=0, step="p:a", stream="stdout", text="one\ntwo\n"), "a | one\na | two"),
        (StepLog(at=0, step="p:a", stream="progress", text="50%"), ""),
        (StepStarted(at=0, step="p:a", node="a", type="t"), ""),
    ],
)
def test_plain_lines_say_what_matters(event: Event, line: str):
    assert table.line_about(event, "p:") == line
