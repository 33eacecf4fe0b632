"""Graph functions, against plain definitions."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from strategies import dags

from iaiflow_lab.model import topology

Graph = tuple[list[str], list[tuple[str, str]]]


def reachable(start: str, links: list[tuple[str, str]]) -> set[str]:
    found: set[str] = set()
    todo = [start]
    while todo:
        node = todo.pop()
        for source, target in links:
            if source == node and target not in found:
                found.add(target)
                todo.append(target)
    return found


@given(dags())
def test_every_id_comes_after_what_it_depends_on(graph: Graph):
    ids, links = graph
    ordered = topology.order(ids, links)
    assert sorted(ordered) == sorted(ids)
    assert all(ordered.index(source) < ordered.index(target) for source, target in links)
    assert list(topology.cycles(ids, links)) == []


@given(dags())
def test_descendants_are_all_that_can_be_reached(graph: Graph):
    ids, links = graph
    after, before = topology.successors(ids, links), topology.predecessors(ids, links)
    for node in ids:
        assert topology.descendants([node], after) == reachable(node, links)
        back = [(target, source) for source, target in links]
        assert topology.ancestors([node], before) == reachable(node, back)


ids = st.sampled_from("abcdefg")


@given(st.lists(st.tuples(ids, ids), max_size=20))
def test_every_cycle_meets_one_that_is_named(links: list[tuple[str, str]]):
    found = list(topology.cycles("abcdefg", links))
    for cycle in found:
        assert cycle[0] == cycle[-1]
        assert len(set(cycle)) == len(cycle) - 1
        assert all(link in links for link in pairwise(cycle))
    named = {node for cycle in found for node in cycle}
    rest = [link for link in links if not named & set(link)]
    assert len(topology.order("abcdefg", rest)) == 7


def test_a_chain_of_any_length_works():
    chain = [str(number) for number in range(50_000)]
    links = list(pairwise(chain))
    assert topology.order(chain, reversed(links)) == chain
    assert len(topology.descendants(["0"], topology.successors(chain, links))) == 49_999
    (cycle,) = topology.cycles(chain, [*links, (chain[-1], "0")])
    assert cycle == [*chain, "0"]
