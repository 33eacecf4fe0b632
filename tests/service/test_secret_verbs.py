"""What people do with secrets: set, list, remove, rotate, by command, Python and HTTP."""

from __future__ import annotations

import io
import json
import sys

import pytest

from iaiflow_lab import Lab
from iaiflow_lab.errors import FlowError, InputError, NotFoundError
from iaiflow_lab.model import file
from iaiflow_lab.model.data import to_data
from iaiflow_lab.model.flow import Flow, Node
from iaiflow_lab.model.run import RunState
from iaiflow_lab.sdk.catalog import load_catalog
from iaiflow_lab.service import history, open_session, runs, secret_checks, secrets

VALUE = "canary-hunter2-tail"


@pytest.fixture
def session(workspace):
    with open_session(workspace) as opened:
        yield opened


@pytest.fixture
def typed(monkeypatch):
    """Return `typed(text)`: what stands in the standard input from then on."""

    def give(text: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

    return give


def asking(name: str = "TOKEN") -> Flow:
    headers = {"Authorization": f"Bearer secret:{name}"}
    nodes = {"get": Node("http.request", {"url": "https://example.org", "headers": headers})}
    return Flow("Ask", nodes=nodes)


def test_commands_never_show_what_a_secret_holds(command_line, workspace, typed):
    (workspace / "ask.flow.json").write_text(file.dump(asking(), ""))
    typed(f"{VALUE}\n")
    said = command_line("secrets", "set", "TOKEN")
    assert (said.status, said.out) == (0, "TOKEN  version 1\n")
    listed = command_line("secrets", "ls", "--json")
    (only,) = listed.data
    assert only["name"] == "TOKEN"
    assert only["version"] == 1
    assert only["used_in"] == ["ask.flow.json"]
    for arguments in (("secrets", "ls"), ("secrets", "rotate"), ("doctor",)):
        said = command_line(*arguments)
        assert VALUE not in said.out + said.err
    assert "IAIFLOW_SECRETS_KEY" in said.out
    assert command_line("secrets", "rm", "TOKEN").out == "TOKEN  removed\n"
    assert command_line("secrets", "rm", "TOKEN").status == 2
    with open_session(workspace) as session:
        assert secret_checks.names(session) == []


@pytest.mark.parametrize(
    ("given", "refusal"),
    [("", "is empty"), ("x" * 40_000, "32,768 bytes at most"), ("\n", "is empty")],
)
def test_values_that_cannot_be_kept(command_line, workspace, typed, given, refusal):
    typed(given)
    said = command_line("secrets", "set", "TOKEN")
    assert said.status == 2
    assert refusal in said.err


def test_a_value_keeps_its_lines(command_line, session, typed):
    typed("first\nsecond\n")
    command_line("secrets", "set", "PEM")
    assert session.store.secrets().open("PEM") == ("first\nsecond", 1)


def test_a_value_has_no_place_on_the_command_line(command_line, workspace, typed):
    typed("")
    said = command_line("secrets", "set", "TOKEN", VALUE)
    assert said.status == 2


@pytest.mark.parametrize("name", ["", "1a", "a b", "a/b", "a|b", "\u0430bc", "x" * 101])
def test_names_that_are_none(session, name):
    with pytest.raises(InputError):
        secrets.put(session, name, VALUE, "anna")


def test_the_facade_has_no_way_to_read_one(workspace):
    lab = Lab(workspace)
    lab.secrets.set("TOKEN", VALUE)
    assert repr(lab.secrets) == "<secrets TOKEN>"
    assert [secret.version for secret in lab.secrets.ls()] == [1]
    shown = repr(lab.secrets.ls()) + lab.secrets.ls()._repr_html_() + repr(lab.secrets.ls()[0])
    assert VALUE not in shown
    assert not hasattr(lab.secrets, "get")
    assert lab.secrets.rotate() == 1
    lab.secrets.rm("TOKEN")
    with pytest.raises(NotFoundError):
        lab.secrets.rm("TOKEN")


def test_a_flow_that_names_an_unset_secret_does_not_start(session, monkeypatch):
    monkeypatch.setenv("TOKEN", VALUE)  # no variable stands in for a secret
    catalog = load_catalog(session.workspace)
    with pytest.raises(FlowError, match="Secret TOKEN isn't set in project default") as refusal:
        runs.start(session, asking(), {}, catalog)
    assert refusal.value.code == "secret-unset"
    assert "iaiflow secrets set TOKEN" in refusal.value.remedy
    secrets.put(session, "TOKEN", VALUE, "anna")
    assert runs.start(session, asking(), {}, catalog)


def test_a_draft_that_names_a_secret_is_queued_once_it_is_set(session):
    catalog = load_catalog(session.workspace)
    run_id = runs.prepare(session, asking(), {})
    with pytest.raises(FlowError, match="Secret TOKEN isn't set"):
        runs.queue_draft(session, run_id, catalog)
    secrets.put(session, "TOKEN", VALUE, "anna")
    runs.queue_draft(session, run_id, catalog)
    assert history.get(session, run_id).state is RunState.QUEUED


def test_a_nested_flow_that_names_an_unset_secret_does_not_start(session):
    catalog = load_catalog(session.workspace)
    outer = Flow("Outer", nodes={"all": Node("subflow", {"body": to_data(asking())})})
    with pytest.raises(FlowError, match="Secret TOKEN isn't set") as refusal:
        runs.start(session, outer, {}, catalog)
    assert "nodes.all" in refusal.value.where
    secrets.put(session, "TOKEN", VALUE, "anna")
    assert runs.start(session, outer, {}, catalog)


def test_validate_names_what_is_not_set(command_line, workspace):
    (workspace / "ask.flow.json").write_text(file.dump(asking(), ""))
    said = command_line("validate", "ask.flow.json", "--json")
    assert said.status == 2
    (problem,) = said.data
    assert problem["code"] == "secret-unset"
    assert not (workspace / ".iaiflow").exists()
    with open_session(workspace) as session:
        secrets.put(session, "TOKEN", VALUE, "anna")
    assert command_line("validate", "ask.flow.json").status == 0


def test_the_database_and_its_journal_hold_no_value(session):
    secrets.put(session, "TOKEN", VALUE, "anna")
    files = [path for path in session.store.state.rglob("*") if path.is_file()]
    assert len(files) > 1
    assert [path for path in files if VALUE.encode() in path.read_bytes()] == []
    assert VALUE not in json.dumps([secrets.secret_data(s) for s in secrets.list_secrets(session)])
