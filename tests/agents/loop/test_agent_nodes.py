"""Nodes that ask once, make vectors, and guard."""

from __future__ import annotations

from itertools import pairwise

import pytest
from agent_runs import agent_lab, one, run
from harness import Secrets, record_of
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from iaiflow_agents import schema_of
from iaiflow_agents.models.scripted import ScriptedModel
from iaiflow_agents.nodes import guards
from iaiflow_agents.nodes.llm import read_value
from iaiflow_lab.errors import NodeError
from iaiflow_lab.model import event as ev
from iaiflow_lab.model.budget import Allowance
from iaiflow_lab.model.rules import check
from iaiflow_lab.sdk.catalog import load_catalog
from iaiflow_memory.embed.remote import in_batches
from iaiflow_memory.errors import BadInput

SCHEMA = {
    "type": "object",
    "properties": {"total": {"type": "number"}, "currency": {"enum": ["EUR", "VND"]}},
    "required": ["total", "currency"],
}
GOOD = '{"total": 12.5, "currency": "EUR"}'


def test_a_prompt(lab):
    script = [{"thinking": "Hm.", "text": "You said: {{last}}"}]
    said = run(lab, one("llm.prompt", prompt="Hello {{who}}", who="Anna", script=script))
    assert (said["text"], said["stopped"]) == ("You said: Hello Anna", "")
    assert said["usage"]["steps"] == 1
    assert said["trace"]["turns"][0]["thinking"] == "Hm."
    cut = run(agent_lab(lab.folder), one("llm.prompt", prompt="x", script=[
        {"text": "So", "stop_reason": "max_tokens"}]))  # fmt: skip
    assert (cut["text"], cut["stopped"]) == ("So", "max_tokens")


def test_a_prompt_is_asked_once_in_a_run(lab, monkeypatch, tmp_path):
    flow = one("llm.prompt", prompt="x", script=[{"text": "once"}])
    run(lab, flow)
    events = [e for e in lab.journal.events if not isinstance(e, ev.StepFinished)]
    monkeypatch.delattr(ScriptedModel, "stream")
    later = agent_lab(tmp_path)
    assert run(later, flow, record=record_of(events))["text"] == "once"


@pytest.mark.parametrize(
    "text", [GOOD, f"```json\n{GOOD}\n```", f"Here it is: {GOOD}", f"```\n{GOOD}\n``` as asked"]
)
def test_an_extraction(lab, text):
    said = run(lab, one("llm.extract", prompt="x", schema=SCHEMA, script=[{"text": text}]))
    assert said["value"] == {"total": 12.5, "currency": "EUR"}
    assert said["attempts"] == 1


def test_an_extraction_that_is_repaired(lab):
    script = [
        {"text": "no idea"},
        {"text": '{"total": "much", "currency": "EUR"}'},
        {"when": {"contains": "total must be a number"}, "text": GOOD},
    ]
    said = run(lab, one("llm.extract", prompt="x", schema=SCHEMA, script=script))
    assert (said["value"]["total"], said["attempts"]) == (12.5, 3)
    keys = [e.key for e in lab.journal.of(ev.SubstepRecorded)]
    assert keys == ["model:1", "model:2", "model:3"]
    assert said["usage"]["steps"] == 3


def test_an_extraction_in_vain(lab):
    script = [{"text": "no"}, {"text": '{"total": 1}'}]
    flow = one("llm.extract", prompt="x", schema=SCHEMA, script=script, attempts=2)
    with pytest.raises(NodeError, match="after 2 attempts") as failed:
        run(lab, flow)
    assert failed.value.code == "extract-invalid"
    assert "currency" in failed.value.what


def test_an_answer_that_was_cut_off_or_refused_is_no_value(lab):
    for reason, code in (("max_tokens", "model-cut-off"), ("refusal", "model-refusal")):
        script = [{"text": GOOD, "stop_reason": reason}]
        with pytest.raises(NodeError) as failed:
            run(agent_lab(lab.folder), one("llm.extract", prompt="x", schema=SCHEMA, script=script))
        assert failed.value.code == code


def test_the_schema_of_a_model(lab):
    class Invoice(BaseModel):
        total: float
        lines: list[str]

    script = [{"text": '{"total": 1, "lines": ["a"]}'}]
    said = run(lab, one("llm.extract", prompt="x", schema=schema_of(Invoice), script=script))
    assert Invoice.model_validate(said["value"]).lines == ["a"]
    with pytest.raises(NodeError, match="no pydantic model"):
        schema_of(int)


