"""What a node waits for, and what it is given when the wait is over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, TypedDict

from iaiflow_lab.errors import NodeError
from iaiflow_lab.model.event import StepWaiting, WaitAnswered
from iaiflow_lab.model.json_value import find_fault
from iaiflow_lab.model.run import NAMED, TIMED, WaitKind, WaitOutcome


class Asking(TypedDict, total=False):
    """What a wait may say beside its key and kind."""

    #: The signal that ends it, for signals and webhooks.
    name: str
    #: When it ends by itself, in seconds since the Unix epoch; None: never.
    due: float | None
    #: What is asked, for people.
    message: str
    #: JSON Schema of the answer.
    form: Mapping[str, Any] | None
    #: The answer's value when none came in time; left out: the step fails then.
    default: Any


class WaitTimeoutError(NodeError, TimeoutError):
    """No answer came in time."""

    code = "wait-timeout"


@dataclass(frozen=True, slots=True)
class Answer:
    """How a wait ended."""

    #: `due`, `timed-out`, `answered`, `approved` or `refused`.
    outcome: WaitOutcome
    #: The answer, as JSON; the default when no answer came in time.
    value: Any = None
    #: Who gave it; "" when the moment came.
    by: str = ""
    #: Why, in their words.
    reason: str = ""
    #: When, in seconds since the Unix epoch.
    at: float = 0.0

    @property
    def approved(self) -> bool:
        """Whether somebody approved."""
        return self.outcome is WaitOutcome.APPROVED


def check(asked: StepWaiting, how: Asking) -> None:
    """Refuse a wait that could never end, or that no answer could be found for.

    Raises:
        NodeError: Something about it is wrong.
    """
    kind, known = asked.wait_kind, Asking.__annotations__
    if unknown := [name for name in how if name not in known]:
        _refuse(asked, f"{unknown[0]!r} means nothing", f"Known: {', '.join(known)}.")
    if kind not in set(WaitKind):
        _refuse(asked, f"{kind!r} is nothing to wait for", f"Kinds: {', '.join(WaitKind)}.")
    if not asked.key:
        _refuse(asked, "a wait needs a key", "Give each wait of the node a key of its own.")
    if kind in TIMED and asked.due is None:
        _refuse(asked, f"{kind!r} needs a moment", "Give `due`, in seconds since 1970.")
    if asked.due is not None and not isfinite(asked.due):
        _refuse(asked, f"{asked.due} is no moment", "Give `due`, in seconds since 1970.")
    if (kind in NAMED) != bool(asked.name):
        needs = "needs the name of a signal" if kind in NAMED else "is ended by no signal"
        _refuse(asked, f"{kind!r} {needs}", "Signals and webhooks have a name, others have none.")
    if asked.form is not None and (fault := find_fault(asked.form)):
        _refuse(asked, f"the form is no JSON: {fault.message}", "Use a JSON Schema.")


def answer_of(asked: StepWaiting, ended: WaitAnswered, how: Asking) -> Answer:
    """Return what a node is given.

    Raises:
        WaitTimeoutError: No answer came in time and there is no default.
    """
    outcome = WaitOutcome(ended.outcome)
    value = ended.value
    if outcome is WaitOutcome.TIMED_OUT:
        if "default" not in how:
            raise WaitTimeoutError(
                f"Node {asked.node!r} waited in vain: no answer came in time.",
                remedy="Allow more time, or say what holds without an answer.",
            )
        value = how["default"]
    return Answer(outcome, value, ended.by, ended.reason, ended.at)


def _refuse(asked: StepWaiting, what: str, remedy: str) -> None:
    raise NodeError(f"Node {asked.node!r} can't wait: {what}.", remedy=remedy, code="wait-invalid")
