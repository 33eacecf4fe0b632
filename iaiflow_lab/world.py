"""Everything that makes two executions differ: time, identifiers, chance, crashes, free space.

Code that needs one of them takes a `World`; nothing else reads a clock or draws a number. A test
passes its own and can simulate the queue and its workers from a seed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random, SystemRandom

from iaiflow_lab.clock import Clock, SystemClock
from iaiflow_lab.faults import Faults, faults_from_environment
from iaiflow_lab.ids import Ids
from iaiflow_lab.machine import Machine, ThisMachine


@dataclass(frozen=True, slots=True)
class World:
    """The outside that a program depends on."""

    #: Where the time comes from.
    clock: Clock
    #: Where identifiers come from.
    ids: Ids
    #: Where chance comes from (jitter, backoff).
    rng: Random
    #: Who is told when a crash point is reached.
    faults: Faults
    #: What says how much disk and memory is left.
    machine: Machine = field(default_factory=ThisMachine)


def real_world() -> World:
    """Return the machine's own clock and randomness, and the crash points that were asked for."""
    clock, rng = SystemClock(), SystemRandom()
    return World(clock=clock, ids=Ids(clock, rng), rng=rng, faults=faults_from_environment())