def test_a_classification(lab):
    labels = ["urgent: needs an answer today", "other"]
    script = [
        {"text": '{"reason": "x", "labels": ["spam"]}'},
        {"text": '{"reason": "Today!", "labels": ["urgent"]}'},
    ]
    said = run(lab, one("llm.classify", prompt="x", labels=labels, script=script))
    assert (said["label"], said["labels"], said["reason"]) == ("urgent", ["urgent"], "Today!")


@pytest.mark.parametrize("labels", [[], ["a", "a: again"], [": what"]])
def test_labels_that_are_none(lab, labels):
    with pytest.raises(NodeError, match="labels"):
        run(lab, one("llm.classify", prompt="x", labels=labels, script=[{"text": "x"}]))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"tools": 5}, "'tools' must be a list"),
        ({"tools": [3]}, "'tools[0]' must be a text"),
        ({"policy": "deny: sql"}, "'policy' must be a list"),
        ({"max_tokens": "many"}, "'max_tokens' must be a whole number"),
        ({"max_steps": 2.5}, "'max_steps' must be a whole number"),
        ({"max_cost": "1"}, "'max_cost' must be a number"),
        ({"max_cost": 0}, "allows nothing"),
        ({"nme": "x"}, "has no 'nme'"),
    ],
)
def test_a_helper_that_is_none_is_said_when_the_flow_is_checked(given, told):
    flow = one("agent", prompt="x", script=[{"text": "x"}], agents=[{"name": "x", **given}])
    assert any(told in problem.message for problem in check(flow, load_catalog(None)))


@given(st.text(max_size=300))
def test_any_answer_is_read_or_said_to_be_wrong(text):
    value, wrong = read_value(text, SCHEMA)
    assert wrong or set(value) >= {"total", "currency"}


def test_vectors(lab, monkeypatch):
    class Fake:
        model_id = "fake"

        def embed_documents(self, texts):
            return [[float(len(text))] for text in texts]

        def embed_query(self, text):
            return [-float(len(text))]

    monkeypatch.setattr("iaiflow_memory.embed.embedder", lambda spec, key: Fake())
    texts = ["a", "bb", "ccc"]
    said = run(lab, one("embed", texts=texts, embedder="fake", batch=2))
    assert said == {"vectors": [[1.0], [2.0], [3.0]], "model": "fake"}
    keys = [event.key for event in lab.journal.of(ev.SubstepRecorded)]
    assert keys == ["batch:0", "model:0", "batch:2", "model:2"]
    limited = {"run_id": "run_limited", "budgets": [Allowance({"calls": 1})]}
    with pytest.raises(NodeError, match="limit of 1 call of models for the run is reached"):
        run(agent_lab(lab.folder), one("embed", texts=texts, embedder="fake", batch=2), **limited)
    dear = {"run_id": "run_dear", "budgets": [Allowance({"cost": 1.0})]}
    with pytest.raises(NodeError, match="No price of the model 'fake' is known"):
        run(agent_lab(lab.folder), one("embed", texts=texts, embedder="fake"), **dear)
    other = run(agent_lab(lab.folder), one("embed", texts="four", purpose="query"))
    assert other["vectors"] == [[-4.0]]


@pytest.mark.parametrize(
    ("purpose", "count", "requests"),
    [("documents", 64, 1), ("documents", 65, 2), ("query", 1, 1), ("query", 3, 3)],
)
def test_each_request_for_vectors_counts(lab, monkeypatch, purpose, count, requests):
    class Served:
        model_id = "served"

        def embed_documents(self, texts):
            return in_batches(texts, self._ask)

        def embed_query(self, text):
            return self._ask([text])[0]

        def _ask(self, texts):
            asked.append(len(texts))
            return [[1.0] for _ in texts]

    asked = []
    monkeypatch.setattr("iaiflow_memory.embed.embedder", lambda spec, key: Served())
    config = {"texts": ["a"] * count, "embedder": "fake", "batch": 1_000, "purpose": purpose}
    limits = [Allowance({"calls": requests})]
    run(lab, one("embed", **config), run_id="run_fits", budgets=limits)
    assert len(asked) == requests
    further = one("embed", **{**config, "texts": ["a"] * (64 * requests + 1)})
    with pytest.raises(NodeError, match="for the run is reached"):
        run(agent_lab(lab.folder), further, run_id="run_more", budgets=limits)
    assert len(asked) == requests


def test_the_key_of_an_embedder_is_a_secret_that_goes_to_its_own_address_only(lab, monkeypatch):
    given = []

    def opened(spec, *, key):
        given.append((spec, key))
        raise BadInput("No.")

    monkeypatch.setattr("iaiflow_memory.embed.embedder", opened)
    for address in ("", "http://127.0.0.1:9"):
        monkeypatch.setenv("OPENAI_BASE_URL", address)
        for spec in ("openai:a", "voyage:b", "minilm"):
            fresh = agent_lab(lab.folder)
            fresh.secrets = Secrets({"OPENAI_API_KEY": "canary-1", "VOYAGE_API_KEY": "canary-2"})
            with pytest.raises(NodeError, match="No"):
                run(fresh, one("embed", texts=["a"], embedder=spec))
    keys = [key for _, key in given]
    assert keys == ["canary-1", "canary-2", "", "", "canary-2", ""]


