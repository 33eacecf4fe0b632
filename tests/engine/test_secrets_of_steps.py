"""Secrets reach a node where its step starts, and stay out of everything else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import polars as pl
import pytest
from harness import Lab, MemoryCache, flow

from iaiflow_lab.engine.live_cache import LiveCache
from iaiflow_lab.engine.ports import Record
from iaiflow_lab.errors import NotFoundError
from iaiflow_lab.model import event as ev
from iaiflow_lab.model.data import to_data
from iaiflow_lab.model.flow import Node
from iaiflow_lab.safe.redact import HIDDEN, RESOLVED
from iaiflow_lab.sdk.annotations import Json, Secret, Template
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.node import node
from iaiflow_nodes.bodies import subflow

VALUE = "canary-hunter2-tail"
SEEN: list[Any] = []


@dataclass
class Kept:
    """Secrets with a version."""

    known: dict[str, str] = field(default_factory=lambda: {"KEY": VALUE})
    versions: int = 1

    def get(self, name: str) -> str:
        if name not in self.known:
            raise NotFoundError(f"Secret {name} isn't set in project default.")
        return self.known[name]

    def version(self, name: str) -> int:
        self.get(name)
        return self.versions


@node("t.take")
def take(value: Any = None, *, key: Secret = "", other: str = "", nested: Json = None) -> int:
    SEEN.append([value, key, other, nested])
    return len(SEEN)


@node("t.default")
def default(*, key: Secret = "secret:KEY") -> str:
    SEEN.append(key)
    return "done"


@node("t.shown")
def shown(*, text: Template) -> str:
    return text


@node("t.give", effects="read")
def give(ctx: Context, *, how: str = "text") -> Any:
    key = ctx.secret("KEY")
    return {
        "text": f"it is {key}",
        "nested": {"a": [key]},
        "bytes": b"\xff" + key.encode(),
        "table": pl.DataFrame({"a": [key]}),
        "clean": "nothing",
    }[how]


@node("t.next")
def following(value: Any) -> int:
    SEEN.append(value)
    return 1


@node("t.asks")
def asks(ctx: Context) -> int:
    return len(ctx.secret("KEY"))


@node("t.length")
def length(*, key: Secret) -> int:
    return len(key)


@node("t.apart", pool="process")
def apart(*, key: Secret) -> int:
    return len(key)


@pytest.fixture(autouse=True)
def _anew():
    SEEN.clear()
    RESOLVED.__init__()
    yield
    RESOLVED.__init__()


@pytest.fixture
def lab(workspace) -> Lab:
    made = Lab(workspace, take, default, shown, give, following, asks, length, apart)
    made.secrets = Kept()
    return made


def test_what_the_flow_says_is_filled_in(lab):
    config = {"key": "Bearer secret:KEY", "other": "secret:KEY", "nested": {"a": ["secret:KEY"]}}
    lab.run(flow({"a": Node("t.take", config), "b": "t.default"}))
    assert [None, f"Bearer {VALUE}", VALUE, {"a": [VALUE]}] in SEEN
    assert VALUE in SEEN
    assert VALUE not in repr(lab.journal.events)


def test_only_fields_for_secrets_may_name_one_inside_of_a_text(lab):
    lab.run(flow({"a": Node("t.take", {"other": "see secret:KEY", "key": "x"})}))
    assert SEEN == [[None, "x", "see secret:KEY", None]]


def test_what_arrives_from_elsewhere_names_none(lab):
    made = flow(
        {"a": Node("t.shown", {"text": "{{params.p}}"}), "b": "t.take", "c": "t.take"},
        "a -> b.key",
        "a -> c.other",
        parameters={"p": {"type": "string"}},
    )
    result = lab.run(made, {"p": "secret:KEY"})
    assert result.error is None
    assert sorted(SEEN, key=str) == [[None, "", "secret:KEY", None], [None, "secret:KEY", "", None]]


def test_a_nested_flow_fills_in_its_own(lab):
    """As the outer one does: a value is never read as a template, nor put into a text."""
    lab.add(subflow)
    lab.secrets.known["KEY"] = "{{odd}} value"
    config = {"key": "x secret:KEY", "other": "secret:KEY"}
    nodes = {"in": Node("t.take", config), "said": Node("t.shown", {"text": "secret:KEY"})}
    body = to_data(flow(nodes, outputs={"said": "said.out"}))
    result = lab.run(flow({"a": Node("subflow", {"body": body})}))
    assert result.error is None, result.error
    assert SEEN == [[None, "x {{odd}} value", "{{odd}} value", None]]
    assert result.values["a"] == {"said": "secret:KEY"}


def test_an_unset_one_fails_its_step_by_name(lab):
    result = lab.run(flow({"a": Node("t.take", {"key": "secret:OTHER"})}))
    assert result.error is not None
    assert "Secret OTHER isn't set" in result.error.message
    assert SEEN == []


def sources(lab: Lab, made, **rest) -> list[str]:
    """Run a flow of one step anew; returns where its outcome came from."""
    lab.journal.__init__()
    lab.run(made, **rest)
    return [event.source for event in lab.journal.of(ev.StepFinished)]


@pytest.mark.parametrize("live", [True, False])
def test_a_new_version_is_computed_anew(lab, live):
    made = flow({"a": Node("t.length", {"key": "secret:KEY"})})
    rest = {"live_cache": LiveCache(), "interactive": True} if live else {"cache": MemoryCache()}
    assert sources(lab, made, **rest) == ["executed"]
    assert sources(lab, made, **rest) == ["cache"]
    lab.secrets.versions = 2
    assert sources(lab, made, **rest) == ["executed"]
    assert sources(lab, made, **rest) == ["cache"]


def test_what_asks_for_one_in_its_code_is_not_cached(lab):
    cache = MemoryCache()
    for _ in range(2):
        assert sources(lab, flow({"a": "t.asks"}), cache=cache) == ["executed"]
    assert cache.kept == {}


def test_a_process_is_given_it(lab, workspace):
    (workspace / "flow_nodes").mkdir()
    (workspace / "flow_nodes" / "far.py").write_text(
        "from iaiflow_lab.sdk.annotations import Secret\n"
        "from iaiflow_lab.sdk.node import node\n\n"
        "@node('t.apart', pool='process')\n"
        "def apart(*, key: Secret) -> int:\n"
        "    print(key)\n"
        "    return len(key)\n"
    )
    result = lab.run(flow({"a": Node("t.apart", {"key": "secret:KEY"})}))
    assert result.outputs["a"] == len(VALUE)
    assert lab.log("a") == f"{HIDDEN}\n"


@pytest.mark.parametrize("how", ["text", "nested", "bytes", "table"])
def test_an_output_without_its_secret_counts_as_not_recorded(lab, how):
    made = flow({"a": Node("t.give", {"how": how}), "b": "t.next"}, "a -> b.value")
    lab.run(made)
    recorded = {event.step: event for event in lab.journal.of(ev.StepFinished)}
    ref = recorded["a"].outputs["out"]
    assert ref.hidden or ref.encoding == "live"
    assert VALUE not in repr(lab.journal.events)
    assert all(VALUE.encode() not in data for data in lab.artifacts.stored.values())
    first = SEEN.pop()

    lab.journal.__init__()
    lab.run(made, record=Record(steps={"a": recorded["a"]}))  # as another worker goes on
    assert VALUE in str(first)
    assert str(SEEN.pop()) == str(first)


def test_a_clean_output_is_recorded_and_kept(lab):
    made = flow({"a": Node("t.give", {"how": "clean"})})
    lab.run(made)
    (event,) = lab.journal.of(ev.StepFinished)
    assert event.outputs["out"].inline == "nothing"
    assert not event.outputs["out"].hidden
