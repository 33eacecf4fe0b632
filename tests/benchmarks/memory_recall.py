"""How often memory finds the turns of long conversations that answer a question.

    python -m tests.benchmarks.memory_recall PATH.json [--embedder minilm]

PATH is a file in the format of LoCoMo (github.com/snap-research/locomo): conversations of many
sessions, and questions with the turns that answer them. Every turn is added to a memory as it was
said (with the caption of a picture that was shown), each session is a thread, each conversation a
memory of its own. A question is searched as it stands. The last line is one JSON object: figures
without an embedder, and below "with EMBEDDER" those with one.

Weights were chosen on two conversations (TUNED); "held out" has the others.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

from iaiflow_memory import BadInput, Memory, New
from iaiflow_memory.embed import Embedder, embedder

#: The conversations that the weights were chosen on.
TUNED = ("conv-26", "conv-30")
#: What LoCoMo's numbers of categories mean.
CATEGORIES = {1: "multi-hop", 2: "temporal", 3: "open-domain", 4: "single-hop", 5: "adversarial"}
_DATE = "%I:%M %p on %d %B, %Y"


@dataclass(frozen=True)
class Turn:
    """Something that was said."""

    id: str
    session: str
    at: float
    speaker: str
    text: str


@dataclass(frozen=True)
class Asked:
    """A question and the turns that answer it."""

    text: str
    category: str
    gold: frozenset[str]


@dataclass(frozen=True)
class Conversation:
    """Turns and questions about them."""

    name: str
    turns: tuple[Turn, ...]
    questions: tuple[Asked, ...]


@dataclass(frozen=True)
class Answered:
    """What was found for a question."""

    conversation: str
    category: str
    #: For each of the ten best turns, whether it answers the question.
    hits: tuple[bool, ...]
    #: How many turns answer it.
    gold: int
    #: Whether one of the ten best is of a session that answers it.
    session_hit: bool
    seconds: float


def read(path: Path) -> list[Conversation]:
    """Return the conversations of a file; questions without a turn that exists are left out."""
    return [_conversation(one) for one in json.loads(path.read_text(encoding="utf-8"))]


def _conversation(told: Mapping[str, Any]) -> Conversation:
    sessions = told["conversation"]
    numbers = sorted(
        int(found[1]) for key in sessions if (found := re.fullmatch(r"session_(\d+)", key))
    )
    turns = [
        Turn(
            id=turn["dia_id"],
            session=f"session_{number}",
            at=_moment(sessions[f"session_{number}_date_time"]),
            speaker=turn["speaker"],
            text=" ".join(filter(None, (turn["text"], turn.get("blip_caption")))),
        )
        for number in numbers
        for turn in sessions[f"session_{number}"] or ()
    ]
    known = {turn.id for turn in turns}
    asked = (
        Asked(
            str(question["question"]),
            CATEGORIES.get(question["category"], "other"),
            frozenset(_ids(question.get("evidence", ()))) & known,
        )
        for question in told["qa"]
    )
    return Conversation(
        str(told.get("sample_id", "")), tuple(turns), tuple(one for one in asked if one.gold)
    )


def _moment(text: str) -> float:
    return datetime.strptime(text, _DATE).replace(tzinfo=UTC).timestamp()


def _ids(evidence: Iterable[str]) -> Iterable[str]:
    return (part.strip() for one in evidence for part in re.split("[;,]", one))


def answer(conversations: Iterable[Conversation], model: Embedder | None) -> list[Answered]:
    """Return what is found for every question."""
    found: list[Answered] = []
    for conversation in conversations:
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder, "memory.duckdb")
            with Memory(place, project=conversation.name, embedder=model, serve=True) as memory:
                _tell(memory, conversation)
                found += [_ask(memory, conversation, asked) for asked in conversation.questions]
    return found


def _tell(memory: Memory, conversation: Conversation) -> None:
    sessions: defaultdict[str, list[New]] = defaultdict(list)
    for turn in conversation.turns:
        sessions[turn.session].append(
            New(turn.text, id=turn.id, role=turn.speaker, at=turn.at, once=False)
        )
    for session, news in sessions.items():
        memory.scoped(thread=session).add(news)
    if memory._embedding is not None:
        memory._embedding.wait()


def _ask(memory: Memory, conversation: Conversation, asked: Asked) -> Answered:
    begun = perf_counter()
    hits = memory.search(asked.text, limit=10)
    seconds = perf_counter() - begun
    sessions = {turn.session for turn in conversation.turns if turn.id in asked.gold}
    return Answered(
        conversation=conversation.name,
        category=asked.category,
        hits=tuple(hit.item.id in asked.gold for hit in hits),
        gold=len(asked.gold),
        session_hit=any(hit.item.scope.thread in sessions for hit in hits),
        seconds=seconds,
    )


def figures(answers: list[Answered]) -> dict[str, float]:
    """Return the figures over some questions; seconds as milliseconds."""
    if not answers:
        return {}
    times = sorted(one.seconds * 1_000 for one in answers)
    rates = {
        "recall@5": statistics.mean(sum(one.hits[:5]) / one.gold for one in answers),
        "recall@10": statistics.mean(sum(one.hits) / one.gold for one in answers),
        "hit@10": statistics.mean(any(one.hits) for one in answers),
        "NDCG@10": statistics.mean(map(_ndcg, answers)),
        "session_hit@10": statistics.mean(one.session_hit for one in answers),
    }
    return {
        "questions": len(answers),
        **{name: round(value, 4) for name, value in rates.items()},
        "p50_ms": round(times[len(times) // 2], 2),
        "p99_ms": round(times[int(len(times) * 0.99)], 2),
    }


def _ndcg(one: Answered) -> float:
    gained = sum(1 / math.log2(at + 2) for at, hit in enumerate(one.hits) if hit)
    return gained / sum(1 / math.log2(at + 2) for at in range(min(10, one.gold)))


def summary(answers: list[Answered]) -> dict[str, Any]:
    """Return the figures over all questions, and apart by conversation and category."""
    conversations = list(dict.fromkeys(one.conversation for one in answers))
    return {
        **figures(answers),
        "tuned_on": figures([one for one in answers if one.conversation in TUNED]),
        "held_out": figures([one for one in answers if one.conversation not in TUNED]),
        "conversations": {
            name: figures([one for one in answers if one.conversation == name])
            for name in conversations
        },
        "categories": {
            name: figures([one for one in answers if one.category == name])
            for name in CATEGORIES.values()
        },
    }


def show(name: str, found: Mapping[str, Any]) -> None:
    """Print figures as a table."""
    groups = {"all": found, "tuned on": found["tuned_on"], "held out": found["held_out"]}
    print(f"\n{name}")
    for label, group in {**groups, **found["categories"]}.items():
        if group:
            told = "  ".join(f"{key} {group[key]:.3f}" for key in ("recall@5", "recall@10"))
            rest = f"NDCG@10 {group['NDCG@10']:.3f}  p50 {group['p50_ms']:.1f} ms"
            print(f"  {label:12} {group['questions']:5}  {told}  {rest}")


def installed(spec: str) -> Embedder | None:
    """Return an embedder, or None if it cannot be used here."""
    try:
        return embedder(spec)
    except BadInput as problem:
        print(f"without {spec}: {problem}")
        return None


def main() -> None:
    """Measure without and with an embedder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path, help="a file in LoCoMo's format")
    parser.add_argument("--embedder", default="minilm", help="KIND:MODEL, or nothing")
    asked = parser.parse_args()
    conversations = read(asked.path)
    result = summary(answer(conversations, None))
    show("without an embedder", result)
    if asked.embedder and (model := installed(asked.embedder)):
        result[f"with {asked.embedder}"] = found = summary(answer(conversations, model))
        show(f"with {asked.embedder}", found)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
