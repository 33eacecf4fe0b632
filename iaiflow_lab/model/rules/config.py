"""Rules on the settings of nodes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from iaiflow_lab.errors import FlowError
from iaiflow_lab.model import expression, names, template
from iaiflow_lab.model.flow import Node
from iaiflow_lab.model.json_schema import violations
from iaiflow_lab.model.json_value import spell_place
from iaiflow_lab.model.rules.base import Problem, Rule, View, texts

_YEAR_S = 365 * 86_400


class ConfigSchema(Rule):
    """Checks configurations against the JSON Schema of their node type."""

    code = "IAI109"
    name = "bad-config"
    description = "The configuration is what the node type asks for."

    def check(self, view: View) -> Iterator[Problem]:
        """Yield settings that are unknown or of the wrong type."""
        for node_id, node, signature in view.installed():
            if node.version < signature.version:
                continue  # a migration will change it first
            schema = {k: v for k, v in signature.config_schema.items() if k != "required"}
            for violation in violations(dict(node.config), schema):
                yield self.problem(
                    view,
                    spell_place(("nodes", node_id, "config", *violation.path)),
                    f"{spell_place(violation.path)!r} {violation.message}",
                    f"See `iaiflow nodes show {node.type}`.",
                    node_id,
                )


class OwnChecks(Rule):
    """Asks node types about what only they can read: code, queries."""

    code = "IAI123"
    name = "bad-content"
    description = "Code and queries can be read by the node type that they are for."

    def check(self, view: View) -> Iterator[Problem]:
        """Yield what node types find wrong with configurations of theirs."""
        for node_id, node, signature in view.installed():
            if signature.check is None or node.version != signature.version:
                continue
            place = f"nodes.{node_id}.config"
            try:
                faults = [*signature.check(node.config, view.wired.get(node_id, {}).keys())]
            except Exception as error:  # other people's code
                said = f"{type(error).__name__}: {error}"
                message = f"The check of node type {node.type!r} failed: {said}."
                yield self.problem(view, place, message, "Tell its author.", node_id)
                continue
            for fault in faults:
                at = f"{place}.{fault.field}"
                yield self.problem(view, at, fault.message, fault.remedy, node_id)


class Templates(Rule):
    """Reads every template."""

    code = "IAI112"
    name = "bad-template"
    description = "Templates are well formed and name inputs and parameters that exist."

    def check(self, view: View) -> Iterator[Problem]:
        """Yield templates that can't be read, and names in them that do not exist."""
        for node_id, node, signature in view.installed():
            for field in signature.templates:
                for text, place in texts(node.config.get(field), f"nodes.{node_id}.config.{field}"):
                    if "{{" in text:
                        yield from self._check(view, node_id, text, place)

    def _check(self, view: View, node_id: str, text: str, place: str) -> Iterator[Problem]:
        try:
            parsed = template.parse(text)
        except FlowError as error:
            message = f"{error.what.rstrip('.')} ({error.where})."
            yield self.problem(view, place, message, error.remedy, node_id)
            return
        for message, remedy in _unknown_names(view, node_id, parsed.names, parsed.parameters):
            yield self.problem(view, place, message, remedy, node_id)


class Expressions(Rule):
    """Reads every expression and `skip_if`."""

    code = "IAI113"
    name = "bad-expression"
    description = "Expressions are well formed and name inputs and parameters that exist."

    def check(self, view: View) -> Iterator[Problem]:
        """Yield expressions that can't be read, and names in them that do not exist."""
        for node_id, node in view.flow.nodes.items():
            if node.skip_if:
                yield from self._check(view, node_id, node.skip_if, f"nodes.{node_id}.skip_if")
            signature = view.signature_of[node_id]
            for field in signature.expressions if signature else ():
                for text, place in texts(node.config.get(field), f"nodes.{node_id}.config.{field}"):
                    yield from self._check(view, node_id, text, place)

    def _check(self, view: View, node_id: str, text: str, place: str) -> Iterator[Problem]:
        try:
            parsed = expression.compile(text)
        except FlowError as error:
            at = f" ({error.where})" if error.where else ""
            message = f"{error.what.rstrip('.')}{at}: {names.shorten(text)}"
            yield self.problem(view, place, message, error.remedy, node_id)
            return
        known = parsed.names if view.signature_of[node_id] else frozenset[str]()
        for message, remedy in _unknown_names(view, node_id, known, parsed.parameters):
            yield self.problem(view, place, message, remedy, node_id)


def _unknown_names(
    view: View, node_id: str, inputs: Iterable[str], parameters: Iterable[str]
) -> Iterator[tuple[str, str]]:
    """Yield (message, remedy) for each name that has no value at a node."""
    for name in sorted(parameters):
        known = view.flow.parameters
        if name not in known:
            hint = names.did_you_mean(name, known) or f"Parameters: {names.listed(known)}."
            yield f"The flow has no parameter {names.shorten(name)!r}.", hint
    available = view.names_at(node_id) if inputs else set[str]()
    for name in sorted(inputs):
        if name not in available:
            hint = names.did_you_mean(name, available)
            if name in view.flow.parameters:
                hint = f"Write params.{name} for the parameter."
            fallback = f"Wire something into {name!r}; inputs: {names.listed(sorted(available))}."
            yield f"Node {node_id!r} has no input {names.shorten(name)!r}.", hint or fallback


