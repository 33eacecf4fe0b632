"""What is recorded is not executed again: outcomes of this run, or of the one it retries."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from iaiflow_lab.engine.execution import Execution
from iaiflow_lab.engine.ports import Artifacts
from iaiflow_lab.engine.step import Ended, Inputs, StepRun
from iaiflow_lab.engine.stored import Stored
from iaiflow_lab.model.event import CodeChanged, OutputRef, StepFinished
from iaiflow_lab.model.run import StepState
from iaiflow_lab.sdk import values


def restore(execution: Execution, step: StepRun) -> Ended | None:
    """Return the recorded outcome of a step; None when it has to be executed.

    A completed step whose outputs could not be stored, or not whole, is executed again.
    """
    settled = execution.steps.get(step.path)
    if settled is not None:  # what it belongs to is called once more
        step.key = settled.key or None
        return Ended(settled.state, execution.values[step.path], settled.error)
    recorded = execution.setup.record.steps.get(step.path)
    if recorded is not None and _is_usable(recorded):
        if recorded.code_hash and step.planned.code_key not in ("", recorded.code_hash):
            execution.emit(CodeChanged(at=execution.now(), step=step.path))
        execution.steps[step.path] = recorded
        return _ended(execution, step, recorded)
    earlier = execution.setup.replay.get(step.path)
    if earlier is None or earlier.state is not StepState.COMPLETED or not _is_usable(earlier):
        return None
    step.key = earlier.key or None
    return step.finish(_ended(execution, step, earlier), dict(earlier.outputs), source="replay")


def _is_usable(recorded: StepFinished) -> bool:
    return recorded.state is not StepState.CANCELLED and all(
        ref.encoding != "live" and not ref.hidden for ref in recorded.outputs.values()
    )


def _ended(execution: Execution, step: StepRun, recorded: StepFinished) -> Ended:
    execution.has_stored = True
    outputs = {port: _value(ref) for port, ref in recorded.outputs.items()}
    step.key = recorded.key or None
    execution.values[step.path] = outputs
    return Ended(recorded.state, outputs, recorded.error)


def _value(ref: OutputRef) -> Any:
    return ref.inline if ref.encoding == "json" and not ref.artifact else Stored(ref)


async def revive(execution: Execution, inputs: Inputs) -> None:
    """Replace the stored values among a node's inputs by live ones."""
    for place in (inputs.arguments, inputs.config, inputs.extras):
        for name, value in place.items():
            place[name] = await revived(value, execution.setup.artifacts)


async def revived(value: Any, artifacts: Artifacts) -> Any:
    """Return the live value of what may be stored, or a list of such."""
    if isinstance(value, Stored):
        return await asyncio.to_thread(values.decode, value.ref, artifacts)
    items: list[Any] = cast("Any", value) if isinstance(value, list) else []
    if any(isinstance(item, Stored) for item in items):
        return [await revived(item, artifacts) for item in items]
    return cast("Any", value)
