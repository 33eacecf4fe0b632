"""A flow in a shared document: every byte stays, whoever reads it."""

from __future__ import annotations

import base64
import json
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from hypothesis import given
from jupyter_ydoc import ydocs
from pycrdt import Doc, Map
from strategies import flows

from iaiflow_lab.model.file import dump
from iaiflow_lab.model.flow import Flow

#: Jupyter loads it so; it cannot be imported before jupyter_ydoc, which imports all such types.
YFlow = ydocs["iaiflow"]

TEXT = dump(Flow("x"))[:-3] + (
    ',\n  "nodes": {\n'
    '    "b": {"type": "m", "config": {"z": 1, "a": 1.0, "9": 1152921504606846976, "1": []}},\n'
    '    "a": {"type": "m", "timeout": 5}\n  },\n'
    '  "edges": [\n    "b.out -> a.value",\n    "b.out -> a.value"\n  ],\n'
    '  "layout": {\n    "b": [-56, 0.0],\n    "a": [1, 2]\n  },\n'
    '  "notes": [{"text": "x"}, {"id": "note-1", "text": "y"}, {"id": "note-1"}]\n}\n'
)
TEXT = TEXT.replace(',\n  "nodes": {}', "")
VECTORS = Path(__file__).parents[2] / "extension/tests/vectors"


def shared(text: str) -> YFlow:
    flow = YFlow()
    flow.source = text
    return flow


def copied(flow: YFlow) -> YFlow:
    """Return the same document as another server or browser gets it."""
    doc = Doc()
    doc.apply_update(flow.ydoc.get_update())
    return YFlow(doc)


def test_jupyter_finds_it():
    (found,) = entry_points(group="jupyter_ydoc", name="iaiflow")
    assert found.load() is YFlow


def test_whole_numbers_and_the_order_of_keys_stay():
    assert dump_again(TEXT) == TEXT
    assert copied(shared(TEXT)).source == TEXT


def dump_again(text: str) -> str:
    flow = shared(text)
    assert "source" not in flow.ydoc.get("meta", type=Map)
    return flow.source


@pytest.mark.slow
@given(flows())
def test_every_flow_comes_back_to_the_byte(flow: Flow):
    text = dump(flow)
    assert copied(shared(text)).source == text


@pytest.mark.slow
@given(flows(), flows())
def test_a_file_that_changed_outside_is_taken_over(first: Flow, second: Flow):
    flow = shared(dump(first))
    flow.source = dump(second)
    assert copied(flow).source == dump(second)


@pytest.mark.parametrize(
    "text", [" ", "{", "[]", '{"format": "iaiflow/1", "x": 1}', '{"format": 1}']
)
def test_a_file_that_cannot_be_read_is_kept(text: str):
    flow = shared(TEXT)
    flow.source = text
    assert copied(flow).source == text
    flow.source = TEXT
    assert flow.source == TEXT


def test_an_empty_file_is_a_new_flow():
    assert copied(shared("")).source == dump(Flow(""))


def test_a_file_in_another_hand_keeps_its_bytes_until_it_is_edited():
    text = json.dumps(json.loads(TEXT), indent=3)
    flow = shared(text)
    assert flow.source == text
    flow.ydoc.get("meta", type=Map)["name"] = '"y"'
    assert flow.source == TEXT.replace('"x"', '"y"', 1)


def test_the_same_text_makes_the_same_update():
    """The server rebuilds a room from its file; browsers that come back must not double it."""
    updates = []
    for _ in range(2):
        doc = Doc(client_id=0)
        YFlow(doc).source = TEXT
        updates.append(doc.get_update())
    assert copied(shared(TEXT)).source == TEXT
    doc = Doc()
    for update in updates:
        doc.apply_update(update)
    assert YFlow(doc).source == TEXT


def test_saving_unchanged_writes_nothing():
    flow = shared(TEXT)
    before = flow.ydoc.get_state()
    flow.source = TEXT
    assert flow.ydoc.get_state() == before


def test_changes_are_told_apart():
    flow = shared(TEXT)
    topics: list[str] = []
    flow.observe(lambda topic, _: topics.append(topic))
    flow.dirty = True
    flow.source = TEXT.replace('"timeout": 5', '"timeout": 6')
    assert topics == ["state", "flow"]
    flow.unobserve()
    flow.dirty = False
    assert len(topics) == 2


@pytest.mark.parametrize(
    "case", json.loads((VECTORS / "updates.json").read_text()), ids=lambda case: case["what"]
)
def test_what_the_canvas_wrote_is_read_here(case: dict[str, str]):
    doc = Doc()
    doc.apply_update(base64.b64decode(case["update"]))
    assert YFlow(doc).source == case["text"]
