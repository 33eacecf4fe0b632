"""Canvases in a real JupyterLab: frames while a kernel runs flows, and how soon one is there."""

from __future__ import annotations

import json
import statistics
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from math import ceil, sqrt
from pathlib import Path
from typing import Any

from benchmarks.canvas_browser import Browser, Page, new_page
from benchmarks.report import Row
from browser.conftest import Jupyter, serve_jupyter, stop
from browser.notebook_page import NotebookPage, write_notebook
from browser.patience import wait_restored

#: Frames a second that are asked for, by nodes and events a second.
TARGETS = {(100, 10_000): 60.0}
#: The naive canvas gets one message an event, as such canvases do; at most so many.
NAIVE_RATE = 1_000
NODE = """
import asyncio
import time

from iaiflow_lab import Context, node


@node("bench.busy")
async def busy(*, rate: float, seconds: float, ctx: Context) -> int:
    '''Say how far it is, `rate` times a second.'''
    begun, told = time.monotonic(), 0
    while (passed := time.monotonic() - begun) < seconds:
        while told < passed * rate:
            told += 1
            ctx.progress(told, rate * seconds)
        await asyncio.sleep(0.05)
    return told
"""
#: Seconds that a run goes on beyond those in which frames are counted.
_BEYOND = 1.5
_WIDGET = "window.jupyterapp?.shell.currentWidget?.content?.controller?.get()"
_LINK = f"{_WIDGET}?.link.get()"
#: Notes the number of every message, and counts frames from the begin of the run, sample by sample.
_COUNT = f"""([ms, samples]) => {{
    const runs = {_LINK}.runs, apply = runs.apply.bind(runs);
    window.numbers = [];
    runs.apply = message => {{ window.numbers.push(message.seq); apply(message); }};
    window.counted = new Promise(resolve => {{
        const found = [];
        let [frames, begun] = [0, 0];
        const tick = now => {{
            begun ||= runs.run.get().started_at ? now : 0; // it may be over when it is seen
            frames += begun ? 1 : 0;
            if (begun && now - begun >= ms) {{
                found.push(((frames - 1) * 1000) / (now - begun));
                [frames, begun] = [1, now];
            }}
            void (found.length < samples ? requestAnimationFrame(tick) : resolve(found));
        }};
        requestAnimationFrame(tick);
    }});
}}"""


def measure(
    started: Browser,
    plain: Page,
    rates: Sequence[int],
    counts: Sequence[int],
    seconds: float,
    samples: int,
) -> list[Row]:
    """Measure behind a Jupyter server; the naive canvas in the plain page takes turns.

    Args:
        started: The browser.
        plain: The page that has the naive canvas.
        rates: Events a second of the kernel.
        counts: Nodes of the flows.
        seconds: How long frames are counted, for each sample.
        samples: How often they are counted.
    """
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        jupyter = serve_jupyter(home)
        stack.callback(stop, jupyter)
        (jupyter.root / "flow_nodes").mkdir()
        (jupyter.root / "flow_nodes" / "bench.py").write_text(NODE)
        page = new_page(started)
        rows = _first_paint(page, jupyter, samples)
        for count in counts:
            for rate in rates:
                load = Load(count, rate, seconds, samples)
                fps = _naive(plain, load)
                rows.append(_busy(page, jupyter, load, fps))
        return rows


