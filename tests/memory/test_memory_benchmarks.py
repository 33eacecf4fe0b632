"""The benchmarks run, on tiny memories; how well and how fast is not asked here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benchmarks import memory_recall, memory_speed

pytestmark = [pytest.mark.benchmark, pytest.mark.slow]

SAID = {
    "session_1_date_time": "1:56 pm on 8 May, 2023",
    "session_1": [
        {"speaker": "Ann", "dia_id": "D1:1", "text": "What do you do on Sundays?"},
        {"speaker": "Bob", "dia_id": "D1:2", "text": "Mostly sailing", "blip_caption": "a boat"},
    ],
    "session_2_date_time": "10:00 am on 9 June, 2023",
    "session_2": [{"speaker": "Ann", "dia_id": "D2:1", "text": "My sister moved to Hue"}],
    "session_3_date_time": "10:00 am on 10 June, 2023",
    "speaker_a": "Ann",
}
ASKED = [
    {"question": "When does Bob go sailing?", "evidence": ["D1:2"], "category": 2},
    {"question": "Where do they live?", "evidence": ["D2:1; D1:2"], "category": 1},
    {"question": "Nothing answers this", "evidence": ["D9:9"], "category": 4},
    {"question": "Nor this", "category": 5},
]


def test_recall_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    path = tmp_path / "conversations.json"
    told = [{"sample_id": "conv-1", "conversation": SAID, "qa": ASKED}]
    path.write_text(json.dumps(told))
    monkeypatch.setattr("sys.argv", ["memory_recall", str(path), "--embedder", ""])
    memory_recall.main()
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert result["questions"] == 2
    assert result["recall@10"] > 0
    assert result["tuned_on"] == {}
    assert result["categories"]["temporal"]["hit@10"] == 1


def test_figures_are_those_of_the_definitions() -> None:
    one = memory_recall.Answered("c", "temporal", (False, True, True), 4, True, 0.002)
    found = memory_recall.figures([one])
    assert found["recall@5"] == found["recall@10"] == 0.5
    assert found["NDCG@10"] == pytest.approx((0.6309 + 0.5) / 2.5616, abs=1e-3)
    assert found["p50_ms"] == 2


@pytest.mark.filterwarnings("ignore")  # of the stores beside ours
def test_speed_is_measured() -> None:
    found = memory_speed.measure(300, 2)
    assert found["bytes_per_memory"] > 0
    assert all(times["p50_ms"] > 0 for times in found["search"].values())
    assert set(found["peers"]) == {"lancedb", "chromadb", "langgraph", "mem0"}
    assert memory_speed.writes(2, 0.2) >= 0
