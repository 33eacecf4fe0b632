"""Rules on what a flow takes, returns and is called, and on the flows inside it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from iaiflow_lab.errors import FlowError
from iaiflow_lab.model import names
from iaiflow_lab.model.data import from_data
from iaiflow_lab.model.file import SUFFIX
from iaiflow_lab.model.flow import PARAMS
from iaiflow_lab.model.json_schema import JSON_TYPES, compile_pattern, violations
from iaiflow_lab.model.json_value import find_fault, spell_place
from iaiflow_lab.model.parameters import is_live, is_required, value_schema
from iaiflow_lab.model.rules.base import Problem, Rule, View, texts
from iaiflow_lab.model.types import PORT_TYPES, parse_type

_WORD = re.compile(r"\w+")
_MAX_LEVELS = 20


class Outputs(Rule):
    """Looks up what the flow returns."""

    code = "IAI114"
    name = "bad-outputs"
    description = "Every output of the flow names an output port of one of its nodes."

    def check(self, view: View) -> Iterator[Problem]:
        """Yield outputs with a bad name, or of a port that does not exist."""
        for name, reference in (view.flow.outputs or {}).items():
            place = f"outputs.{name}"
            if not names.is_name(name):
                message = f"Output name {names.shorten(name)!r} must be a Python name, no keyword."
                yield self.problem(view, place, message)
            node_id, _, port = reference.partition(".")
            if node_id not in view.flow.nodes:
                yield self.problem(
                    view,
                    place,
                    f"{names.shorten(reference)!r} names no node of this flow.",
                    names.did_you_mean(node_id, view.flow.nodes) or "Write 'node.output'.",
                )
            elif view.signature_of[node_id] and view.output(node_id, port) is None:
                known = view.outputs(node_id)
                message = (
                    f"Node {node_id!r} has no output {port!r}; outputs: {names.listed(known)}."
                )
                yield self.problem(view, place, message, names.did_you_mean(port, known), node_id)


class Parameters(Rule):
    """Checks names, types and defaults of parameters."""

    code = "IAI115"
    name = "bad-parameter"
    description = "Parameters have Python names, known types, and defaults that fit."

    def check(self, view: View) -> Iterator[Problem]:
        """Yield what is wrong with the parameters."""
        for name, spec in view.flow.parameters.items():
            if not names.is_name(name):
                message = f"Parameter name {names.shorten(name)!r} is not allowed."
                remedy = "Parameter names must be Python names and not keywords."
                yield self.problem(view, f"parameters.{name}", message, remedy)
            for field, message in self._faults(spec):
                place = f"parameters.{name}.{field}"
                yield self.problem(
                    view, place, message, _type_hint(spec) if field == "type" else ""
                )

    def _faults(self, spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        if not _is_known_type(spec.get("type", "any")):
            yield "type", f"{spec['type']!r} is no type of JSON Schema or of a port."
            return
        if isinstance(spec.get("pattern"), str) and compile_pattern(spec["pattern"]) is None:
            yield "pattern", f"{spec['pattern']!r} is no regular expression."
        if is_required(spec):
            return
        if fault := find_fault(spec["default"]):
            yield "default", fault.message
        elif not is_live(spec):
            for violation in violations(spec["default"], value_schema(spec)):
                where = spell_place(("default", *violation.path))
                yield where, f"The default {violation.message}"


def _is_known_type(written: Any) -> bool:
    if isinstance(written, list):
        return all(one in JSON_TYPES for one in cast("list[Any]", written))
    if not isinstance(written, str):
        return False
    try:
        return written in JSON_TYPES or bool(parse_type(written))
    except ValueError:
        return False


def _type_hint(spec: Mapping[str, Any]) -> str:
    known = sorted(JSON_TYPES | PORT_TYPES.keys())
    written = spec.get("type")
    hint = names.did_you_mean(written, known) if isinstance(written, str) else ""
    return hint or f"Types: {', '.join(known)}."


class UsedParameters(Rule):
    """Looks for parameters that nothing mentions."""

    code = "IAI117"
    name = "unused-parameter"
    description = "Every parameter is used by an edge, a template, an expression or code."
    severity = "warning"

    def check(self, view: View) -> Iterator[Problem]:
        """Yield parameters whose name stands nowhere."""
        if not view.flow.parameters:
            return
        used = {edge.source_port for edge in view.flow.edges if edge.source == PARAMS}
        for node in view.flow.nodes.values():
            used.update(_WORD.findall(node.skip_if))
            for text, _ in texts(dict(node.config), ""):
                used.update(_WORD.findall(text))
        for name in view.flow.parameters:
            if names.is_name(name) and name not in used:
                message = f"Parameter {names.shorten(name)!r} is never used."
                remedy = f"Write {{{{params.{name}}}}} where it belongs, or remove it."
                yield self.problem(view, f"parameters.{name}", message, remedy)


class VisibleTitles(Rule):
    """Looks for characters that nobody sees."""

    code = "IAI119"
    name = "invisible-character"
    description = "Names and titles show all that they hold."
    severity = "warning"

    def check(self, view: View) -> Iterator[Problem]:
        """Yield titles with invisible or direction-changing characters."""
        flow = view.flow
        labels = [(flow.name, "name")]
        labels += [(node.title, f"nodes.{node_id}.title") for node_id, node in flow.nodes.items()]
        for index, group in enumerate(flow.groups):
            labels += texts(dict(group), f"groups[{index}]")
        for text, place in labels:
            if not text.isascii() and (character := names.invisible(text)):
                message = f"The text holds the invisible character {character}."
                yield self.problem(view, place, message, "Remove it.")


class CellNodes(Rule):
    """Looks for node types that exist in one notebook only."""

    code = "IAI121"
    name = "cell-node"
    description = "A flow of node types made in notebook cells runs only where its notebook runs."
    severity = "warning"

    def check(self, view: View) -> Iterator[Problem]:
        """Yield nodes whose type was made in a cell."""
        for node_id, node, _ in view.installed():
            if node.type.startswith("cell."):
                yield self.problem(
                    view,
                    f"nodes.{node_id}.type",
                    f"{node.type!r} exists only in the notebook that defines it.",
                    "Queue the notebook, or make it a file with "
                    f"`iaiflow nodes promote {node.type.removeprefix('cell.')}`.",
                    node_id,
                )


class Bodies(Rule):
    """Checks nested flows by all rules."""

    code = "IAI120"
    name = "bad-body"
    description = "A nested flow is a flow, or the path of one, and is itself correct."

    def check(self, view: View) -> Iterator[Problem]:
        """Yield the problems of nested flows at their own places."""
        for node_id, node, signature in view.installed():
            for field in signature.bodies:
                body: Any = node.config.get(field)
                place = f"nodes.{node_id}.config.{field}"
                if isinstance(body, str):
                    yield from self._path(view, node_id, body, place)
                elif body is not None:
                    yield from self._nested(view, node_id, body, place)

    def _path(self, view: View, node_id: str, path: str, place: str) -> Iterator[Problem]:
        if not path.endswith(SUFFIX):
            message = f"{names.shorten(path)!r} is no flow file."
            remedy = f"Name a file that ends in {SUFFIX}."
            yield self.problem(view, place, message, remedy, node_id)

    def _nested(self, view: View, node_id: str, body: Any, place: str) -> Iterator[Problem]:
        if view.level >= _MAX_LEVELS:
            message = f"Flows may be nested {_MAX_LEVELS} levels deep at most."
            yield self.problem(view, place, message, "Move the body to a file.", node_id)
            return
        try:
            flow = from_data(body, nested=True)
        except FlowError as error:
            inner = f"{place}.{error.where}" if error.where else place
            yield self.problem(view, inner, error.what, error.remedy, node_id)
            return
        yield from view.nested(flow, place).problems()