def _between(low: float, high: float) -> Callable[[Any], bool]:
    return lambda value: low <= value <= high  # false for NaN too


_DAYS = "365 days"
#: Setting, how to read it, whether it is fine, what it must be.
_BOUNDS: tuple[tuple[str, Callable[[Node], Any], Callable[[Any], bool], str], ...] = (
    ("version", lambda n: n.version, _between(1, 10**6), "at least 1"),
    ("retry.attempts", lambda n: n.retry.attempts, _between(1, 1000), "1 to 1000 calls"),
    ("retry.initial", lambda n: n.retry.initial, _between(0, _YEAR_S), f"0 s to {_DAYS}"),
    ("retry.max", lambda n: n.retry.max, _between(0, _YEAR_S), f"0 s to {_DAYS}"),
    ("retry.jitter", lambda n: n.retry.jitter, _between(0, 1), "0 to 1"),
    ("timeout", lambda n: n.timeout, _between(1e-3, _YEAR_S), f"1 ms to {_DAYS}"),
    ("cache", lambda n: n.cache, _between(1e-3, 100 * _YEAR_S), "'auto', 'off' or seconds over 0"),
    ("concurrency", lambda n: n.concurrency, _between(1, 10**6), "at least 1"),
)


class Settings(Rule):
    """Checks the bounds of what the engine takes from a node."""

    code = "IAI116"
    name = "bad-setting"
    description = "Retries, timeouts, cache times and limits are within their bounds."

    def check(self, view: View) -> Iterator[Problem]:
        """Yield settings out of bounds."""
        plain = Node("")
        for node_id, node in view.flow.nodes.items():
            for setting, read, is_fine, wanted in _BOUNDS:
                value = read(node)
                if value != read(plain) and (isinstance(value, str) or not is_fine(value)):
                    yield self.problem(
                        view,
                        f"nodes.{node_id}.{setting}",
                        f"{setting!r} must be {wanted}; got {value}.",
                        node=node_id,
                    )
            if node.retry.initial > node.retry.max:
                yield self.problem(
                    view,
                    f"nodes.{node_id}.retry.initial",
                    f"The first pause ({node.retry.initial} s) is longer than the longest "
                    f"({node.retry.max} s).",
                    "Raise 'retry.max'.",
                    node_id,
                )


class RetriedBodies(Rule):
    """Looks for retries that do not reach what they are meant for."""

    code = "IAI124"
    name = "retry-around-body"
    description = "Steps within a map or subflow are retried by their own nodes, not by it."
    severity = "warning"

    def check(self, view: View) -> Iterator[Problem]:
        """Yield nodes with a body that are to be retried."""
        for node_id, node in view.flow.nodes.items():
            signature = view.signature_of[node_id]
            if signature is not None and signature.bodies and node.retry.attempts > 1:
                yield self.problem(
                    view,
                    f"nodes.{node_id}.retry",
                    f"The retry of {node_id!r} does not cover its body: a step that fails in there "
                    f"is not called again.",
                    "Set the retry of the nodes in the body instead.",
                    node_id,
                )


_KEY_SHAPES = re.compile(
    r"""\b(?:
        sk-[A-Za-z0-9_-]{20,} | (?:AKIA|ASIA)[0-9A-Z]{16} | gh[pousr]_[A-Za-z0-9]{30,}
        | github_pat_\w{30,} | xox[abprs]-[A-Za-z0-9-]{10,} | AIza[0-9A-Za-z_-]{35}
        | hf_[A-Za-z0-9]{30,} | glpat-[\w-]{20,} | (?:sk|rk)_live_[0-9A-Za-z]{20,}
        | eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}
    )
    | -----BEGIN\ [A-Z ]*PRIVATE\ KEY-----
    | (?i:\bBearer)\s+[A-Za-z0-9._~+/-]{20,}
    | ://[^/\s:@{}]+:[^/\s:@{}]{3,}@""",
    re.VERBOSE,
)
_KEY_NAMES = re.compile(r"(?i)(?:^|[._-])(?:api_?key|password|passwd|secret|access_?token|token)$")
_REFERENCE = re.compile(r"secret:|\{\{")


class NoSecrets(Rule):
    """Looks for credentials in configurations."""

    code = "IAI118"
    name = "secret-in-config"
    description = "No credential stands in a flow: flows are shared and kept in every version."
    severity = "warning"

    def check(self, view: View) -> Iterator[Problem]:
        """Yield texts that look like credentials."""
        for node_id, node in view.flow.nodes.items():
            for text, place in texts(dict(node.config), f"nodes.{node_id}.config"):
                if self._is_secret(text, place):
                    yield self.problem(
                        view,
                        place,
                        "This looks like an API key or password.",
                        "Move it to Secrets and write 'secret:NAME' here.",
                        node_id,
                    )

    def _is_secret(self, text: str, place: str) -> bool:
        if _KEY_SHAPES.search(text):
            return True
        named = len(text) >= 8 and " " not in text and _KEY_NAMES.search(place) is not None
        return named and not _REFERENCE.search(text)