def test_an_unknown_embedder_is_refused(lab):
    with pytest.raises(NodeError, match="no embedder 'nothing'"):
        run(lab, one("embed", texts=["a"], embedder="nothing"))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("write to anna.b@example.org please", "email"),
        ("call +84 912 345 678 now", "phone"),
        ("call 0912 345 678", "phone"),
        ("call 84912345678", "phone"),
        ("(024) 3825 1234", "phone"),
        ("call (415) 555-2671", "phone"),
        ("call 1-800-555-0199 now", "phone"),
        ("call 415.555.2671", "phone"),
        ("host 2001:db8::ff00:42:8329", "ip"),
        ("host [fe80::1]:80", "ip"),
        ("card 4111 1111 1111 1111", "card"),
        ("DE89 3704 0044 0532 0130 00", "iban"),
        ("host 192.168.0.1", "ip"),
        ("ssn 078-05-1120", "ssn"),
        ("cccd 001203004567", "cccd"),
        ("key sk-ant-" + "a1" * 12, "key"),
        ("key sk_live_" + "a1" * 12, "key"),
        ("token github_pat_" + "a1" * 12, "key"),
        ("key AIza" + "a" * 35, "key"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc", "key"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMII4111\n-----END RSA PRIVATE KEY-----", "key"),
    ],
)
def test_personal_data_is_found(text, kind):
    said = guards.pii.function(text)
    assert "passed" not in said
    assert kind in {found["kind"] for found in said["found"]}
    masked = guards.pii.function(text, action="mask")
    assert f"[{kind}]" in masked["passed"]
    assert "4111" not in str(masked)


@pytest.mark.parametrize(
    "text",
    ["", "Hello", "4111 1111 1111 1112", "DE88 3704 0044 0532 0130 00", "999.1.2.3", "v1.2.3.4.5",
     "In 2026 there were 365 days.", "12:30:45", "std::vector a::b, :: and 1::2::3", "2026-11-24",
     "415-055-2671", "200 300 4000 rows", "84123456789012"],
)  # fmt: skip
def test_what_only_looks_so_passes(text):
    assert guards.pii.function(text) == {"passed": text, "found": []}


@given(st.text(alphabet="ab@.1 -+0", max_size=80))
def test_what_is_masked_holds_nothing_more(text):
    masked = guards.pii.function(text, action="mask")["passed"]
    kinds = {found["kind"] for found in guards.pii.function(text)["found"]}
    again = guards.pii.function(masked)["found"]
    assert len(again) <= len(text)
    assert all(f"[{kind}]" in masked for kind in kinds)


DATA = ["anna@example.org", "host 10.0.0.1", "+49 30 1234567", "4111 1111 1111 1111", "078-05-1120",
        "DE89 3704 0044 0532 0130 00", "001203004567", "and so on"]  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(DATA), st.sampled_from([" ", "", ", "])), max_size=12))
def test_places_of_personal_data_never_overlap_and_the_first_kinds_win(parts):
    text = "".join(word + between for word, between in parts)
    kinds = [*guards._PATTERNS]
    found = guards._places(text, kinds)
    assert found == sorted(found)
    assert all(one[1] <= other[0] for one, other in pairwise(found))
    slowly = []
    for kind in kinds:
        for start, end, _ in guards._places(text, [kind]):
            if all(end <= other[0] or start >= other[1] for other in slowly):
                slowly.append((start, end, kind))
    assert found == sorted(slowly)


def test_guards_take_one_of_two_ways(lab):
    fits = run(lab, one("guard.schema", value={"n": 1}, schema={"required": ["n"]}))
    assert fits == {"passed": {"n": 1}, "found": []}
    other = agent_lab(lab.folder)
    fails = run(other, one("guard.schema", value={}, schema={"type": "object", "required": ["n"]}))
    assert "passed" not in fails
    assert fails["found"]
    allowed = {"allowed": ["*@example.org"]}
    third = run(agent_lab(lab.folder), one("guard.allow", value="A@Example.org", **allowed))
    assert third["passed"] == "A@Example.org"
    many = ["a@example.org", "b@evil.org"]
    last = run(agent_lab(lab.folder), one("guard.allow", value=many, **allowed))
    assert (last["failed"], last["found"]) == (many, [{"index": 1}])
