from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest

import iaiflow_lab
from iaiflow_lab.store import queries
from iaiflow_lab.store.queries import QUERIES, load

SOURCES = list(Path(iaiflow_lab.__file__).parent.rglob("*.py"))


def test_every_statement_is_described_and_used():
    text = "".join(p.read_text() for p in Path(queries.__file__).parent.glob("*.sql"))
    described = re.findall(r"^-- name: (\w+)\n-- \w", text, re.MULTILINE)
    assert sorted(described) == sorted(QUERIES)
    source = "".join(path.read_text() for path in SOURCES)
    assert [name for name in QUERIES if f'"{name}"' not in source] == []


def test_names_are_unique(tmp_path):
    (tmp_path / "a.sql").write_text("-- name: one\n-- Does it.\nSELECT 1;\n")
    assert load(tmp_path) == {"one": "SELECT 1"}
    (tmp_path / "b.sql").write_text("-- name: one\nSELECT 2;\n")
    with pytest.raises(ValueError, match="two statements 'one'"):
        load(tmp_path)


@pytest.mark.parametrize(
    "name", ["runs_ended", "misses_grouped", "removals_since", "schedules_due", "rules_due"]
)
def test_what_is_asked_again_and_again_is_looked_up(name):
    database = sqlite3.connect(":memory:")
    database.executescript(Path(queries.__file__).parents[1].joinpath("schema.sql").read_text())
    values = dict.fromkeys(re.findall(r":(\w+)", QUERIES[name]), 1) or (1,)
    plan = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {QUERIES[name]}", values)]
    database.close()
    assert [step for step in plan if step.startswith("SCAN")] == []
