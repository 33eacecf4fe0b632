"""The canvas in a headless browser, beside one as it is usually written.

Frames per second while the view moves, and while a real kernel runs flows. How fast frames come is
the browser's own count; the naive canvas keeps status in its nodes' data and renders per message.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from benchmarks.report import Row
from browser.conftest import FLAGS, Jupyter, chromium, serve_jupyter, stop

PROJECT = Path(__file__).parents[2]
PAGE = PROJECT / "extension" / "testpage"
BUNDLES = {
    "inline widget": PROJECT / "iaiflow_lab" / "canvas" / "static" / "canvas.js",
    "inline style": PROJECT / "iaiflow_lab" / "canvas" / "static" / "canvas.css",
}
#: Frames a second that are asked for, by nodes.
PAN_TARGETS = {1_000: 45.0}
#: By nodes and events a second.
EVENT_TARGETS = {(100, 10_000): 60.0}
#: The naive canvas gets one message an event, as such canvases do; at most so many.
NAIVE_RATE = 1_000
_WAIT = 120_000

Page = Any


def measure(
    nodes: Sequence[int] = (100, 1_000, 5_000),
    rates: Sequence[int] = (1_000, 10_000, 50_000),
    busy_nodes: Sequence[int] = (100, 1_000),
    seconds: float = 3.0,
) -> list[Row]:
    """Return the canvas's rows; one that says why when there is no browser or no built page.

    Args:
        nodes: Sizes of the flows whose view moves.
        rates: Events a second of the kernel.
        busy_nodes: Sizes of the flows that get them.
        seconds: How long frames are counted.
    """
    missing = lacks()
    if missing:
        return [Row("canvas", None, "fps", note=missing)]
    with _page() as page:
        rows = [row for count in nodes for row in _moves(page, count, seconds)]
        naive = {
            (count, rate): _naive(page, count, rate, seconds)
            for count in busy_nodes
            for rate in rates
        }
    busy = _kernel(rates, busy_nodes, seconds)
    heading = f"naive, at most {NAIVE_RATE:,}/s in the page"
    rows += [
        replace(row, peers={heading: fps}) for row, fps in zip(busy, naive.values(), strict=True)
    ]
    return rows + _sizes()


def lacks() -> str:
    """Return what is missing to measure, in a sentence; "" when nothing is."""
    if not (os.environ.get("IAIFLOW_CHROMIUM") or shutil.which("chromium")):
        return "The canvas was not measured: Chromium is not installed."
    if not (PAGE / "dist" / "testpage.js").is_file():
        return "The canvas was not measured: its plain page is not built (make build)."
    return ""


@contextmanager
def _browser_page() -> Iterator[Page]:
    from playwright.sync_api import sync_playwright

    with ExitStack() as stack:
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        stack.callback(browser.close)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(_WAIT)
        yield page


@contextmanager
def _page() -> Iterator[Page]:
    """Return the plain page, ready."""
    with _served() as url, _browser_page() as page:
        page.goto(f"{url}?panels=none")
        page.wait_for_function("() => window.iai?.link.status.get() === 'ready'")
        yield page


@contextmanager
def _served() -> Iterator[str]:
    handler = partial(_Quiet, directory=str(PAGE))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


# -- the view moves ---------------------------------------------------------------------------


def _moves(page: Page, count: int, seconds: float) -> list[Row]:
    """Measure panning, zooming and dragging, ours and the naive canvas in turns."""
    found: dict[str, dict[str, float]] = {name: {} for name in _MOVES}
    opened: dict[str, float] = {}
    for who in ("ours", "naive"):
        opened[who] = _open(page, who, count)
        for name, move in _MOVES.items():
            _open(page, who, count)  # what was moved before must be in sight again
            found[name][who] = _frames(page, seconds, partial(move, page))
    page.evaluate("iai.naive.unmount()")
    rows = [Row(f"open {count:,} nodes", opened["ours"], "ms", peers={"naive": opened["naive"]})]
    for name, fps in found.items():
        target = PAN_TARGETS.get(count) if name == "pan" else None
        what = f"{name}, {count:,} nodes"
        naive = {"naive": fps["naive"]}
        rows.append(Row(what, fps["ours"], "fps", target, more_is_better=True, peers=naive))
    return rows


def _open(page: Page, who: str, count: int) -> float:
    """Show a flow; returns how long that took, in milliseconds."""
    ours = "iai.loadFlow(count); iai.controller.surface.reveal([]); await iai.nextFrame()"
    show = "iai.naive.mount(count)" if who == "naive" else ours
    before = "" if who == "naive" else "iai.naive.unmount();"
    return page.evaluate(
        f"""async count => {{
            {before}
            const start = performance.now();
            await {show};
            return performance.now() - start;
        }}""",
        count,
    )


def _frames(page: Page, seconds: float, move: Callable[[float], None]) -> float:
    """Count frames while the mouse moves; returns frames a second."""
    page.evaluate("ms => { window.counted = iai.measureFrames(ms); }", seconds * 1_000)
    move(seconds)
    return page.evaluate("async () => (await window.counted).fps")


def _pan(page: Page, seconds: float) -> None:
    page.mouse.move(700, 880)
    page.mouse.down()
    _sweep(page, seconds, 700, 880)
    page.mouse.up()


def _zoom(page: Page, seconds: float) -> None:
    page.mouse.move(700, 450)
    page.keyboard.down("Control")
    for step in range(int(seconds * 30)):
        page.mouse.wheel(0, 60 if step // 15 % 2 else -60)
    page.keyboard.up("Control")


def _drag(page: Page, seconds: float) -> None:
    box = page.locator(".react-flow__node:visible").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + min(12, box["height"] / 2)
    page.mouse.move(x, y)
    page.mouse.down()
    _sweep(page, seconds, x, y)
    page.mouse.up()


def _sweep(page: Page, seconds: float, x: float, y: float) -> None:
    """Move the mouse to and fro, 60 times a second at most."""
    for step in range(int(seconds * 60)):
        page.mouse.move(x + 200 - abs(step % 80 - 40) * 5, y - abs(step % 60 - 30) * 5)


_MOVES: Mapping[str, Callable[[Page, float], None]] = {"pan": _pan, "zoom": _zoom, "drag": _drag}


# -- a kernel runs ----------------------------------------------------------------------------

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
_WIDGET = "window.jupyterapp?.shell.currentWidget?.content?.controller?.get()"
_LINK = f"{_WIDGET}?.link.get()"
#: Notes the number of every message, and counts frames until the run has ended.
_COUNT = f"""ms => {{
    const runs = {_LINK}.runs, apply = runs.apply.bind(runs);
    window.numbers = [];
    runs.apply = message => {{ window.numbers.push(message.seq); apply(message); }};
    window.counted = new Promise(resolve => {{
        let [frames, begun] = [0, 0];
        const tick = now => {{
            begun ||= runs.run.get().state === 'running' ? now : 0;
            frames += begun ? 1 : 0;
            if (begun && now - begun >= ms) {{
                resolve(((frames - 1) * 1000) / (now - begun));
            }} else {{
                requestAnimationFrame(tick);
            }}
        }};
        requestAnimationFrame(tick);
    }});
}}"""


def _kernel(rates: Sequence[int], counts: Sequence[int], seconds: float) -> list[Row]:
    """Measure frames while flows run in a kernel behind a Jupyter server."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        jupyter = serve_jupyter(home)
        stack.callback(stop, jupyter)
        (jupyter.root / "flow_nodes").mkdir()
        (jupyter.root / "flow_nodes" / "bench.py").write_text(NODE)
        page = stack.enter_context(_browser_page())
        return [_busy(page, jupyter, count, rate, seconds) for count in counts for rate in rates]


