"""The coordinator over this workspace's own store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final, TypeVar

from msgspec.structs import replace

from iaiflow_lab.engine.ports import Artifacts, OutcomeCache
from iaiflow_lab.errors import InputError, NotFoundError, StoreError
from iaiflow_lab.model.event import Event, WaitAnswered
from iaiflow_lab.model.run import TERMINAL, RunState
from iaiflow_lab.queue import claim as claims
from iaiflow_lab.queue.owner import boot_id
from iaiflow_lab.queue.protocol import Claim, Pulse, SecretValue, Settlement
from iaiflow_lab.queue.rescue import bury, find_lost, free, wake_due
from iaiflow_lab.queue.transition import Head, change, read_head, read_held
from iaiflow_lab.store import waits
from iaiflow_lab.store.database import Transaction
from iaiflow_lab.store.journal import append
from iaiflow_lab.store.store import DEFAULT_PROJECT, Store, limits

_T = TypeVar("_T")

#: Nobody beats for a kernel; its process is checked instead. The lease, in seconds, counts only
#: where that cannot be done: for a kernel in another container of this machine.
KERNEL_LEASE_S: Final = 86_400.0

_GIVEN_BACK: Final = frozenset({RunState.QUEUED, RunState.RETRYING, RunState.WAITING})
#: How the database says that it could not write.
_UNWRITTEN: Final = frozenset({"disk-full", "disk-error"})
_SETTLED: Final = TERMINAL | _GIVEN_BACK


class LocalCoordinator:
    """`queue.protocol.Coordinator` over a `Store`; any thread may call it.

    Args:
        store: The workspace's store.
        project: Whose cached outputs are used.
        boot: What changes when the machine restarts; None: ask the machine.
    """

    artifacts: Artifacts
    cache: OutcomeCache

    def __init__(
        self, store: Store, project: str = DEFAULT_PROJECT, boot: str | None = None
    ) -> None:
        self._store = store
        self._world = store.world
        self._boot = boot_id() if boot is None else boot
        self.artifacts = store.artifacts
        self.cache = store.cache(project)
        self._watch = store.db.watch()
        self._next_due: float | None = None

    def claim(self, owner: str, queues: Sequence[str], run_id: str = "") -> Claim | None:
        """Take the next due run of `queues` (or exactly `run_id`) for `owner`; None: none is due.

        Without room on the machine none is taken, but for one that is asked for by name.

        Raises:
            NotFoundError: There is no run `run_id`.
        """
        if not run_id and self._store.room.shortage() is not None:
            return None
        lease = claims.Lease(owner, self._boot, self._lease_until(owner))
        claim = claims.claim(self._store, lease, queues, run_id)
        if claim is None:
            self._note_next_due()
        return claim

    def changed(self) -> bool:
        """Say, cheaply and without a lock, whether a claim may find more than at the last call.

        True when anything was committed since the last call, or a run has become due.
        """
        due = self._next_due
        if due is not None and due <= self._world.clock.now():
            self._next_due = None
            return True
        return self._watch.changed()

    def start(self, run_id: str, fence: int) -> None:
        """Note that the run is being executed (claimed -> running).

        Raises:
            StaleFenceError: It is held under another fence.
            ConflictError: It is running already.
        """
        now = self._world.clock.now()
        self._write(lambda tx: change(tx, read_held(tx, run_id, fence), RunState.RUNNING, now))

    def append(self, run_id: str, fence: int, events: Sequence[Event]) -> None:
        """Record events in order, all or none; settled steps become part of the run's record.

        Raises:
            StaleFenceError: The run is held under another fence.
            ConflictError: A step's outcome is recorded already.
        """
        if events:
            self._write(lambda tx: append(tx, run_id, fence, events), "append")

    def answers(self, run_id: str, fence: int) -> list[WaitAnswered]:
        """End the run's waits whose moment has come, and return how all that have ended did.

        Raises:
            StaleFenceError: The run is held under another fence.
        """
        now = self._world.clock.now()
        with self._store.db.read() as reader:
            read_held(reader, run_id, fence)
            if not reader.all("waits_due", (run_id, now)):
                return waits.answers(reader, run_id)
        with self._store.db.write() as tx:
            read_held(tx, run_id, fence)
            waits.end_due(tx, run_id, now)
            return waits.answers(tx, run_id)

    def secret(self, run_id: str, fence: int, name: str) -> SecretValue:
        """Return a secret of the run's project, to whoever holds the run.

        Raises:
            StaleFenceError: The run is held under another fence.
            NotFoundError: It is not set in the run's project.
            StoreError: It cannot be opened.
        """
        with self._store.db.read() as reader:
            read_held(reader, run_id, fence)
            row = reader.one("run_project", (run_id,))
            assert row is not None
        return SecretValue(*self._store.secrets(row["project"]).open(name))

    def settle(self, run_id: str, fence: int, settlement: Settlement) -> None:
        """End the run, or give it back, and forget the owner.

        A run that is given back although its cancellation was asked for ends cancelled. One that
        is to wait goes back into its queue at once when an answer is there that it has not seen.

        Raises:
            StaleFenceError: The run is held under another fence.
            ConflictError: The run cannot go there from its state.
            InputError: The settlement is none.
        """
        if settlement.state not in _SETTLED:
            raise InputError(f"A held run cannot be settled as {settlement.state}.")
        self._write(lambda tx: self._settle(tx, run_id, fence, settlement), "settle")

    def beat(self, owner: str) -> Pulse:
        """Prolong the leases of all runs that `owner` holds."""
        until = self._lease_until(owner)
        with self._store.db.write() as tx:
            tx.run("beat", {"owner": owner, "boot": self._boot, "until": until})
            held = tx.all("held_by", (owner,))
            lost = tx.all("lost_by", {"owner": owner})
        return Pulse(
            cancel=[row["id"] for row in held if row["cancel_requested"]],
            lost=[row["id"] for row in lost],
        )

    def release(self, owner: str, reason: str) -> list[str]:
        """Free the runs of an owner that has died; returns their ids.

        Each goes back to the queue with the next attempt, or ends: failed when its attempts are
        exhausted, cancelled when that was asked for, failed with `kernel-lost` when it was
        interactive.
        """

        def free_all(tx: Transaction) -> list[str]:
            now = self._world.clock.now()
            ids = [row["id"] for row in tx.all("held_by", (owner,))]
            for run_id in ids:
                free(tx, read_head(tx, run_id), now, reason)
            return ids

        return self._write(free_all)

    def sweep(self) -> list[str]:
        """Do the same for every run whose lease has passed or whose owner's process has ended.

        Also puts runs whose backoff is over, or for which a moment has come, back into their
        queues. Costs one read when there is nothing to do.
        """
        clock = self._world.clock
        with self._store.db.read() as reader:
            lost = find_lost(reader, self._boot, clock.monotonic())
            if not lost and not reader.all("resting_due", (clock.now(),)):
                return []
        with self._store.db.write() as tx:
            # Looked for again: what was lost a moment ago may have been freed by another sweep.
            lost = find_lost(tx, self._boot, clock.monotonic())
            now = clock.now()
            wake_due(tx, now)
            for run_id, reason in lost.items():
                bury(tx, read_head(tx, run_id), now, reason)
        return list(lost)

    def cancel_requested(self, run_id: str) -> bool:
        """Say whether somebody asked for the run's cancellation.

        Raises:
            NotFoundError: There is no such run.
        """
        with self._store.db.read() as reader:
            row = reader.one("run_cancel_asked", (run_id,))
        if row is None:
            raise NotFoundError(f"There is no run {run_id!r}.")
        return bool(row["cancel_requested"])

    def limits(self) -> Mapping[str, int]:
        """Return the concurrency limits in force, by `queue:NAME` and `flow:PATH`."""
        return limits(self._store.db)

    def close(self) -> None:
        """Close the connection that watches for changes."""
        self._watch.close()

    def _write(self, body: Callable[[Transaction], _T], crash_point: str = "") -> _T:
        """Write what must not be lost; where the disk has no room, in that of the ballast."""
        try:
            return self._write_once(body, crash_point)
        except StoreError as error:
            if error.code not in _UNWRITTEN or not self._store.ballast.release():
                raise
        return self._write_once(body, crash_point)

    def _write_once(self, body: Callable[[Transaction], _T], crash_point: str) -> _T:
        if not crash_point:
            with self._store.db.write() as tx:
                return body(tx)
        reach = self._world.faults.reach
        with self._store.db.write(partial(reach, f"{crash_point}.before_commit")) as tx:
            result = body(tx)
        reach(f"{crash_point}.after_commit")
        return result

    def _settle(self, tx: Transaction, run_id: str, fence: int, settlement: Settlement) -> None:
        now = self._world.clock.now()
        if settlement.state is RunState.WAITING:
            waits.end_due(tx, run_id, now)
        head = read_held(tx, run_id, fence)
        if settlement.state in _GIVEN_BACK and head.cancel_requested:
            change(tx, head, RunState.CANCELLED, now, reason="Cancelled on request.")
            return
        if settlement.state is RunState.RETRYING:
            if settlement.due is None:
                raise InputError("A run that is to be retried needs the moment when it is due.")
            head = replace(head, run_at=settlement.due, ready=False)
        if settlement.state is RunState.WAITING:
            self._park(tx, head, settlement, now)
            return
        change(
            tx,
            head,
            settlement.state,
            now,
            reason=settlement.reason,
            error=settlement.error,
            outputs=settlement.outputs,
        )

    def _park(self, tx: Transaction, head: Head, settlement: Settlement, now: float) -> None:
        """Let a run wait until the first of its moments, unless it has more to go on from."""
        row = tx.one("waits_answered", (head.id,))
        assert row is not None
        moments = [due for due in (settlement.due, row["due"]) if due is not None]
        if row["answered"] > settlement.seen or not (row["open"] or moments):
            change(tx, head, RunState.QUEUED, now, reason="An answer came.")
            return
        if moments:
            head = replace(head, run_at=min(moments), ready=False)
        change(tx, head, RunState.WAITING, now, reason=settlement.reason)

    def _lease_until(self, owner: str) -> float:
        is_kernel = owner.startswith("kernel:")
        length = KERNEL_LEASE_S if is_kernel else self._store.settings.lease_s
        return self._world.clock.monotonic() + length

    def _note_next_due(self) -> None:
        with self._store.db.read() as reader:
            row = reader.one("next_due")
        self._next_due = None if row is None else row["due"]
