"""A flow as a still picture and as text."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Final

from iaiflow_lab.lab.words import SIGNS, one_line
from iaiflow_lab.model import topology
from iaiflow_lab.model.flow import PARAMS, Flow
from iaiflow_lab.model.run import StepState

#: A flow with more nodes is described in words only.
MOST_NODES: Final = 300

_WIDTH, _HEIGHT = 168, 46
_COLUMN, _ROW = 228, 70
_MARGIN = 16
#: Longest text in a box, in characters.
_FITS = 22

#: Follows the reader's light or dark mode; the fallbacks serve viewers without style sheets.
_STYLE: Final = """
.sheet { fill: #ffffff; } .box { fill: #f5f7fa; stroke: #90a4ae; }
.edge { fill: none; stroke: #78909c; stroke-width: 1.5; }
.completed { stroke: #2e7d32; } .failed { stroke: #c62828; } .skipped { stroke-dasharray: 4 3; }
.cancelled { stroke: #e65100; } .completed, .failed, .cancelled { stroke-width: 2; }
.sign { fill: #455a64; font: 600 13px sans-serif; text-anchor: end; }
.id { fill: #1c262b; font: 600 13px sans-serif; } .type { fill: #546e7a; font: 11px sans-serif; }
@media (prefers-color-scheme: dark) {
.sheet { fill: #1e1e1e; } .box { fill: #2b3035; stroke: #607d8b; } .edge { stroke: #90a4ae; }
.completed { stroke: #81c784; } .failed { stroke: #ef9a9a; } .cancelled { stroke: #ffb74d; }
.sign { fill: #cfd8dc; } .id { fill: #eceff1; } .type { fill: #b0bec5; } }
"""

_Point = tuple[float, float]


def svg(flow: Flow, states: Mapping[str, str] | None = None) -> str:
    """Return a drawing of the flow; "" when it is empty or too large.

    Args:
        flow: The flow; it is drawn as it lies on the canvas, else from left to right.
        states: How nodes ended in the latest run, by id.
    """
    if not 0 < len(flow.nodes) <= MOST_NODES:
        return ""
    places = _laid_out(flow) or _places(flow)
    width = max(x for x, _ in places.values()) + _WIDTH + _MARGIN
    height = max(y for _, y in places.values()) + _HEIGHT + _MARGIN
    edges = "".join(_edge(places[a], places[b]) for a, b in _links(flow))
    known = states or {}
    boxes = "".join(
        _box(node_id, flow.nodes[node_id].type, at, known.get(node_id, ""))
        for node_id, at in places.items()
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(summary(flow))}">'
        f'<style>{_STYLE}</style><rect class="sheet" width="100%" height="100%" rx="8"/>'
        f"{edges}{boxes}</svg>"
    )


def bundle(flow: Flow, states: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return a flow as text, and as a picture where it can be drawn.

    Args:
        flow: The flow.
        states: How nodes ended in the latest run, by id.
    """
    drawn = svg(flow, states)
    return {"text/plain": text(flow)} | ({"image/svg+xml": drawn} if drawn else {})


def summary(flow: Flow) -> str:
    """Return the flow on one line."""
    nodes, edges = len(flow.nodes), len(flow.edges)
    counted = f"{nodes} node{'s' * (nodes != 1)}, {edges} edge{'s' * (edges != 1)}"
    return f"{flow.name or 'Flow'}: {counted}"


def text(flow: Flow) -> str:
    """Return the flow as text: its parameters, then each node with what feeds it."""
    lines = [summary(flow)]
    for name, spec in flow.parameters.items():
        default = f" = {spec['default']!r}" if "default" in spec else ""
        lines.append(f"  {PARAMS}.{name}: {spec.get('type', 'any')}{default}")
    sources: dict[str, list[str]] = {}
    for edge in flow.edges:
        wired = f"{edge.target_port}={edge.source}.{edge.source_port}"
        sources.setdefault(edge.target, []).append(wired)
    for node_id in list(flow.nodes)[:MOST_NODES]:
        arguments = ", ".join(sources.get(node_id, ()))
        lines.append(f"  {node_id}: {flow.nodes[node_id].type}({arguments})")
    if len(flow.nodes) > MOST_NODES:
        lines.append(f"  ... and {len(flow.nodes) - MOST_NODES:,} more")
    return "\n".join(lines)


def _links(flow: Flow) -> list[tuple[str, str]]:
    """Return the pairs of nodes that an edge joins, each once."""
    pairs = ((e.source, e.target) for e in flow.edges)
    return list(dict.fromkeys(p for p in pairs if p[0] in flow.nodes and p[1] in flow.nodes))


def _laid_out(flow: Flow) -> Mapping[str, _Point]:
    """Return the upper left corners as on the canvas; none when a node has no place there."""
    if not flow.nodes.keys() <= flow.layout.keys():
        return {}
    points = {node_id: flow.layout[node_id] for node_id in flow.nodes}
    left = min(x for x, _ in points.values()) - _MARGIN
    top = min(y for _, y in points.values()) - _MARGIN
    return {node_id: (x - left, y - top) for node_id, (x, y) in points.items()}


def _places(flow: Flow) -> Mapping[str, _Point]:
    """Return the upper left corner of every node: a column for each rank, crossings kept few."""
    links = _links(flow)
    before = topology.predecessors(flow.nodes, links)
    order = topology.order(flow.nodes, links)
    order += [node_id for node_id in flow.nodes if node_id not in set(order)]  # parts of a cycle
    rank: dict[str, int] = {}
    for node_id in order:
        rank[node_id] = max((rank.get(above, -1) + 1 for above in before[node_id]), default=0)
    columns: dict[int, list[str]] = {}
    for node_id in order:
        columns.setdefault(rank[node_id], []).append(node_id)
    height: dict[str, float] = {}
    places: dict[str, _Point] = {}
    tallest = max(map(len, columns.values()))
    for number, column in sorted(columns.items()):
        wished = {n: _mean([height[a] for a in before[n] if a in height]) for n in column}
        top = (tallest - len(column)) / 2
        for row, node_id in enumerate(sorted(column, key=wished.__getitem__)):
            height[node_id] = top + row
            places[node_id] = (_MARGIN + number * _COLUMN, _MARGIN + height[node_id] * _ROW)
    return places


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _edge(start: _Point, end: _Point) -> str:
    x1, y1 = start[0] + _WIDTH, start[1] + _HEIGHT / 2
    x2, y2 = end[0], end[1] + _HEIGHT / 2
    bend = max(30.0, (x2 - x1) / 2)
    return (
        f'<path class="edge" d="M{x1:g} {y1:g} C{x1 + bend:g} {y1:g} {x2 - bend:g} {y2:g} '
        f'{x2:g} {y2:g}"/>'
    )


def _box(node_id: str, node_type: str, at: _Point, state: str) -> str:
    x, y = at
    drawn = _sign(x, y, state) if state in set(StepState) else ""
    kind = f"box {state}" if drawn else "box"
    return (
        f'<rect class="{kind}" x="{x:g}" y="{y:g}" width="{_WIDTH}" height="{_HEIGHT}" rx="6"/>'
        f'<text class="id" x="{x + 10:g}" y="{y + 19:g}">{escape(one_line(node_id, _FITS))}</text>'
        f'<text class="type" x="{x + 10:g}" y="{y + 36:g}">'
        f"{escape(one_line(node_type, _FITS))}</text>{drawn}"
    )


def _sign(x: float, y: float, state: str) -> str:
    return (
        f'<text class="sign" x="{x + _WIDTH - 8:g}" y="{y + 19:g}">{SIGNS[StepState(state)]}'
        f"<title>{escape(state)}</title></text>"
    )