@dataclass(frozen=True)
class Load:
    """What a kernel does while frames are counted."""

    nodes: int
    #: Events a second, of all nodes together.
    rate: int
    #: How long frames are counted, for each sample.
    seconds: float
    samples: int

    @property
    def flow(self) -> dict[str, Any]:
        """The flow that makes the events, in a square."""
        length = self.seconds * self.samples + _BEYOND
        config = {"rate": self.rate / self.nodes, "seconds": length}
        columns = ceil(sqrt(self.nodes))
        at = range(self.nodes)
        return {
            "format": "iaiflow/1",
            "name": "busy",
            "nodes": {f"n{i}": {"type": "bench.busy", "config": config} for i in at},
            "layout": {f"n{i}": [i % columns * 280, i // columns * 160] for i in at},
        }


def _busy(page: Page, jupyter: Jupyter, load: Load, naive: float) -> Row:
    name = f"busy-{load.nodes}-{load.rate}.flow.json"
    (jupyter.root / name).write_text(json.dumps(load.flow))
    page.goto(jupyter.address(f"lab/tree/{name}"))
    wait_restored(page, f"{_LINK}?.status.get() === 'ready'")
    surface = page.get_by_role("application", name="Flow busy")
    surface.press("1")
    page.evaluate(_COUNT, [load.seconds * 1_000, load.samples])
    surface.press("Shift+Enter")
    fps = page.evaluate("window.counted")
    page.wait_for_function(
        f"""() => {{
            const {{runs}} = {_LINK};
            const isTold = path => runs.node(path).outputs.out !== undefined;
            return runs.run.get().ended_at !== null && runs.paths().every(isTold);
        }}"""
    )
    numbers = page.evaluate("window.numbers")
    told, took = page.evaluate(
        f"""() => {{
            const {{runs}} = {_LINK}, {{started_at, ended_at}} = runs.run.get();
            const told = runs.paths().map(path => Number(runs.node(path).outputs.out?.text));
            return [told.reduce((sum, one) => sum + one, 0), ended_at - started_at];
        }}"""
    )
    lost = numbers[-1] - numbers[0] + 1 - len(numbers)
    what = f"{load.rate:,} events/s of a kernel, {load.nodes:,} nodes"
    return Row(
        what,
        statistics.median(fps),
        "fps",
        TARGETS.get((load.nodes, load.rate)),
        more_is_better=True,
        peers={f"naive, at most {NAIVE_RATE:,}/s in the page": naive},
        note=f"{what}: the kernel made {told / took:,.0f} a second in {took:.1f} s,"
        f" {len(numbers):,} messages, {lost} lost",
    )


def _naive(page: Page, load: Load) -> float:
    page.evaluate("count => iai.naive.mount(count)", load.nodes)
    options = [min(load.rate, NAIVE_RATE), load.seconds, load.nodes]
    feed = "([rate, seconds, count]) => iai.naive.feed({rate, seconds, messages: 0}, count)"
    found = [page.evaluate(feed, options)["fps"] for _ in range(load.samples)]
    page.evaluate("iai.naive.unmount()")
    return statistics.median(found)


# -- a canvas in a notebook -------------------------------------------------------------------

CELL = """from iaiflow_lab import Flow
flow = Flow.open("drawn")
flow.show()"""
DRAWN = {
    "format": "iaiflow/1",
    "name": "drawn",
    "nodes": {
        "a": {"type": "text.template", "config": {"template": "x"}},
        "b": {"type": "text.template", "config": {"template": "{{a}}"}},
    },
    "edges": ["a.out -> b.a"],
    "layout": {"a": [0, 0], "b": [300, 0]},
}
#: Milliseconds from a cell's execution until a frame after a new canvas has drawn a node.
_PAINT = """number => new Promise(resolve => {
    const panel = window.jupyterapp.shell.currentWidget;
    document.querySelectorAll('.iai-surface').forEach(old => old.setAttribute('data-old', ''));
    const drawn = '.iai-surface:not([data-old]) .iai-card';
    panel.content.activeCellIndex = number;
    const start = performance.now();
    void window.jupyterapp.commands.execute('notebook:run-cell');
    const look = () => {
        const found = document.querySelector(drawn)?.getBoundingClientRect().width > 0;
        const done = () => resolve(performance.now() - start);
        void requestAnimationFrame(found ? () => setTimeout(done) : look);
    };
    look();
})"""


def _first_paint(page: Page, jupyter: Jupyter, samples: int) -> list[Row]:
    """Measure from a cell's execution to its canvas: first in a new kernel, then again."""
    (jupyter.root / "drawn.flow.json").write_text(json.dumps(DRAWN))
    write_notebook(jupyter.root / "paint.ipynb", CELL)
    page.goto(jupyter.address("lab/tree/paint.ipynb"))
    notebook = NotebookPage(page, jupyter.root / "paint.ipynb").wait()
    taken: list[float] = []
    for _ in range(samples + 1):
        taken.append(page.evaluate(_PAINT, 0))
        notebook.done(0)
    first, *again = taken
    return [
        Row("show() to its first painted node, new kernel", first, "ms"),
        Row("show() to its first painted node, again", statistics.median(again), "ms"),
    ]
