from __future__ import annotations

import traceback
from typing import Any

import pytest

from iaiflow_lab.errors import LabError, NodeError

DATA = {"items": [{"name": "a", "tags": [1, 2]}, {"name": "b"}], "empty": None}


def test_a_template_is_filled_in_and_its_values_are_not_read_again(call) -> None:
    template = "Hello {{name}}, {{params.topic}}"
    made = call("text.template", {"name": "{{params.topic}}"}, {"topic": "x"}, template=template)
    assert made["out"] == "Hello {{params.topic}}, x"


def test_a_template_takes_plain_values_from_its_configuration(call) -> None:
    assert call("text.template", template="{{greeting}}!", greeting="Hi")["out"] == "Hi!"


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("items[0].name", "a"),
        ("items[-1].name", "b"),
        ("items[0].tags[1]", 2),
        ("empty", None),
        ("", DATA),
    ],
)
def test_a_path_leads_into_json(call, path: str, found: Any) -> None:
    assert call("json.pick", {"data": DATA}, path=path)["out"] == found


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("items[5]", "no \\[5\\] in a list of 2"),
        ("item", "keys: items, empty"),
        ("items.name", "no 'name' in a list"),
        ("empty.x", "no 'x' in null"),
        ("items[0", "can't be read from character 6"),
        ("a..b", "can't be read"),
        ("items[999999999999]", "can't be read"),
    ],
)
def test_a_path_that_leads_nowhere_is_explained(call, path: str, says: str) -> None:
    with pytest.raises(NodeError, match=says):
        call("json.pick", {"data": DATA}, path=path)


def test_what_is_not_required_has_a_default(call) -> None:
    assert call("json.pick", {"data": DATA}, path="x", required=False, default=7)["out"] == 7


def test_python_code_gets_its_inputs_and_the_context(call) -> None:
    code = "def main(a, b=2, *, ctx):\n    return [a + b, ctx.params['p'], ctx.node_id]\n"
    assert call("python", {"a": 1}, {"p": "x"}, code=code)["out"] == [3, "x", "n"]


def test_python_code_may_be_async(call) -> None:
    code = "import asyncio\nasync def main():\n    await asyncio.sleep(0)\n    return 'done'\n"
    assert call("python", code=code)["out"] == "done"


def test_python_output_is_captured_and_tracebacks_show_the_code(call, lab) -> None:
    call("python", code="def main():\n    print('hello')\n")
    assert "hello" in lab.log("n")
    with pytest.raises(ZeroDivisionError) as caught:
        call("python", code="def main():\n    return 1 / 0  # here\n")
    assert "return 1 / 0  # here" in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("", "defines no function main"),
        ("main = 3", "defines no function main"),
        ("def main(:", "no Python"),
        ("def main():\n  return\n bad", "no Python"),
        ("x = '\0'", "no Python"),
        ("def main(missing): ...", "do not fit `main`"),
    ],
)
def test_python_that_cannot_be_called_is_explained(call, code: str, says: str) -> None:
    with pytest.raises(NodeError, match=says) as caught:
        call("python", code=code)
    assert caught.value.remedy


def test_the_context_is_not_told_as_wired(call) -> None:
    with pytest.raises(NodeError) as caught:
        call("python", {"a": 1}, code="def main(missing, ctx): ...")
    assert "wired now: a." in caught.value.remedy


def test_looking_at_code_does_not_run_it(call) -> None:
    from iaiflow_lab.model.flow import Flow, Node
    from iaiflow_lab.model.rules import check
    from iaiflow_lab.sdk.catalog import load_catalog

    code = "open('touched', 'w').close()\ndef main(): ..."
    flow = Flow("x", nodes={"n": Node("python", {"code": code})})
    import sys

    opened: list[Any] = []
    watching = [True]
    sys.addaudithook(
        lambda name, args: opened.append((name, args)) if watching and name == "exec" else None
    )
    catalog = load_catalog(None)
    catalog.names()
    opened.clear()
    assert [p for p in check(flow, catalog) if p.severity == "error"] == []
    watching.clear()
    assert opened == []


def test_unknown_configuration_is_refused(call) -> None:
    with pytest.raises(LabError):
        call("json.pick", {"data": {}}, path="x", pat="y")
