"""The journal of one run as OpenTelemetry spans: the run, its steps, and what went on in them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

from iaiflow_lab.model import event as ev
from iaiflow_lab.model.run import RunState, StepState
from iaiflow_lab.service.history import RunView, StepView
from iaiflow_lab.telemetry.gen_ai import AGENT, Call, Calls, Plain, agent_told

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import SpanContext, Status

_NANOSECONDS = 1_000_000_000


def spans_of(
    run: RunView,
    stretches: Iterable[tuple[int, ev.StepSpan]],
    resource: Resource,
    hide: Callable[[str], str] = str,
    calls: Calls | None = None,
) -> Iterator[ReadableSpan]:
    """Yield the spans of a run that has ended; the same ones each time.

    Args:
        run: The run.
        stretches: What its steps named, with the number of each.
        resource: What the spans are about.
        hide: Cuts secrets out of what nodes said.
        calls: What its agents called.
    """
    made = _Spans(run, resource, hide)
    yield made.root()
    yield from made.steps()
    yield from made.stretches(stretches)
    if calls is not None:
        yield from map(made.call, calls.each())


class _Spans:
    def __init__(self, run: RunView, resource: Resource, hide: Callable[[str], str]) -> None:
        self._run = run
        self._resource = resource
        self._hide = hide
        self._steps = {step.step: step for step in run.steps if step.started_at is not None}

    def root(self) -> ReadableSpan:
        """Return the span of the run, from its first start to its end."""
        run = self._run
        attributes = {
            "iaiflow.run": run.id,
            "iaiflow.flow": run.flow,
            "iaiflow.version": run.version,
            "iaiflow.state": str(run.state),
            "iaiflow.queue": run.queue,
            "iaiflow.attempt": run.attempt,
        }
        begin = run.created_at if run.started_at is None else run.started_at
        end = begin if run.ended_at is None else run.ended_at
        error = run.error if run.state is RunState.FAILED else None
        return self._span(
            run.flow, "", (begin, end), attributes, status=self._status(error), above=None
        )

    def steps(self) -> Iterator[ReadableSpan]:
        """Yield the span of each step that was called."""
        for step in self._steps.values():
            yield self._step(step)

    def _step(self, step: StepView) -> ReadableSpan:
        assert step.started_at is not None
        end = step.ended_at if step.ended_at is not None else self._run.ended_at
        attributes: dict[str, Any] = {
            "iaiflow.step": step.step,
            "iaiflow.node": step.node,
            "iaiflow.type": step.type,
            "iaiflow.state": str(step.state),
            "iaiflow.attempt": step.attempt,
        }
        known = {"source": step.source, "cpu_s": step.cpu_s, "rows": step.rows, "bytes": step.bytes}
        attributes |= {f"iaiflow.{name}": value for name, value in known.items() if value}
        name = step.step
        if step.type == AGENT:
            attributes |= agent_told(step.node)
            name = f"invoke_agent {step.node}"
        error = step.error if step.state is StepState.FAILED else None
        times = (step.started_at, max(step.started_at, end or step.started_at))
        above = self._above(step)
        status = self._status(error)
        return self._span(name, step.step, times, attributes, status=status, above=above)

    def _above(self, step: StepView) -> str:
        """Return the path of the nearest step that this one is nested in; "": the run."""
        path = step.step
        while "/" in path:
            path = path.rpartition("/")[0]
            for candidate in (path, path.rpartition("[")[0]):
                if candidate in self._steps:
                    return candidate
        return ""

    def stretches(self, named: Iterable[tuple[int, ev.StepSpan]]) -> Iterator[ReadableSpan]:
        """Yield the stretches of time that steps named."""
        for seq, event in named:
            times = (event.at - event.duration_s, event.at)
            above = event.step if event.step in self._steps else ""
            told = {name: self._plain(value) for name, value in event.attributes.items()}
            key, status = f"{event.step}\0{seq}", self._status(None)
            yield self._span(self._hide(event.name), key, times, told, status=status, above=above)

    def call(self, call: Call) -> ReadableSpan:
        """Return the span of a call of a model or a tool."""
        above = call.step if call.step in self._steps else ""
        return self._span(
            self._hide(call.name),
            _key(call.step, call.key),
            (call.at - call.seconds, call.at),
            {name: self._hidden(value) for name, value in call.attributes.items()},
            status=self._failure(call.error),
            above=_key(call.step, call.above) if call.above else above,
            kind=call.kind,
        )

    def _span(
        self,
        name: str,
        key: str,
        times: tuple[float, float],
        attributes: Mapping[str, Any],
        *,
        status: Status,
        above: str | None,
        kind: Literal["client", "internal"] = "internal",
    ) -> ReadableSpan:
        from opentelemetry.sdk.trace import ReadableSpan
        from opentelemetry.trace import SpanKind

        return ReadableSpan(
            name,
            context=self._context(key),
            parent=None if above is None else self._context(above),
            resource=self._resource,
            attributes=attributes,
            kind=SpanKind.CLIENT if kind == "client" else SpanKind.INTERNAL,
            status=status,
            start_time=int(times[0] * _NANOSECONDS),
            end_time=int(times[1] * _NANOSECONDS),
        )

    def _context(self, key: str) -> SpanContext:
        from opentelemetry.trace import SpanContext, TraceFlags

        trace = hashlib.sha256(self._run.id.encode()).digest()[:16]
        span = hashlib.sha256(f"{self._run.id}\0{key}".encode()).digest()[:8]
        flags = TraceFlags(TraceFlags.SAMPLED)
        return SpanContext(
            int.from_bytes(trace), int.from_bytes(span), is_remote=False, trace_flags=flags
        )

    def _status(self, error: ev.ErrorInfo | None) -> Status:
        return self._failure("" if error is None else f"{error.code}: {error.message}")

    def _failure(self, said: str) -> Status:
        from opentelemetry.trace import Status, StatusCode

        if not said:
            return Status(StatusCode.UNSET)
        return Status(StatusCode.ERROR, self._hide(said))

    def _plain(self, value: Any) -> str | bool | int | float:
        return value if isinstance(value, bool | int | float) else self._hide(str(value))

    def _hidden(self, value: Plain) -> Plain:
        if isinstance(value, str | bool | int | float):
            return self._plain(value)
        return [self._hide(each) for each in value]


def _key(step: str, call: str) -> str:
    """Return what no other span of a run is known by."""
    return f"{step}\0once\0{call}"
