"""SQL as a tool: it reads the tables of the agent and nothing else."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from tool_calls import ask, inside, refused, said

from iaiflow_agents.tools.box import open_tools
from iaiflow_agents.tools.reach import Reach
from iaiflow_agents.tools.sql import MAX_ROWS, sql_tool
from iaiflow_agents.tools.tool import ToolResult
from iaiflow_lab.errors import InputError, NotFoundError

FLIGHTS = pl.DataFrame({"carrier": ["AA", "B6", "AA"], "delay": [5, 20, 7]})


@pytest.fixture
def query(lab):
    """Return `query(text, **tables)`: what the tool says."""

    def run(text: str, /, timeout: float = 60.0, **tables: Any) -> ToolResult:
        async def work(ctx: Any) -> ToolResult:
            return await ask(ctx, sql_tool(Reach(ctx, tables=tables), timeout=timeout), query=text)

        return inside(lab, work)

    return run


def test_tables_are_asked(query) -> None:
    result = query(
        "select carrier, sum(delay) as total from flights group by 1 order by 1", flights=FLIGHTS
    )
    assert said(result).splitlines() == [
        "2 rows x 2 columns: carrier (String), total (Decimal(precision=38, scale=0))",
        '["AA",12]',
        '["B6",20]',
    ]
    assert result.value.height == 2


def test_a_time_between_two_moments_is_a_text(query) -> None:
    result = query("select timestamp '2024-01-02 03:00' - timestamp '2024-01-01' as took")
    assert said(result).splitlines()[1] == '["1 day 03:00:00"]'


def test_a_day_that_no_calendar_has_is_told_in_a_sentence(query) -> None:
    assert "out-of-range date" in refused(query("select date '5877642-06-25' as day"))


def test_lazy_tables_and_strange_names_are_asked(query) -> None:
    text = 'with a as (select * from "my ""flights""") select count(*) as n from a, Lazy'
    tables = {'my "flights"': FLIGHTS, "lazy": FLIGHTS.lazy(), "unread": unreadable()}
    assert said(query(text, **tables)).splitlines()[1] == "[9]"


def unreadable() -> Any:
    """Return a lazy table that fails when it is computed."""
    return pl.scan_csv("/nowhere/at/all.csv")


def test_the_description_names_the_tables(lab) -> None:
    async def work(ctx: Any) -> str:
        tables = {"flights": FLIGHTS, "lazy": FLIGHTS.lazy(), "broken": unreadable(), "no": 3}
        return sql_tool(Reach(ctx, tables=tables)).description

    lines = inside(lab, work).splitlines()
    assert lines[1] == '- "flights" (3 rows): "carrier" String, "delay" Int64'
    assert lines[2] == '- "lazy": "carrier" String, "delay" Int64'
    assert lines[3].startswith('- "broken": its columns can\'t be read')
    assert lines[4].startswith('- "no": its columns can\'t be read')


@pytest.mark.parametrize(
    "text",
    [
        "",
        "select 1; select 2",
        "insert into flights values ('x', 1)",
        "update flights set delay = 0",
        "delete from flights",
        "drop table flights",
        "create table t as select 1",
        "create temp table t as select 1",
        "create view v as select 1",
        "copy flights to 'out.csv'",
        "copy (select 1) to '/tmp/out.csv'",
        "attach 'other.db'",
        "install httpfs",
        "load httpfs",
        "set memory_limit = '100GB'",
        "set enable_external_access = true",
        "pragma database_list",
        "export database '/tmp/out'",
        "call pragma_version()",
        "explain analyze select 1",
        "create secret (type s3)",
        "begin",
        "checkpoint",
        "vacuum",
        "with x as (insert into flights values ('x', 1) returning *) select * from x",
    ],
)
def test_what_is_not_one_select_is_refused(query, text) -> None:
    assert refused(query(text, flights=FLIGHTS))


@pytest.mark.parametrize(
    "text",
    [
        "select * from read_csv('/etc/passwd')",
        "select * from read_text('/etc/passwd')",
        "select * from read_blob('/etc/passwd')",
        "select * from '/etc/passwd'",
        "select * from 'flights.csv'",
        "select * from glob('/*')",
        "select * from read_parquet('https://example.org/x.parquet')",
        "select * from read_json('s3://bucket/x')",
        "select * from sniff_csv('/etc/passwd')",
        "select * from parquet_metadata('/etc/passwd')",
        "select * from sqlite_scan('/tmp/x.db', 't')",
        "select * from query('copy flights to ''/tmp/x.csv''')",
        "select * from secret_table",
        "select * from tables",
        "select getenv('HOME')",
    ],
)
def test_a_select_reaches_nothing_but_the_tables(query, text, monkeypatch) -> None:
    secret_table = pl.DataFrame({"a": [1]})
    assert "AA" not in refused(query(text, flights=FLIGHTS, unused=secret_table))


def test_a_query_that_takes_too_long_is_interrupted(query) -> None:
    text = "select count(*) from range(1000000) a, range(1000000) b where a.range % 7 = b.range % 5"
    assert "longer than 0.2 seconds" in refused(query(text, timeout=0.2))


@pytest.mark.slow
def test_a_query_that_needs_too_much_memory_is_refused(query) -> None:
    text = "select list(x) from (select repeat('x', 50000000) || i as x from range(100) t(i))"
    assert "memory" in refused(query(text)).lower()


def test_many_rows_are_left_out(query) -> None:
    result = query("select * from range(20000)")
    assert said(result).startswith("More than 10,000 rows; the rest is left out.\n10,000 rows x 1")
    assert result.value.height == MAX_ROWS


def test_files_of_the_workspace_are_asked_where_they_are_named(lab, workspace) -> None:
    FLIGHTS.write_parquet(workspace / "flights.parquet")
    FLIGHTS.write_csv(workspace / "more.csv")

    async def work(ctx: Any) -> ToolResult:
        names = ["sql:flights.parquet", "sql:more.csv", "sql"]
        async with open_tools(names, Reach(ctx)) as tools:
            assert [tool.shown for tool in tools] == ["sql"]
            return await ask(ctx, tools[0], query="select count(*) from flights, more")

    assert said(inside(lab, work)).splitlines()[1] == "[9]"


@pytest.mark.parametrize(
    "path", ["../x.csv", "/etc/passwd", ".iaiflow/x.csv", "x.db", "absent.csv"]
)
def test_other_files_are_not(lab, workspace, path) -> None:
    (workspace / "x.db").write_text("")
    (workspace / ".iaiflow").mkdir(exist_ok=True)
    (workspace / ".iaiflow/x.csv").write_text("a\n1\n")

    async def work(ctx: Any) -> None:
        async with open_tools([f"sql:{path}"], Reach(ctx)):
            pass

    with pytest.raises((InputError, NotFoundError)):
        inside(lab, work)
