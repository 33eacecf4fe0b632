"""What the steps of one flow gave: live values of this run and of earlier ones."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from iaiflow_lab.model import event as ev
from iaiflow_lab.model.flow import Flow
from iaiflow_lab.model.run import StepState

#: Values by port, or by name.
Values = Mapping[str, Any]


def outermost(path: str) -> str:
    """Return the node of the flow itself that a step belongs to."""
    return path.partition("/")[0].partition("[")[0]


class Outcomes:
    """Values by step path, and which of them a run may use; not safe for several threads."""

    def __init__(self) -> None:
        self.outputs: dict[str, Values] = {}
        #: What arrived at a step, by name.
        self.arrived: dict[str, Values] = {}
        #: Steps whose outputs may be used by a run from here.
        self.completed: set[str] = set()
        #: Nodes that need no retry.
        self.fine: set[str] = set()
        #: Cache keys by step path.
        self._keys: dict[str, str] = {}
        #: Nodes whose items of an earlier run are still there.
        self._old: set[str] = set()

    def begin(self, flow: Flow, runs: Collection[str]) -> None:
        """Make ready for a run.

        Args:
            flow: The flow; values of nodes that it has no longer go.
            runs: The nodes that are executed.
        """
        for kept in self._kept():
            for path in [path for path in kept if outermost(path) not in flow.nodes]:
                del kept[path]
        self.completed &= self.outputs.keys()
        self.fine.difference_update(runs)
        self._old = {node for path in self.arrived if (node := outermost(path)) != path}

    def settle(
        self,
        event: ev.StepFinished,
        step: str,
        outputs: Values,
        arrived: Values,
        run: Iterable[str],
    ) -> None:
        """Keep the values of a step that ended.

        Args:
            event: How it ended.
            step: Its path in the flow.
            outputs: What it gave.
            arrived: What arrived at it.
            run: Paths of the steps of this run that have given something.
        """
        node = outermost(step)
        if node in self._old:
            self._old.discard(node)
            self._drop_items(node, {*run})
        self.arrived[step] = arrived
        self._keys[step] = event.key
        is_completed = event.state is StepState.COMPLETED
        if is_completed or outputs:
            self.outputs[step] = outputs
        else:
            self.outputs.pop(step, None)
        (self.completed.add if is_completed else self.completed.discard)(step)
        if is_completed or event.state is StepState.SKIPPED:
            self.fine.add(step)

    def forget(self, nodes: Collection[str]) -> list[str]:
        """Forget that nodes, and what is below them, have ended; return their cache keys."""
        steps = [step for step in self._keys if outermost(step) in nodes]
        self.completed -= {*steps}
        self.fine.difference_update(nodes)
        return [key for step in steps if (key := self._keys.pop(step))]

    def _drop_items(self, node: str, present: Collection[str]) -> None:
        """Let go of the items of an earlier run that this run did not have."""
        for kept in self._kept():
            for path in [path for path in kept if path.startswith((f"{node}/", f"{node}["))]:
                if path not in present:
                    del kept[path]
        self.completed &= self.outputs.keys()

    def _kept(self) -> tuple[dict[str, Any], ...]:
        return self.outputs, self.arrived, self._keys
