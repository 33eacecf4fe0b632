"""Logs of all runs, exported documents, archives and differences, over the routes."""

from __future__ import annotations

import io
import json
import zipfile

import pytest

from iaiflow_lab.model import event as ev
from iaiflow_lab.model.run import RunState, StepState
from iaiflow_lab.notebook import printer
from iaiflow_lab.queue.protocol import Settlement
from iaiflow_lab.service import open_session, outputs, run_diff

OWNER = "worker:elsewhere:1:1:x"
STORED = {
    "content-security-policy": "sandbox; default-src 'none'",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}


@pytest.fixture
def executed(project, ask):
    """Return `executed(text)`: a notebook's run whose cell printed the text."""

    def execute(text: str, name: str = "report") -> str:
        asked = {"target": "report.ipynb", "inputs": {"name": text}}
        run_id = ask.post("/api/v1/runs", json=asked).json()["id"]
        with open_session(project) as session:
            claim = session.coordinator.claim(OWNER, ["default"], run_id)
            session.coordinator.start(run_id, claim.fence)
            said = {"output_type": "stream", "name": "stdout", "text": f"said {text}\n"}
            step = {"step": "notebook", "node": "notebook", "type": "notebook"}
            events = [
                ev.StepStarted(at=1.0, **step),
                ev.CellOutput(at=1.5, step="notebook", index=0, output=said),
                ev.StepFinished(at=2.0, **step, state=StepState.COMPLETED),
            ]
            session.coordinator.append(run_id, claim.fence, events)
            session.coordinator.settle(run_id, claim.fence, Settlement(RunState.COMPLETED))
            folder = session.store.run_dir(run_id) / "notebook"
            folder.mkdir(parents=True)
            cell = {"cell_type": "code", "source": "print(name)", "outputs": [said]}
            (folder / f"{name}.ipynb").write_text(json.dumps({"nbformat": 4, "cells": [cell]}))
        return run_id

    return execute


def test_what_cells_print_is_in_the_logs(ask, executed):
    first, second = executed("ducks"), executed("GEESE")
    [line] = ask.get(f"/api/v1/runs/{first}/logs").json()
    assert (line["step"], line["text"], line["stream"]) == ("notebook", "said ducks\n", "stdout")
    found = ask.get("/api/v1/logs", params={"grep": "said [a-z]+", "ignore_case": True}).json()
    assert [(each["run_id"], each["text"]) for each in found["lines"]] == [
        (second, "said GEESE"),
        (first, "said ducks"),
    ]
    assert not found["is_cut"]
    lower = ask.get("/api/v1/logs", params={"grep": "said [a-z]+", "flow": "report.ipynb"}).json()
    assert [each["run_id"] for each in lower["lines"]] == [first]
    for none in ({"flow": "hello.flow.json"}, {"since": "1h"}, {"step": "other"}):
        assert ask.get("/api/v1/logs", params={"grep": "said", **none}).json()["lines"] == []
    cut = ask.get("/api/v1/logs", params={"grep": "said", "limit": 1}).json()
    assert (len(cut["lines"]), cut["is_cut"]) == (1, True)


def test_long_lines_are_cut(ask, executed):
    executed("x" * 10_000)
    [line] = ask.get("/api/v1/logs", params={"grep": "said"}).json()["lines"]
    assert len(line["text"]) == 2_000


