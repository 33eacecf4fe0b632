"""A step of an earlier run, with what it was given: find its fault here, then run it again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from iaiflow_lab.errors import NotFoundError
from iaiflow_lab.model.names import did_you_mean

if TYPE_CHECKING:
    from iaiflow_lab.service.debugging import Arrival, StepInputs
    from iaiflow_lab.service.session import Session


class Debug(Mapping[str, Any]):
    """The inputs of a step by name; a value is read when it is asked for.

    Args:
        session: An open workspace.
        given: What the step was given.
    """

    def __init__(self, session: Session, given: StepInputs) -> None:
        self._session = session
        self._given = given
        self._arrivals = {arrival.name: arrival for arrival in given.arrivals}
        #: The run.
        self.run_id = given.run_id
        #: The step's path.
        self.step = given.step
        #: Its settings as they were written.
        self.config = given.config
        #: Why it failed; None when it did not.
        self.error = given.error
        #: Inputs that were not recorded, each with the reason.
        self.missing = {name: a.missing for name, a in self._arrivals.items() if a.missing}

    def __getitem__(self, name: str) -> Any:
        """Return the value of an input.

        Raises:
            NotFoundError: The step has no such input, or its value was not recorded.
        """
        from iaiflow_lab.service import debugging

        if name not in self._arrivals:
            raise NotFoundError(
                f"Step {self.step!r} was given no {name!r}.",
                remedy=did_you_mean(name, self._arrivals),
            )
        return debugging.value_of(self._session, self._arrivals[name])

    def __iter__(self) -> Iterator[str]:
        """Return the names of the inputs whose values were recorded."""
        return (name for name in self._arrivals if name not in self.missing)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._arrivals) - len(self.missing)

    def __contains__(self, name: object) -> bool:
        """Say whether there is a recorded input of this name."""
        return name in self._arrivals and name not in self.missing

    def __repr__(self) -> str:
        """Say which step it is, why it failed, and what is there and what is not."""
        given = self._given
        lines = [f"{given.step} ({given.type}) of {given.flow}: {given.state}"]
        if given.error is not None:
            lines.append(f"  {given.error.message}")
        for name, arrival in self._arrivals.items():
            lines.append(f"  {name} = {arrival.missing or _shown(arrival)}")
        return "\n".join(lines)

    def retry(self, *, latest: bool = False) -> str:
        """Queue a new run that starts at this step's node, and return its id.

        Args:
            latest: Whether the file is taken as it is now, not as it was then.

        Raises:
            ConflictError: The run has not ended.
            NotFoundError: The node has gone.
        """
        from iaiflow_lab.sdk.catalog import load_catalog
        from iaiflow_lab.service import runs

        node = self.step.partition("/")[0].partition("[")[0]
        catalog = load_catalog(self._session.workspace)
        return runs.retry(self._session, self.run_id, catalog, latest=latest, start=node)


def _shown(arrival: Arrival) -> str:
    shown = ", ".join(ref.preview or repr(ref.inline) for ref in arrival.refs)
    if arrival.item is None:
        return shown
    entry = f"{arrival.entry!r} of " if arrival.entry else ""
    return f"{entry}item {arrival.item} of {shown}"
