"""Texts of strangers are shown, and never act: no script runs, no request leaves, nothing opens."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import nbformat
import pytest
from browser.canvas_page import CanvasPage
from browser.conftest import FLAGS, Jupyter, chromium
from browser.notebook_page import NotebookPage
from browser.patience import until
from plainpage import Canary, canary, open_plain, plain_url, show_plain
from playwright.sync_api import Browser, BrowserContext, Page, expect

__all__ = ["canary", "open_plain", "plain_url"]

#: Every place of the plain page where a stranger's text can stand; the page says so itself.
PLACES = [
    "log", "error", "status", "text", "json", "json-source", "table", "object", "port",
    "html", "markdown", "latex", "svg", "png", "display-json", "display-text", "unknown-type",
    "label", "config", "type", "note", "group", "flow-name",
    "parameter", "parameter-name", "node-id", "tool-name", "file-name",
    "agent", "ask", "toast", "problem", "help", "step", "version",
    "chat", "chat-memory", "chat-table", "chat-file",
]  # fmt: skip

#: Shows every text in turn; a frame is left only when it has drawn what it holds.
SHOW_ALL = """async ([place, canary, step, first]) => {
  const drawn = new WeakSet();
  let wake = () => undefined;
  addEventListener('message', ({ source, data }) => {
    if (data && 'iaiflowHeight' in data && source?.parent) {
      drawn.add(source.parent);
      wake();
    }
  });
  const waiting = () =>
    [...document.querySelectorAll('iframe')].some(({ contentWindow }) => !drawn.has(contentWindow));
  const framesDrawn = async () => {
    const end = performance.now() + 2000;
    while (waiting() && performance.now() < end) {
      await new Promise(resolve => {
        wake = resolve;
        setTimeout(resolve, end - performance.now());
      });
    }
  };
  const faults = [];
  let shown = 0;
  for (const { name, text } of iai.hostile(canary).filter((_, at) => at % step === first)) {
    shown += Number(await iai.show(text, place));
    if (document.querySelector('iframe')) {
      await framesDrawn();
      await iai.nextFrame();
    }
    for (const fault of active()) {
      faults.push(`${name}: ${fault}`);
    }
  }
  return { shown, faults, globals: globals() };

  function active() {
    const found = [];
    for (const element of document.body.querySelectorAll('*')) {
      const tag = element.localName;
      if (['object', 'embed', 'base', 'meta', 'link', 'frameset', 'portal'].includes(tag)) {
        found.push(`<${tag}>`);
      }
      if (tag === 'script' && !element.src.endsWith('dist/testpage.js')) {
        found.push('<script>');
      }
      const { sandbox } = element;
      if (tag === 'iframe' && (sandbox.contains('allow-same-origin') || !sandbox.length)) {
        found.push('a frame of this origin');
      }
      for (const { name, value } of element.attributes) {
        if (/^on|^srcset$|^data-commandlinker|^action$|^formaction$|^ping$/.test(name)) {
          found.push(`${tag} ${name}`);
        }
        const acts = /^\\s*(javascript|vbscript|data:text)/i.test(value);
        if (acts && /^(xlink:)?href$|^src$/.test(name)) {
          found.push(`${tag} ${name}=${value.slice(0, 40)}`);
        }
      }
    }
    return found;
  }

  function globals() {
    return ['owned', 'attributes'].filter(name => Object.hasOwn(window, name));
  }
}"""


class Watch:
    """What a page did that it should not have done."""

    def __init__(self, page: Page, own: str) -> None:
        self.events: list[str] = []
        page.on("dialog", self._dialog)
        page.on("popup", lambda opened: self.events.append(f"popup {opened.url}"))
        page.on("download", lambda file: self.events.append(f"download {file.url}"))
        page.on("response", lambda found: self._answered(found.url, own))

    def _dialog(self, dialog: Any) -> None:
        self.events.append(f"dialog {dialog.message}")
        dialog.dismiss()

    def _answered(self, url: str, own: str) -> None:
        if not url.startswith((own, "data:", "blob:", "about:")):
            self.events.append(f"loaded {url}")


@pytest.fixture(scope="module")
def browser(browser: Browser) -> Iterator[Browser]:
    """Return a browser that draws as fast as it can: thousands of texts are drawn here."""
    fast = ["--disable-frame-rate-limit", "--disable-gpu-vsync"]
    launched = browser.browser_type.launch(executable_path=chromium(), args=[*FLAGS, *fast])
    yield launched
    launched.close()


def test_the_list_of_places_is_whole(open_plain: Callable[..., Page]) -> None:
    assert sorted(open_plain().evaluate("iai.places")) == sorted(PLACES)


#: No text of the list is an identifier, so none can name a node.
REFUSED = {"node-id"}


@pytest.mark.parametrize("place", PLACES)
def test_a_text_does_nothing(
    open_plain: Callable[..., Page],
    canary: Canary,
    plain_url: str,
    soak: Callable[[int, int], int],
    place: str,
) -> None:
    page = open_plain(trusted="false")
    watch = Watch(page, plain_url)
    # Places share the texts out among them; each gets all of them in a soak.
    step = soak(4, 1)
    found = page.evaluate(SHOW_ALL, [place, canary.url, step, PLACES.index(place) % step])
    assert (found["shown"] > 0) == (place not in REFUSED)
    assert (found["faults"], found["globals"]) == ([], [])
    assert (watch.events, canary.calls) == ([], [])
    page.evaluate("iai.show('it still works', 'label')")
    page.locator(".iai-surface").get_by_text("it still works").wait_for()


def test_scripts_of_this_kernel_stay_in_their_frame(
    context: BrowserContext, canary: Canary, plain_url: str, soak: Callable[[int, int], int]
) -> None:
    page = show_plain(context.new_page(), plain_url, trusted="true")  # their errors are expected
    watch = Watch(page, plain_url)
    found = page.evaluate(SHOW_ALL, ["html", canary.url, soak(4, 1), 0])
    assert (found["faults"], found["globals"], watch.events) == ([], [], [])
    # No policy forbids a script to open a connection, but nothing may be asked over it.
    assert {call.what for call in canary.calls} <= {"connected"}


def test_the_canary_would_notice(open_plain: Callable[..., Page], canary: Canary) -> None:
    page = open_plain()
    with page.expect_response(f"{canary.url}/control"):
        page.evaluate(
            "url => { document.body.append(Object.assign(new Image(), { src: url })); }",
            f"{canary.url}/control",
        )
    asked = {call.what for call in canary.calls}  # a browser may connect twice
    assert asked == {"connected", "GET /control"}
    watch = Watch(page, "nothing")
    page.evaluate("alert('control')")
    assert watch.events == ["dialog control"]


#: How many texts go through a kernel; all of them take minutes.
FEW = 6
TALK = """
import json
from pathlib import Path

