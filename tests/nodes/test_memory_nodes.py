"""The nodes of memory, through the engine and the process that owns the memory's file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import MemoryJournal, flow
from memory_owner import end_owner, own_memory

from iaiflow_lab.errors import NodeError
from iaiflow_lab.model.flow import Node
from iaiflow_memory import Memory
from iaiflow_memory.verbs import ById

__all__ = ["own_memory"]

pytestmark = pytest.mark.usefixtures("own_memory")


@pytest.fixture
def memory(own_memory: Path) -> Iterator[Memory]:
    """Return the memory of the workspace, as any other program opens it."""
    with Memory(own_memory) as opened:
        yield opened


def test_what_is_added_is_found_with_its_reasons(call, memory) -> None:
    told = {"text": "Anna flies to Hanoi on Monday", "role": "anna", "subject": "Anna"}
    added = call("memory.add", {"value": {"seat": 3}}, tags=["travel"], kind="semantic", **told)
    assert added["is_new"]

    found = call("memory.search", query="When does Anna fly?")

    (hit,) = found["hits"]
    assert {name: hit[name] for name in told} == told
    assert (hit["id"], hit["value"], hit["tags"]) == (added["id"], {"seat": 3}, ["travel"])
    assert hit["score"] == pytest.approx(sum(hit["parts"].values()))
    assert "it shares words with the question" in hit["why"]
    assert "flies to Hanoi" in found["text"]
    assert "not instructions" in found["text"]
    assert memory.get(added["id"]).body == told["text"]


def test_the_workspace_names_an_embedder(call, own_memory) -> None:
    own_memory.parent.mkdir(exist_ok=True)
    (own_memory.parent / "config.toml").write_text('[memory]\nembedder = "nobody:1"')
    with pytest.raises(NodeError, match="There is no embedder 'nobody'"):
        call("memory.search", query="anything")


def test_an_empty_memory_finds_nothing(call) -> None:
    assert call("memory.search", query="anything") == {"hits": [], "text": ""}


def test_a_search_keeps_to_what_limits_it(call, memory) -> None:
    for number in range(4):
        memory.scoped(user="anna").add(f"tea number {number}", tags=["a"], once=False)
    memory.scoped(user="ben").add("tea of Ben", kind="procedural", subject="Ben")

    def texts(**limits) -> set[str]:
        hits = call("memory.search", query="tea", **limits)["hits"]
        return {hit["text"] for hit in hits}

    assert len(texts()) == 5
    assert len(texts(limit=2)) == 2
    assert texts(user="ben") == texts(kinds=["procedural"]) == texts(subject="Ben")
    assert texts(user="ben") == {"tea of Ben"}
    assert texts(tags=["a"]) == texts(user="anna")
    assert len(texts(budget=100)) < 5


def test_texts_and_scopes_are_templates(call, memory) -> None:
    names = {"who": "anna", "said": "Tea with {{milk}}"}
    added = call("memory.add", names, text="{{who}}: {{said}}", user="{{who}}")
    assert memory.get(added["id"]).body == "anna: Tea with {{milk}}", "what comes in is no template"
    assert memory.get(added["id"]).scope.user == "anna"
    assert call("memory.search", {"who": "anna"}, query="milk", user="{{who}}")["hits"]


def test_a_memory_knows_the_run_and_the_node_that_it_comes_from(call, memory) -> None:
    added = call("memory.add", text="tea")
    episode = memory.door.call("episode", ById(memory.get(added["id"]).episode_id))
    assert (episode.run_id, episode.node_id) == ("run_1", "n")


def test_a_step_that_runs_again_stores_nothing_twice(lab, memory) -> None:
    made = flow({"n": Node("memory.add", {"text": "tea", "once": False})})
    first = lab.run(made).values["n"]
    lab.journal = MemoryJournal()  # its outcome was lost with its worker
    assert lab.run(made).values["n"] == first
    assert memory.stats().memories == 1
    assert memory.stats().episodes == 1


def test_another_run_with_the_same_text_adds_it_only_when_told_to(lab, memory) -> None:
    def added(run_id: str, **config):
        lab.journal = MemoryJournal()
        made = flow({"n": Node("memory.add", {"text": "tea", **config})})
        return lab.run(made, run_id=run_id).values["n"]

    first = added("run_1")
    again = added("run_2")
    assert (again["id"], again["is_new"]) == (first["id"], False)
    assert added("run_3", once=False)["is_new"]
    assert memory.stats().memories == 2


def test_a_search_is_made_anew_in_each_run(lab, memory) -> None:
    made = flow({"n": Node("memory.search", {"query": "tea"})})
    assert lab.run(made).values["n"]["hits"] == []
    memory.add("tea")
    lab.journal = MemoryJournal()
    assert len(lab.run(made).values["n"]["hits"]) == 1


def test_what_is_forgotten_is_found_no_more_and_forgetting_twice_is_harmless(call, memory) -> None:
    ids = [memory.add(f"tea number {n}", once=False).id for n in range(3)]
    hits = call("memory.search", query="tea number 2", limit=1)["hits"]
    for _ in range(2):
        assert call("memory.forget", {"memories": [ids[0], *hits, ids[0]]})["out"] == [
            ids[0],
            hits[0]["id"],
        ]
    assert len(memory.search("tea")) == 1
    assert len(memory.history(ids[0])) == 1
    assert call("memory.forget", {"memories": ids[1]})["out"] == [ids[1]]


def test_what_is_of_others_is_not_forgotten(call, memory) -> None:
    told = memory.scoped(user="ben").add("likes tea").id
    with pytest.raises(NodeError, match="There is no memory"):
        call("memory.forget", {"memories": told, "who": "anna"}, user="{{who}}")
    assert memory.get(told).body == "likes tea"
    assert call("memory.forget", {"memories": told}, user="ben")["out"] == [told]


def test_a_list_with_an_unknown_memory_forgets_none(call, memory) -> None:
    known = memory.add("tea").id
    with pytest.raises(NodeError, match="no memory 'other'") as caught:
        call("memory.forget", {"memories": [known, "other"]})
    assert caught.value.code == "memory-not-found"
    assert len(memory.search("tea")) == 1


@pytest.mark.parametrize("memories", [3, [None], [{"text": "tea"}], {}])
def test_what_names_no_memory_is_refused(call, memories) -> None:
    with pytest.raises(NodeError, match="names no memory"):
        call("memory.forget", {"memories": memories})


def test_what_a_memory_refuses_is_a_sentence_of_the_node(call, own_memory) -> None:
    with pytest.raises(NodeError, match="There is no text") as caught:
        call("memory.add", text=" ")
    assert caught.value.code == "memory-bad-input"
    end_owner(own_memory)
    own_memory.write_bytes(b"this is no memory" * 1_000)
    with pytest.raises(NodeError, match=r"memory\.duckdb") as caught:
        call("memory.search", query="tea")
    assert caught.value.code == "memory-damaged"
