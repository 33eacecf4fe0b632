"""Every rule finds what it is for, at its place, with a remedy; and good flows pass."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any

import pytest
from strategies import TOYS, ToyTypes

from iaiflow_lab.errors import FlowError
from iaiflow_lab.model.data import from_data
from iaiflow_lab.model.flow import Edge, Flow, Node
from iaiflow_lab.model.rules import RULES, Problem, check, ensure
from iaiflow_lab.model.signature import Fault

GOOD: dict[str, Any] = {
    "parameters": {"topic": {"type": "string", "default": "x"}, "rows": {"type": "table"}},
    "nodes": {
        "make": {"type": "text.make", "config": {"length": 3}},
        "clean": {"type": "text.clean", "version": 2, "config": {"mode": "fast"}},
        "join": {"type": "text.join"},
        "fill": {"type": "text.template", "config": {"template": "{{a}} {{params.topic}}"}},
        "choose": {"type": "if", "config": {"condition": "len(value) > 2"}},
        "read": {"type": "table.read"},
        "each": {"type": "map", "config": {"body": {"nodes": {"in": {"type": "text.make"}}}}},
        "last": {"type": "any", "join": "any"},
    },
    "edges": [
        "make.out -> clean.text",
        "make.out -> join.texts",
        "clean.out -> join.texts",
        "join.out -> fill.a",
        "join.out -> choose.value",
        "clean.rest -> each.items",
        "params.rows -> last.rows",
        "choose.true -> last.value",
        "choose.false -> last.value",
    ],
    "outputs": {"result": "fill.out"},
}


def problems(**changes: Any) -> list[Problem]:
    """Check GOOD after changing it; `nodes` are merged, `edges` appended."""
    data = GOOD | {key: value for key, value in changes.items() if key not in ("nodes", "edges")}
    data = data | {
        "nodes": GOOD["nodes"] | changes.get("nodes", {}),
        "edges": GOOD["edges"] + changes.get("edges", []),
    }
    return check(from_data(data, nested=True), TOYS)


def test_a_good_flow_has_no_problems():
    assert problems() == []


CASES: list[tuple[str, dict[str, Any], str, str]] = [
    (
        "IAI101",
        {"nodes": {"n": {"type": "text.claen", "config": {}}}},
        "nodes.n.type",
        "Did you mean 'text.clean'?",
    ),
    (
        "IAI101",
        {"nodes": {"n": {"type": "acme.x"}}},
        "nodes.n.type",
        "package that brings the 'acme' nodes",
    ),
    ("IAI101", {"nodes": {"n": {"type": "cell.f"}}}, "nodes.n.type", "Run or queue the notebook"),
    ("IAI102", {"nodes": {"n": {"type": "text.make", "version": 4}}}, "nodes.n.version", "Upgrade"),
    ("IAI103", {"edges": ["mak.out -> last.again"]}, "edges[9]", "Did you mean 'make'?"),
    ("IAI103", {"edges": ["make.out -> params.topic"]}, "edges[9]", "Nodes: make"),
    ("IAI104", {"edges": ["clean.outx -> fill.b"]}, "edges[9]", "Did you mean 'out'?"),
    ("IAI104", {"edges": ["clean.error -> fill.b"]}, "edges[9]", "Set 'on_error'"),
    ("IAI104", {"edges": ["make.out -> clean.txt"]}, "edges[9]", "Did you mean 'text'?"),
    ("IAI104", {"edges": ["params.topci -> fill.b"]}, "edges[9]", "Did you mean 'topic'?"),
    ("IAI104", {"nodes": {"make": {"type": "text.make", "pin": {"x": 1}}}}, "nodes.make.pin.x", ""),
    ("IAI105", {"edges": ["make.out -> clean.text"]}, "edges[9]", "Remove one"),
    ("IAI106", {"edges": ["join.out -> clean.separator"]}, "nodes.clean", "put them into a body"),
    ("IAI107", {"edges": ["read.out -> join.texts"]}, "edges[9]", "converts"),
    (
        "IAI108",
        {"nodes": {"n": {"type": "text.clean", "version": 2}}},
        "nodes.n.text",
        "Wire a 'text'",
    ),
    (
        "IAI108",
        {"nodes": {"n": {"type": "text.template"}}},
        "nodes.n.config.template",
        "Set it in 'config'",
    ),
    (
        "IAI109",
        {"nodes": {"make": {"type": "text.make", "config": {"length": "3"}}}},
        "nodes.make.config.length",
        "nodes show text.make",
    ),
    (
        "IAI109",
        {"nodes": {"make": {"type": "text.make", "config": {"lenght": 3}}}},
        "nodes.make.config.lenght",
        "",
    ),
    ("IAI110", {"edges": ["params.topic -> clean.text"]}, "edges[9]", "Keep one edge"),
    ("IAI111", {"edges": ["clean.rest -> join.texts"]}, "edges[9]", "single items only"),
    (
        "IAI112",
        {
            "nodes": {
                "fill": {"type": "text.template", "config": {"template": "{{params.topic}} {{b"}}
            }
        },
        "nodes.fill.config.template",
        "Write {{port}}",
    ),
    (
        "IAI112",
        {
            "nodes": {
                "fill": {"type": "text.template", "config": {"template": "{{params.topic}} {{aa}}"}}
            }
        },
        "nodes.fill.config.template",
        "Did you mean 'a'?",
    ),
    (
        "IAI112",
        {"nodes": {"fill": {"type": "text.template", "config": {"template": "{{topic}}"}}}},
        "nodes.fill.config.template",
        "Write params.topic",
    ),
    (
        "IAI112",
        {
            "nodes": {
                "fill": {
                    "type": "text.template",
                    "config": {"template": "{{params.topic}} {{params.tpoic}}"},
                }
            }
        },
        "nodes.fill.config.template",
        "Did you mean 'topic'?",
    ),
    (
        "IAI113",
        {"nodes": {"choose": {"type": "if", "config": {"condition": "value.x"}}}},
        "nodes.choose.config.condition",
        "",
    ),
    (
        "IAI113",
        {"nodes": {"choose": {"type": "if", "config": {"condition": "valeu > 1"}}}},
        "nodes.choose.config.condition",
        "Did you mean 'value'?",
    ),
    ("IAI113", {"nodes": {"n": {"type": "any", "skip_if": "1 +"}}}, "nodes.n.skip_if", ""),
    ("IAI114", {"outputs": {"a": "nope.out"}}, "outputs.a", "Write 'node.output'"),
    ("IAI114", {"outputs": {"a": "clean.x"}}, "outputs.a", ""),
    ("IAI114", {"outputs": {"a b": "clean.out"}}, "outputs.a b", ""),
    (
        "IAI115",
        {"parameters": {**GOOD["parameters"], "class": {}}},
        "parameters.class",
        "not keywords",
    ),
    (
        "IAI115",
        {"parameters": {**GOOD["parameters"], "x=0;import os#": {}}},
        "parameters.x=0;import os#",
        "Python names",
    ),
    (
        "IAI115",
        {"parameters": {**GOOD["parameters"], "topic": {"type": "strin"}}},
        "parameters.topic.type",
        "Did you mean 'string'?",
    ),
    (
        "IAI115",
        {"parameters": {**GOOD["parameters"], "topic": {"type": "integer", "default": "a"}}},
        "parameters.topic.default",
        "",
    ),
    (
        "IAI115",
        {"parameters": {**GOOD["parameters"], "topic": {"type": "string", "pattern": "("}}},
        "parameters.topic.pattern",
        "",
    ),
    (
        "IAI116",
        {"nodes": {"n": {"type": "any", "retry": {"attempts": 0}}}},
        "nodes.n.retry.attempts",
        "",
    ),
    (
        "IAI116",
        {"nodes": {"n": {"type": "any", "retry": {"attempts": -1}}}},
        "nodes.n.retry.attempts",
        "",
    ),
    (
        "IAI116",
        {"nodes": {"n": {"type": "any", "retry": {"initial": -1}}}},
        "nodes.n.retry.initial",
        "",
    ),
    (
        "IAI116",
        {"nodes": {"n": {"type": "any", "retry": {"initial": 90}}}},
        "nodes.n.retry.initial",
        "Raise 'retry.max'",
    ),
    ("IAI116", {"nodes": {"n": {"type": "any", "retry": {"max": 1e17}}}}, "nodes.n.retry.max", ""),
    (
        "IAI116",
        {"nodes": {"n": {"type": "any", "retry": {"jitter": 2}}}},
        "nodes.n.retry.jitter",
        "",
    ),
    ("IAI116", {"nodes": {"n": {"type": "any", "timeout": 0}}}, "nodes.n.timeout", ""),
    ("IAI116", {"nodes": {"n": {"type": "any", "cache": -5}}}, "nodes.n.cache", ""),
    ("IAI116", {"nodes": {"n": {"type": "any", "concurrency": 0}}}, "nodes.n.concurrency", ""),
    (
        "IAI117",
        {"parameters": {**GOOD["parameters"], "spare": {}}},
        "parameters.spare",
        "{{params.spare}}",
    ),
    (
        "IAI118",
        {"nodes": {"n": {"type": "any", "config": {"x": {"k": "sk-ant-" + "a1" * 20}}}}},
        "nodes.n.config.x.k",
        "Move it to Secrets",
    ),
    (
        "IAI118",
        {"nodes": {"n": {"type": "any", "config": {"api_key": "hunter2hunter2"}}}},
        "nodes.n.config.api_key",
        "secret:NAME",
    ),
    (
        "IAI118",
        {"nodes": {"n": {"type": "any", "config": {"url": "https://me:pass@x.org"}}}},
        "nodes.n.config.url",
        "secret:NAME",
    ),
    (
        "IAI119",
        {"nodes": {"n": {"type": "any", "title": "a\u202eb"}}},
        "nodes.n.title",
        "Remove it",
    ),
    (
        "IAI120",
        {"nodes": {"each": {"type": "map", "config": {"body": "other.txt"}}}},
        "nodes.each.config.body",
        ".flow.json",
    ),
    (
        "IAI120",
        {"nodes": {"each": {"type": "map", "config": {"body": {"nodes": {"a": {}}}}}}},
        "nodes.each.config.body.nodes.a",
        "",
    ),
    (
        "IAI121",
        {"nodes": {"n": {"type": "cell.mine"}}},
        "nodes.n.type",
        "iaiflow nodes promote mine",
    ),
    (
        "IAI124",
        {
            "nodes": {
                "each": {
                    "type": "map",
                    "config": {"body": {"nodes": {"in": {"type": "text.make"}}}},
                    "retry": {"attempts": 3},
                }
            }
        },
        "nodes.each.retry",
        "Set the retry of the nodes in the body instead.",
    ),
]


@pytest.mark.parametrize(("code", "changes", "place", "remedy"), CASES)
def test_each_rule_names_place_and_remedy(
    code: str, changes: dict[str, Any], place: str, remedy: str
):
    found = problems(**changes)
    assert [(problem.code, problem.place) for problem in found] == [(code, place)]
    assert remedy in found[0].remedy


def test_every_rule_is_shown_here_and_has_a_code_of_its_own():
    codes = [rule.code for rule in RULES]
    assert len(set(codes)) == len(codes)
    assert {code for code, *_ in CASES} | {"IAI122", "IAI123"} == set(codes)
    assert all(rule.name and rule.description.endswith(".") for rule in RULES)


def test_a_node_type_checks_its_own_configuration():
    def own(config: Mapping[str, Any], wired: Collection[str]) -> list[Fault]:
        if config["q"] == "odd":
            raise RuntimeError("oh")
        return [Fault("q", f"{config['q']} {sorted(wired)}", "Mend it.")]

    plain = TOYS.signature("any")
    assert plain is not None
    types = ToyTypes(dataclasses.replace(plain, check=own))
    nodes = {node_id: Node("any", config={"q": node_id}) for node_id in ("a", "b", "odd")}

    found = check(Flow("x", nodes=nodes, edges=(Edge("a", "out", "b", "x"),)), types)

    told = [(p.code, p.place, p.message) for p in found if p.code == "IAI123"]
    assert told == [
        ("IAI123", "nodes.a.config.q", "a []"),
        ("IAI123", "nodes.b.config.q", "b ['x']"),
        ("IAI123", "nodes.odd.config", "The check of node type 'any' failed: RuntimeError: oh."),
    ]


def test_names_of_flows_made_in_python_are_checked():
    flow = Flow("x", nodes={"a b": Node("any")}, edges=(Edge("a b", "class", "a b", "x"),))
    assert [p.code for p in check(flow, TOYS)].count("IAI122") == 2


def test_a_message_lists_the_outputs_there_are():
    found = problems(edges=["clean.outx -> fill.b"])
    assert found[0].message == "Node 'clean' has no output 'outx'; outputs: out, rest."


def test_cycles_are_spelled_out():
    found = problems(edges=["join.out -> clean.separator", "last.out -> last.again"])
    assert {p.message for p in found} == {"Cycle: clean -> join -> clean.", "Cycle: last -> last."}


def test_an_older_configuration_waits_for_its_migration():
    assert problems(nodes={"clean": {"type": "text.clean", "config": {"old_field": 1}}}) == []


def test_a_secret_may_be_referred_to():
    assert problems(nodes={"n": {"type": "any", "config": {"api_key": "secret:OPENAI_KEY"}}}) == []


def test_joiners_in_titles_are_fine():
    assert problems(nodes={"n": {"type": "any", "title": "👩\u200d🔬"}}) == []


def test_problems_of_nested_flows_have_the_whole_place():
    inner = {
        "nodes": {"i": {"type": "map", "config": {"body": {"nodes": {"t": {"type": "text.join"}}}}}}
    }
    found = problems(nodes={"each": {"type": "map", "config": {"body": inner}}})
    assert [p.place for p in found] == [
        "nodes.each.config.body.nodes.i.items",
        "nodes.each.config.body.nodes.i.config.body.nodes.t.texts",
    ]


def test_deeply_nested_flows_are_refused():
    body: dict[str, Any] = {"nodes": {}}
    for _ in range(24):
        body = {"nodes": {"m": {"type": "map", "config": {"items": [], "body": body}}}}
    assert [p.code for p in check(from_data(body, nested=True), TOYS)] == ["IAI120"]


def test_the_error_port_exists_when_errors_are_routed():
    nodes = {"make": {"type": "text.make", "on_error": "port"}}
    assert problems(nodes=nodes, edges=["make.error -> fill.b"]) == []


def test_a_problem_reads_like_a_compilers():
    found = problems(nodes={"n": {"type": "acme.x"}})
    assert str(found[0]) == (
        "error[IAI101] nodes.n.type: Node type 'acme.x' isn't installed. - "
        "`pip install` the package that brings the 'acme' nodes."
    )


def test_errors_keep_a_flow_from_running_and_warnings_do_not():
    warned = from_data({"nodes": {"n": {"type": "cell.mine"}}}, nested=True)
    ensure(warned, TOYS)
    broken = from_data({"nodes": {"n": {"type": "a.b"}, "m": {"type": "c.d"}}}, nested=True)
    with pytest.raises(FlowError, match=r"x.flow.json: nodes.n.type .*\(1 more") as caught:
        ensure(broken, TOYS, "x.flow.json")
    assert caught.value.code == "IAI101"


def test_ten_thousand_nodes_are_checked():
    nodes = {f"n{i}": Node("text.clean", {"mode": "fast"}, version=2) for i in range(10_000)}
    edges = tuple(Edge(f"n{i}", "out", f"n{i + 1}", "text") for i in range(9_999))
    found = check(Flow("long", nodes=nodes, edges=edges), TOYS)
    assert [problem.place for problem in found] == ["nodes.n0.text"]
