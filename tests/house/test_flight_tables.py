"""The tables that the examples read are the ones their page describes."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest


@pytest.fixture(scope="module")
def rows_on_page(root: Path) -> dict[str, tuple[int, list[str]]]:
    page = (root / "notebooks" / "data" / "README.md").read_text()
    rows = re.findall(r"^\| `(\w+\.parquet)` \| ([\d,]+) \|[^|]*\| ([^|]+) \|$", page, re.MULTILINE)
    return {file: (int(n.replace(",", "")), columns.split(", ")) for file, n, columns in rows}


def test_every_table_is_described(root: Path, rows_on_page: dict[str, tuple[int, list[str]]]):
    data = root / "notebooks" / "data"
    found = {
        file.name: (table.height, table.columns)
        for file in data.glob("*.parquet")
        for table in [pl.read_parquet(file)]
    }
    assert len(found) == 5
    assert found == rows_on_page
