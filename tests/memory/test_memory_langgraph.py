"""A memory as a store of LangGraph, and conditions on values."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iaiflow_memory import BadInput, Memory
from iaiflow_memory.conditions import fits
from iaiflow_memory.desk import answer

pytest.importorskip("langgraph", reason="the extra `langgraph` is not installed")

from langgraph.store.base import GetOp, PutOp, SearchOp

from iaiflow_memory.langgraph import MemoryStore


@pytest.fixture
def memory(place: Path) -> Iterator[Memory]:
    with Memory(place, serve=True) as found:
        yield found


@pytest.fixture
def store(memory: Memory) -> MemoryStore:
    return MemoryStore(memory)


def keys(found) -> list[str]:
    return [item.key for item in found]


def test_an_entry_is_put_changed_and_deleted(store: MemoryStore, memory: Memory) -> None:
    place = ("users", "anna")
    store.put(place, "food", {"likes": "pho"})
    first = store.get(place, "food")
    assert (first.value, first.key, first.namespace) == ({"likes": "pho"}, "food", place)
    store.put(place, "food", {"likes": "banh mi"})
    second = store.get(place, "food")
    assert second.value == {"likes": "banh mi"}
    assert second.created_at == first.created_at
    assert second.updated_at > first.updated_at
    store.delete(place, "food")
    store.delete(place, "food")
    assert store.get(place, "food") is None
    assert store.search(("users",)) == []
    assert store.list_namespaces() == []
    store.put(place, "food", {"likes": "pho"})
    third = store.get(place, "food")
    assert third.value == {"likes": "pho"}
    assert third.created_at > first.created_at
    assert memory.stats().memories == 1


def test_entries_of_one_text_stay_apart(store: MemoryStore) -> None:
    for key in ("a", "b"):
        store.put(("one",), key, {"text": "the same words"})
        store.put(("two",), key, {"text": "the same words"})
    assert sorted(keys(store.search(("one",)))) == ["a", "b"]
    assert len(store.search(())) == 4


def test_namespaces_are_prefixes_of_parts_not_of_letters(store: MemoryStore) -> None:
    store.put(("team", "a"), "k", {"n": 1})
    store.put(("team", "ab"), "k", {"n": 2})
    store.put(("teams",), "k", {"n": 3})
    assert [item.value["n"] for item in store.search(("team", "a"))] == [1]
    assert len(store.search(("team",))) == 2
    assert store.search(("nobody",)) == []
    assert store.list_namespaces() == [("team", "a"), ("team", "ab"), ("teams",)]
    assert store.list_namespaces(prefix=("team", "*")) == [("team", "a"), ("team", "ab")]
    assert store.list_namespaces(suffix=("ab",)) == [("team", "ab")]
    assert store.list_namespaces(max_depth=1) == [("team",), ("teams",)]
    assert store.list_namespaces(limit=1, offset=1) == [("team", "ab")]


def test_a_query_ranks_and_a_filter_limits(store: MemoryStore) -> None:
    store.put(("docs",), "cat", {"text": "cats sleep all day", "price": 5})
    store.put(("docs",), "dog", {"text": "dogs bark at cats", "price": 50})
    store.put(("docs",), "car", {"text": "engines and wheels", "price": 5_000})
    found = store.search(("docs",), query="which cats sleep?")
    assert keys(found)[0] == "cat"
    assert "car" not in keys(found)
    assert found[0].score > found[1].score
    assert keys(store.search(("docs",), query="cats", filter={"price": {"$gt": 10}})) == ["dog"]
    either = {"$or": [{"price": {"$lt": 10}}, {"price": {"$gt": 1_000}}]}
    assert sorted(keys(store.search(("docs",), filter=either))) == ["car", "cat"]


def test_pages_are_the_newest_first(store: MemoryStore) -> None:
    for number in range(5):
        store.put(("n",), str(number), {"number": number})
    assert keys(store.search(("n",), limit=2)) == ["4", "3"]
    assert keys(store.search(("n",), limit=2, offset=2)) == ["2", "1"]
    store.put(("n",), "0", {"number": 10})
    assert keys(store.search(("n",), limit=1)) == ["0"]


def test_entries_that_are_more_than_an_answer_holds_are_searched(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(20):
        store.put(("big", str(number)), "k", {"text": f"word{number} " + "lorem " * 1_000})
    answers = []

    def answered(door, data, **rest):
        answers.append(len(said := answer(door, data, **rest)))
        return said

    monkeypatch.setattr("iaiflow_memory.desk.LARGEST", 100_000)
    monkeypatch.setattr("iaiflow_memory.owner.answer", answered)
    with Memory(store._memory.place) as guest:
        other = MemoryStore(guest)
        assert len(other.search(("big",), limit=3)) == 3
        assert len(other.list_namespaces()) == 20
        (found,) = other.search(("big",), query="word7", limit=1)
        assert found.namespace == ("big", "7")
    assert max(answers) < 100_000


def test_looking_through_entries_is_no_use_of_them(store: MemoryStore, memory: Memory) -> None:
    store.put(("d",), "k", {"text": "the meeting is at noon"})
    assert store.search(("d",))
    assert store.list_namespaces()
    assert memory.add("the meeting is at noon").is_new


def test_a_filter_is_met_by_entries_far_behind(store: MemoryStore) -> None:
    for number in range(120):
        store.put(("d",), str(number), {"text": "cats", "n": number})
    found = store.search(("d",), query="cats", filter={"n": {"$lt": 5}}, limit=10)
    assert sorted(item.value["n"] for item in found) == [0, 1, 2, 3, 4]
    pages = [store.search(("d",), query="cats", limit=30, offset=at) for at in (0, 30, 60, 90)]
    assert len({item.key for page in pages for item in page}) == 120


def test_what_is_indexed_is_searched(store: MemoryStore) -> None:
    store.put(("d",), "all", {"title": "zebra", "body": "giraffe"})
    store.put(("d",), "one", {"title": "lion", "body": "tiger"}, index=["title"])
    store.put(("d",), "none", {"title": "eagle"}, index=False)
    assert keys(store.search(("d",), query="giraffe")) == ["all"]
    assert keys(store.search(("d",), query="lion")) == ["one"]
    assert store.search(("d",), query="tiger") == []
    assert store.search(("d",), query="eagle") == []
    assert store.get(("d",), "none").value == {"title": "eagle"}


def test_an_entry_expires_unless_it_is_read(store: MemoryStore, memory: Memory) -> None:
    store.put(("t",), "short", {"n": 1}, ttl=0.0001)
    store.put(("t",), "long", {"n": 2}, ttl=60)
    deadline = time.monotonic() + 60
    while store.search(("t",), refresh_ttl=False, filter={"n": 1}):
        assert time.monotonic() < deadline
    assert store.get(("t",), "short") is None
    (before,) = memory.search("")
    assert store.get(("t",), "long", refresh_ttl=False).value == {"n": 2}
    assert memory.search("")[0].item.expires_at == before.item.expires_at
    assert store.get(("t",), "long").value == {"n": 2}
    assert memory.search("")[0].item.expires_at > before.item.expires_at
    store.put(("t",), "short", {"n": 1})
    assert store.get(("t",), "short").value == {"n": 1}


def test_a_batch_reads_before_it_writes_and_keeps_the_last(store: MemoryStore) -> None:
    place = ("b",)
    ops = [
        PutOp(place, "k", {"n": 1}),
        GetOp(place, "k"),
        PutOp(place, "k", {"n": 2}),
        SearchOp(place),
    ]
    assert store.batch(ops) == [None, None, None, []]
    assert store.get(place, "k").value == {"n": 2}


def test_many_tasks_share_a_store(store: MemoryStore) -> None:
    async def work() -> None:
        await asyncio.gather(*(store.aput(("a",), str(n % 4), {"n": n}) for n in range(12)))
        assert len(await store.asearch(("a",))) == 4
        assert (await store.aget(("a",), "3")).value["n"] % 4 == 3

    asyncio.run(work())


def test_scopes_have_stores_of_their_own(memory: Memory) -> None:
    anna, bert = (MemoryStore(memory.scoped(user=name)) for name in ("anna", "bert"))
    anna.put(("p",), "k", {"who": "anna"})
    bert.put(("p",), "k", {"who": "bert"})
    assert anna.get(("p",), "k").value == {"who": "anna"}
    assert [item.value["who"] for item in bert.search(())] == ["bert"]
    everybody = MemoryStore(memory)
    assert everybody.get(("p",), "k") is None
    assert everybody.search(()) == everybody.search((), query="anna") == []
    assert everybody.list_namespaces() == []


def test_an_entry_that_was_forgotten_may_be_put_again(store: MemoryStore, memory: Memory) -> None:
    for times in range(1, 4):
        store.put(("p",), "k", {"who": "anna"})
        assert store.get(("p",), "k").value == {"who": "anna"}
        (hit,) = memory.search("anna")
        memory.forget(hit.item.id)
        assert store.get(("p",), "k") is None, times
    store.put(("p",), "k", {"who": "bert"})
    assert [item.value["who"] for item in store.search(("p",))] == ["bert"]


@pytest.mark.parametrize(
    ("wanted", "is_so"),
    [
        ({}, True),
        ({"n": 5}, True),
        ({"n": 6}, False),
        ({"n": {"$ne": 6}}, True),
        ({"n": {"$gte": 5, "$lt": 6}}, True),
        ({"n": {"$gt": "4"}}, False),
        ({"day": {"$gt": "2026-01-01"}}, True),
        ({"missing": {"$ne": 1}}, True),
        ({"missing": {"$lt": 1}}, False),
        ({"missing": None}, True),
        ({"deep": {"inner": {"$eq": "x"}}}, True),
        ({"deep": {"inner": "y"}}, False),
        ({"deep.inner": "x"}, True),
        ({"deep.inner.more": "x"}, False),
        ({"a.b": {"$gt": 0}}, True),
        ({"list": ["a", {"$ne": "c"}]}, True),
        ({"list": ["a"]}, False),
        ({"$and": [{"n": 5}, {"day": {"$lt": "2027"}}]}, True),
        ({"$and": [{"n": 5}, {"n": 6}]}, False),
        ({"$or": [{"n": 6}, {"n": 5}]}, True),
        ({"$or": []}, False),
        ({"n": {"$or": [{"$lt": 1}, {"$gt": 4}]}}, True),
        ({"$or": [{"n": 6}, {"$and": [{"n": 5}, {"deep": {"inner": "x"}}]}], "n": 5}, True),
    ],
)
def test_conditions(wanted: dict, is_so: bool) -> None:
    value = {"n": 5, "day": "2026-11-23", "deep": {"inner": "x"}, "list": ["a", "b"]} | {"a.b": 1}
    assert fits(value, wanted) is is_so


@pytest.mark.parametrize("wanted", [{"$near": 1}, {"n": {"$regex": "x"}}, {"$or": {"n": 1}}])
def test_conditions_that_cannot_be_read_are_refused(wanted: dict) -> None:
    with pytest.raises(BadInput):
        fits({"n": 1}, wanted)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("abc", min_size=1, max_size=3), inner, max_size=3)
    ),
)


@given(json_values)
def test_a_value_fits_itself(value: object) -> None:
    assert fits(value, value)
    assert fits(value, {"$eq": value})
    assert not fits(value, {"$ne": value})
