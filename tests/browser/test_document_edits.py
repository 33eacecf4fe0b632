"""Edits of a flow document: by mouse, by keys, by commands; each one undone and done again."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from browser.canvas_page import CanvasPage, drag_by, drop_between
from browser.patience import LOOK_EVERY, promised, until
from playwright.sync_api import Page, expect

WAIT = {"type": "delay", "config": {"seconds": 0}}
#: a -> b -> c, and d by itself; b and c are a group, and a note stands below.
DRAWN = {
    "nodes": {"a": WAIT, "b": WAIT, "c": WAIT, "d": {**WAIT, "pin": {"out": 1}}},
    "edges": ["a.out -> b.value", "b.out -> c.value"],
    "layout": {"a": [0, 0], "b": [320, 20], "c": [320, 240], "d": [0, 240]},
    "groups": [{"id": "g", "title": "Later", "nodes": ["b", "c"]}],
    "notes": [{"id": "n", "text": "Why", "x": 0, "y": 420, "width": 200, "height": 120}],
}


def draws_a_wire(canvas: CanvasPage) -> None:
    canvas.port("c", "out", "Output").drag_to(canvas.port("d", "value", "Input"))


def wires_by_keys(canvas: CanvasPage) -> None:
    canvas.focus("d")
    canvas.press("w", "Enter")
    ends = canvas.surface.get_by_role("listbox", name="Where the wire ends")
    ends.get_by_role("option", name="(a) · value").click()


def removes_a_wire(canvas: CanvasPage) -> None:
    canvas.focus("a")
    canvas.press("e", "Delete")


def moves_by_keys(canvas: CanvasPage) -> None:
    canvas.select("a")
    canvas.press("Alt+ArrowLeft")


def moves_by_mouse(canvas: CanvasPage) -> None:
    drag_by(canvas.node("d"), 40, 25)


def drops_onto_a_wire(canvas: CanvasPage) -> None:
    ends = canvas.port("a", "out", "Output"), canvas.port("b", "value", "Input")
    drop_between(canvas.node("d"), *ends)
    assert "a.out -> d.value" in canvas.flow()["edges"]


def renames(canvas: CanvasPage) -> None:
    canvas.focus("a")
    canvas.press("F2")
    canvas.page.get_by_role("textbox", name="Title of a").fill("First")
    canvas.press("Enter")


def changes_the_title(canvas: CanvasPage) -> None:
    canvas.inspect("a").get_by_label("Title").fill("First")


def changes_the_id(canvas: CanvasPage) -> None:
    canvas.inspect("b").get_by_role("textbox", name="Id").fill("middle")
    canvas.press("Enter")
    assert "a.out -> middle.value" in canvas.flow()["edges"]


def changes_a_field(canvas: CanvasPage) -> None:
    canvas.inspect("a").get_by_role("textbox", name="Seconds").fill("5")


def sets_retries(canvas: CanvasPage) -> None:
    canvas.inspect("a")
    canvas.tab("Options").get_by_label("Calls in all").fill("3")


def sets_a_time_limit(canvas: CanvasPage) -> None:
    canvas.inspect("a")
    canvas.tab("Options").get_by_label("Time limit (seconds)").fill("9")


def deletes(canvas: CanvasPage) -> None:
    canvas.select("b")
    canvas.page.keyboard.down("Shift")
    canvas.surface.locator(".react-flow__pane.selection").wait_for()
    canvas.surface.get_by_role("group", name="Note: Why").click()
    canvas.page.keyboard.up("Shift")
    canvas.press("Delete")
    assert "notes" not in canvas.flow()
    assert "b" not in canvas.flow()["nodes"]


def duplicates(canvas: CanvasPage) -> None:
    canvas.select("b", "c")
    canvas.press("Control+D")


def cuts(canvas: CanvasPage) -> None:
    canvas.select("b")
    canvas.press("Control+X")


def groups(canvas: CanvasPage) -> None:
    canvas.select("a", "d")
    canvas.press("Control+G")
    title = canvas.page.get_by_role("textbox", name="Title of the group")
    expect(title).to_be_focused()
    canvas.press("Escape")


def ungroups(canvas: CanvasPage) -> None:
    canvas.select("b")
    canvas.press("Control+Shift+G")


def renames_a_group(canvas: CanvasPage) -> None:
    canvas.surface.get_by_text("Later").dblclick()
    canvas.page.get_by_role("textbox", name="Title of the group").fill("Last")
    canvas.press("Enter")


def extracts(canvas: CanvasPage) -> None:
    canvas.select("b", "c")
    canvas.press("Control+Shift+E")
    expect(canvas.page.get_by_role("textbox", name="Title of subflow")).to_be_focused()
    canvas.press("Escape")


def adds_a_node(canvas: CanvasPage) -> None:
    canvas.add("template")


def adds_from_the_palette(canvas: CanvasPage) -> None:
    before = canvas.text()
    canvas.show("Palette").get_by_role("searchbox").fill("aggregate")
    canvas.press("Enter")
    canvas.expect_other_text(before)
    canvas.surface.locator(".react-flow__node:focus").wait_for()


def adds_a_note(canvas: CanvasPage) -> None:
    canvas.focus()
    canvas.press("n")
    expect(canvas.surface.get_by_role("textbox", name="Text of the note")).to_be_focused()
    canvas.press("Escape")


def writes_a_note(canvas: CanvasPage) -> None:
    canvas.surface.get_by_text("Why").dblclick()
    note = canvas.surface.get_by_role("textbox", name="Text of the note")
    expect(note).to_be_focused()
    canvas.press("Control+A")
    canvas.type("Because")
    canvas.press("Escape")


def aligns(canvas: CanvasPage) -> None:
    canvas.select("a", "b", "d")
    canvas.command("Align left edges")


def distributes(canvas: CanvasPage) -> None:
    canvas.select("a", "b", "d")
    canvas.command("Distribute vertically")


def arranges(canvas: CanvasPage) -> None:
    canvas.focus()
    canvas.press("l")


def unpins(canvas: CanvasPage) -> None:
    canvas.focus("d")
    canvas.press("Shift+P")


def pins_another_value(canvas: CanvasPage) -> None:
    canvas.inspect("a")
    values = canvas.tab("Values")
    values.get_by_role("button", name="Pin a value").click()
    canvas.fill_code("Value of out as JSON", "[1, 2]")
    values.get_by_role("button", name="Pin this value").click()


def adds_a_parameter(canvas: CanvasPage) -> None:
    canvas.select()
    field = canvas.show("Inspector").get_by_role("textbox", name="Name of a parameter")
    field.fill("month")
    canvas.press("Enter")


def renames_the_flow(canvas: CanvasPage) -> None:
    canvas.select()
    canvas.show("Inspector").get_by_label("Name of the flow").fill("Other")


EDITS = [
    draws_a_wire,
    wires_by_keys,
    removes_a_wire,
    moves_by_keys,
    moves_by_mouse,
    drops_onto_a_wire,
    renames,
    changes_the_title,
    changes_the_id,
    changes_a_field,
    sets_retries,
    sets_a_time_limit,
    deletes,
    duplicates,
    cuts,
    groups,
    ungroups,
    renames_a_group,
    extracts,
    adds_a_node,
    adds_from_the_palette,
    adds_a_note,
    writes_a_note,
    aligns,
    distributes,
    arranges,
    unpins,
    pins_another_value,
    adds_a_parameter,
    renames_the_flow,
]
PARTS = 3


@pytest.mark.parametrize("part", range(PARTS))
def test_every_edit_is_undone_and_done_again(open_flow, part):
    canvas = open_flow(DRAWN, kernel=False)
    canvas.focus()
    canvas.press("1")
    for edit in EDITS[part::PARTS]:
        undone_and_redone(canvas, edit)


def undone_and_redone(canvas: CanvasPage, edit: Callable[[CanvasPage], None]) -> None:
    before = canvas.text()
    edit(canvas)
    after = canvas.expect_other_text(before)
    canvas.focus()
    canvas.press("Control+Z")
    canvas.expect_text(before)
    canvas.press("Control+Shift+Z")
    canvas.expect_text(after)
    canvas.press("Control+Z")
    canvas.expect_text(before)


def test_copies_are_flow_files_and_chats_can_be_pasted(open_flow, page):
    def put(text: str) -> None:
        promised(page, "text => navigator.clipboard.writeText(text)", text)

    def clipboard() -> str:
        return promised(page, "() => navigator.clipboard.readText()")

    canvas = open_flow(DRAWN, kernel=False)
    put("")  # it is the browser's, and may hold what a test before has copied
    canvas.select("a", "b")
    canvas.press("Control+C")
    copied = json.loads(until(page, clipboard, "something is copied"))
    assert copied["format"] == "iaiflow/1"
    assert list(copied["nodes"]) == ["a", "b"]
    assert copied["edges"] == ["a.out -> b.value"]

    put(f"Sure, here is one:\n\n```json\n{json.dumps(copied)}\n```\n\nPaste it.")
    canvas.focus()
    canvas.press("Control+V")
    expect(canvas.wires()).to_have_count(3)
    pasted = canvas.flow()
    fresh = set(pasted["nodes"]) - set("abcd")
    assert len(fresh) == 2
    assert pasted["edges"][-1].split(".")[0] in fresh

    before = canvas.text()
    put("no flow at all")
    note_messages(page)
    canvas.press("Control+V")
    page.wait_for_function(
        f"() => {MESSAGES}.some(text => /holds no flow/.test(text))", polling=LOOK_EVERY
    )
    assert canvas.text() == before


#: What has been said in messages, which go by themselves after some seconds.
MESSAGES = "window.heardMessages"


def note_messages(page: Page) -> None:
    """Note the messages that appear from now on."""
    page.evaluate(
        f"""() => {{
            {MESSAGES} = [];
            new MutationObserver(changes => changes.forEach(({{ addedNodes }}) =>
                addedNodes.forEach(({{ textContent }}) => {MESSAGES}.push(textContent))
            )).observe(document.body, {{ childList: true, subtree: true }});
        }}"""
    )


def test_a_part_becomes_a_subflow_that_opens(open_flow, picture):
    canvas = open_flow(DRAWN, kernel=False)
    before = canvas.text()
    extracts(canvas)
    outer = canvas.flow()
    assert set(outer["nodes"]) == {"a", "d", "subflow"}
    assert set(outer["nodes"]["subflow"]["config"]["body"]["nodes"]) == {"b", "c"}
    canvas.node("subflow").get_by_role("button", name="Open body").click()
    expect(canvas.node("b")).to_be_visible()
    expect(canvas.node("a")).to_have_count(0)
    picture("document-subflow")
    canvas.inspect("c").get_by_role("textbox", name="Seconds").fill("7")
    canvas.focus()
    canvas.press("Control+ArrowUp")
    expect(canvas.node("a")).to_be_visible()
    body = canvas.flow()["nodes"]["subflow"]["config"]["body"]
    assert body["nodes"]["c"]["config"] == {"seconds": 7}
    canvas.press("Control+Z", "Control+Z")
    canvas.expect_text(before)


def test_the_body_of_a_map_is_edited_in_place_and_run(open_flow):
    flow = {
        "nodes": {
            "list": {"type": "python", "config": {"code": "def main():\n    return [1, 2, 3]\n"}},
            "each": {"type": "map"},
        },
        "edges": ["list.out -> each.items"],
        "layout": {"list": [0, 0], "each": [400, 0]},
    }
    canvas = open_flow(flow)
    canvas.focus("each")
    canvas.press("Control+ArrowDown")
    expect(canvas.node("list")).to_have_count(0)
    params = canvas.surface.get_by_role("group", name="Parameters")
    expect(params).to_contain_text("item")
    canvas.inspect(canvas.add("python"))
    canvas.fill_code("Code", "def main(item):\n    return item * 10\n")
    output = params.get_by_role("img", name="Output item")
    output.drag_to(canvas.port("python", "item", "Input"))
    expect(canvas.wires()).to_have_count(1)
    canvas.focus()
    canvas.press("Control+ArrowUp")
    expect(canvas.node("list")).to_be_visible()
    canvas.press("Shift+Enter")
    canvas.expect_run("Completed")
    expect(canvas.node("each")).to_contain_text("3/3")
    expect(canvas.node("each")).to_contain_text("30")


def test_find_goes_to_nodes_by_what_stands_in_them(open_flow):
    far = {**WAIT, "title": "Hidden gem"}
    flow = {**DRAWN, "nodes": {**DRAWN["nodes"], "e": far}}
    flow["layout"] = {**DRAWN["layout"], "e": [9000, 9000]}
    canvas = open_flow(flow, kernel=False)
    canvas.focus()
    canvas.press("Control+F")
    canvas.page.get_by_role("combobox", name="Find in this flow").fill("gem")
    canvas.page.get_by_role("option", name="title: Hidden gem").wait_for()
    canvas.press("Enter")
    expect(canvas.node("e")).to_be_in_viewport()
    expect(canvas.node("e")).to_be_focused()


def test_a_dangling_wire_finds_only_what_takes_it(open_flow):
    reader = {"type": "table.read", "config": {"path": "a.csv"}}
    flow = {"nodes": {"t": reader}, "edges": [], "layout": {"t": [0, 0]}}
    canvas = open_flow(flow, kernel=False)
    drag_by(canvas.port("t", "out", "Output"), 80, -200)
    found = canvas.page.get_by_role("listbox", name="Add a node at the end of this wire")
    expect(found.get_by_role("option", name="Filter")).to_be_visible()
    expect(found.get_by_role("option", name="Pick from JSON")).to_have_count(0)
    expect(found.get_by_role("option", name="Read table")).to_have_count(0)
    field = canvas.page.get_by_role("combobox", name="Add a node at the end of this wire")
    expect(field).to_be_focused()
    canvas.type("filter")
    canvas.press("Enter")
    expect(canvas.wires()).to_have_count(1)
    assert canvas.flow()["edges"] == ["t.out -> filter.table"]


def test_three_nodes_by_the_keyboard_alone(open_flow, page):
    canvas = open_flow({"nodes": {}, "edges": []})
    expect(canvas.surface).to_be_focused()
    make_by_keys(canvas, "python")
    canvas.tab_to(canvas.inspector.get_by_role("textbox", name="Code"))
    canvas.page.keyboard.insert_text("def main():\n    return 'hello'\n")
    canvas.leave()
    make_by_keys(canvas, "delay")
    canvas.tab_to(canvas.inspector.get_by_role("textbox", name="Seconds"))
    canvas.type("0")
    canvas.leave()
    make_by_keys(canvas, "template")
    canvas.tab_to(canvas.inspector.get_by_role("textbox", name="Template"))
    canvas.page.keyboard.insert_text("Say {{word}}")
    canvas.leave()

    wire_by_keys(canvas, "python", "Delay (delay) · value")
    wire_by_keys(canvas, "delay", "Template (template) · word")
    assert canvas.flow()["edges"] == ["python.out -> delay.value", "delay.out -> template.word"]
    before = canvas.text()
    canvas.press("l")
    canvas.expect_other_text(before)
    for name in ("python", "delay", "template"):
        expect(canvas.node(name)).to_be_in_viewport(ratio=1)
    canvas.press("Shift+Enter")
    canvas.expect_state("template", "Completed")
    expect(canvas.node("template")).to_contain_text("Say hello")
    assert len(canvas.save()["nodes"]) == 3


def make_by_keys(canvas: CanvasPage, search: str) -> None:
    canvas.press("/")
    expect(canvas.page.get_by_role("combobox", name="Add a node")).to_be_focused()
    canvas.type(search)
    canvas.press("Enter")
    name = search.replace(".", "_")
    expect(canvas.node(name)).to_be_focused()
    canvas.press("Enter")


def wire_by_keys(canvas: CanvasPage, source: str, end: str) -> None:
    """Go to a node by arrow keys and wire it."""
    canvas.go_to(canvas.node(source))
    canvas.press("w")
    starts = canvas.surface.get_by_role("listbox", name="Where the wire starts")
    ends = canvas.surface.get_by_role("listbox", name="Where the wire ends")
    starts.or_(ends).wait_for()
    if starts.count():
        canvas.press("Enter")
    ends.wait_for()
    for _ in range(ends.get_by_role("option").count()):
        if ends.get_by_role("option", name=end, selected=True).count():
            break
        canvas.press("ArrowDown")
    canvas.press("Enter")
    expect(ends).to_have_count(0)
