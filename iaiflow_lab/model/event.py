"""The facts of a run, numbered in its journal. Everything that people see is folded from them.

Each event is one small frozen struct; on the wire it is a JSON object whose `kind` names it.
A step is named by its path: `fetch`, `each[3]/clean` (item 3 of the map `each`),
`report/2:clean` (step `clean` of the second flow call inside the notebook node `report`).
"""

from __future__ import annotations

from typing import Any

import msgspec

from iaiflow_lab.model import json_value
from iaiflow_lab.model.run import RunState, StepState


class OutputRef(msgspec.Struct, frozen=True, omit_defaults=True):
    """One output value as it is stored: inline, by artifact, or only a note that it was alive."""

    #: `json`, `text`, `bytes`, `arrow`, or `live` (not stored; the node runs again on resume).
    encoding: str
    #: The value itself, when it is small JSON or text.
    inline: Any = None
    #: SHA-256 of the stored bytes, in hex; "" when inline or live.
    artifact: str = ""
    #: Size of the stored form, in bytes.
    size: int = 0
    #: Rows, for tables.
    rows: int | None = None
    #: MIME type of bytes.
    media_type: str = ""
    #: A short text that shows the value to people (at most a few hundred characters).
    preview: str = ""
    #: Whether secrets were cut out of it: then the node runs again on resume.
    hidden: bool = False


class ErrorInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why something failed, for people and for programs."""

    #: Stable code: a `LabError.code`, or the exception's class name.
    code: str
    #: One clear sentence.
    message: str
    #: The step that failed; "" for the run itself.
    step: str = ""
    #: The user's own traceback lines, without ours.
    trace: str = ""


class Usage(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one step cost."""

    #: From the step being ready to its first call, in seconds.
    queue_wait_s: float = 0.0
    #: From its first call to its end, in seconds.
    duration_s: float = 0.0
    #: CPU time of its thread or process, in seconds.
    cpu_s: float = 0.0
    #: Highest resident memory of the whole process so far, in bytes: all that it ever held at once
    #: until the step ended, so a step never shows less than those before it in the same process.
    peak_rss: int = 0
    #: Rows of all table outputs.
    rows: int | None = None
    #: Bytes of all stored outputs.
    bytes: int = 0


