"""`iaiflow validate` prints problems as a compiler would."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from strategies import TOYS
from typer.testing import CliRunner, Result

from iaiflow_lab.cli.validate import app
from iaiflow_lab.model.locate import lines_of

FLOW = """{
  "format": "iaiflow/1",
  "nodes": {
    "make": {"type": "text.make"},
    "clean": {
      "type": "text.clean",
      "version": 2,
      "config": {"mode": "fsat", "api_key": "hunter2hunter2"}
    }
  },
  "edges": [
    "make.out -> clean.text",
    "make.outt -> clean.separator"
  ]
}
"""


@pytest.fixture(autouse=True)
def toy_catalog(monkeypatch: pytest.MonkeyPatch):
    catalog = SimpleNamespace(load_catalog=lambda workspace: TOYS)
    monkeypatch.setitem(sys.modules, "iaiflow_lab.sdk.catalog", catalog)


def validate(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


def test_problems_are_printed_with_file_and_line(workspace: Path):
    (workspace / "x.flow.json").write_text(FLOW)
    result = validate("x.flow.json")
    assert result.exit_code == 2
    lines = result.stdout.splitlines()
    assert lines[0] == (
        "x.flow.json:8: error[IAI109] nodes.clean.config.mode: 'mode' must be one of \"fast\", "
        "\"slow\". Did you mean 'fast'? - See `iaiflow nodes show text.clean`."
    )
    assert lines[1].startswith("x.flow.json:8: warning[IAI118] nodes.clean.config.api_key: ")
    assert lines[2].startswith("x.flow.json:13: error[IAI104] edges[1]: Node 'make' has no output")
    assert result.stderr == "1 file, 2 errors, 1 warning\n"


def test_json_has_every_field(workspace: Path):
    (workspace / "x.flow.json").write_text(FLOW)
    found = json.loads(validate("--json", "x.flow.json").stdout)
    assert found[2] == {
        "file": "x.flow.json",
        "line": 13,
        "code": "IAI104",
        "severity": "error",
        "message": "Node 'make' has no output 'outt'; outputs: out.",
        "place": "edges[1]",
        "remedy": "Did you mean 'out'?",
        "node": "make",
    }


def test_a_good_flow_is_silent(workspace: Path):
    good = '{"format": "iaiflow/1", "nodes": {"make": {"type": "text.make"}}}'
    (workspace / "x.flow.json").write_text(good)
    result = validate("x.flow.json")
    assert (result.exit_code, result.stdout) == (0, "")
    assert validate("--json", "x.flow.json").stdout == "[]\n"


def test_a_warning_alone_is_no_failure(workspace: Path):
    warned = '{"format": "iaiflow/1", "nodes": {"m": {"type": "cell.mine"}}}'
    (workspace / "x.flow.json").write_text(warned)
    result = validate("x.flow.json")
    assert result.exit_code == 0
    assert "warning[IAI121]" in result.stdout


@pytest.mark.parametrize(
    ("content", "start"),
    [
        (b"", "x.flow.json: error[flow-invalid] flow: The file is empty."),
        (b'{\n "a": }', "x.flow.json:2: error[flow-invalid] line 2, column 7: This isn't a flow"),
        (
            b'{"format": "iaiflow/1",\n"nodes": {\n"a": {"type": "x", "tmeout": 3}}}',
            "x.flow.json:3: error[flow-invalid] nodes.a: Unknown key 'tmeout'. - Did you mean",
        ),
        (
            b'{"format": "iaiflow/1",\r\n"name": NaN}',
            "x.flow.json:2: error[flow-invalid] name: The",
        ),
        (b"[" * 200_000, "x.flow.json:1: error[flow-invalid] line 1, column 101: Nested deeper"),
        (b"\xff\xfe\x00", "x.flow.json: error[flow-invalid] flow: The file is UTF-16"),
    ],
)
def test_what_is_no_flow_is_one_line(workspace: Path, content: bytes, start: str):
    (workspace / "x.flow.json").write_bytes(content)
    result = validate("x.flow.json")
    assert result.exit_code == 2
    assert result.stdout.startswith(start)
    assert len(result.stdout.splitlines()) == 1


def test_the_size_of_a_large_file_is_said_without_reading_it(workspace: Path):
    with (workspace / "x.flow.json").open("wb") as stream:
        stream.truncate(60_000_000_000)
    assert "5 MB at most; this is 60,000.0 MB." in validate("x.flow.json").stdout


def test_a_missing_file_and_a_folder_are_named(workspace: Path):
    result = validate("nope.flow.json", str(workspace))
    assert result.exit_code == 2
    assert (
        "nope.flow.json: error[flow-invalid] flow: The file can't be read: No such" in result.stdout
    )
    assert "The file can't be read: Is a directory" in result.stdout


def test_notebooks_are_checked_too(workspace: Path):
    good, bad = workspace / "good.ipynb", workspace / "bad.ipynb"
    good.write_text('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}')
    bad.write_text("[]")
    assert validate("good.ipynb").exit_code == 0
    result = validate("good.ipynb", "bad.ipynb")
    assert result.exit_code == 2
    assert result.stdout.startswith("bad.ipynb: error[IAI201]")


def test_places_are_found_in_any_writing():
    text = '\n{"a": [\n1, {"b.c": {"d":\n"[{"}}\n], "e": []}'
    places = ["", "a", "a[0]", "a[1]", "a[1].b.c.d", "a[1].nope", "a[7]", "e", "e[0]", "nope.x"]
    assert lines_of(text, places) == {
        "": 1,
        "a": 2,
        "a[0]": 3,
        "a[1]": 3,
        "a[1].b.c.d": 3,
        "a[1].nope": 3,
        "a[7]": 2,
        "e": 5,
        "e[0]": 5,
        "nope.x": 1,
    }
