"""Extracting nodes into a subflow on the canvas, and taking it apart, keep what a flow means."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from harness import Lab

from iaiflow_lab.model.file import parse
from iaiflow_lab.model.rules import check
from iaiflow_lab.sdk.catalog import Catalog, load_catalog

#: What the canvas's own tests wrote: flows before, with a subflow, and with it taken apart again.
FILE = Path(__file__).parents[2] / "extension/tests/vectors/extract.json"
CASES: list[dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))
LEVELS = (0, 1, 2, 3)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(None)


@pytest.fixture
def lab(workspace: Path, catalog: Catalog) -> Lab:
    names = ("text.template", "merge", "if", "subflow")
    return Lab(workspace, *(catalog.require(name) for name in names))


def _results(lab: Lab, text: str, level: int) -> tuple[str, dict[str, Any]]:
    result = lab.run(parse(text), {"topic": "tea", "level": level}, journal=None)
    # A result that a flow does not name is called `node.port`; a name that it gives can't be.
    return str(result.state), {name.replace(".", "_"): v for name, v in result.outputs.items()}


@pytest.mark.parametrize("number", range(len(CASES)))
def test_a_flow_means_the_same_with_a_subflow_and_without(
    lab: Lab, catalog: Catalog, number: int
) -> None:
    case = CASES[number]
    for form in ("extracted", "inlined"):
        if case[form] is None:
            continue
        errors = [p for p in check(parse(case[form]), catalog) if p.severity == "error"]
        assert errors == []
        for level in LEVELS:
            assert _results(lab, case[form], level) == _results(lab, case["before"], level)


def test_the_cases_cover_branches_lists_and_skips() -> None:
    texts = [case["before"] for case in CASES if case["inlined"]]
    assert sum('"if"' in text for text in texts) > 10
    assert sum('"merge"' in text for text in texts) > 10
    assert sum("skip_if" in text for text in texts) > 5
