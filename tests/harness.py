"""A workbench in memory: what an execution needs from outside, and what came out of it."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

from iaiflow_lab.clock import SystemClock
from iaiflow_lab.engine.executor import Handle, start
from iaiflow_lab.engine.ports import Record
from iaiflow_lab.engine.setup import Result, Setup
from iaiflow_lab.errors import ConflictError, NotFoundError
from iaiflow_lab.faults import NoFaults
from iaiflow_lab.ids import Ids
from iaiflow_lab.model import event as ev
from iaiflow_lab.model.flow import Edge, Flow, Node
from iaiflow_lab.model.run import StepState
from iaiflow_lab.sdk.node import NodeType
from iaiflow_lab.world import World

#: Longest wait for an execution, in seconds: only a hang takes so long.
PATIENCE = 60.0

#: Time limits to be met by something that never ends, in seconds. What has to come before is done
#: within the first; on a machine that is too slow for it, a longer one is tried.
LIMITS = (0.5, 5.0, 30.0)


class MemoryJournal:
    """Keeps events; refuses, as the store does, a second outcome of a step or sub-step."""

    def __init__(self) -> None:
        self.events: list[ev.Event] = []
        self.batches: list[int] = []
        #: Committing waits while this is clear.
        self.gate = threading.Event()
        self.gate.set()
        self.refusal: BaseException | None = None
        self._once: set[tuple[str, ...]] = set()
        self._waits: dict[tuple[str, str], ev.StepWaiting] = {}
        self._answers: dict[tuple[str, str], ev.WaitAnswered] = {}
        self._changed = threading.Condition()

    def append(self, events: Sequence[ev.Event]) -> None:
        self.gate.wait(PATIENCE)
        if self.refusal is not None:
            raise self.refusal
        for event in events:
            self._check(event)
            assert ev.decode(ev.encode(event)) == event, "an event must survive the wire"
        with self._changed:
            self.events.extend(events)
            self.batches.append(len(events))
            for event in events:
                if isinstance(event, ev.StepWaiting):
                    self._waits.setdefault((event.step, event.key), event)
            self._changed.notify_all()

    def answer(
        self, step: str, value: Any = None, outcome: str = "answered", key: str = ""
    ) -> None:
        """End a wait as soon as it is open; key "": the only one of the step."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._open(step, key), PATIENCE)
            place = self._open(step, key)[0]
            self._end(place, outcome, value, "anna")

    def answers(self) -> list[ev.WaitAnswered]:
        with self._changed:
            for place in self._open():
                wait = self._waits[place]
                if wait.due is not None and wait.due <= time.time():
                    timed = wait.wait_kind in {"delay", "until"}
                    self._end(place, "due" if timed else "timed-out", None, "")
            return list(self._answers.values())

    def _open(self, step: str = "", key: str = "") -> list[tuple[str, str]]:
        found = [place for place in self._waits if place not in self._answers]
        return [p for p in found if step in {"", p[0]} and key in {"", p[1]}]

    def _end(self, place: tuple[str, str], outcome: str, value: Any, by: str) -> None:
        ended = ev.WaitAnswered(
            at=time.time(), step=place[0], key=place[1], outcome=outcome, value=value, by=by
        )
        self._answers[place] = ended
        self.events.append(ended)

    def _check(self, event: ev.Event) -> None:
        match event:
            case ev.StepFinished(step=step):
                key = ("step", step)
            case ev.SubstepRecorded(step=step, key=name):
                key = ("substep", step, name)
            case _:
                return
        if key in self._once:
            raise ConflictError(f"{key} is already recorded")
        self._once.add(key)

    def of(self, kind: type[ev.Event], step: str | None = None) -> list[Any]:
        """Return the events of a kind, perhaps of one step only."""
        found = [event for event in self.events if isinstance(event, kind)]
        return [e for e in found if step is None or getattr(e, "step", None) == step]


class MemoryArtifacts:
    """Bytes by hash, in a dict."""

    def __init__(self) -> None:
        self.stored: dict[str, bytes] = {}

    def put(self, data: bytes | memoryview) -> str:
        digest = hashlib.sha256(data).hexdigest()
        self.stored[digest] = bytes(data)
        return digest

    def get(self, digest: str) -> bytes:
        if digest not in self.stored:
            raise NotFoundError(f"no artifact {digest}")
        return self.stored[digest]

    def path(self, digest: str) -> Path | None:
        return None


class MemoryCache:
    """Outputs by key, with the time that each was given to live."""

    def __init__(self) -> None:
        self.kept: dict[str, Mapping[str, ev.OutputRef]] = {}
        self.ttl: dict[str, float | None] = {}

    def get_many(self, keys: Sequence[str]) -> dict[str, Mapping[str, ev.OutputRef]]:
        return {key: self.kept[key] for key in keys if key in self.kept}

    def put(self, key: str, outputs: Mapping[str, ev.OutputRef], ttl: float | None) -> None:
        self.kept[key], self.ttl[key] = outputs, ttl


