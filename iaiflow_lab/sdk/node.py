"""Node types: a typed Python function or class that can stand in a flow."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, Literal, ParamSpec, TypeVar, cast, overload

from iaiflow_lab.errors import NodeError
from iaiflow_lab.model.flow import OUT
from iaiflow_lab.model.secret_names import names_in
from iaiflow_lab.model.signature import Check, Effects, Needs, NodeSignature, Port
from iaiflow_lab.model.types import PortType
from iaiflow_lab.sdk import annotations
from iaiflow_lab.sdk.builder import current_builder
from iaiflow_lab.sdk.context import Context
from iaiflow_lab.sdk.outcome import Done, Expand, Skip

P = ParamSpec("P")
R = TypeVar("R")

Pool = Literal["auto", "process"]
Loop = Literal["engine", "kernel"]
Style = Literal["sync", "async", "generator", "async_generator"]
Migration = Callable[[dict[str, Any]], dict[str, Any]]

#: Node types made in the notebook's own cells, by name (`cell.NAME`); the latest wins.
CELL_TYPES: dict[str, NodeType[Any, Any]] = {}
#: What else cells have made that configurations may name, such as agents' tools; the latest wins.
CELL_NAMES: dict[str, Any] = {}

_MISSING = inspect.Parameter.empty


@dataclass(frozen=True, slots=True)
class _Field:
    """One configuration field: a keyword-only parameter."""

    name: str
    annotation: Any
    default: Any


@dataclass(eq=False)
class NodeType(Generic[P, R]):
    """A node type of the catalog; calling it calls the function, or draws it inside a Flow."""

    #: The name in flow files.
    name: str
    #: The function, or the class with a `run` method.
    target: Callable[P, R]
    version: int = 1
    category: str = "Custom"
    title: str = ""
    effects: Effects = "none"
    #: Whether strangers may have written what it gives; left out: where it has effects, runs a flow
    #: that its configuration does not show, or has run such nodes by its context.
    untrusted: bool | None = None
    #: Where it is called: "auto" (an event loop for async, else a thread) or "process".
    pool: Pool = "auto"
    #: The event loop of an async node: the engine's or the kernel's own.
    loop: Loop = "engine"
    #: Describes the outside world that a read depends on: called with a `Context` and the node's
    #: own arguments.
    fingerprint: Callable[..., str] | None = None
    #: For each older version, how its configuration becomes that of the next one.
    migrations: Mapping[int, Migration] = field(default_factory=dict[int, Migration])
    #: Finds faults of a configuration before a run.
    check: Check | None = None
    #: Names secrets that it reads although no field names them.
    needs: Needs | None = None

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function; inside `with Flow(...)`, add a node to that flow instead."""
        builder = current_builder()
        if builder is None:
            return self.target(*args, **kwargs)
        names = (port.name for port in self.inputs)
        wired: dict[str, Any] = {**dict(zip(names, args, strict=False)), **kwargs}
        return cast("R", builder.add(self.name, **wired))

    @cached_property
    def function(self) -> Callable[..., Any]:
        """The callable whose parameters are the node's; for a class its `run` method."""
        return cast("Any", self.target).run if self.is_class else self.target

    @property
    def gives_strangers(self) -> bool:
        """Whether strangers may have written what it gives, whatever its inputs and bodies are."""
        if self.untrusted is not None:
            return self.untrusted
        return self.effects != "none" or (self.expands and not self.body_fields)

    @property
    def is_class(self) -> bool:
        """Whether the node is a class, made anew for each call."""
        return inspect.isclass(self.target)

    @cached_property
    def style(self) -> Style:
        """How the function is called."""
        if inspect.isasyncgenfunction(self.function):
            return "async_generator"
        if inspect.iscoroutinefunction(self.function):
            return "async"
        return "generator" if inspect.isgeneratorfunction(self.function) else "sync"

    @cached_property
    def _hints(self) -> dict[str, Any]:
        try:
            hints = typing.get_type_hints(self.function, include_extras=True)
            if self.is_class:
                made = cast("Any", self.target).__init__
                hints |= typing.get_type_hints(made, include_extras=True)
        except (NameError, AttributeError, TypeError, SyntaxError) as error:
            raise NodeError(
                f"An annotation of node type {self.name!r} can't be read: {error}.",
                remedy="Import the name, or define it before the node, at the top level.",
                code="node-annotation",
            ) from error
        return hints

    @cached_property
    def _parameters(self) -> list[inspect.Parameter]:
        parameters = list(inspect.signature(self.function).parameters.values())
        return parameters[1:] if self.is_class else parameters

    @cached_property
    def context_name(self) -> str:
        """The name of the parameter that takes the `Context`; "" when there is none."""
        for parameter in self._parameters:
            if self._hints.get(parameter.name) is Context:
                return parameter.name
        return ""

    @cached_property
    def inputs(self) -> tuple[Port, ...]:
        """The named input ports: positional parameters."""
        return tuple(
            Port(
                parameter.name,
                annotations.port_type(self._hints.get(parameter.name, Any)),
                required=parameter.default is _MISSING,
                help=self.argument_help.get(parameter.name, ""),
            )
            for parameter in self._parameters
            if parameter.kind
            in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
            and parameter.name != self.context_name
        )

    @cached_property
    def free_inputs(self) -> PortType | None:
        """The type of further inputs: what `**name` is annotated with."""
        for parameter in self._parameters:
            if parameter.kind is inspect.Parameter.VAR_KEYWORD:
                return annotations.port_type(self._hints.get(parameter.name, Any))
        return None

    @cached_property
    def fields(self) -> tuple[_Field, ...]:
        """The configuration fields: keyword-only parameters (of `__init__` for a class)."""
        parameters = self._parameters
        if self.is_class:
            initial = inspect.signature(cast("Any", self.target).__init__).parameters.values()
            parameters = parameters + list(initial)
        return tuple(
            _Field(p.name, self._hints.get(p.name, Any), p.default)
            for p in parameters
            if p.kind is inspect.Parameter.KEYWORD_ONLY and p.name != self.context_name
        )

    @cached_property
    def field_types(self) -> dict[str, PortType]:
        """The configuration fields as ports, since an edge may feed them."""
        return {field.name: annotations.port_type(field.annotation) for field in self.fields}

    @cached_property
    def template_fields(self) -> tuple[str, ...]:
        """The configuration fields whose text is a template."""
        return tuple(f.name for f in self.fields if annotations.widget(f.annotation) == "template")

    @cached_property
    def expands(self) -> bool:
        """Whether it answers with an expansion, which is never cached as a whole."""
        result = annotations.streamed_item(self._hints.get("return", Any))
        return result is Expand or Expand in typing.get_args(result)

    @cached_property
    def models(self) -> dict[str, Any]:
        """The pydantic model of each input port that has one; stored values become it again."""
        return {
            port.name: self._hints[port.name] for port in self.inputs if port.type.name == "model"
        }

    @cached_property
    def _result(self) -> Any:
        result = annotations.streamed_item(self._hints.get("return", Any))
        members = [
            member
            for member in typing.get_args(result)
            if member not in (Skip, Expand, Done, type(None))
        ]
        is_union = typing.get_origin(result) in (typing.Union, types.UnionType)
        return members[0] if is_union and len(members) == 1 else result

    @cached_property
    def record_result(self) -> dict[str, Any] | None:
        """The fields of the result when it gives several outputs; None for a single one."""
        return annotations.record_fields(self._result)

    @cached_property
    def outputs(self) -> tuple[Port, ...]:
        """The output ports, from the return annotation."""
        if self._result in (Expand, Done, type(None)):
            return ()
        if self.record_result is not None:
            optional: Collection[str] = getattr(self._result, "__optional_keys__", ())
            return tuple(
                Port(name, annotations.port_type(hint), not (self._may_skip or name in optional))
                for name, hint in self.record_result.items()
            )
        return (Port(OUT, annotations.port_type(self._result), not self._may_skip),)

    @cached_property
    def _may_skip(self) -> bool:
        return Skip in typing.get_args(self._hints.get("return"))

    @cached_property
    def output_types(self) -> dict[str, PortType]:
        """The types of the output ports, by name."""
        return {port.name: port.type for port in self.outputs}

    @cached_property
    def free_outputs(self) -> PortType | None:
        """Type of outputs under names that only the configuration tells."""
        return PortType("any") if self._result in (Expand, Done) else None

    @cached_property
    def help(self) -> str:
        """The docstring, without its `Args:` section."""
        text = inspect.getdoc(self.target) or ""
        return text.partition("\nArgs:")[0].strip()

    @cached_property
    def argument_help(self) -> dict[str, str]:
        """What the docstring's `Args:` section says of each parameter."""
        section = (inspect.getdoc(self.target) or "").partition("\nArgs:\n")[2]
        found: dict[str, str] = {}
        name = ""
        for line in section.splitlines():
            if not line.startswith("    "):
                break
            head, colon, rest = line.strip().partition(":")
            if not line.startswith("     ") and colon:
                name = head.split(" ")[0].lstrip("*")
                found[name] = rest.strip()
            elif name:
                found[name] += " " + line.strip()
        return found

    def call(self, inputs: Mapping[str, Any], config: Mapping[str, Any], context: Any) -> Any:
        """Call the function with inputs by port, validated configuration, and a context."""
        extra = {self.context_name: context} if self.context_name else {}
        if not self.is_class:
            return self.function(**inputs, **config, **extra)
        made = cast("Any", self.target)(**config)
        return made.run(**inputs, **extra)

    def migrate(self, config: Mapping[str, Any], version: int) -> dict[str, Any]:
        """Bring a configuration written for an older `version` up to the present one.

        Raises:
            NodeError: `version` is newer, or a migration is missing.
        """
        if version > self.version:
            raise NodeError(
                f"Node type {self.name!r} version {version} is not installed (here: "
                f"{self.version}).",
                remedy="Upgrade the package that provides it.",
                code="node-version",
            )
        current = dict(config)
        for step in range(version, self.version):
            if step not in self.migrations:
                raise NodeError(
                    f"Node type {self.name!r} has no migration from version {step}.",
                    code="node-version",
                )
            current = self.migrations[step](current)
        return current

    @cached_property
    def secret_fields(self) -> frozenset[str]:
        """The configuration fields whose texts may name secrets anywhere in them."""
        widgets = {f.name: annotations.widget(f.annotation) for f in self.fields}
        return frozenset(name for name, widget in widgets.items() if widget == "secret")

    @cached_property
    def body_fields(self) -> frozenset[str]:
        """The configuration fields that hold nested flows, which name secrets of their own."""
        widgets = {f.name: annotations.widget(f.annotation) for f in self.fields}
        return frozenset(name for name, widget in widgets.items() if widget == "body")

    @cached_property
    def secret_defaults(self) -> dict[str, Any]:
        """The defaults of configuration fields that name secrets."""
        return {
            f.name: f.default
            for f in self.fields
            if any(names_in(f.default, inside=f.name in self.secret_fields))
        }

    @cached_property
    def signature(self) -> NodeSignature:
        """The public face: ports, configuration schema, effects."""
        from iaiflow_lab.sdk.configuration import config_schema

        widgets = {f.name: annotations.widget(f.annotation) for f in self.fields}
        return NodeSignature(
            type=self.name,
            version=self.version,
            category=self.category,
            title=self.title or _title(self.name),
            summary=self.help.partition("\n")[0],
            help=self.help,
            inputs=self.inputs,
            outputs=self.outputs,
            config_schema=config_schema(self),
            config_ports={
                f.name: Port(
                    f.name,
                    self.field_types[f.name],
                    required=f.default is _MISSING,
                    help=self.argument_help.get(f.name, ""),
                )
                for f in self.fields
            },
            free_inputs=self.free_inputs,
            free_outputs=self.free_outputs,
            templates=self.template_fields,
            expressions=tuple(n for n, w in widgets.items() if w == "expression"),
            bodies=tuple(n for n, w in widgets.items() if w == "body"),
            secrets=tuple(sorted(self.secret_fields)),
            effects=self.effects,
            untrusted=self.gives_strangers,
            check=self.check,
            needs=self.needs,
        )


