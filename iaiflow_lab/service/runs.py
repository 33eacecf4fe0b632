"""Runs: start, prepare, cancel, retry. Reading them is `service.history`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from iaiflow_lab.errors import ConflictError, InputError, NotFoundError
from iaiflow_lab.model.budget import RunBudget, check_budget
from iaiflow_lab.model.flow import Flow
from iaiflow_lab.model.names import did_you_mean
from iaiflow_lab.model.run import TERMINAL, RunState, StepState
from iaiflow_lab.model.signature import Signatures
from iaiflow_lab.model.topology import descendants, successors
from iaiflow_lab.queue import enqueue
from iaiflow_lab.queue.claim import node_of
from iaiflow_lab.queue.enqueue import DEFAULT_QUEUE, PRIVATE, Request
from iaiflow_lab.service import flows, targets
from iaiflow_lab.service.history import find_row, stored_budget
from iaiflow_lab.service.pinning import Pinned, pin
from iaiflow_lab.service.session import Session
from iaiflow_lab.service.targets import Target
from iaiflow_lab.store.database import Reader, Row

_QUEUE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
_PRIORITIES: Final = range(-1_000, 1_001)
_LONGEST: Final = 10 * 365 * 86_400.0


@dataclass(frozen=True, slots=True)
class Options:
    """How a run is queued."""

    #: Name of the queue that workers take it from.
    queue: str = DEFAULT_QUEUE
    #: The lowest goes first, -1000 to 1000.
    priority: int = 0
    #: Not before this moment, in seconds since the Unix epoch; None: at once.
    run_at: float | None = None
    #: Not before so many seconds from now; None: at once.
    delay: float | None = None
    #: Longest time in which the run may be executed, in seconds; what it spends queued, waiting
    #: or backing off without a worker does not count. None: no limit.
    timeout: float | None = None
    #: What the models that it asks may take together; None: no limit.
    budget: RunBudget | None = None
    #: Whether outputs of earlier runs may be used.
    use_cache: bool = False
    #: The same key and request give the same run; None: always a new run.
    idempotency_key: str | None = None


def start(
    session: Session,
    what: str | Flow,
    inputs: Mapping[str, Any],
    signatures: Signatures,
    options: Options | None = None,
) -> str:
    """Queue a run and return its id; a refusal leaves nothing behind.

    Args:
        session: An open workspace.
        what: The path of a flow or notebook in the workspace, or a flow.
        inputs: Values by parameter name.
        signatures: The catalog that the flow is checked against.
        options: How it is queued.

    Raises:
        FlowError: The flow has errors.
        InputError: An input or option is wrong.
        NotFoundError: There is no such file.
        NotebookError: The file is no notebook.
        ConflictError: The idempotency key was used for another request.
    """
    pinned = pin(session, targets.find(session, what, inputs))
    values = targets.check(session, pinned.target, signatures)
    request = make_request(session, pinned.target, values, options or Options())
    return _put(session, pinned, request, draft=False)


def prepare(
    session: Session,
    what: str | Flow,
    inputs: Mapping[str, Any],
    options: Options | None = None,
) -> str:
    """Write a run down as a draft and return its id; inputs may still be missing.

    Raises:
        FlowError: The file is no flow.
        InputError: An input that is given, or an option, is wrong.
        NotFoundError: There is no such file.
        NotebookError: The file is no notebook.
        ConflictError: The idempotency key was used for another request.
    """
    pinned = pin(session, targets.find(session, what, inputs))
    values = targets.check_given(pinned.target.flow, pinned.target.inputs)
    request = make_request(session, pinned.target, values, options or Options())
    return _put(session, pinned, request, draft=True)


def edit_draft(
    session: Session,
    run_id: str,
    inputs: Mapping[str, Any] | None = None,
    options: Options | None = None,
) -> None:
    """Replace a draft's inputs or options; None leaves them.

    Raises:
        NotFoundError: There is no such run.
        ConflictError: It is no draft any more.
        InputError: An input or option is wrong.
    """
    with session.store.db.read() as reader:
        row = find_row(reader, session, run_id)
        target = _target_of(reader, session, row, inputs)
    pinned = pin(session, target)
    values = targets.check_given(pinned.target.flow, pinned.target.inputs)
    request = make_request(session, pinned.target, values, options or _options_of(row))
    with session.store.db.write() as tx:
        flows.keep_version(tx, session, pinned.target.flow, pinned.target.version)
        pinned.keep(tx, row["id"])
        edited = {
            "project": session.project,
            "id": row["id"],
            "version": request.version,
            "inputs": request.inputs,
            "queue": request.queue,
            "priority": request.priority,
            "run_at": request.run_at,
            "timeout": request.timeout,
            "budget": request.budget,
            "use_cache": request.use_cache,
        }
        if not tx.run("run_edit", edited):
            raise ConflictError(
                f"Run {row['id']} is {row['state']}; only a draft can be edited.",
                code="wrong-state",
            )


def queue_draft(session: Session, run_id: str, signatures: Signatures) -> None:
    """Put a draft into its queue, after checking what `start` checks.

    Raises:
        NotFoundError: There is no such run.
        ConflictError: It is no draft.
        FlowError: The flow has errors.
        InputError: An input is missing or wrong.
    """
    with session.store.db.write() as tx:
        row = find_row(tx, session, run_id)
        target = _target_of(tx, session, row, None)
        values = targets.check(session, target, signatures, reader=tx)
        text = targets.inputs_text(values)
        tx.run("run_inputs", (text, row["id"]))
        enqueue.queue_draft(tx, session.world, row["id"])


def cancel(session: Session, run_id: str, reason: str = "Cancelled on request.") -> RunState:
    """Cancel a run and return its state: `running` until its worker has ended it.

    Raises:
        NotFoundError: There is no such run.
        ConflictError: It has ended already.
    """
    session.coordinator.sweep()
    with session.store.db.write() as tx:
        row = find_row(tx, session, run_id)
        return enqueue.cancel(tx, session.world, row["id"], reason)


def retry(
    session: Session,
    run_id: str,
    signatures: Signatures,
    *,
    inputs: Mapping[str, Any] | None = None,
    from_start: bool = False,
    latest: bool = False,
    start: str = "",
) -> str:
    """Queue a new run that repeats one that has ended; returns its id.

    Completed steps are replayed, not executed again, unless they follow a step that failed. With
    other inputs, or another version, everything is executed; with `start`, another version only
    executes what follows that node, a failure or a node that was changed.

    Args:
        session: An open workspace.
        run_id: The run to repeat.
        signatures: The catalog that the flow is checked against.
        inputs: Other inputs; None: the same.
        from_start: Whether completed steps are executed again as well.
        latest: Whether the file is taken as it is now, not as it was then. A notebook with other
            inputs always is.
        start: A node that is executed again with all that follows it; "" for none.

    Raises:
        NotFoundError: There is no such run or node.
        ConflictError: It has not ended.
        FlowError: The flow has errors by now.
        InputError: An input is wrong.
    """
    session.coordinator.sweep()
    with session.store.db.read() as reader:
        row = find_row(reader, session, run_id)
        if row["state"] not in TERMINAL:
            raise ConflictError(
                f"Run {row['id']} is {row['state']}; only a run that has ended can be retried.",
                remedy="Cancel it first, or wait",
                code="wrong-state",
            )
        target = _target_of(reader, session, row, inputs, latest=latest)
        unfinished = _unfinished(reader, row["id"])
        before = targets.stored(reader, session, row["version"])
    pinned = pin(session, target)
    values = targets.check(session, pinned.target, signatures)
    flow = pinned.target.flow
    fresh: set[str] = set()
    if start:
        _check_node(flow, start)
        fresh = {start, *_changed(before, flow)}
    same = _same(pinned.target, values, row) or (start and _has_inputs(values, row))
    replayed = same and not from_start
    again = _following(unfinished, flow) | fresh | _following(fresh, flow)
    request = replace(
        make_request(session, pinned.target, values, replace(_options_of(row), run_at=None)),
        retry_of=row["id"],
        rerun=_json(sorted(again if replayed else flow.nodes)),
    )
    return _put(session, pinned, request, draft=False)


def _same(target: Target, values: Mapping[str, Any], row: Row) -> bool:
    return target.version == row["version"] and _has_inputs(values, row)


def _has_inputs(values: Mapping[str, Any], row: Row) -> bool:
    return targets.inputs_text(values) == row["inputs"]


def _put(session: Session, pinned: Pinned, request: Request, *, draft: bool) -> str:
    with session.store.db.write() as tx:
        if request.retry_of:
            find_row(tx, session, request.retry_of)  # it may have been removed meanwhile
        flows.keep_version(tx, session, pinned.target.flow, pinned.target.version)
        run_id = enqueue.put(tx, session.world, request, draft=draft)
        pinned.keep(tx, run_id)
        return run_id


def make_request(
    session: Session, target: Target, inputs: Mapping[str, Any], options: Options
) -> Request:
    """Return the request for a run.

    Args:
        session: An open workspace.
        target: What runs; its flow is pinned and checked.
        inputs: The value of every parameter.
        options: How it is queued.

    Raises:
        InputError: An option is out of range.
    """
    _check(options)
    options = replace(options, budget=check_budget(options.budget))
    now = session.world.clock.now()
    due = now if options.run_at is None else options.run_at
    text = targets.inputs_text(inputs)
    return Request(
        project=session.project,
        flow=target.name,
        source=target.source,
        version=target.version,
        inputs=text,
        queue=options.queue,
        priority=options.priority,
        run_at=due if options.delay is None else now + options.delay,
        max_attempts=session.store.settings.max_attempts,
        use_cache=options.use_cache,
        timeout=options.timeout,
        budget=budget_text(options.budget),
        idempotency_key=options.idempotency_key,
        request=_hash([target.name, target.version, text, msgspec.to_builtins(options)]),
    )


def budget_text(budget: RunBudget | None) -> str | None:
    """Return a budget as it is stored."""
    return None if budget is None else _json(budget)


def check_queue(name: str) -> None:
    """Refuse what is no name of a queue.

    Raises:
        InputError: It is none.
    """
    if not _QUEUE.match(name):
        raise InputError(
            f"{name!r} is no queue name.",
            where="queue",
            remedy="Use up to 64 letters, digits, dots, dashes and underscores",
        )


def _check(options: Options) -> None:
    check_queue(options.queue)
    if options.priority not in _PRIORITIES:
        raise InputError(
            f"The priority {options.priority!r} is out of range.",
            where="priority",
            remedy="Use a whole number from -1000 (first) to 1000 (last)",
        )
    if options.run_at is not None and options.delay is not None:
        raise InputError("A run has either a moment or a delay.", where="delay")
    _check_seconds("delay", options.delay, least=0.0)
    _check_seconds("timeout", options.timeout, least=0.001)
    key = options.idempotency_key
    if key is not None and not 1 <= len(key) <= 200:
        raise InputError("An idempotency key has 1 to 200 characters.", where="idempotency_key")


def _check_seconds(name: str, value: float | None, least: float) -> None:
    if value is not None and not least <= value <= _LONGEST:  # also refuses nan
        raise InputError(
            f"{name} = {value!r} is out of range.",
            where=name,
            remedy="Give seconds, up to 10 years",
        )


def _target_of(
    reader: Reader,
    session: Session,
    row: Row,
    inputs: Mapping[str, Any] | None,
    *,
    latest: bool = False,
) -> Target:
    flow = targets.stored(reader, session, row["version"])
    given: Mapping[str, Any] = targets.recorded(row["inputs"]) if inputs is None else inputs
    is_notebook = row["source"].endswith(targets.NOTEBOOK)
    if is_notebook and inputs is None:
        given = flow.nodes[targets.NOTEBOOK_NODE].config.get("parameters") or {}
    if row["source"] and (latest or (is_notebook and inputs is not None)):
        return targets.find(session, row["source"], given)
    if is_notebook:
        given = {}
    return Target(flow, row["flow"], row["source"], row["version"], given)


def _options_of(row: Row) -> Options:
    queue = DEFAULT_QUEUE if row["queue"].startswith(PRIVATE) else row["queue"]
    return Options(
        queue=queue,
        priority=row["priority"],
        run_at=row["run_at"],
        timeout=row["timeout"],
        budget=stored_budget(row),
        use_cache=bool(row["use_cache"]),
    )


def _unfinished(reader: Reader, run_id: str) -> set[str]:
    """Return the nodes with a step that did not complete."""
    return {
        node_of(row["step"])
        for row in reader.all("steps_of", (run_id,))
        if row["state"] not in {StepState.COMPLETED, StepState.SKIPPED}
    }


def _changed(before: Flow, flow: Flow) -> set[str]:
    """Return the nodes that are new, or that another version gives other settings or edges."""
    return {node for node in flow.nodes if _spelled(before, node) != _spelled(flow, node)}


def _spelled(flow: Flow, node_id: str) -> object:
    node = flow.nodes.get(node_id)
    edges = [str(edge) for edge in flow.edges if edge.target == node_id]
    return None if node is None else (replace(node, title=""), edges)


def _following(nodes: Collection[str], flow: Flow) -> set[str]:
    """Return the nodes that see the end of others."""
    after = successors(flow.nodes, ((edge.source, edge.target) for edge in flow.edges))
    return descendants([node for node in nodes if node in flow.nodes], after)


def _check_node(flow: Flow, node_id: str) -> None:
    if node_id not in flow.nodes:
        raise NotFoundError(
            f"There is no node {node_id!r} to start from.", remedy=did_you_mean(node_id, flow.nodes)
        )


def _hash(value: Any) -> str:
    return hashlib.sha256(msgspec.json.encode(value)).hexdigest()


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
