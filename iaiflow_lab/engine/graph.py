"""One graph being executed: in-degree counters and a heap of ready nodes, no layers.

A node starts as soon as its own inputs are settled. Nothing here recurses: a chain of any depth
is a loop over the heap.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from functools import cached_property
from heapq import heappop, heappush
from math import inf
from typing import Any, TypeVar

from iaiflow_lab.engine import cache_key, plan
from iaiflow_lab.engine.execution import Execution
from iaiflow_lab.engine.failure import GraphFailedError
from iaiflow_lab.engine.patience import to_the_end
from iaiflow_lab.engine.plan import FROM_PARAMS, Plan, PlannedNode, Source, Wire
from iaiflow_lab.engine.restore import restore, revive
from iaiflow_lab.engine.setup import Targets
from iaiflow_lab.engine.step import Ended, Inputs, StepRun
from iaiflow_lab.engine.stored import Stored
from iaiflow_lab.model.event import ErrorInfo, StepExpanded
from iaiflow_lab.model.flow import Edge, Flow
from iaiflow_lab.model.run import StepState
from iaiflow_lab.sdk import values
from iaiflow_lab.sdk.outcome import Expand, Failed

T = TypeVar("T")


class GraphRun:
    """The execution of one plan.

    Args:
        execution: What all steps share.
        planned: The plan.
        params: Values of the flow's parameters; live values in the body of a map.
        prefix: Put before node ids to make step paths.
        param_keys: Cache keys of the parameters; computed from their values when not given.
        depth: How many nodes above wait for this graph in threads of their own.
        above: The step that it is executed for, whose graph stops this one too; None for the whole
            flow.
        beside: Failures of the graphs beside this one; it starts nothing once there is one.
    """

    def __init__(
        self,
        execution: Execution,
        planned: Plan,
        params: Mapping[str, Any],
        prefix: str,
        *,
        param_keys: Mapping[str, str | None] | None = None,
        depth: int = 0,
        above: StepRun | None = None,
        beside: Sequence[GraphFailedError] = (),
    ) -> None:
        self.execution = execution
        self.params = params
        self.depth = depth
        self.above = above
        self._plan = planned
        self._prefix = prefix
        self._beside = beside
        self._param_keys = dict(param_keys or {})
        count = len(planned.nodes)
        self._waits_for = [node.waits_for for node in planned.nodes]
        self._begun = bytearray(count)
        self._outputs: list[Mapping[str, Any] | None] = [None] * count
        #: Cache keys of the settled nodes.
        self.keys: list[str | None] = [None] * count
        self._ready: list[tuple[bool, int]] = []
        self._active = 0
        self._running: dict[str, StepRun] = {}
        self._abandoned = False
        self._left = count
        self._failure: GraphFailedError | None = None
        self._ended: asyncio.Future[None] = execution.loop.create_future()

    @property
    def flow(self) -> Flow:
        """What it executes."""
        return self._plan.flow

    def incoming(self, node_id: str) -> Sequence[Edge]:
        """Return the edges that lead to a node, which may take no part."""
        return self._incoming[node_id]

    @cached_property
    def _incoming(self) -> Mapping[str, Sequence[Edge]]:
        return plan.edges_to(self.flow, self.flow.nodes)

    def path(self, node_id: str) -> str:
        """Return the path of a node's step."""
        return self._prefix + node_id

    @property
    def stopping(self) -> bool:
        """Whether no further step may start here."""
        if self._failure or self._beside or self._abandoned or self.execution.stop:
            return True
        return self.above is not None and self.above.owner.stopping

    async def run(self) -> Mapping[str, Any]:
        """Execute the plan and return the flow's named outputs.

        Raises:
            GraphFailedError: A step failed.
            asyncio.CancelledError: The execution was told to stop.
        """
        for node in self._plan.nodes:
            if node.waits_for == 0:
                self._make_ready(node)
        self._advance()
        await self._until_ended()
        if self._failure is not None:
            raise self._failure
        if self._left:
            raise asyncio.CancelledError
        return await self._named_outputs()

    def leave(self) -> None:
        """End without the steps that go on."""
        if not self._ended.done():
            self._ended.set_result(None)

    async def _until_ended(self) -> None:
        try:
            await asyncio.shield(self._ended)
        except asyncio.CancelledError:
            self._abandoned = True
            for step in list(self._running.values()):
                step.cancel()
            self._advance()
            await to_the_end(asyncio.wait({self._ended}))
            raise

    def _make_ready(self, node: PlannedNode) -> None:
        heappush(self._ready, (node.type.style not in ("async", "async_generator"), node.index))

    def _advance(self) -> None:
        """Begin every ready node; end the graph when nothing is left."""
        while self._ready and not self.stopping:
            _, index = heappop(self._ready)
            if not self._begun[index]:
                self._begun[index] = True
                self._begin(self._plan.nodes[index])
        if self._active == 0 and not self._ended.done() and (self._left == 0 or self.stopping):
            self._ended.set_result(None)

    def _begin(self, node: PlannedNode) -> None:
        path = self._prefix + node.id
        setup = self.execution.setup
        if node.given:
            self._settle(node, Ended(StepState.COMPLETED, setup.previous[path]))
            return
        inputs = self._gather(node)
        if setup.sight is not None:
            setup.sight.inputs[path] = {**inputs.arguments, **inputs.config, **inputs.extras}
        step = StepRun(self.execution, self, node, path, inputs)
        settled = restore(self.execution, step) or self._settled_without_call(node, step)
        if settled is not None:
            self.keys[node.index] = step.key
            self._settle(node, settled)
            return
        self._active += 1
        self.execution.begin()
        step.task = self.execution.loop.create_task(self._execute(node, step))

    def _settled_without_call(self, node: PlannedNode, step: StepRun) -> Ended | None:
        """Return the outcome that is known before any call: pinned, not taken, or unchanged."""
        pin = node.node.pin
        if pin is not None and self.execution.setup.interactive:
            refs = {port: values.refer(value) for port, value in pin.items()}
            return step.finish(Ended(StepState.COMPLETED, dict(pin)), refs, source="pin")
        join, missing = node.node.join, step.inputs.missing
        if missing and (join == "all" or (join == "any" and not _has_any(node, step.inputs))):
            return step.finish(Ended(StepState.SKIPPED), reason=f"No value arrived at {missing!r}.")
        has_surprises = node.skip_if is not None or node.type.fingerprint is not None
        if has_surprises or node.secrets or self.execution.has_stored:
            return None
        step.key = self._key(node, step)
        return self._from_live_cache(node, step)

    async def _execute(self, node: PlannedNode, step: StepRun) -> None:
        ended = Ended(StepState.CANCELLED)
        self._running[step.path] = self.execution.running[step.path] = step
        try:
            if not self.stopping:
                ended = await self._called(node, step)
        except asyncio.CancelledError:
            pass
        except Exception as error:
            ended = await step.failed(error)
        finally:
            self._active -= 1
            del self._running[step.path], self.execution.running[step.path]
            self._settle(node, ended)
            self._advance()
            self.execution.pause()

    async def _called(self, node: PlannedNode, step: StepRun) -> Ended:
        if self.execution.has_stored:
            await revive(self.execution, step.inputs)
        if node.skip_if is not None and node.skip_if.evaluate(
            {**step.inputs.arguments, **step.inputs.extras, "params": self.params}
        ):
            return step.finish(Ended(StepState.SKIPPED), reason=f"skip_if: {node.skip_if.text}")
        step.key = self._key(node, step)
        cached = await self._from_cache(node, step)
        if cached is not None:
            self.keys[node.index] = step.key
            return cached
        ended = await step.run()
        if ended.state is StepState.CANCELLED:
            return self._cancelled(step, ended)
        if ended.state is StepState.COMPLETED:
            await self._remember(node, step, ended)
        if self.execution.setup.durability != "batched":
            await self.execution.recording.flushed()
        return ended

    def _cancelled(self, step: StepRun, ended: Ended) -> Ended:
        """Record the cancellation when it is final and true."""
        if step.path in self.execution.stuck:
            return ended
        if self.execution.stop == "cancel":
            return step.finish(ended, reason=self.execution.stop_reason)
        if not self.execution.stop:
            self.execution.interrupted[step.path] = step
        return ended

    # -- values -------------------------------------------------------------------------------

    def _gather(self, node: PlannedNode) -> Inputs:
        inputs = Inputs()
        places = {"input": inputs.arguments, "config": inputs.config, "template": inputs.extras}
        for wire in node.wires:
            arrived: list[Any] = []
            for source in wire.sources:
                for value in self._arrived(source):
                    arrived.append(value)
                    inputs.sources.append((wire.port, source))
            if not arrived:
                inputs.missing = inputs.missing or wire.port
                continue
            places[wire.place][wire.port] = _delivered(wire, arrived)
        return inputs

    def _arrived(self, source: Source) -> Sequence[Any]:
        """Return the value that a source gives, as a list of one; empty when it has none."""
        if source.index == FROM_PARAMS:
            return [self.params[source.port]] if source.port in self.params else []
        outputs = self._outputs[source.index]
        return [outputs[source.port]] if outputs is not None and source.port in outputs else []

    async def _named_outputs(self) -> Mapping[str, Any]:
        found = {
            name: arrived[0]
            for name, source in self._plan.outputs.items()
            if (arrived := self._arrived(source))
        }
        inputs = Inputs(arguments=found)
        await revive(self.execution, inputs)
        return inputs.arguments

    # -- settling -----------------------------------------------------------------------------

    def _settle(self, node: PlannedNode, ended: Ended) -> None:
        if ended.state is StepState.CANCELLED:
            return
        self._left -= 1
        self._outputs[node.index] = ended.outputs
        if ended.state is StepState.FAILED and node.node.on_error == "fail":
            error = ended.error or ErrorInfo(code="run-failed", message="The step failed.")
            self._failure = self._failure or GraphFailedError(error, ended.exception)
            self.execution.stop_waiting(self._prefix)
            return
        for successor in node.successors:
            self._waits_for[successor] -= 1
            if self._is_ready(self._plan.nodes[successor]):
                self._make_ready(self._plan.nodes[successor])

    def _is_ready(self, node: PlannedNode) -> bool:
        if self._begun[node.index]:
            return False
        if self._waits_for[node.index] == 0:
            return True
        return node.node.join == "any" and _has_any(node, self._gather(node))

    # -- cache --------------------------------------------------------------------------------

    def _key(self, node: PlannedNode, step: StepRun) -> str | None:
        setup = self.execution.setup
        if node.identity is None or (setup.live_cache is None and setup.cache is None):
            return None
        parents = [
            (port, source.port, self._source_key(source)) for port, source in step.inputs.sources
        ]
        seen = sorted(self.params) if node.type.context_name else _named_params(node)
        parents += [(name, "params", self._param_key(name)) for name in seen]
        versions = {name: self.execution.secrets.version(name) for name in node.secrets}
        parents += [(name, "secret", f"@{version}") for name, version in versions.items()]
        return cache_key.step_key(node.identity, parents, step.fingerprint())

    def _source_key(self, source: Source) -> str | None:
        if source.index == FROM_PARAMS:
            return self._param_key(source.port)
        return self.keys[source.index]

    def _param_key(self, name: str) -> str | None:
        if name not in self._param_keys:
            self._param_keys[name] = cache_key.value_key(self.params.get(name))
        return self._param_keys[name]

    def _from_live_cache(self, node: PlannedNode, step: StepRun) -> Ended | None:
        cache = self.execution.setup.live_cache
        if cache is None or step.key is None or node.fresh or node.type.expands:
            return None
        found = cache.get(step.key, self.execution.now())
        if found is None:
            return None
        refs = {port: values.refer(value) for port, value in found.items()}
        return step.finish(Ended(StepState.COMPLETED, found), refs, source="cache")

    async def _from_cache(self, node: PlannedNode, step: StepRun) -> Ended | None:
        setup = self.execution.setup
        found = self._from_live_cache(node, step)
        if found is not None or setup.cache is None or step.key is None:
            return found
        if node.fresh or node.type.expands:
            return None
        stored = await asyncio.to_thread(setup.cache.get_many, [step.key])
        if step.key not in stored:
            return None
        self.execution.has_stored = True
        refs = dict(stored[step.key])
        outputs = {port: Stored(ref) for port, ref in refs.items()}
        return step.finish(Ended(StepState.COMPLETED, outputs), refs, source="cache")

    async def _remember(self, node: PlannedNode, step: StepRun, ended: Ended) -> None:
        if node.type.expands:
            return  # its key was set when its instances had ended
        self.keys[node.index] = step.key
        setup = self.execution.setup
        if step.key is None:
            return
        ttl = node.node.cache if isinstance(node.node.cache, int | float) else None
        if setup.live_cache is not None:
            until = inf if ttl is None else self.execution.now() + ttl
            setup.live_cache.put(step.key, ended.outputs, until)
        refs = self.execution.steps[step.path].outputs
        is_whole = all(ref.encoding != "live" and not ref.hidden for ref in refs.values())
        if setup.cache is not None and is_whole:
            await asyncio.to_thread(setup.cache.put, step.key, refs, ttl)

    # -- expansion ----------------------------------------------------------------------------

    async def run_below(
        self, step_run: StepRun, prefix: str, flow: Flow, inputs: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Run a flow as steps under `step_run` whose paths start with `prefix`."""
        planned = self._plan_body(step_run, flow)
        params, depth = with_defaults(flow, inputs), self.depth + 1
        return await GraphRun(
            self.execution, planned, params, prefix, depth=depth, above=step_run
        ).run()

    def _plan_body(self, step_run: StepRun, body: Flow) -> Plan:
        """Plan a flow below a step; all of it must really run when the step must."""
        targets = Targets(start=tuple(body.nodes)) if step_run.planned.fresh else Targets()
        return plan.build(body, self.execution.setup.types, targets)

    async def expand(self, step_run: StepRun, expansion: Expand) -> Mapping[str, Any]:
        """Run the instances of an expansion as steps under `step_run`."""
        planned = self._plan_body(step_run, expansion.body)
        self.execution.emit(
            StepExpanded(
                at=self.execution.now(),
                step=step_run.path,
                node=step_run.planned.id,
                items=len(expansion.items),
                nodes=len(planned.nodes),
            )
        )
        limit = step_run.planned.node.concurrency or expansion.concurrency or len(expansion.items)
        gate = asyncio.Semaphore(max(1, limit))
        keys: list[str | None] = [None] * len(expansion.items)
        failures: list[GraphFailedError] = []

        async def instance(number: int) -> Mapping[str, Any] | Failed:
            async with gate:
                if self.stopping or failures:
                    return Failed("It was not started.")
                graph = self._instance(step_run, expansion, planned, number, failures)
                try:
                    outputs = await graph.run()
                except GraphFailedError as failed:
                    if not expansion.keep_going:
                        failures.append(failed)
                        self.execution.stop_waiting(f"{step_run.path}[")
                    return Failed(failed.error.message)
                except asyncio.CancelledError:
                    if not failures:
                        raise
                    return Failed("It was not finished.")
                keys[number] = cache_key.combined_key("instance", graph.keys)
                return outputs

        results = await _all_ended(map(instance, range(len(expansion.items))))
        if failures:
            raise failures[0]
        if self.stopping:
            raise asyncio.CancelledError
        if not any(isinstance(result, Failed) for result in results):
            step_run.key = cache_key.combined_key("expansion", keys)
            self.keys[step_run.planned.index] = step_run.key
        return expansion.collect(results)

    def _instance(
        self,
        step_run: StepRun,
        expansion: Expand,
        planned: Plan,
        number: int,
        failures: Sequence[GraphFailedError],
    ) -> GraphRun:
        params = with_defaults(expansion.body, expansion.items[number])
        path = f"{step_run.path}[{number}]/" if expansion.indexed else f"{step_run.path}/"
        keys = {
            name: cache_key.value_key(value) or (step_run.key and f"{step_run.key}:{number}:{name}")
            for name, value in params.items()
        }
        return GraphRun(
            self.execution,
            planned,
            params,
            path,
            param_keys=keys,
            depth=self.depth,
            above=step_run,
            beside=failures,
        )


def with_defaults(flow: Flow, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return a body's parameters: what it is given, else the defaults."""
    defaults = {
        name: spec["default"] for name, spec in flow.parameters.items() if "default" in spec
    }
    return {**defaults, **inputs}


def _delivered(wire: Wire, arrived: list[Any]) -> Any:
    return arrived if wire.gathered else arrived[0]


async def _all_ended(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Return what each gave; the first exception is raised only when all have ended."""
    found = await asyncio.gather(*work, return_exceptions=True)
    results: list[T] = []
    for result in found:
        if isinstance(result, BaseException):
            raise result
        results.append(result)
    return results


def _has_any(node: PlannedNode, inputs: Inputs) -> bool:
    """Say whether a value arrived; where branches are waited for, one of theirs."""
    waits = node.waits_for > 0
    return not node.wires or any(s.index != FROM_PARAMS or not waits for _, s in inputs.sources)


def _named_params(node: PlannedNode) -> list[str]:
    found = {name for parsed in node.templates.values() for name in parsed.parameters}
    if node.skip_if is not None:
        found |= node.skip_if.parameters
    return sorted(found)