@dataclass(frozen=True)
class Secrets:
    """Secrets by name."""

    known: Mapping[str, str] = field(default_factory=dict)

    def get(self, name: str) -> str:
        if name not in self.known:
            raise NotFoundError(f"There is no secret {name!r} in this project.")
        return self.known[name]

    def version(self, name: str) -> int:
        self.get(name)
        return 1


def world(seed: int = 0) -> World:
    """Return the real time with chance that repeats."""
    clock, rng = SystemClock(), Random(seed)
    return World(clock=clock, ids=Ids(clock, rng), rng=rng, faults=NoFaults())


def edge(text: str) -> Edge:
    """Read `a.out -> b.in`; `a -> b.in` starts at `out`."""
    source, _, target = (part.strip() for part in text.partition("->"))
    from_node, _, from_port = source.partition(".")
    to_node, _, to_port = target.partition(".")
    return Edge(from_node, from_port or "out", to_node, to_port)


def flow(nodes: Mapping[str, str | Node], *edges: str, **rest: Any) -> Flow:
    """Build a flow from node types (or whole nodes) by id, and edges as text."""
    made = {i: Node(given) if isinstance(given, str) else given for i, given in nodes.items()}
    return Flow(name="test", nodes=made, edges=tuple(map(edge, edges)), **rest)


def chain(node_type: str, length: int, port: str = "value") -> Flow:
    """Build `n0 -> n1 -> ...`."""
    links = (Edge(f"n{i}", "out", f"n{i + 1}", port) for i in range(length - 1))
    return Flow(
        name="chain", nodes={f"n{i}": Node(node_type) for i in range(length)}, edges=tuple(links)
    )


class Types(dict[str, NodeType[..., Any]]):
    """A catalog: node types by name."""

    def __init__(self, types: Iterable[NodeType[..., Any]]) -> None:
        super().__init__({node_type.name: node_type for node_type in types})


class Lab:
    """Executes flows over one journal, one cache and one store of bytes.

    Args:
        folder: The workspace.
        types: The node types that flows may use.
    """

    def __init__(self, folder: Path, *types: NodeType[..., Any]) -> None:
        self.folder = folder
        self.types = Types(types)
        self.journal = MemoryJournal()
        self.artifacts = MemoryArtifacts()
        self.secrets = Secrets()
        self.world = world()

    def add(self, *types: NodeType[..., Any]) -> None:
        """Install further node types."""
        self.types.update(Types(types))

    def setup(self, flow: Flow, inputs: Mapping[str, Any] | None = None, **rest: Any) -> Setup:
        """Return the setup of a recorded run."""
        made = Setup(
            run_id="run_1",
            flow=flow,
            inputs=inputs or {},
            types=self.types,
            world=self.world,
            journal=self.journal,
            artifacts=self.artifacts,
            secrets=self.secrets,
            workspace=self.folder,
            folder=self.folder,
            run_dir=self.folder / "run_1",
        )
        return replace(made, **rest)

    def start(self, flow: Flow, inputs: Mapping[str, Any] | None = None, **rest: Any) -> Handle:
        """Start a run."""
        return start(self.setup(flow, inputs, **rest))

    def run(self, flow: Flow, inputs: Mapping[str, Any] | None = None, **rest: Any) -> Result:
        """Run to the end."""
        return self.start(flow, inputs, **rest).wait(PATIENCE)

    def log(self, step: str, stream: str | None = None) -> str:
        """Return what a step wrote, perhaps to one stream only."""
        written = self.journal.of(ev.StepLog, step)
        return "".join(e.text for e in written if stream in (None, e.stream))

    def states(self) -> dict[str, str]:
        """Return the recorded state of every settled step."""
        return {e.step: str(e.state) for e in self.journal.of(ev.StepFinished)}

    def sources(self) -> dict[str, str]:
        """Return where the outcome of every settled step came from."""
        return {e.step: e.source for e in self.journal.of(ev.StepFinished)}


def record_of(events: Iterable[ev.Event]) -> Record:
    """Return what a coordinator hands to the next claim after these events."""
    steps: dict[str, ev.StepFinished] = {}
    attempts: dict[str, int] = {}
    substeps: dict[tuple[str, str], ev.SubstepRecorded] = {}
    waits: dict[tuple[str, str], ev.StepWaiting] = {}
    answers: dict[tuple[str, str], ev.WaitAnswered] = {}
    for event in events:
        match event:
            case ev.StepFinished():
                if event.state is not StepState.CANCELLED:
                    steps[event.step] = event
                attempts.pop(event.step, None)
            case ev.StepRetrying():
                attempts[event.step] = event.attempt
            case ev.SubstepRecorded():
                substeps[event.step, event.key] = event
            case ev.StepWaiting():
                waits.setdefault((event.step, event.key), event)
            case ev.WaitAnswered():
                waits.pop((event.step, event.key), None)
                answers[event.step, event.key] = event
            case _:
                pass
    return Record(steps, attempts, substeps, waits=waits, answers=answers)
