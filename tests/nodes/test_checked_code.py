"""Code and queries that cannot run are found before a run, and nothing of them is executed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from iaiflow_lab.model.data import from_data
from iaiflow_lab.model.rules import Problem, check
from iaiflow_lab.sdk.catalog import load_catalog


def found(node_type: str, **config: Any) -> list[Problem]:
    """Check a flow with one node that gets `x` from another one."""
    nodes = {
        "first": {"type": "text.template", "config": {"template": "hi"}},
        "n": {"type": node_type, "config": config},
    }
    edges = ["first.out -> n.x"] if node_type == "python" else []
    return check(from_data({"nodes": nodes, "edges": edges}, nested=True), load_catalog(None))


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("def main(x:", "Line 1 is no Python"),
        ("def main(x):\n    return 1\nreturn 2", "Line 3 is no Python"),
        ("", "defines no function main"),
        ("def other(x): ...", "defines no function main"),
        ("\ndef main(x, y, *, z, w=1): ...", "Line 2: nothing feeds y, z of `main`"),
    ],
)
def test_code_that_cannot_run_is_found(code: str, says: str) -> None:
    (problem,) = found("python", code=code)
    assert (problem.code, problem.place, problem.node) == ("IAI123", "nodes.n.config.code", "n")
    assert says in problem.message
    assert problem.remedy


@pytest.mark.parametrize(
    "code",
    [
        "async def main(x, ctx): ...",
        "def main(**names): ...",
        "def main(x, y=1, *, z=2): ...",
        "main = lambda x: x",
        "from json import dumps as main",
        "from json import *",
        "if 1:\n    def main(x): ...\nelse:\n    def main(q): ...",
        "@print\ndef main(y): ...",
        "def main(x):\n    return '\\d'",
        "exec('def main(x): ...')",
    ],
)
def test_code_that_may_run_is_left_alone(code: str) -> None:
    assert found("python", code=code) == []


def test_arguments_may_be_configured() -> None:
    assert found("python", code="def main(x, y): ...", y=1) == []


def test_checked_code_is_not_executed(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    text = f"open({str(trace)!r}, 'w')\ndef main(x): ..."
    assert found("python", code=text) == []
    copy = f"COPY (SELECT 1) TO '{trace}'; SELECT 1"
    assert found("sql", query=copy) == []
    assert not trace.exists()


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("selec 1", "Line 1 is no SQL: Parser Error: syntax error"),
        ("select 1;\nselect from where", "Line 2 is no SQL"),
        ("", "has no statement"),
        ("-- nothing", "has no statement"),
    ],
)
def test_a_query_that_cannot_be_read_is_found(query: str, says: str) -> None:
    (problem,) = found("sql", query=query)
    assert (problem.code, problem.place) == ("IAI123", "nodes.n.config.query")
    assert says in problem.message


def test_a_query_over_tables_and_parameters_is_fine() -> None:
    assert found("sql", query="WITH a AS (FROM t) SELECT * FROM a WHERE x > $least") == []
