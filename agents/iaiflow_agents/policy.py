"""Which calls of tools are allowed, which a person is asked about, and which are refused.

A rule names a tool, what its arguments look like, and a decision:

    {"tool": "sql", "match": {"query": "select *"}, "decision": "allow"}
    "allow: sql(select *)"
    "allow: http(GET https://api.example.org/*)"
    "deny: files.write"

`*` stands for any text and `?` for any character. In the short form the texts in the parentheses
are those of the texts that the tool has to be given, in their order (`method` first); with `name=`
before it, a text is that of the argument of this name: `deny: mail(to=*@example.org)`.

Of all rules that match, `deny` wins over `ask`, and `ask` over `allow`; their order means nothing.
Where none matches, tools that only look are allowed, and those that write or send are asked about.
Once words of strangers were read, tools that write or send are asked about even where a rule allows
them, unless it says `"even_untrusted": true`.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final, Literal, cast, get_args
from urllib.parse import unquote

from iaiflow_agents.tools.tool import Tool
from iaiflow_lab.errors import NodeError

Decision = Literal["allow", "ask", "deny"]

_SHORT: Final = re.compile(r"\s*(allow|ask|deny)\s*:\s*([^\s(]+)\s*(?:\((.*)\))?\s*", re.DOTALL)
_NAMED: Final = re.compile(r"([A-Za-z_][\w.]*)=(.*)", re.DOTALL)
_KEYS: Final = frozenset({"tool", "match", "decision", "even_untrusted"})
#: Arguments whose capitals mean nothing.
_CASELESS: Final = frozenset({"query", "sql", "method"})
_REMEDY: Final = 'Write "allow: TOOL(PATTERN)", or {"tool": ..., "match": ..., "decision": ...}.'


@dataclass(frozen=True, slots=True)
class Rule:
    """What is decided for calls that look so."""

    #: The tool's name; `*` and `?` as in patterns.
    tool: str
    decision: Decision
    #: Patterns by argument; of a nested one by `outer.inner`. All have to match.
    match: Mapping[str, str] = field(default_factory=dict[str, str])
    #: Patterns by place; what follows the last one may be anything.
    places: str = ""
    #: Whether an allowed call stays allowed after words of strangers were read.
    even_untrusted: bool = False

    def __str__(self) -> str:
        inner = self.places or ", ".join(f"{name}={text}" for name, text in self.match.items())
        return f"{self.decision}: {self.tool}" + (f"({inner})" if inner else "")

    def applies(self, tool: Tool, arguments: Mapping[str, Any]) -> bool:
        """Say whether the rule speaks of this call."""
        names = {tool.name, tool.shown}
        if not any(fnmatchcase(name, self.tool) for name in names):
            return False
        given = _with_defaults(tool.schema, arguments)
        wanted = {**self.match, **_placed(self.places, tool.schema)}
        return all(self._fits(name, pattern, given) for name, pattern in wanted.items())

    def _fits(self, name: str, pattern: str, given: Mapping[str, Any]) -> bool:
        value = _at(given, name)
        if value is None:
            return False
        if self.decision != "allow":  # what is forbidden in one spelling is in every spelling
            forms = {form for part in _parts(value) for form in _forms(part)}
            return any(fnmatchcase(form.casefold(), pattern.casefold()) for form in forms)
        forms = _forms(value)
        if name in _CASELESS:
            return all(fnmatchcase(form.casefold(), pattern.casefold()) for form in forms)
        return all(fnmatchcase(form, pattern) for form in forms)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is decided for one call."""

    decision: Decision
    #: Why, in one sentence.
    reason: str


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules, and what holds where they say nothing."""

    rules: tuple[Rule, ...] = ()
    #: What happens to a call that a person would have to be asked about: asked, or refused.
    on_ask: Literal["wait", "deny"] = "wait"

    def decide(self, tool: Tool, arguments: Mapping[str, Any], *, tainted: bool) -> Verdict:
        """Decide one call.

        Args:
            tool: What is called.
            arguments: With what.
            tainted: Whether words of strangers were read before.
        """
        found = self._decide(tool, arguments, tainted=tainted)
        if found.decision == "ask" and self.on_ask == "deny":
            return Verdict("deny", f"{found.reason} Nobody is asked here.")
        return found

    def _decide(self, tool: Tool, arguments: Mapping[str, Any], *, tainted: bool) -> Verdict:
        matching = [rule for rule in self.rules if rule.applies(tool, arguments)]
        for decision in ("deny", "ask"):
            for rule in matching:
                if rule.decision == decision:
                    return Verdict(decision, f"The rule `{rule}` says so.")
        if tool.concern:
            return Verdict("ask", tool.concern)
        acts = tool.effects == "write" or tool.sends
        if matching:
            if acts and tainted and not any(rule.even_untrusted for rule in matching):
                return Verdict("ask", "Words of strangers were read before.")
            return Verdict("allow", f"The rule `{matching[0]}` says so.")
        if not acts:
            return Verdict("allow", "It only looks.")
        what = "writes" if tool.effects == "write" else "sends"
        return Verdict("ask", f"It {what}, and no rule allows it.")


def read_policy(
    rules: Iterable[str | Mapping[str, Any]], on_ask: Literal["wait", "deny"] = "wait"
) -> Policy:
    """Return the policy that rules in one of the two forms make.

    Raises:
        NodeError: One of them is no rule.
    """
    made = tuple(_rule(given, f"policy[{index}]") for index, given in enumerate(rules))
    return Policy(made, on_ask)


def _rule(given: Any, where: str) -> Rule:
    if isinstance(given, str):
        return _short(given, where)
    if not isinstance(given, Mapping):
        raise _refused("A rule is a text or an object.", where)
    spec = cast("Mapping[str, Any]", given)
    if unknown := sorted(spec.keys() - _KEYS):
        raise _refused(f"A rule has no {unknown[0]!r}.", where)
    tool, decision, match = spec.get("tool"), spec.get("decision"), spec.get("match", {})
    if not isinstance(tool, str) or not tool:
        raise _refused("A rule names a tool.", where)
    if decision not in get_args(Decision):
        raise _refused(f"{decision!r} is no decision: allow, ask, deny.", where)
    if isinstance(match, str):
        match = {"": match}
    if not isinstance(match, Mapping) or not all(
        isinstance(text, str) for text in cast("Mapping[str, Any]", match).values()
    ):
        raise _refused("`match` has a pattern for each argument that it names.", where)
    patterns = dict(cast("Mapping[str, str]", match))
    places = patterns.pop("", "")
    return Rule(
        tool, cast("Decision", decision), patterns, places, spec.get("even_untrusted") is True
    )


def _short(given: str, where: str) -> Rule:
    found = _SHORT.fullmatch(given)
    if found is None:
        raise _refused(f"{given!r} is no rule.", where)
    decision, tool, inner = cast("Decision", found[1]), found[2], (found[3] or "").strip()
    named = [_NAMED.fullmatch(part.strip()) for part in inner.split(",")] if inner else []
    if named and all(named):
        match = {part[1]: part[2] for part in named if part is not None}
        return Rule(tool, decision, match)
    return Rule(tool, decision, places=inner)


def _refused(what: str, where: str) -> NodeError:
    return NodeError(what, where=where, remedy=_REMEDY, code="policy-invalid")


def _texts(schema: Mapping[str, Any]) -> list[str]:
    """Return the arguments that the short form speaks of: the texts that have to be given."""
    known = cast("Mapping[str, Mapping[str, Any]]", schema.get("properties", {}))
    texts = [name for name, spec in known.items() if spec.get("type") == "string"]
    needed = {"method", *cast("Sequence[str]", schema.get("required", ()))}
    chosen = [name for name in texts if name in needed] or texts or list(known)
    return sorted(chosen, key=lambda name: name != "method")


def _placed(places: str, schema: Mapping[str, Any]) -> dict[str, str]:
    """Return the patterns of the short form by argument."""
    if not places:
        return {}
    names = _texts(schema)
    if not names:
        return {"": places}  # there is no such argument: matches nothing
    parts = places.split(None, len(names) - 1)
    if len(parts) == 1 and names[0] == "method" and len(names) > 1:
        names = names[1:]
    return dict(zip(names, parts, strict=False))


def _with_defaults(schema: Mapping[str, Any], arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    known = cast("Mapping[str, Mapping[str, Any]]", schema.get("properties", {}))
    defaults = {name: spec["default"] for name, spec in known.items() if "default" in spec}
    return {**defaults, **arguments}


def _at(given: Mapping[str, Any], name: str) -> Any:
    """Return the argument at a dotted path; None when there is none."""
    if name in given:
        return given[name]
    value: Any = given
    for part in name.split("."):
        if not isinstance(value, Mapping):
            return None
        value = cast("Mapping[str, Any]", value).get(part)
    return value


def _parts(value: Any) -> Iterator[Any]:
    """Yield a value, and all that stands in its lists and objects."""
    yield value
    inner: Iterable[Any] = ()
    if isinstance(value, Mapping):
        inner = cast("Mapping[str, Any]", value).values()
    elif isinstance(value, list | tuple):
        inner = cast("Sequence[Any]", value)
    for item in inner:
        yield from _parts(item)


def _forms(value: Any) -> set[str]:
    """Return how a value may be spelled: as it is, and what it comes to as a path or URL."""
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return {text, " ".join(text.split()), _resolved(text)}


def _resolved(text: str) -> str:
    """Return a path or URL without `..`, doubled slashes and escapes."""
    plain = unquote(text)
    if "/" not in plain and plain not in (".", ".."):
        return text
    scheme, slashes, rest = plain.rpartition("://")
    end = "/" if rest.endswith("/") and rest.strip("/") else ""
    return f"{scheme}{slashes}{posixpath.normpath(rest).rstrip('/') or '/'}{end}" if rest else text
