from __future__ import annotations

import threading
from pathlib import Path

import polars as pl
import pytest

from iaiflow_lab.errors import NodeError
from iaiflow_lab.model.flow import PARAMS, Edge, Flow, Node

A = pl.DataFrame({"k": [1, 2, 2], "v": ["x", "y", "z"]})
B = pl.DataFrame({"k": [1, 2], "name": ["one", "two"]})


def test_wired_tables_are_queried_by_name_with_the_flows_parameters(call) -> None:
    query = "SELECT name, count(*) AS n FROM a JOIN b USING (k) WHERE k >= $least GROUP BY ALL"
    made = call("sql", {"a": A, "b": B.lazy()}, {"least": 2, "unused": [1]}, query=query)["out"]
    assert isinstance(made, pl.DataFrame)
    assert made.to_dicts() == [{"name": "two", "n": 2}]


def test_several_statements_may_follow_each_other(call) -> None:
    query = "CREATE TEMP TABLE t AS SELECT k * $f AS d FROM a; SELECT sum(d)::INT AS s FROM t"
    assert call("sql", {"a": A}, {"f": 10}, query=query)["out"].to_dicts() == [{"s": 50}]


def test_what_polars_has_no_form_for_becomes_text(call) -> None:
    query = """
        SELECT k, timestamp '2024-01-03' - timestamp '2024-01-01' AS "it ""took",
            [interval '1 day'] AS days, 5::bignum AS big, {'a "b': union_value(n := k)} AS "un ion"
        FROM a WHERE k = $k
    """
    assert call("sql", {"a": A}, {"k": 1}, query=query)["out"].to_dicts() == [
        {"k": 1, 'it "took': "2 days", "days": "[1 day]", "big": "5", "un ion": """{'a "b': 1}"""}
    ]


def test_a_table_can_be_read_more_than_once(call) -> None:
    query = "SELECT count(*) AS n FROM a x, a y"
    assert call("sql", {"a": A}, query=query)["out"]["n"].to_list() == [9]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM read_text('{file}')",
        "SELECT * FROM '{file}'",
        "SELECT * FROM read_csv('{file}')",
        "SELECT * FROM glob('/*')",
        "COPY a TO '{file}.csv'",
        "ATTACH '{file}.db'",
        "EXPORT DATABASE '{file}.d'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET memory_limit = '99GB'",
        "RESET lock_configuration",
        "PRAGMA enable_external_access = 1",
        "CREATE SECRET s (TYPE S3)",
        "SELECT getenv('HOME')",
        "SELECT * FROM query",
        "SELECT * FROM tables",
    ],
)
def test_a_query_reaches_nothing_but_its_tables(call, workspace: Path, query: str) -> None:
    (workspace / "secret.csv").write_text("top,secret\n1,2\n")
    file = workspace / "secret.csv"
    with pytest.raises(NodeError, match="The query failed") as caught:
        call("sql", {"a": A}, query=query.format(file=file))
    assert str(caught.value).isprintable()
    assert [one.name for one in workspace.iterdir()] == ["secret.csv"]


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("", "no statement"),
        ("-- nothing", "no statement"),
        ("SELEC 1", "syntax"),
        ("SELECT nothing FROM a", "tables: a"),
        ("SELECT * FROM b", "tables: a"),
        ("SELECT $missing", r"uses \$missing"),
    ],
)
def test_bad_queries_are_explained(call, query: str, says: str) -> None:
    with pytest.raises(NodeError, match=f"(?i){says}"):
        call("sql", {"a": A}, query=query)


def test_limits_are_checked_and_kept(call) -> None:
    with pytest.raises(NodeError, match="at least 16 MB"):
        call("sql", {"a": A}, query="SELECT 1", memory_mb=1)
    query = "SELECT list(range) AS l FROM range(50_000_000)"
    with pytest.raises(NodeError, match=r"(?i)memory"):
        call("sql", query=query, memory_mb=32, threads=1)


def test_a_query_without_end_ends_with_its_run(lab) -> None:
    query = "SELECT count(*) FROM range(10_000_000) a, range(10_000_000) b WHERE a.range % 7 = 1"
    made = Flow(
        "t",
        parameters={"a": {"type": "table"}},
        nodes={"n": Node("sql", {"query": query})},
        edges=(Edge(PARAMS, "a", "n", "a"),),
    )
    begun = threading.Event()
    handle = lab.start(made, {"a": A}, listener=lambda event: begun.set())
    assert begun.wait(30)
    handle.cancel()
    assert str(handle.wait(60).state) == "cancelled"