def _title(name: str) -> str:
    """Return what people call a type: `cell.delay_hours` is "Delay hours"."""
    if not name.startswith("cell."):
        return name
    words = name.removeprefix("cell.").replace("_", " ").strip()
    return words[:1].upper() + words[1:] or name


@overload
def node(target: Callable[P, R], /) -> NodeType[P, R]: ...


@overload
def node(
    name: str = "",
    /,
    *,
    category: str = "Custom",
    title: str = "",
    version: int = 1,
    effects: Effects = "none",
    untrusted: bool | None = None,
    pool: Pool = "auto",
    loop: Loop = "engine",
    fingerprint: Callable[..., str] | None = None,
    migrations: Mapping[int, Migration] | None = None,
    check: Check | None = None,
    needs: Needs | None = None,
) -> Callable[[Callable[P, R]], NodeType[P, R]]: ...


def node(  # noqa: PLR0913  what a node type declares
    name: Any = "",
    /,
    *,
    category: str = "Custom",
    title: str = "",
    version: int = 1,
    effects: Effects = "none",
    untrusted: bool | None = None,
    pool: Pool = "auto",
    loop: Loop = "engine",
    fingerprint: Callable[..., str] | None = None,
    migrations: Mapping[int, Migration] | None = None,
    check: Check | None = None,
    needs: Needs | None = None,
) -> Any:
    """Make a node type of a typed function or class.

    Positional parameters are input ports, keyword-only ones configuration, `**name` further
    inputs under any name; the return annotation gives the output port, or several when it is a
    dataclass, TypedDict or NamedTuple. A parameter annotated `Context` receives the run's context.

    Args:
        name: The name in flow files, `family.verb`. In a notebook cell it is `cell.FUNCTION`.
        category: Where the palette shows it.
        title: What people call it; when empty the name, of a cell's function in words.
        version: Version of the configuration's shape.
        effects: "none" may be cached; "read" only with a `fingerprint`; "write" never, and it
            starts only when its ancestors' outcomes are committed.
        untrusted: Whether strangers may have written what it gives, as a page or a mail: agents
            that are given it ask before they write or send. Left out: where it has effects, expands
            to a flow that is no body of its configuration, or has run such nodes by its context.
        pool: "process" for heavy Python code.
        loop: "kernel" for an async node whose objects are bound to the kernel's own event loop;
            its flow is run with `await flow.arun()`.
        fingerprint: Called as `fingerprint(context, **inputs_and_configuration)`; its text joins
            the cache key.
        migrations: For each older version, how its configuration becomes the next one's.
        check: Called as `check(configuration, wired)` whenever a flow is checked, with the names
            of the wired inputs; returns the faults, and executes nothing of what it reads.
        needs: Called in the same way; returns names of secrets that the node reads although no
            field names them, such as the key that a service usually has.
    """
    if callable(name):
        return node()(cast("Callable[..., Any]", name))

    def decorate(target: Callable[..., Any]) -> NodeType[..., Any]:
        in_cell = target.__module__ == "__main__"
        made: NodeType[..., Any] = NodeType(
            name=f"cell.{target.__name__}" if in_cell or not name else name,
            target=target,
            version=version,
            category="Notebook" if in_cell else category,
            title=title,
            effects=effects,
            untrusted=untrusted,
            pool=pool,
            loop=loop,
            fingerprint=fingerprint,
            migrations=migrations or {},
            check=check,
            needs=needs,
        )
        made.__doc__ = target.__doc__
        if made.name.startswith("cell."):
            CELL_TYPES[made.name] = made
        return made

    return decorate
