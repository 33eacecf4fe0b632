"""The canvas in a headless browser, beside one as it is usually written.

Frames per second while the view moves, and while a real kernel runs flows; how soon a canvas is
there; how large it is. How fast frames come is the browser's own count. The naive canvas shows a
name and a bar in each node, keeps status in its nodes' data and renders per message.
"""

from __future__ import annotations

import gzip
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from benchmarks import canvas_live
from benchmarks.canvas_browser import Page, browser, lacks, plain_page
from benchmarks.report import Row

PROJECT = Path(__file__).parents[2]
BUNDLES = {
    "inline widget": PROJECT / "iaiflow_lab" / "canvas" / "static" / "canvas.js",
    "inline style": PROJECT / "iaiflow_lab" / "canvas" / "static" / "canvas.css",
}
LABEXTENSION = PROJECT / "extension" / "labextension" / "static"
#: Frames a second that are asked for, by nodes.
PAN_TARGETS = {1_000: 45.0}


def measure(
    nodes: Sequence[int] = (100, 1_000, 5_000),
    rates: Sequence[int] = (1_000, 10_000, 50_000),
    busy_nodes: Sequence[int] = (100, 1_000),
    seconds: float = 1.5,
    samples: int = 3,
) -> list[Row]:
    """Return the canvas's rows; one that says why when there is no browser or no built page.

    Args:
        nodes: Sizes of the flows whose view moves.
        rates: Events a second of the kernel.
        busy_nodes: Sizes of the flows that get them.
        seconds: How long frames are counted, for each sample.
        samples: How often each is counted; rows have the medians.
    """
    missing = lacks()
    if missing:
        return [Row("canvas", None, "fps", note=missing)]
    with browser() as started, plain_page(started) as page:
        rows = [row for count in nodes for row in _moves(page, count, seconds, samples)]
        rows += canvas_live.measure(started, page, rates, busy_nodes, seconds, samples)
    return rows + _sizes()


#: Where to take hold of the node that is nearest to the middle of the page.
_MIDDLE = """() => {
    const aside = ([x, y]) => Math.hypot(x - innerWidth / 2, y - innerHeight / 2);
    const boxes = [...document.querySelectorAll('.react-flow__node')]
        .map(node => node.getBoundingClientRect())
        .filter(box => box.width > 0);
    return boxes
        .map(box => [box.x + box.width / 2, box.y + Math.min(12, box.height / 2)])
        .reduce((best, at) => (aside(at) < aside(best) ? at : best));
}"""

# -- the view moves ---------------------------------------------------------------------------


def _moves(page: Page, count: int, seconds: float, samples: int) -> list[Row]:
    """Measure panning, zooming and dragging, ours and the naive canvas in turns."""
    taken: dict[tuple[str, str], list[float]] = defaultdict(list)
    for _ in range(samples):
        for who in ("ours", "naive"):
            taken["open", who].append(_open(page, who, count))
            for name, move in _MOVES.items():
                _fit(page, who)
                taken[name, who].append(_frames(page, seconds, partial(move, page)))
            page.evaluate("iai.naive.unmount()")
    found = {key: statistics.median(values) for key, values in taken.items()}
    naive = {"naive": found["open", "naive"]}
    rows = [Row(f"open {count:,} nodes", found["open", "ours"], "ms", peers=naive)]
    for name in _MOVES:
        target = PAN_TARGETS.get(count) if name == "pan" else None
        naive = {"naive": found[name, "naive"]}
        what = f"{name}, {count:,} nodes"
        rows.append(Row(what, found[name, "ours"], "fps", target, more_is_better=True, peers=naive))
    return rows


def _open(page: Page, who: str, count: int) -> float:
    """Show a flow, all of it; returns how long that took, in milliseconds."""
    ours = "iai.loadFlow(count); iai.controller.surface.reveal([]); await iai.nextFrame()"
    return page.evaluate(
        f"""async count => {{
            const start = performance.now();
            await {"iai.naive.mount(count)" if who == "naive" else ours};
            return performance.now() - start;
        }}""",
        count,
    )


def _fit(page: Page, who: str) -> None:
    """Bring all into sight again, and wait until the view rests."""
    fit = "iai.naive.fit()" if who == "naive" else "iai.controller.surface.reveal([])"
    page.evaluate(
        f"""async () => {{
            {fit};
            let [before, same] = ['', 0];
            while (same < 5) {{
                await iai.nextFrame();
                const views = [...document.querySelectorAll('.react-flow__viewport')];
                const now = views.map(view => view.style.transform).join();
                same = now === before ? same + 1 : 0;
                before = now;
            }}
        }}"""
    )


def _frames(page: Page, seconds: float, move: Callable[[float], None]) -> float:
    """Count frames while the mouse moves; returns frames a second."""
    page.evaluate("ms => { window.counted = iai.measureFrames(ms); }", seconds * 1_000)
    move(time.monotonic() + seconds)
    return page.evaluate("async () => (await window.counted).fps")


def _pan(page: Page, until: float) -> None:
    page.mouse.move(700, 880)
    page.mouse.down()
    _sweep(page, until, 700, 880)
    page.mouse.up()


def _zoom(page: Page, until: float) -> None:
    """Turn the wheel by fifteen notches, in and out."""
    page.mouse.move(700, 450)
    step = 0
    while time.monotonic() < until:
        page.mouse.wheel(0, 100 if step // 15 % 2 else -100)
        step += 1


def _drag(page: Page, until: float) -> None:
    """Drag the node in the middle: at the rim the view would move as well."""
    x, y = page.evaluate(_MIDDLE)
    page.mouse.move(x, y)
    page.mouse.down()
    _sweep(page, until, x, y)
    page.mouse.up()


def _sweep(page: Page, until: float, x: float, y: float) -> None:
    """Move the mouse to and fro; the browser takes one move a frame."""
    step = 0
    while time.monotonic() < until:
        page.mouse.move(x + 200 - abs(step % 80 - 40) * 5, y - abs(step % 60 - 30) * 5)
        step += 1


_MOVES: Mapping[str, Callable[[Page, float], None]] = {"pan": _pan, "zoom": _zoom, "drag": _drag}


# -- bundles ----------------------------------------------------------------------------------


def _sizes() -> list[Row]:
    found = {name: [path] for name, path in BUNDLES.items()}
    found["JupyterLab extension"] = sorted(LABEXTENSION.glob("*.js"))
    return [
        Row(
            f"size of the {name}",
            sum(map(len, parts)) / 1024,
            "KB",
            peers={"gzip": sum(len(gzip.compress(part)) for part in parts) / 1024},
        )
        for name, paths in found.items()
        if (parts := [path.read_bytes() for path in paths if path.is_file()])
    ]
