"""How soon what a model says is on the canvas: from the server's write to the frame that shows it.

A real JupyterLab with a kernel, the real SDK, and a loopback Messages API that notes when it wrote
each event; the page notes after each frame what the node of the agent shows. All of it runs on this
machine, so that both read the same clock.
"""

from __future__ import annotations

import json
import statistics
import tempfile
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.canvas_browser import Page, browser, lacks, new_page
from benchmarks.report import Row
from browser.conftest import serve_jupyter, stop
from browser.patience import wait_restored
from messages_api import MessagesAPI, say

_LINK = "window.jupyterapp?.shell.currentWidget?.content?.controller?.get()?.link.get()"
#: Notes, after each frame, the number of the last word that is whole on the node's face, and when.
_WATCH = """() => {
    window.painted = [];
    const look = () => {
        const said = document.querySelector('.iai-surface .iai-agent-words')?.textContent ?? '';
        const last = Number([...said.matchAll(/w([0-9]{6})/g)].at(-1)?.[1] ?? 0);
        setTimeout(() => {
            if (last > (window.painted.at(-1)?.[0] ?? 0)) {
                window.painted.push([last, (performance.timeOrigin + performance.now()) / 1000]);
            }
        });
        requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
}"""


def measure(words: int = 400, pace: float = 0.01) -> list[Row]:
    """Return the median and the 99th percentile over words; a row that says why there are none.

    Args:
        words: How many numbered words the model says.
        pace: Seconds between two events of the stream.
    """
    if missing := lacks():
        return [Row("a word of a model, on the canvas", None, "ms", note=missing)]
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        said = "".join(f"w{number:06d} " for number in range(1, words + 1))
        api = stack.enter_context(MessagesAPI(say(said, pace=pace)))
        jupyter = serve_jupyter(home)
        stack.callback(stop, jupyter)
        page = new_page(stack.enter_context(browser()))
        (jupyter.root / "said.flow.json").write_text(json.dumps(_flow(api.url)))
        page.goto(jupyter.address("lab/tree/said.flow.json"))
        painted = _painted(page, api.key)
        return _rows(_taken(_sent(api, words), painted), pace)


def _flow(url: str) -> dict[str, Any]:
    config = {
        "prompt": "Count.",
        "model": "claude-sonnet-5-5",
        "base_url": url,
        "key": "secret:BENCHMARK",
        "max_tokens": 100_000,
    }
    nodes = {"agent": {"type": "agent", "config": config}}
    return {"format": "iaiflow/1", "name": "said", "nodes": nodes}


def _painted(page: Page, key: str) -> list[tuple[int, float]]:
    """Let the agent speak; return which word was the last one to be seen, and when."""
    wait_restored(page, f"{_LINK}?.status.get() === 'ready'")
    page.evaluate(f"value => {_LINK}.request('set_secret', {{name: 'BENCHMARK', value}})", key)
    page.evaluate(_WATCH)
    page.get_by_role("application", name="Flow said").press("Shift+Enter")
    page.wait_for_function(f"() => {_LINK}.runs.run.get()?.ended_at > 0")
    state = page.evaluate(f"{_LINK}.runs.run.get().state")
    assert state == "completed", state
    return [(number, at) for number, at in page.evaluate("window.painted")]


def _sent(api: MessagesAPI, words: int) -> dict[int, float]:
    """Return when each word was whole at the server, in seconds since the epoch."""
    sent: dict[int, float] = {}
    length = 0
    for at, event in api.paced:
        data = json.loads(event.decode().partition("data: ")[2])
        length += len(data.get("delta", {}).get("text", ""))
        for number in range(len(sent) + 1, min(words, (length + 1) // 8) + 1):
            sent[number] = at
    return sent


def _taken(sent: dict[int, float], painted: list[tuple[int, float]]) -> list[float]:
    """Return how long each word took that was seen while it was the newest, in milliseconds."""
    spans = pairwise([(0, 0.0), *painted])
    return [
        (at - sent[number]) * 1_000
        for (before, _), (last, at) in spans
        for number in range(before + 1, last + 1)
    ]


def _rows(taken: list[float], pace: float) -> list[Row]:
    what = "a word of a model, server to canvas"
    note = (
        f"{what}: {len(taken):,} words, an event each {pace * 1_000:g} ms;"
        " what an agent says is told at most 20 times a second"
    )
    return [
        Row(f"{what}, median", statistics.median(taken), "ms", note=note),
        Row(f"{what}, 99th percentile", statistics.quantiles(taken, n=100)[98], "ms"),
    ]
