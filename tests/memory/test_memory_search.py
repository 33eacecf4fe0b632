"""Search over a real file: words against a plain oracle, filters, time, explanations."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from memory_clock import START, Hand

from iaiflow_memory import few
from iaiflow_memory import search as searching
from iaiflow_memory.allowed import allowed
from iaiflow_memory.engine import Engine
from iaiflow_memory.errors import BadInput
from iaiflow_memory.explain import explain
from iaiflow_memory.model import AsOf, Hit, New, Query, Scope
from iaiflow_memory.terms import query_tokens, tokens

WORDS = ("river", "boat", "paint", "tea", "music", "garden", "chợ", "cho", "2023-05-07")


def tell(engine: Engine, *texts: str, scope: Scope | None = None, **more: object) -> list[str]:
    news = [New(text, once=False, **more) for text in texts]
    return [added.id for added in engine.add(scope or Scope(), news)]


def ask(engine: Engine, text: str, **limits: object) -> list[Hit]:
    clock = engine.store.clock
    clock.time += 1  # what was told is the past
    return engine.search(Query(text, **limits))


def bodies(hits: list[Hit]) -> list[str]:
    return [hit.item.body for hit in hits]


def oracle(texts: list[str], question: str) -> dict[int, float]:
    """BM25, written down once more and plainly."""
    docs = [tokens(text) for text in texts]
    mean = sum(map(len, docs)) / len(docs)
    scores: dict[int, float] = {}
    for at, doc in enumerate(docs):
        counted = Counter(doc)
        for term in query_tokens(question):
            df = sum(term in other for other in docs)
            if term in counted:
                tf = counted[term]
                idf = math.log(1 + max(0.5, len(docs) - df + 0.5) / (df + 0.5))
                long = 1 - searching.B + searching.B * len(doc) / mean
                gain = tf * (searching.K1 + 1) / (tf + searching.K1 * long)
                scores[at] = scores.get(at, 0.0) + idf * gain
    return scores


TEXTS = st.lists(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join), min_size=1, max_size=8
)


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(texts=TEXTS, question=st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join))
def test_words_are_scored_as_bm25_is_written_down(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], question: str
) -> None:
    engine = Engine(tmp_path_factory.mktemp("bm25") / "memory.duckdb", clock=Hand())
    try:
        tell(engine, *texts, kind="semantic")
        query = Query(question)
        with engine.store.read() as reader:
            seen = allowed(reader, query, START + 1)
            found = searching.words_of(reader, searching.terms_of(question), seen)
        rows = sorted(found.rows)
        expected = oracle(texts, question)
        first = 1 if not rows else min(rows) - min(expected)
        assert {n - first: score for n, score in found.rows.items()} == pytest.approx(expected)
    finally:
        engine.close()


def test_vietnamese_is_found_however_it_is_typed(engine: Engine) -> None:
    tell(engine, "Tôi thích uống cà phê sữa đá ở Đà Nẵng", "Mẹ tôi trồng hoa hồng", "The weather")
    for question in ("ca phe", "cà phê", "CÀ PHÊ", "Da Nang", "đà nẵng"):
        assert bodies(ask(engine, question))[0].startswith("Tôi thích uống")


def test_the_right_diacritics_come_first(engine: Engine) -> None:
    tell(engine, "ban công nhà tôi", "cái bàn nhà tôi", "bạn nhà tôi", kind="semantic")
    assert bodies(ask(engine, "bàn"))[0] == "cái bàn nhà tôi"


def test_another_form_of_the_word_is_found(engine: Engine) -> None:
    tell(engine, "We adopted two children", "We sold a boat")
    assert bodies(ask(engine, "child adoption"))[0] == "We adopted two children"


def test_an_answer_comes_with_its_question(engine: Engine) -> None:
    tell(
        engine,
        "Where did you grow up?",
        "In a village near the sea",
        "Nice",
        scope=Scope(thread="a"),
    )
    tell(engine, "I like tea", "Me too", scope=Scope(thread="b"))
    hits = ask(engine, "where did she grow up")
    assert bodies(hits)[:2] == ["Where did you grow up?", "In a village near the sea"]
    assert "answers" in hits[1].parts
    assert [item.body for item in hits[1].near] == ["Where did you grow up?", "Nice"]


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("Which hobbies does she have?", "On Sunday we went hiking in the hills"),
        ("What pets are there?", "Our kitten sleeps all day"),
        ("thú cưng", "Nhà tôi có một con chó tên là Mực"),
        ("nhạc cụ", "Cô ấy đánh trống rất hay"),
    ],
)
def test_a_kind_finds_what_is_of_it(engine: Engine, question: str, found: str) -> None:
    tell(
        engine,
        "On Sunday we went hiking in the hills",
        "Our kitten sleeps all day",
        "Nhà tôi có một con chó tên là Mực",
        "Cô ấy đánh trống rất hay",
        "The budget was approved",
        kind="semantic",
    )
    (hit,) = ask(engine, question)
    assert hit.item.body == found
    assert "of a kind" in explain(hit)


def test_the_word_itself_comes_before_what_is_of_its_kind(engine: Engine) -> None:
    tell(engine, "Our kitten sleeps all day", "The pet shop is closed", kind="semantic")
    assert bodies(ask(engine, "pets"))[0] == "The pet shop is closed"


def test_only_what_the_scope_holds_is_found(engine: Engine) -> None:
    anna, ben = Scope(project="p", user="anna"), Scope(project="p", user="ben")
    tell(engine, "tea with anna", scope=anna)
    tell(engine, "tea with ben", scope=ben)
    tell(engine, "tea of nobody")
    assert bodies(ask(engine, "tea", scope=anna)) == ["tea with anna"]
    assert len(ask(engine, "tea", scope=Scope(project="p"))) == 2
    assert len(ask(engine, "tea", scope=anna, everywhere=True)) == 3
    assert ask(engine, "tea", scope=Scope(user="nobody else")) == []


def test_who_speaks_elsewhere_changes_nothing_here(engine: Engine) -> None:
    anna, bert = Scope(user="anna"), Scope(user="bert")
    tell(engine, "python has lists", "shopping lists", kind="semantic", scope=anna)
    before = bodies(ask(engine, "python", scope=anna))
    tell(engine, "Nice", kind="semantic", role="python", scope=bert)
    assert bodies(ask(engine, "python lists", scope=anna, limit=1)) == before


def test_only_these_kinds_labels_and_subjects_are_found(engine: Engine) -> None:
    tell(engine, "tea is green", kind="semantic", subject="tea", tags=("drink", "green"))
    tell(engine, "tea at five", tags=("drink",))
    assert bodies(ask(engine, "tea", kinds=("semantic",))) == ["tea is green"]
    assert bodies(ask(engine, "tea", tags=("drink", "green"))) == ["tea is green"]
    assert len(ask(engine, "tea", tags=("drink",))) == 2
    assert bodies(ask(engine, "tea", subject="tea")) == ["tea is green"]
    assert ask(engine, "tea", tags=("other",)) == []


def test_what_is_expired_or_forgotten_is_not_found(engine: Engine, clock: Hand) -> None:
    tell(engine, "tea for a day", expires_at=START + 86_400)
    (gone,) = tell(engine, "tea to forget")
    assert len(ask(engine, "tea")) == 2
    engine.forget(gone)
    assert bodies(ask(engine, "tea")) == ["tea for a day"]
    clock.time = START + 86_401
    assert ask(engine, "tea") == []


def test_the_past_is_searched_as_it_stood(engine: Engine, clock: Hand) -> None:
    (price,) = tell(engine, "The price of tea is ten", kind="semantic")
    clock.time = START + 100
    engine.supersede(price, {"text": "The price of tea is twelve"})
    assert bodies(ask(engine, "price of tea")) == ["The price of tea is twelve"]
    before = AsOf(valid=START + 50, recorded=START + 50)
    assert bodies(ask(engine, "price of tea", as_of=before)) == ["The price of tea is ten"]
    assert ask(engine, "price of tea", as_of=AsOf(recorded=START - 1)) == []


@pytest.mark.parametrize("is_large", [False, True])
def test_words_that_nothing_has_any_more_are_found_in_the_past(
    engine: Engine, clock: Hand, monkeypatch: pytest.MonkeyPatch, is_large: bool
) -> None:
    if is_large:
        monkeypatch.setattr(searching, "LARGE", 0)
    moved, gone = tell(engine, "Anna lives in Hanoi", "Minh sells kites", scope=Scope(user="a"))
    tell(engine, *(f"note {number}" for number in range(20)), scope=Scope(user="b"))
    clock.time += 10
    then = AsOf(recorded=clock.time)
    clock.time += 10
    engine.supersede(moved, {"text": "Anna lives in Hue"})
    engine.forget(gone)
    assert bodies(ask(engine, "Hanoi", as_of=then, limit=1)) == ["Anna lives in Hanoi"]
    assert bodies(ask(engine, "kites Anna", as_of=then, limit=1)) == ["Minh sells kites"]
    assert bodies(ask(engine, "Hanoi")) == bodies(ask(engine, "kites")) == []
    assert ask(engine, "Hanoi note")[0].item.body.startswith("note")


@pytest.mark.parametrize("most", [few.MOST, 0])
def test_a_rare_word_that_only_others_have_hides_no_frequent_one(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(searching, "LARGE", 0)
    monkeypatch.setattr(few, "MOST", most)
    tell(engine, *(f"tea {number}" for number in range(20)), scope=Scope(user="a"))
    tell(engine, "a zither", "nothing", scope=Scope(user="b"))
    assert bodies(ask(engine, "zither tea", scope=Scope(user="a"), limit=20))
    assert bodies(ask(engine, "zither tea", limit=1)) == ["a zither"]
    assert ask(engine, "zither", scope=Scope(user="a")) == []


def test_the_past_is_found_when_nothing_stands_any_more(engine: Engine, clock: Hand) -> None:
    (only,) = tell(engine, "Anna lives in Hanoi")
    clock.time += 10
    then = AsOf(recorded=clock.time)
    clock.time += 10
    engine.forget(only)
    assert bodies(ask(engine, "Where is Hanoi?", as_of=then)) == ["Anna lives in Hanoi"]
    assert ask(engine, "Hanoi") == []


def test_a_time_between_moments_is_searched(engine: Engine) -> None:
    tell(engine, "tea in winter", valid_from=100.0, valid_to=200.0)
    tell(engine, "tea in summer", valid_from=300.0, valid_to=400.0)
    assert bodies(ask(engine, "tea", since=100.0, until=250.0)) == ["tea in winter"]
    assert bodies(ask(engine, "tea", since=200.0)) == ["tea in summer"]
    assert len(ask(engine, "tea", since=0.0)) == 2
    assert ask(engine, "tea") == []  # neither is so now
    assert bodies(ask(engine, "tea", as_of=AsOf(valid=350.0))) == ["tea in summer"]


def test_without_words_the_newest_come_first(engine: Engine) -> None:
    for n in range(5):
        tell(engine, f"note {n}", at=START - 100 + n)
    assert bodies(ask(engine, " ", limit=2)) == ["note 4", "note 3"]


def test_a_question_without_known_words_finds_nothing(engine: Engine) -> None:
    assert ask(engine, "anything") == []  # an empty memory
    tell(engine, "tea")
    assert ask(engine, "zebra") == []
    assert ask(engine, "?!") == []


@pytest.mark.parametrize("limit", [0, -1, 2**63])
def test_a_limit_that_is_none_is_refused(engine: Engine, limit: int) -> None:
    for text in ("tea", ""):
        with pytest.raises(BadInput, match="limit"):
            ask(engine, text, limit=limit)
    with pytest.raises(BadInput, match="limit"):
        engine.unread("model", Scope(), limit)
    with pytest.raises(BadInput, match="limit"):
        engine.pending("model", limit)


def test_an_explanation_names_every_part(engine: Engine) -> None:
    tell(engine, "Do you like tea?", "Green tea, on 7 May 2023", role="Ann", importance=0.9)
    hit = ask(engine, "Which tea did Ann like in May 2023?")[0]
    told = explain(hit)
    assert hit.terms
    assert all(term in told for term in hit.terms)
    assert told.count("\n") == len(hit.parts)
    assert f"{hit.score:.2f}" in told


def test_a_large_memory_leaves_out_terms_that_everything_has(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "LARGE", 5)
    tell(engine, *(f"tea number {n}" for n in range(20)), "tea and music", kind="semantic")
    assert bodies(ask(engine, "tea music")) == ["tea and music"]
    assert len(ask(engine, "tea", limit=30)) == 21  # nothing rarer is asked for


def test_what_was_found_is_not_stored_again(engine: Engine) -> None:
    tell(engine, "Anna drinks green tea every day at five")
    (hit,) = ask(engine, "green tea")
    (again,) = engine.add(Scope(), [New(hit.item.body)])
    assert not again.is_new