def _busy(page: Page, jupyter: Jupyter, count: int, rate: int, seconds: float) -> Row:
    name = f"busy-{count}-{rate}.flow.json"
    config = {"rate": rate / count, "seconds": seconds + 2}
    flow = {
        "format": "iaiflow/1",
        "name": "busy",
        "nodes": {f"n{at}": {"type": "bench.busy", "config": config} for at in range(count)},
        "layout": {f"n{at}": [at % 40 * 280, at // 40 * 160] for at in range(count)},
    }
    (jupyter.root / name).write_text(json.dumps(flow))
    page.goto(jupyter.address(f"lab/tree/{name}"))
    page.wait_for_function(f"() => {_LINK}?.status.get() === 'ready'")
    page.get_by_role("application", name="Flow busy").focus()
    page.keyboard.press("1")
    page.evaluate(_COUNT, seconds * 1_000)
    page.keyboard.press("Shift+Enter")
    fps = page.evaluate("window.counted")
    page.wait_for_function(f"() => {_LINK}.runs.run.get().ended_at !== null")
    numbers = page.evaluate("window.numbers")
    lost = numbers[-1] - numbers[0] + 1 - len(numbers)
    told = page.evaluate(
        f"() => {_LINK}.runs.paths().map(path => Number({_LINK}.runs.node(path).outputs.out?.text))"
        ".reduce((sum, one) => sum + one, 0)"
    )
    return Row(
        f"{rate:,} events/s of a kernel, {count:,} nodes",
        fps,
        "fps",
        EVENT_TARGETS.get((count, rate)),
        more_is_better=True,
        note=f"{count:,} nodes: {told:,.0f} events came as {len(numbers):,} messages, {lost} lost",
    )


def _naive(page: Page, count: int, rate: int, seconds: float) -> float:
    page.evaluate("count => iai.naive.mount(count)", count)
    options = [min(rate, NAIVE_RATE), seconds, count]
    feed = "([rate, seconds, count]) => iai.naive.feed({rate, seconds, messages: 0}, count)"
    found = page.evaluate(feed, options)
    page.evaluate("iai.naive.unmount()")
    return found["fps"]


# -- bundles ----------------------------------------------------------------------------------


def _sizes() -> list[Row]:
    return [
        Row(
            f"size of the {name}",
            len(data) / 1024,
            "KB",
            peers={"gzip": len(gzip.compress(data)) / 1024},
        )
        for name, path in BUNDLES.items()
        if path.is_file()
        for data in [path.read_bytes()]
    ]
