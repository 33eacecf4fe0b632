"""The schedules of a workspace in Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from iaiflow_lab.lab import listing
from iaiflow_lab.lab.listing import Listing

if TYPE_CHECKING:
    from iaiflow_lab.model.schedule import Moment
    from iaiflow_lab.sdk.catalog import Catalog
    from iaiflow_lab.service.schedule_rows import Miss, Schedule, ScheduleSpec
    from iaiflow_lab.service.scheduling import Scheduling
    from iaiflow_lab.service.servers import Server
    from iaiflow_lab.service.session import Session


class Schedules:
    """When flows and notebooks run by themselves; each by its name or id."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, target: str, **what: Unpack[Scheduling]) -> Schedule:
        """Save a schedule and return it; `next` shows its moments.

        Args:
            target: The path of a flow or notebook in the workspace.
            **what: When it runs, with which inputs, and how.

        Raises:
            InputError: Something that is given is wrong, or no moment is to come.
            FlowError: The flow has errors.
            NotFoundError: There is no such file or version.
        """
        from iaiflow_lab.service import schedules
        from iaiflow_lab.service.scheduling import new_spec

        return schedules.add(self._session, new_spec(target, what), self._catalog())

    def edit(self, ref: str, **what: Unpack[Scheduling]) -> Schedule:
        """Change a schedule and return it; what is not given stays.

        Raises:
            NotFoundError: There is no such schedule.
            LabError: As `add`.
        """
        from iaiflow_lab.service import schedules
        from iaiflow_lab.service.scheduling import changed_spec

        def change(spec: ScheduleSpec) -> ScheduleSpec:
            return changed_spec(spec, what)

        return schedules.alter(self._session, ref, change, self._catalog())

    def ls(self) -> Listing[Schedule]:
        """Return the schedules, the next to fire first."""
        from iaiflow_lab.service import schedules

        return Listing(schedules.list_schedules(self._session), listing.SCHEDULES)

    def get(self, ref: str) -> Schedule:
        """Return a schedule.

        Raises:
            NotFoundError: There is no such schedule.
        """
        from iaiflow_lab.service import schedules

        return schedules.get(self._session, ref)

    def next(self, ref: str, count: int = 10) -> Listing[Moment]:
        """Return a schedule's next moments, with what changes of clocks do to them.

        Raises:
            NotFoundError: There is no such schedule.
        """
        from iaiflow_lab.service import schedules

        return Listing(schedules.next_times(self._session, ref, count), listing.MOMENTS)

    def preview(self, **what: Unpack[Scheduling]) -> Listing[Moment]:
        """Return when a schedule that is not saved yet would fire next.

        Raises:
            InputError: The rule is wrong.
        """
        from iaiflow_lab.service import schedules
        from iaiflow_lab.service.scheduling import new_rule

        return Listing(schedules.preview(self._session, new_rule(what)), listing.MOMENTS)

    def pause(self, ref: str) -> Schedule:
        """Let a schedule fire no more until it is resumed.

        Raises:
            NotFoundError: There is no such schedule.
        """
        from iaiflow_lab.service import schedules

        return schedules.pause(self._session, ref)

    def resume(self, ref: str) -> Schedule:
        """Let a paused schedule go on from its next moment.

        Raises:
            NotFoundError: There is no such schedule.
        """
        from iaiflow_lab.service import schedules

        return schedules.resume(self._session, ref)

    def rm(self, ref: str) -> None:
        """Delete a schedule; the runs that it made stay.

        Raises:
            NotFoundError: There is no such schedule.
        """
        from iaiflow_lab.service import schedules

        schedules.remove(self._session, ref)

    def run(self, ref: str) -> str:
        """Queue a run of a schedule now and return its id; its moments stay as they are.

        Raises:
            NotFoundError: There is no such schedule, or its file has gone.
        """
        from iaiflow_lab.service import firing

        return firing.run_now(self._session, ref, self._catalog())

    def misses(self, ref: str | None = None, limit: int = 100) -> Listing[Miss]:
        """Return moments for which no run was made, the newest first, and why.

        Raises:
            NotFoundError: There is no such schedule.
        """
        from iaiflow_lab.service import schedules

        return Listing(schedules.misses(self._session, ref, limit), listing.MISSES)

    def fired_by(self) -> list[Server]:
        """Return the processes that fire schedules, then those that did, the latest first."""
        from iaiflow_lab.service import servers

        return servers.who_fires(self._session)

    def _catalog(self) -> Catalog:
        from iaiflow_lab.sdk.catalog import load_catalog

        return load_catalog(self._session.workspace)
