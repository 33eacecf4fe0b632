"""What rules decide: deny over ask over allow, whatever their order; and what strangers change."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iaiflow_agents.policy import Policy, Rule, read_policy
from iaiflow_agents.tools.tool import Tool, ToolResult
from iaiflow_lab.errors import NodeError


async def _call(_):
    return ToolResult("")


def tool(name="sql", label="", effects="none", *, sends=False, concern="", **properties):
    spec = properties or {"query": {"type": "string"}}
    schema = {"type": "object", "properties": spec, "required": list(spec)}
    return Tool(name, "", schema, _call, label=label, effects=effects, sends=sends, concern=concern)


def decide(rules, made, arguments, *, tainted=False):
    return read_policy(rules).decide(made, arguments, tainted=tainted).decision


STRICT = {"allow": 0, "ask": 1, "deny": 2}
decisions = st.sampled_from(["allow", "ask", "deny"])
patterns = st.sampled_from(["*", "a*", "*b", "a?", "ab", "zz"])
rules = st.lists(
    st.builds(
        Rule,
        tool=st.sampled_from(["*", "sql", "s*", "mail"]),
        decision=decisions,
        match=st.dictionaries(st.just("query"), patterns, max_size=1),
        even_untrusted=st.booleans(),
    ),
    max_size=6,
).map(tuple)
tools = st.builds(
    tool,
    name=st.sampled_from(["sql", "mail"]),
    effects=st.sampled_from(["none", "read", "write"]),
    sends=st.booleans(),
)
arguments = st.fixed_dictionaries({"query": st.sampled_from(["ab", "aa", "b", "zz", "A b"])})


@given(rules, tools, arguments, st.booleans())
def test_deny_wins_over_ask_and_ask_over_allow(rules, tool, arguments, tainted):
    found = Policy(rules).decide(tool, arguments, tainted=tainted).decision
    said = {rule.decision for rule in rules if rule.applies(tool, arguments)}
    if said:
        strictest = max(said, key=STRICT.__getitem__)
        assert STRICT[found] >= STRICT[strictest]
        assert found == strictest or (tainted and (strictest, found) == ("allow", "ask"))
    else:
        acts = tool.effects == "write" or tool.sends
        assert found == ("ask" if acts else "allow")


@given(st.permutations(range(5)), st.lists(decisions, min_size=5, max_size=5), tools, arguments)
def test_the_order_of_rules_means_nothing(order, decided, tool, arguments):
    made = [Rule("*", decision, {"query": "a*"} if n % 2 else {}) for n, decision in
            enumerate(decided)]  # fmt: skip
    shuffled = tuple(made[n] for n in order)
    first = Policy(tuple(made)).decide(tool, arguments, tainted=False).decision
    assert Policy(shuffled).decide(tool, arguments, tainted=False).decision == first


@given(rules, tools, arguments)
def test_words_of_strangers_never_make_it_laxer(rules, tool, arguments):
    policy = Policy(rules)
    before = policy.decide(tool, arguments, tainted=False).decision
    after = policy.decide(tool, arguments, tainted=True).decision
    assert STRICT[after] >= STRICT[before]
    acts = tool.effects == "write" or tool.sends
    if acts and after == "allow":
        assert any(rule.even_untrusted for rule in rules if rule.applies(tool, arguments))


@given(rules, tools, arguments, st.booleans())
def test_a_further_rule_that_denies_or_asks_never_makes_it_laxer(rules, tool, arguments, tainted):
    before = Policy(rules).decide(tool, arguments, tainted=tainted).decision
    for decision in ("ask", "deny"):
        more = Policy((*rules, Rule("*", decision)))
        after = more.decide(tool, arguments, tainted=tainted).decision
        assert STRICT[after] >= STRICT[before]


@given(rules, tools, arguments, st.booleans())
def test_where_nobody_is_asked_nothing_is_asked(rules, tool, arguments, tainted):
    found = Policy(rules, "deny").decide(tool, arguments, tainted=tainted).decision
    asking = Policy(rules).decide(tool, arguments, tainted=tainted).decision
    assert found == ("deny" if asking == "ask" else asking)


def test_tools_that_look_are_allowed_and_those_that_act_are_asked_about():
    assert decide([], tool(effects="read"), {"query": "x"}) == "allow"
    assert decide([], tool(effects="read"), {"query": "x"}, tainted=True) == "allow"
    assert decide([], tool(effects="write"), {"query": "x"}) == "ask"
    assert decide([], tool(sends=True), {"query": "x"}) == "ask"


def test_a_tool_with_a_concern_is_asked_about_whatever_rules_allow():
    assert decide(["allow: *"], tool(concern="It has changed."), {"query": "x"}) == "ask"
    assert decide(["deny: *"], tool(concern="It has changed."), {"query": "x"}) == "deny"


@pytest.mark.parametrize(
    ("rule", "arguments", "matches"),
    [
        ("allow: sql(select *)", {"query": "SELECT 1"}, True),
        ("allow: sql(select *)", {"query": "  select\n1"}, False),
        ("deny: sql(*drop *)", {"query": "x;\n  DROP\ttable y"}, True),
        ("allow: sql(select *)", {"query": "insert into x select 1"}, False),
        ("allow: sql", {"query": "anything"}, True),
        ("allow: s?l", {"query": "anything"}, True),
        ({"tool": "sql", "match": {"query": "select *"}, "decision": "allow"},
         {"query": "select 1"}, True),
        ({"tool": "sql", "match": {"other": "*"}, "decision": "allow"}, {"query": "x"}, False),
        ({"tool": "sql", "match": {"query.inner": "a"}, "decision": "allow"},
         {"query": {"inner": "a"}}, True),
    ],
)  # fmt: skip
def test_what_rules_match(rule, arguments, matches):
    (made,) = read_policy([rule]).rules
    assert made.applies(tool(), arguments) is matches


@pytest.mark.parametrize(
    ("rule", "arguments", "matches"),
    [
        ("allow: http(GET https://api.x/*)", {"url": "https://api.x/a", "method": "GET"}, True),
        ("allow: http(GET https://api.x/*)", {"url": "https://api.x/", "method": "get"}, True),
        ("allow: http(GET https://api.x/*)", {"url": "https://api.x/a", "method": "POST"}, False),
        ("allow: http(GET https://api.x/*)", {"url": "https://api.x.evil/a", "method": "GET"},
         False),
        ("allow: http(https://api.x/open/*)", {"url": "https://api.x/open/../shut",
         "method": "GET"}, False),
        ("allow: http(https://api.x/open/*)", {"url": "https://api.x/open/%2e%2e/shut",
         "method": "GET"}, False),
        ("allow: http(GET https://api.x/*)", {"url": "https://evil/",
         "method": "GET https://api.x/"}, False),
        ("deny: http(method=POST)", {"url": "https://api.x/", "method": "post"}, True),
    ],
)  # fmt: skip
def test_what_rules_match_of_several_arguments(rule, arguments, matches):
    made = tool("http", url={"type": "string"}, method={"type": "string", "default": "GET"})
    assert read_policy([rule]).rules[0].applies(made, arguments) is matches


@pytest.mark.parametrize(
    ("path", "allowed", "denied"),
    [
        ("out/a.txt", True, False),
        ("out/../etc/passwd", False, True),
        ("out//./a.txt", True, False),
        ("etc/a", False, True),
        ("./etc/a", False, True),
        ("ETC/a", False, True),
    ],
)
def test_paths_that_lead_elsewhere(path, allowed, denied):
    made = tool("write", "files.write", path={"type": "string"}, content={"type": "string"})
    given = {"path": path, "content": "x"}
    allow, deny = read_policy(["allow: files.write(out/**)", "deny: files.write(etc/*)"]).rules
    assert allow.applies(made, given) is allowed
    assert deny.applies(made, given) is denied


@pytest.mark.parametrize(
    "rule",
    [
        "sql",
        "permit: sql",
        "allow sql",
        "allow: ",
        {"tool": "sql"},
        {"decision": "allow"},
        {"tool": "sql", "decision": "maybe"},
        {"tool": "sql", "decision": "allow", "when": "now"},
        {"tool": "sql", "decision": "allow", "match": {"query": 3}},
        {"tool": "sql", "decision": "allow", "match": 3},
        7,
    ],
)
def test_what_is_no_rule_is_refused_in_a_sentence(rule):
    with pytest.raises(NodeError) as refused:
        read_policy([rule])
    assert refused.value.code == "policy-invalid"
    assert refused.value.where == "policy[0]"
    assert refused.value.remedy


@pytest.mark.parametrize(
    "to",
    [["a@b.org", "x@example.org"], [["X@Example.org"]], [{"mail": "x@example.org"}]],
    ids=["list", "lists", "objects"],
)
def test_what_is_forbidden_is_so_among_others(to):
    made = tool("mail", sends=True, to={"type": "array"})
    assert decide(["allow: mail", "deny: mail(to=*@example.org)"], made, {"to": to}) == "deny"
    assert decide(["allow: mail", "ask: mail(*@example.org)"], made, {"to": to}) == "ask"
    assert decide(["allow: mail(to=*@b.org)"], made, {"to": to}) == "ask"  # for all, or not at all


def test_a_rule_reads_as_it_is_written():
    (rule,) = read_policy(["deny: mail(to=*@example.org)"]).rules
    assert str(rule) == "deny: mail(to=*@example.org)"