class Event(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", kw_only=True):
    """One fact about a run. `at` is in seconds since the Unix epoch (UTC)."""

    at: float


class RunChanged(Event, frozen=True, tag="run"):
    """The run changed its state."""

    #: The state it is in now.
    state: RunState
    #: Why, in one sentence; "" when it needs no reason.
    reason: str = ""
    #: The error that ended it.
    error: ErrorInfo | None = None
    #: Named results, when it completed.
    outputs: dict[str, OutputRef] = {}


class EnvironmentRecorded(Event, frozen=True, tag="environment"):
    """What the run is executed with."""

    #: Interpreter, platform, package versions, git commit, dirty files, code hashes.
    facts: dict[str, Any]


class CodeChanged(Event, frozen=True, tag="code_changed"):
    """On resume, a recorded step was made by other code than the code present; it is kept."""

    step: str


class StepStarted(Event, frozen=True, tag="step_started"):
    """A step's node is being called."""

    step: str
    #: Id of the node in its flow.
    node: str
    #: The node type's name.
    type: str
    #: Calls so far, this one included.
    attempt: int = 1


class StepFinished(Event, frozen=True, tag="step_finished"):
    """A step's outcome; recorded at most once for each step of a run."""

    step: str
    node: str
    type: str
    #: One of `run.SETTLED`.
    state: StepState
    attempt: int = 1
    #: Stored outputs by port; a port that is missing has no value.
    outputs: dict[str, OutputRef] = {}
    #: Where the outcome came from: `executed`, `cache`, `pin`, `replay`.
    source: str = "executed"
    #: The cache key, when the step has one.
    key: str = ""
    #: Hash of the node's code.
    code_hash: str = ""
    #: Why it was skipped.
    reason: str = ""
    error: ErrorInfo | None = None
    usage: Usage | None = None


class StepRetrying(Event, frozen=True, tag="step_retrying"):
    """A call failed and another one follows."""

    step: str
    node: str
    attempt: int
    #: When the next call is due, in seconds since the Unix epoch.
    due: float
    error: ErrorInfo


class StepWaiting(Event, frozen=True, tag="step_waiting"):
    """A step waits for a moment, or for an answer from outside."""

    step: str
    node: str
    #: Tells the waits of one step apart.
    key: str
    #: `delay`, `until`, `approval`, `signal` or `webhook`.
    wait_kind: str
    #: The signal that ends it; "" when none does.
    name: str = ""
    #: What is asked, for people.
    message: str = ""
    #: JSON Schema of the answer.
    form: dict[str, Any] | None = None
    #: When it ends by itself, in seconds since the Unix epoch; None: never.
    due: float | None = None


class WaitAnswered(Event, frozen=True, tag="wait_answered"):
    """A wait has ended; at most once for each step and key of a run."""

    step: str
    key: str
    #: `due`, `timed-out`, `answered`, `approved` or `refused`.
    outcome: str
    #: The answer, as JSON.
    value: Any = None
    #: Who gave it; "" when the moment came.
    by: str = ""
    #: Why, in their words.
    reason: str = ""


class WaitLeft(Event, frozen=True, tag="wait_left"):
    """A step no longer waits for something, although no answer came."""

    step: str
    key: str


class StepExpanded(Event, frozen=True, tag="step_expanded"):
    """A map or subflow was expanded into steps shown under it."""

    step: str
    node: str
    #: How many items; 1 for a subflow.
    items: int
    #: How many steps each of them has, not counting what those expand to; 0: not recorded.
    nodes: int = 0


class StepProgress(Event, frozen=True, tag="step_progress"):
    """How far a step is."""

    step: str
    done: float
    #: None when the end is not known.
    total: float | None = None
    text: str = ""


class StepLog(Event, frozen=True, tag="step_log"):
    """Text that a step wrote."""

    step: str
    #: `stdout`, `stderr`, `log` or `warning`; a redrawn progress bar is its last state.
    stream: str
    text: str
    #: Level of a log record, e.g. `INFO`.
    level: str = ""


class StepDisplay(Event, frozen=True, tag="step_display"):
    """Something that a step showed with `display()`, as a MIME bundle."""

    step: str
    data: dict[str, Any]
    metadata: dict[str, Any] = {}


class StepOutput(Event, frozen=True, tag="step_output"):
    """A partial output of a step that is still running."""

    step: str
    port: str
    preview: str
    #: Number of partial outputs so far.
    count: int = 1
    #: The value itself as JSON, for whoever looks on in this process: such an event passes by and
    #: is not recorded.
    value: Any = None


class StepMetric(Event, frozen=True, tag="step_metric"):
    """A number that a step wants remembered."""

    step: str
    name: str
    value: float
    unit: str = ""


class StepSpan(Event, frozen=True, tag="step_span"):
    """A named stretch of time inside a step."""

    step: str
    name: str
    #: Seconds.
    duration_s: float
    attributes: dict[str, Any] = {}


class SubstepRecorded(Event, frozen=True, tag="substep"):
    """The result of `ctx.once(key, ...)`; it never runs again in this run."""

    step: str
    key: str
    output: OutputRef


class ArtifactMade(Event, frozen=True, tag="artifact"):
    """A named file that a step made for people."""

    step: str
    name: str
    #: SHA-256 in hex.
    artifact: str
    size: int
    media_type: str = ""


class CellStarted(Event, frozen=True, tag="cell_started"):
    """A notebook cell is being executed."""

    step: str
    #: Position in the notebook, from 0.
    index: int
    cell_id: str = ""


class CellOutput(Event, frozen=True, tag="cell_output"):
    """One output of a notebook cell, as nbformat writes it (big ones cut)."""

    step: str
    index: int
    output: dict[str, Any]


class CellFinished(Event, frozen=True, tag="cell_finished"):
    """A notebook cell ended."""

    step: str
    index: int
    #: `completed`, `failed`, `skipped`, or `waiting` when its kernel was ended meanwhile.
    state: str
    duration_s: float = 0.0


AnyEvent = (
    RunChanged
    | EnvironmentRecorded
    | CodeChanged
    | StepStarted
    | StepFinished
    | StepRetrying
    | StepWaiting
    | WaitAnswered
    | WaitLeft
    | StepExpanded
    | StepProgress
    | StepLog
    | StepDisplay
    | StepOutput
    | StepMetric
    | StepSpan
    | SubstepRecorded
    | ArtifactMade
    | CellStarted
    | CellOutput
    | CellFinished
)

_decoder = msgspec.json.Decoder(AnyEvent)


def encode(event: Event) -> bytes:
    """Return the event as one JSON object."""
    return json_value.encode(event)


def decode(data: bytes | str) -> AnyEvent:
    """Read one event.

    Raises:
        msgspec.ValidationError: `data` is not an event that this version knows.
    """
    return _decoder.decode(data)