def test_only_the_last_texts_of_a_run_are_sent(ask, executed):
    run_id = executed("a\nb")
    path = f"/api/v1/runs/{run_id}/logs"
    assert len(ask.get(path, params={"limit": 1}).json()) == 1
    assert ask.get(path, params={"limit": 0}).status_code == 422
    assert ask.get(path, params={"limit": 10_001}).status_code == 422


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"grep": "("}, "bad-pattern"),
        ({"grep": "x" * 1_001}, "input-invalid"),
        ({"limit": 0}, "input-invalid"),
        ({"limit": 10_001}, "input-invalid"),
        ({"since": "yesterday"}, "input-invalid"),
        ({"ignore_case": "perhaps"}, "request-invalid"),
    ],
)
def test_searches_that_cannot_be_are_refused(ask, asked, code):
    answer = ask.get("/api/v1/logs", params=asked)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("to", "kind", "ending"),
    [
        ("html", "text/html; charset=utf-8", "html"),
        ("markdown", "text/markdown; charset=utf-8", "md"),
        ("ipynb", "application/x-ipynb+json", "ipynb"),
    ],
)
def test_a_document_is_only_ever_stored(ask, executed, to, kind, ending):
    run_id = executed("ducks", name="năm \u201creport\u201d")
    answer = ask.get(f"/api/v1/runs/{run_id}/export", params={"to": to})
    assert "said ducks" in answer.text
    assert answer.headers["content-type"] == kind
    assert STORED.items() <= dict(answer.headers).items()
    assert answer.headers["content-disposition"] == (
        f"attachment; filename*=utf-8''n%C4%83m%20%E2%80%9Creport%E2%80%9D.{ending}"
    )


def test_documents_that_cannot_be_made_are_refused(ask, executed, monkeypatch):
    run_id = executed("ducks")
    path = f"/api/v1/runs/{run_id}/export"
    assert ask.get(path, params={"to": "docx"}).json()["code"] == "request-invalid"
    assert ask.get(path, params={"step": "other"}).json()["code"] == "no-output-notebook"
    assert ask.get("/api/v1/runs/run_none/export").json()["code"] == "not-found"
    monkeypatch.setattr(printer, "BROWSERS", ())
    answer = ask.get(path, params={"to": "pdf"})
    assert (answer.status_code, answer.json()["code"]) == (404, "no-pdf-tools")
    assert "Chromium" in answer.json()["detail"]
    monkeypatch.setattr(outputs, "MOST_SENT", 10)
    answer = ask.get(path)
    assert (answer.status_code, answer.json()["code"]) == (422, "too-large-to-send")
    assert "iaiflow runs export" in answer.json()["remedy"]


def test_all_of_a_run_in_one_archive(ask, executed, monkeypatch):
    run_id = executed("ducks")
    answer = ask.get(f"/api/v1/runs/{run_id[:14]}/zip", params={"to": ["html", "markdown"]})
    assert STORED.items() <= dict(answer.headers).items()
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"].endswith(f"{run_id}.zip")
    assert int(answer.headers["content-length"]) == len(answer.content)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        names = archive.namelist()
    assert names[:2] == ["run.json", "events.jsonl"]
    assert {name.rpartition(".")[2] for name in names[2:]} == {"ipynb", "html", "md"}
    assert ask.get("/api/v1/runs/run_none/zip").json()["code"] == "not-found"
    monkeypatch.setattr(outputs, "MOST_SENT", 10)
    assert ask.get(f"/api/v1/runs/{run_id}/zip").json()["code"] == "too-large-to-send"


def test_what_differs_between_two_runs(ask, executed, monkeypatch):
    old, new = executed("ducks"), executed("geese")
    path = f"/api/v1/runs/{old}/diff/{new}"
    found = ask.get(path).json()
    assert (found["old"], found["new"], found["note"]) == (old, new, "")
    assert found["inputs"] == [{"name": "name", "old": "ducks", "new": "geese"}]
    [notebook] = found["notebooks"]
    assert "-      said ducks" in notebook["text"]
    assert notebook["operations"]
    same = ask.get(f"/api/v1/runs/{old}/diff/{old}").json()
    assert not any(same[part] for part in ("facts", "inputs", "steps", "definition"))
    assert ask.get(f"/api/v1/runs/{old}/diff/run_none").status_code == 404
    monkeypatch.setattr(run_diff, "find_spec", lambda name: None)
    without = ask.get(path).json()
    assert without["notebooks"] == []
    assert "iaiflow-lab[diff]" in without["note"]
