"""Graph functions on ids. Pure and iterative: a chain of any length works, in O(edges)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping

#: A connection: (from, to).
Link = tuple[str, str]
Neighbours = Mapping[str, list[str]]


def successors(ids: Iterable[str], links: Iterable[Link]) -> dict[str, list[str]]:
    """Return the direct followers of every id, each once, in link order."""
    found: dict[str, dict[str, None]] = {node: {} for node in ids}
    for source, target in links:
        if source in found and target in found:
            found[source][target] = None
    return {node: list(targets) for node, targets in found.items()}


def predecessors(ids: Iterable[str], links: Iterable[Link]) -> dict[str, list[str]]:
    """Return the direct ancestors of every id, each once, in link order."""
    return successors(ids, ((target, source) for source, target in links))


def order(ids: Iterable[str], links: Iterable[Link]) -> list[str]:
    """Return the ids so that each stands after all that it depends on.

    What lies on a cycle or behind one is left out.
    """
    following = successors(ids, links)
    waiting = dict.fromkeys(following, 0)
    for targets in following.values():
        for target in targets:
            waiting[target] += 1
    ready = deque(node for node, count in waiting.items() if count == 0)
    ordered: list[str] = []
    while ready:
        node = ready.popleft()
        ordered.append(node)
        for target in following[node]:
            waiting[target] -= 1
            if waiting[target] == 0:
                ready.append(target)
    return ordered


def cycles(ids: Iterable[str], links: Iterable[Link]) -> Iterator[list[str]]:
    """Yield cycles, each as the ids on it with the first one repeated at the end.

    Every cycle of the graph shares an id with one that is yielded; no two start or end alike.
    """
    following = successors(ids, links)
    done: set[str] = set()
    shown: set[str] = set()
    for root in following:
        if root in done:
            continue
        path: dict[str, None] = {root: None}
        todo = [iter(following[root])]
        while todo:
            target = next(todo[-1], None)
            if target is None:
                todo.pop()
                done.add(path.popitem()[0])
            elif target in path:
                if not shown & {target, next(reversed(path))}:
                    nodes = list(path)
                    cycle = nodes[nodes.index(target) :]
                    shown.update(cycle)
                    yield [*cycle, target]
            elif target not in done:
                path[target] = None
                todo.append(iter(following[target]))


def ancestors(of: Iterable[str], before: Neighbours) -> set[str]:
    """Return all ids from which one of `of` can be reached, without `of` themselves.

    Args:
        of: Where to start.
        before: What `predecessors` returned.
    """
    return _reach(of, before)


def descendants(of: Iterable[str], after: Neighbours) -> set[str]:
    """Return all ids that can be reached from one of `of`, without `of` themselves.

    Args:
        of: Where to start.
        after: What `successors` returned.
    """
    return _reach(of, after)


def _reach(start: Iterable[str], neighbours: Neighbours) -> set[str]:
    first = set(start)
    seen = set(first)
    todo = list(first)
    while todo:
        for node in neighbours.get(todo.pop(), ()):
            if node not in seen:
                seen.add(node)
                todo.append(node)
    return seen - first