TEXTS = json.loads(Path("texts.json").read_text())
"""
RICH = """
from IPython.display import {kind}

def main():
    return {kind}(TEXTS[{number}])
"""
SAYS = """
def main():
    for line in TEXTS:
        print(line)
    return {line: [line] for line in TEXTS}
"""
TABLE = """
import polars

def main(value):
    return polars.DataFrame({line: TEXTS for line in TEXTS})
"""
FAILS = """
def main(table):
    raise ValueError("".join(TEXTS))
"""
AFTER = """
def main():
    return "after"
"""


def python(code: str, **more: Any) -> dict[str, Any]:
    return {"type": "python", "config": {"code": TALK + code}, **more}


def hostile_flow(texts: list[str]) -> dict[str, Any]:
    """A flow that holds hostile texts and makes them in every form of output."""
    rich = {
        f"{kind}_{number}": python(RICH.format(kind=kind, number=number), title=text)
        for number, text in enumerate(texts)
        for kind in ("HTML", "Markdown")
    }
    made = {
        "says": python(SAYS, title=texts[0]),
        "table": python(TABLE),
        "fails": python(FAILS),
        "after": python(AFTER),
    }
    # What is made now is trusted, so it must be out of sight until it is of an earlier run.
    place = {name: [320 * at, 0] for at, name in enumerate(made)}
    place |= {name: [3_000 * (at % 8), 3_000 * (1 + at // 8)] for at, name in enumerate(rich)}
    return {
        "nodes": {**made, **rich},
        "edges": ["says.out -> table.value", "table.out -> fails.table"],
        "layout": place,
        "notes": [
            {"id": f"note{n}", "text": text, "x": 320 * n, "y": -300, "width": 240, "height": 120}
            for n, text in enumerate(texts)
        ],
        "groups": [{"id": "g", "title": texts[-1], "nodes": ["says", "table"]}],
    }


def some_texts(context: BrowserContext, plain_url: str, canary: Canary, count: int) -> list[str]:
    """Take texts from all over the list."""
    corpus = show_plain(context.new_page(), plain_url).evaluate("u => iai.hostile(u)", canary.url)
    short = [one["text"] for one in corpus if len(one["text"]) < 4_000]
    usable = [text for text in short if text.isprintable()]
    return usable[:: len(usable) // count]


def look_through(canvas: CanvasPage, node: str) -> None:
    """Open every page of the inspector for a node."""
    canvas.inspect(node)
    for name in ("Setup", "Log", "Options", "Details", "Values"):
        canvas.inspector.get_by_role("tab", name=name).click()


def is_far(canvas: CanvasPage) -> bool:
    """Go a step away; a key that comes while the view still moves leads less far."""
    canvas.press("-")
    return canvas.surface.get_attribute("data-far") is not None


def test_outputs_of_a_kernel_do_nothing_once_they_are_of_an_earlier_run(
    jupyter: Jupyter,
    open_flow: Callable[..., CanvasPage],
    plain_url: str,
    canary: Canary,
    context: BrowserContext,
) -> None:
    texts = some_texts(context, plain_url, canary, FEW)
    (jupyter.root / "texts.json").write_text(json.dumps(texts))
    canvas = open_flow(hostile_flow(texts))
    page = canvas.page
    watch = Watch(page, jupyter.url)
    canvas.focus()
    until(page, lambda: is_far(canvas))  # from there cards show no outputs
    canvas.button("Run all").click()
    canvas.expect_run("Failed")
    for node in ("says", "table", "fails"):
        look_through(canvas, node)
    assert (watch.events, canary.calls) == ([], [])
    canvas.select("after")
    canvas.command("Run only this")
    canvas.expect_run("Completed")

    page.reload()
    canvas.wait()
    for number in range(0, len(texts), 3):
        look_through(canvas, f"HTML_{number}")
        canvas.inspector.locator("iframe").first.wait_for()
        look_through(canvas, f"Markdown_{number}")
    assert (watch.events, canary.calls) == ([], [])


#: Tries to act as soon as a page reads it as markup; a file can be called that.
FILE_NAME = "<img src=x onerror=alert(1)>"
#: The form in which a canvas stands in a notebook's output.
CANVAS = "application/vnd.iaiflow.canvas+json"
#: How many texts stand in files that are opened; each has a dozen places.
SOME = 16


def strange_flow(texts: list[str]) -> dict[str, Any]:
    """A flow file of a stranger, with a text wherever a file can hold one."""
    nodes = {
        f"n{number}": {
            "type": "text.template",
            "title": text,
            "config": {"template": text.replace("{{", "")},
            "pin": {"out": text},
        }
        for number, text in enumerate(texts)
    }
    nodes["table"] = {
        "type": "python",
        "config": {"code": "def main():\n    return 1\n"},
        "pin": {"out": [{text: text for text in texts} for _ in range(3)]},
    }
    return {
        "name": texts[0],
        "parameters": {"x": {"type": "string", "title": texts[1], "description": texts[2]}},
        "nodes": nodes,
        "layout": {name: [320 * (at % 4), 240 * (at // 4)] for at, name in enumerate(nodes)},
        "notes": [
            {"id": f"note{n}", "text": text, "x": 320 * n, "y": -300, "width": 240, "height": 120}
            for n, text in enumerate(texts)
        ],
        "groups": [
            {"id": f"g{number}", "title": text, "nodes": [f"n{number}"]}
            for number, text in enumerate(texts)
        ],
    }


def test_a_file_of_a_stranger_does_nothing_when_it_is_opened_and_run(
    jupyter: Jupyter,
    open_flow: Callable[..., CanvasPage],
    plain_url: str,
    canary: Canary,
    context: BrowserContext,
    page: Page,
) -> None:
    watch = Watch(page, jupyter.url)
    flow = strange_flow(some_texts(context, plain_url, canary, SOME))
    name = f"{FILE_NAME}.flow.json"
    (jupyter.root / name).write_text(json.dumps({"format": "iaiflow/1", **flow}))
    page.goto(jupyter.address(f"lab/tree/{quote(name)}"))
    CanvasPage(page, jupyter.root).wait(kernel=False).node("table").wait_for()
    expect(page.get_by_role("tab", name=FILE_NAME).first).to_be_visible()

    canvas = open_flow(flow, name="strange")
    canvas.button("Run all").click()
    dialog = page.get_by_role("dialog", name="Values for this run")
    dialog.get_by_role("textbox").fill("y")
    dialog.get_by_role("button", name="Run", exact=True).click()
    canvas.expect_run("Completed")
    for node in ("n1", "table"):
        look_through(canvas, node)
    canvas.command("Timeline")
    canvas.command("Problems")
    canvas.command("History")
    assert (watch.events, canary.calls) == ([], [])


def test_outputs_of_a_saved_notebook_do_nothing_when_it_is_opened(
    jupyter: Jupyter,
    open_notebook: Callable[..., NotebookPage],
    plain_url: str,
    canary: Canary,
    context: BrowserContext,
    page: Page,
) -> None:
    watch = Watch(page, jupyter.url)
    texts = some_texts(context, plain_url, canary, SOME)
    cells = [nbformat.v4.new_code_cell("1", outputs=[saved_canvas(text)]) for text in texts]
    kernel = {"name": "python3", "display_name": "Python 3"}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, jupyter.root / "cells.ipynb")
    open_notebook()
    outputs = page.locator(".jp-OutputArea-output")
    for number in range(len(texts)):
        outputs.nth(number).scroll_into_view_if_needed()
    pictures = page.locator(".jp-OutputArea-output img[src^='data:image/svg']")
    expect(pictures).to_have_count(len(texts))
    assert (watch.events, canary.calls) == ([], [])


def saved_canvas(text: str) -> Any:
    """An output as a canvas leaves it in a notebook, with a text in each of its places."""
    svg = f'<svg xmlns="http://www.w3.org/2000/svg"><text>{text}</text></svg>'
    told = {"model_id": text, "path": text, "name": text, "version": text}
    data = {CANVAS: told, "image/svg+xml": svg, "text/plain": text}
    return nbformat.v4.new_output("display_data", data=data)
