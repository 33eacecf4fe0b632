"""Adding: verbatim, once, whole batches or nothing, and retries that do no harm."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iaiflow_memory.clock import FOREVER
from iaiflow_memory.engine import Engine
from iaiflow_memory.errors import BadInput, NotFound
from iaiflow_memory.items import indexed_text
from iaiflow_memory.model import Added, New, Query, Request, Scope
from iaiflow_memory.sketch import says_same, sketch
from iaiflow_memory.terms import tokens

HERE = Scope(project="p", user="ann", thread="t")
ELSEWHERE = Scope(project="p", user="ann", thread="other")


@pytest.fixture
def engine(tmp_path):
    opened = Engine(tmp_path / "memory.duckdb")
    yield opened
    opened.close()


def told(engine) -> list[str]:
    with engine.store.read() as reader:
        return [body for (body,) in reader.rows("SELECT body FROM episodes ORDER BY seq")]


def check_statistics(engine) -> None:
    """Postings, term counts and totals are those of the texts that stand."""
    with engine.store.read() as reader:
        rows = reader.rows("SELECT n, scope, recorded_to FROM items")
        items = {n: engine_item(reader, n) for n, _, _ in rows}
        expected = {n: Counter(tokens(indexed_text(item))) for n, item in items.items()}
        found: dict[int, Counter[str]] = {n: Counter() for n in items}
        for n, term, tf in reader.rows(
            "SELECT p.n, t.term, p.tf FROM postings AS p JOIN terms AS t ON t.term_id = p.term"
        ):
            found[n][term] = tf
        assert found == expected
        stands = {n for n, _, end in rows if end == FOREVER}
        df = Counter(term for n in stands for term in expected[n])
        assert {t: c for t, c in reader.rows("SELECT term, df FROM terms") if c} == dict(df)
        docs: Counter[int] = Counter()
        length: Counter[int] = Counter()
        for n, scope, _ in rows:
            if n in stands:
                docs[scope] += 1
                length[scope] += sum(expected[n].values())
        totals = {s: (d, n) for s, d, n in reader.rows("SELECT * FROM totals") if d}
        assert totals == {scope: (docs[scope], length[scope]) for scope in docs}


def engine_item(reader, n):
    from iaiflow_memory.items import read_items

    return read_items(reader, [n])[n]


def test_what_is_told_is_kept_verbatim(engine):
    text = "  Ann said:\n\t“Tôi ở Huế” \u200b\x00 e\u0301 "
    (added,) = engine.add(HERE, [New(text, id="x", role="user", meta={"a": [1]}, run_id="r")])
    assert (added.id, added.is_new, added.same_as) == ("x", True, "")
    item = engine.get("x")
    episode = engine.episode(item.episode_id)
    assert item.body == episode.body == text
    assert (episode.role, episode.meta, episode.run_id, episode.scope) == (
        "user",
        {"a": [1]},
        "r",
        HERE,
    )


def test_every_field_comes_back(engine):
    new = New(
        "Ann likes tea",
        kind="semantic",
        subject="Ann",
        predicate="likes",
        value={"drink": ["tea", 1.5, None]},
        confidence=0.25,
        importance=1,
        valid_from=100,
        valid_to=200,
        expires_at=300,
        tags=("b", "a", "b"),
        at=150,
        source="notes.md",
    )
    (added,) = engine.add(HERE, [new])
    item = engine.history(added.id)[0]
    assert (item.kind, item.subject, item.predicate) == ("semantic", "Ann", "likes")
    assert item.value == {"drink": ["tea", 1.5, None]}
    assert (item.confidence, item.importance, item.tags) == (0.25, 1.0, ("a", "b"))
    assert (item.valid_from, item.valid_to, item.expires_at, item.at) == (100, 200, 300, 150)
    assert (item.source, item.scope, item.version, item.supersedes) == ("notes.md", HERE, 1, 0)


@pytest.mark.parametrize(
    ("new", "match"),
    [
        (New(""), "no text"),
        (New(" \n"), "no text"),
        (New("x", id=""), "id may not be empty"),
        (New("x", kind="vague"), "'vague' is not a kind"),
        (New("x", confidence=1.5), "confidence"),
        (New("x", importance=float("nan")), "importance"),
        (New("x", valid_from=5, valid_to=5), "cannot end"),
        (New("x", at=float("inf")), "not a moment"),
        (New("x", value={1, 2}), "JSON"),
        (New("x", value=float("nan")), "JSON"),
        (New("x", tags="home"), "not one text"),
        (New("x", tags=("",)), "label may not be empty"),
        (New("x\ud800"), r"U\+D800"),
        (New("x" * 1_000_001), "too many"),
        (New(None), "NoneType"),
    ],
)
def test_a_memory_that_cannot_be_used_is_refused_with_its_whole_batch(engine, new, match):
    with pytest.raises(BadInput, match=match):
        engine.add(HERE, [New("this one is fine"), new])
    assert told(engine) == []


def test_a_retry_is_answered_as_the_first_time(engine):
    news = [New("Ann lives in Hue", id="1"), New("ann lives in hue.", id="2")]
    first = engine.add(HERE, news)
    assert [one.same_as for one in first] == ["", "1"]
    assert engine.add(HERE, news) == first
    engine.forget("1")
    assert engine.add(HERE, news) == first
    assert len(told(engine)) == 2


def test_an_id_names_one_text(engine):
    engine.add(HERE, [New("Ann lives in Hue", id="1")])
    with pytest.raises(BadInput, match="belongs to another text"):
        engine.add(HERE, [New("something else"), New("Ann lives in Hanoi", id="1")])
    with pytest.raises(BadInput, match="belongs to another text"):
        engine.add(HERE, [New("tea", id="2"), New("coffee", id="2")])
    assert told(engine) == ["Ann lives in Hue"]


def test_an_id_names_a_text_of_one_scope(engine):
    engine.add(HERE, [New("Ann lives in Hue", id="1")])
    for news in ([New("Ann lives in Hue", id="1")], [New("tea", id="2"), New("x", id="1")]):
        with pytest.raises(BadInput, match="belongs to another"):
            engine.add(ELSEWHERE, news)
    adds = [{"scope": scope, "news": [New("tea", id="3")]} for scope in (HERE, ELSEWHERE, HERE)]
    answers = engine.do([Request("add", add) for add in adds])
    assert [answer.fault is None for answer in answers] == [True, False, True]
    assert "another scope" in str(answers[1].fault)
    assert [item.scope for item in engine.history("3")] == [HERE]


def test_one_refused_write_does_not_hinder_the_others(engine):
    answers = engine.do(
        [
            Request("add", {"scope": HERE, "news": [New("the first", id="1")]}),
            Request("add", {"scope": HERE, "news": [New("")]}),
            Request("add", {"scope": HERE, "news": [New("the first", id="1"), New("The first!")]}),
            Request("forget", {"memory": "nobody"}),
            Request("forget", {"memory": "1"}),
            Request("dance", {}),
            Request("add", {"scope": HERE, "news": [New("the first")]}),
        ]
    )
    assert [type(answer.fault) for answer in answers] == [
        *(type(None), BadInput, type(None), NotFound, type(None), BadInput, type(None)),
    ]
    first, again = answers[2].value
    assert first == answers[0].value[0]
    assert again.same_as == "1"
    assert answers[6].value[0].is_new  # what was forgotten may be told anew
    check_statistics(engine)


@pytest.mark.parametrize(
    ("text", "other", "is_same"),
    [
        ("The user prefers dark mode.", "user  prefers DARK mode", True),
        ("Well, Ann just moved to Hue!", "Ann moved to Hue", True),
        ("Tôi thích trà ạ", "tôi thích trà", True),
        ("Ann likes tea", "Ann likes tea?", False),
        ("Ann likes tea", "Ann does not like tea", False),
        ("Ann paid 20 dollars", "Ann paid 30 dollars", False),
        ("Ann told Bob", "Bob told Ann", False),
        ("I like C", "I like C++", False),
        ("it is 5 degrees", "it is -5 degrees", False),
        ("👍", "👎", False),
    ],
)
def test_near_duplicates_differ_in_nothing_that_matters(engine, text, other, is_same):
    first, second = engine.add(HERE, [New(text), New(other)])
    (third,) = engine.add(HERE, [New(other)])
    assert second.is_new is not is_same
    assert third.same_as == (first.id if is_same else second.id)
    assert told(engine) == [text, other, other]


LONG = (
    "On the way to the market we passed the old bridge and the small temple where the children "
    "were playing with a ball while their parents were selling fruit and flowers and bread to "
    "everybody who came along the river on that warm and quiet morning in spring"
)


@pytest.mark.parametrize(
    ("old", "new", "is_same"),
    [
        ("warm and quiet", "warm", True),
        ("that warm", "this warm", False),
        ("quiet", "calm", False),
        ("quiet", "quiet and sunny", False),
        ("fruit and flowers", "flowers and fruit", False),
        ("old bridge", "bridge", True),
        ("a ball", "2 balls", False),
        ("were playing", "were not playing", False),
        ("temple", "Temple", True),
        ("the market", "Hanoi", False),
    ],
)
def test_a_long_text_may_leave_words_out_but_say_nothing_else(engine, old, new, is_same):
    changed = LONG.replace(old, new)
    assert says_same(changed, LONG) is is_same
    engine.add(HERE, [New(LONG, id="long")])
    (added,) = engine.add(HERE, [New(changed)])
    assert added.same_as == ("long" if is_same else "")


@given(st.text(), st.text())
def test_texts_that_say_the_same_share_a_number(text, other):
    assert says_same(text, text)
    assert (sketch(text) == sketch(other)) or not says_same(text, other) or len(text.split()) > 15


def test_the_same_text_about_something_else_is_another_memory(engine):
    engine.add(HERE, [New("likes tea", subject="Ann")])
    news = [
        New("likes tea", subject="Bob"),
        New("likes tea", subject="Ann", kind="semantic"),
        New("likes tea", subject="Ann", role="user"),
        New("likes tea", subject="Ann", value=1),
        New("likes tea", subject="Ann", once=False),
    ]
    assert all(one.is_new for one in engine.add(HERE, news))
    assert all(one.is_new for one in engine.add(ELSEWHERE, [New("likes tea", subject="Ann")]))


def test_what_is_so_no_longer_may_be_told_again(engine):
    engine.add(HERE, [New("Ann is away", id="1", at=100, valid_to=200)])
    (added,) = engine.add(HERE, [New("Ann is away", at=300)])
    assert added.is_new


def test_what_was_recalled_is_not_stored_as_new_in_another_conversation(engine):
    engine.add(HERE, [New("The meeting room is on the third floor", id="1")])
    text = "the meeting room is on the THIRD floor"
    assert engine.add(ELSEWHERE, [New(text, id="2")])[0].is_new
    engine.forget("2")
    found = engine.search(Query("Where is the meeting room?", scope=Scope(project="p")))
    assert [hit.item.id for hit in found] == ["1"]
    engine.close()
    again = Engine(engine.store.path)  # it is known to the next owner, too
    (added,) = again.add(ELSEWHERE, [New(text)])
    assert (added.is_new, added.same_as) == (False, "1")
    (other,) = again.add(Scope(project="p", user="bob"), [New(text)])
    assert other.is_new
    again.close()


@pytest.mark.parametrize("end", ["valid_to", "expires_at"])
def test_what_was_recalled_and_has_ended_may_be_told_again(tmp_path, end):
    class Still:
        time = 1_000.0

        def now(self):
            return self.time

    clock = Still()
    engine = Engine(tmp_path / "memory.duckdb", clock=clock)
    engine.add(HERE, [New("The door is open", **{end: 1_100.0})])
    assert engine.search(Query("door"))
    assert not engine.add(ELSEWHERE, [New("The door is open")])[0].is_new
    clock.time = 2_000.0
    (added,) = engine.add(HERE, [New("The door is open")])
    assert added.is_new
    assert [hit.item.id for hit in engine.search(Query("door"))] == [added.id]
    engine.close()


def test_the_lines_of_a_context_are_not_stored_as_new(engine):
    engine.add(HERE, [New("The meeting room is on the third floor", id="1")])
    found = engine.context(Query("Where is the meeting room?"))
    news = [New(line) for line in found.text.splitlines() if "third floor" in line]
    assert [one.same_as for one in engine.add(ELSEWHERE, news)] == ["1"]


@pytest.mark.slow
@settings(max_examples=settings.default.max_examples // 10)
@given(st.data())
def test_the_statistics_are_those_of_the_texts_that_stand(tmp_path_factory, data):
    words = st.sampled_from(
        ["tea", "Huế", "river", "hanoi", "moved", "likes", "12", "2027-01-02", "nothing"]
    )
    texts = st.lists(words, min_size=1, max_size=6).map(" ".join)
    engine = Engine(tmp_path_factory.mktemp("memory") / "memory.duckdb")
    for _ in range(data.draw(st.integers(1, 5))):
        known = [memory for (memory,) in rows(engine, "SELECT DISTINCT id FROM items")]
        verb = data.draw(st.sampled_from(["add", "add", "supersede", "forget", "undo"]))
        if verb == "add":
            drawn = data.draw(st.lists(texts, min_size=1, max_size=5))
            scope = data.draw(st.sampled_from([HERE, ELSEWHERE]))
            engine.add(scope, [New(text) for text in drawn])
        elif known:
            memory = data.draw(st.sampled_from(sorted(known)))
            change(engine, verb, memory, data.draw(texts))
    check_statistics(engine)
    engine.close()


@pytest.mark.parametrize("remembered", [0, 3, 100])
def test_more_terms_than_are_remembered_keep_their_numbers(tmp_path, monkeypatch, remembered):
    monkeypatch.setattr("iaiflow_memory.vocabulary._REMEMBERED", remembered)
    for texts in (
        ["tea river", "tea hanoi"],
        ["Huế moved", "river likes tea"],
        ["tea 12", "hanoi"],
    ):
        engine = Engine(tmp_path / "memory.duckdb")
        for at, text in enumerate(texts):
            engine.add([HERE, ELSEWHERE][at], [New(text), New(f"{text} nothing")])
        check_statistics(engine)
        engine.close()


def rows(engine, query):
    with engine.store.read() as reader:
        return reader.rows(query)


def change(engine, verb, memory, text):
    try:
        if verb == "supersede":
            engine.supersede(memory, {"text": text})
        elif verb == "forget":
            engine.forget(memory)
        else:
            engine.undo(rows(engine, "SELECT max(batch) FROM batches")[0][0])
    except (NotFound, BadInput):
        pass


@pytest.mark.slow
@settings(max_examples=settings.default.max_examples // 10)
@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["same", "one"])), max_size=5),
        max_size=6,
    )
)
def test_any_retry_of_any_write_changes_nothing(tmp_path_factory, batches):
    engine = Engine(tmp_path_factory.mktemp("memory") / "memory.duckdb")
    answers: dict[str, Added] = {}
    for batch in batches:
        news = [New(f"text {text} {number}", id=f"{text}{number}") for number, text in batch]
        for added in engine.add(HERE, news):
            assert answers.setdefault(added.id, added) == added
    assert len(told(engine)) == len(answers)
    check_statistics(engine)
    engine.close()


def test_duckdb_is_loaded_when_a_memory_is_opened_only():
    code = "import sys, iaiflow_memory; sys.exit('duckdb' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
