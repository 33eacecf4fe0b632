"""The rows that a batch of events makes beside the journal: steps, waits, metrics, files, ..."""

from __future__ import annotations

from typing import Any, Final

from iaiflow_lab.errors import ConflictError
from iaiflow_lab.model import event as ev
from iaiflow_lab.model.run import StepState
from iaiflow_lab.store import waits
from iaiflow_lab.store.database import Transaction

_Row = dict[str, Any]

#: A step of which nothing is known.
_UNKNOWN: Final[_Row] = dict.fromkeys(
    (
        "items",
        "source",
        "started_at",
        "ended_at",
        "queue_wait_s",
        "duration_s",
        "cpu_s",
        "peak_rss",
        "rows",
        "bytes",
        "outcome",
        "passing",
    )
)


class Projection:
    """What one batch changes; each step is written once, however many events it has.

    Args:
        run_id: The run whose events these are.
    """

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._steps: dict[str, _Row] = {}
        self._settled: dict[str, _Row] = {}
        self._substeps: list[tuple[Any, ...]] = []
        self._metrics: list[tuple[Any, ...]] = []
        self._artifacts: list[tuple[Any, ...]] = []
        #: Waits that are opened, or left (None), by step and key.
        self._waits: dict[tuple[str, str], ev.StepWaiting | None] = {}
        self._at = 0.0

    def add(self, seq: int, event: ev.Event) -> None:
        """Take in one event.

        Raises:
            ConflictError: The batch settles a step twice.
        """
        self._at = event.at
        match event:
            case ev.StepStarted():
                self._start(event)
            case ev.StepFinished():
                self._finish(event)
            case ev.StepRetrying(step=step, node=node, attempt=attempt):
                self._step(step, node).update(state=StepState.RETRYING.value, attempt=attempt)
            case ev.StepWaiting(step=step, node=node, key=key):
                self._step(step, node)["state"] = StepState.WAITING.value
                self._waits[step, key] = event
            case ev.WaitLeft(step=step, key=key):
                self._waits[step, key] = None
            case ev.StepExpanded(step=step, node=node, items=items):
                self._step(step, node).update(state=StepState.RUNNING.value, items=items)
            case ev.SubstepRecorded(step=step, key=key, output=output):
                self._substeps.append((self._run_id, step, key, ev.encode(event).decode()))
                self._need(step, "substep", key, output)
            case ev.StepMetric(step=step, name=name, value=value, unit=unit):
                self._metrics.append((self._run_id, seq, step, name, value, unit, event.at))
            case ev.ArtifactMade(step=step, name=name, artifact=digest, size=size):
                row = (self._run_id, step, "file", name, digest, size, event.media_type)
                self._artifacts.append(row)
            case _:
                pass

    def write(self, tx: Transaction) -> None:
        """Write the rows.

        Raises:
            ConflictError: A step or sub-step is already recorded.
        """
        if self._steps:
            tx.run_many("step_put", self._steps.values())
        if self._settled:
            count = tx.run_many("step_put", self._settled.values())
            self._check(count, self._settled, "step-settled", "The outcome of a step")
            tx.run("waits_settled", (self._at, self._run_id))
        if self._waits:
            self._write_waits(tx)
        if self._substeps:
            count = tx.run_many("substep_put", self._substeps)
            self._check(count, self._substeps, "substep-recorded", "A sub-step")
        if self._metrics:
            tx.run_many("metric_put", self._metrics)
        if self._artifacts:
            tx.run_many("run_artifact_put", self._artifacts)

    def _write_waits(self, tx: Transaction) -> None:
        """Open and leave waits; one that opens takes a signal that came before it."""
        for (step, key), event in self._waits.items():
            if event is None:
                tx.run("wait_leave", (self._at, self._run_id, step, key))
                tx.run("step_resumed", {"run_id": self._run_id, "step": step})
            elif step not in self._settled:
                tx.run("wait_put", self._wait_row(event))
                if event.name:
                    waits.take_early(tx, self._run_id, step, key, event.at)

    def _wait_row(self, event: ev.StepWaiting) -> tuple[Any, ...]:
        form = None if event.form is None else waits.text(event.form)
        place = (self._run_id, event.step, event.key, event.node)
        asked = (event.wait_kind, event.name, event.message, form, event.due)
        return (*place, *asked, event.at)

    def _start(self, event: ev.StepStarted) -> None:
        row = self._step(event.step, event.node)
        row["type"] = event.type
        row["state"] = StepState.RUNNING.value
        row["attempt"] = event.attempt
        if row["started_at"] is None:
            row["started_at"] = event.at

    def _finish(self, event: ev.StepFinished) -> None:
        if event.step in self._settled:
            self._check(0, [event.step], "step-settled", f"The outcome of step {event.step!r}")
        row = self._step(event.step, event.node)
        usage = event.usage or ev.Usage()
        row["type"] = event.type
        row["state"] = event.state.value
        row["attempt"] = event.attempt
        row["source"] = event.source
        row["ended_at"] = event.at
        row["queue_wait_s"] = usage.queue_wait_s
        row["duration_s"] = usage.duration_s
        row["cpu_s"] = usage.cpu_s
        row["peak_rss"] = usage.peak_rss
        row["rows"] = usage.rows
        row["bytes"] = usage.bytes
        row["outcome"] = ev.encode(event).decode()
        row["passing"] = 1 if _is_passing(event) else None
        self._settled[event.step] = self._steps.pop(event.step)
        for port, output in event.outputs.items():
            self._need(event.step, "output", port, output)

    def _step(self, step: str, node: str) -> _Row:
        """Return the row of a step; what comes after its outcome starts another one, unused."""
        row = self._steps.get(step)
        if row is None:
            row = dict(_UNKNOWN, run_id=self._run_id, step=step, node=node, type="", attempt=1)
            self._steps[step] = row
        return row

    def _need(self, step: str, role: str, name: str, output: ev.OutputRef) -> None:
        if output.artifact:
            media_type = output.media_type
            row = (self._run_id, step, role, name, output.artifact, output.size, media_type)
            self._artifacts.append(row)

    def _check(self, count: int, wanted: Any, code: str, what: str) -> None:
        if count != len(wanted):
            raise ConflictError(
                f"{what} is already recorded; it is not recorded twice.",
                where=f"run {self._run_id}",
                code=code,
            )


def _is_passing(event: ev.StepFinished) -> bool:
    """Say whether no later claim can go on from an outcome, so that another one may follow."""
    is_live = any(output.encoding == "live" for output in event.outputs.values())
    return is_live or event.state is StepState.CANCELLED
