"""The options of `iaiflow schedule add` and `edit`; without one, the default or what there was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Annotated, Any, Final, cast

import typer

from iaiflow_lab.cli.files import read_inputs
from iaiflow_lab.model import schedule as rules
from iaiflow_lab.model.budget import read_budget
from iaiflow_lab.service import Session
from iaiflow_lab.service.schedule_rows import ScheduleSpec
from iaiflow_lab.service.scheduling import Scheduling, changed_spec

Cron = Annotated[
    str | None, typer.Option(metavar="EXPR", help="Five fields, such as '0 6 * * 1-5'.")
]
Every = Annotated[
    str | None, typer.Option(metavar="TIME", help="An interval: 90s, 15m, 1h30m, 2d.")
]
At = Annotated[str | None, typer.Option(metavar="MOMENT", help="Once, such as 2026-12-01T06:00.")]
OnChange = Annotated[
    list[str] | None,
    typer.Option(metavar="PATTERN", help="Files of the workspace; may be repeated."),
]
Zone = Annotated[
    str | None, typer.Option(metavar="ZONE", help="Such as Europe/Berlin; else this machine's.")
]
Start = Annotated[
    str | None, typer.Option(metavar="MOMENT", help="Not before; intervals count from it.")
]
End = Annotated[str | None, typer.Option(metavar="MOMENT", help="Not after.")]
Jitter = Annotated[str | None, typer.Option(metavar="TIME", help="Up to so much later, by chance.")]
Name = Annotated[str | None, typer.Option(help="What it is called; else after the file.")]
Version = Annotated[
    str | None,
    typer.Option(metavar="V", help="A save's number or version, or 'now'; else the latest."),
]
Catchup = Annotated[
    rules.Catchup | None,
    typer.Option(help="What is made up for of moments missed while nothing ran; else latest."),
]
Overlap = Annotated[
    rules.Overlap | None,
    typer.Option(help="What a moment does while the run before has not ended; else skip."),
]
Queue = Annotated[str | None, typer.Option("--queue", "-q", help="The queue; else default.")]
Priority = Annotated[int | None, typer.Option(help="The lowest goes first; else 0.")]
Timeout = Annotated[
    float | None, typer.Option(metavar="S", help="Fail a run after S seconds of execution.")
]
Budget = Annotated[
    list[str] | None,
    typer.Option(
        metavar="LIMIT=N",
        help="What the models of a run may take: cost=2 (dollars), tokens=500000, calls=200; "
        "may be repeated, and replaces the budget as a whole.",
    ),
]
UseCache = Annotated[
    bool | None,
    typer.Option("--cache/--no-cache", help="Take outputs of earlier runs where they fit."),
]
Preview = Annotated[bool, typer.Option("--preview", help="Show when it would fire; save nothing.")]


class Removable(StrEnum):
    """What a schedule need not have."""

    START = "start"
    END = "end"
    TIMEOUT = "timeout"
    BUDGET = "budget"
    #: Back to the latest.
    VERSION = "version"
    #: All of them.
    INPUTS = "inputs"


Target = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Another flow or notebook, such as a renamed one."),
]
Unset = Annotated[
    list[Removable] | None,
    typer.Option("--unset", help="What it is to have no more; may be repeated."),
]


#: The options of a schedule by their names, which are those of `Scheduling`.
_SCHEDULING: Final = {
    "cron": Cron,
    "every": Every,
    "at": At,
    "on_change": OnChange,
    "zone": Zone,
    "start": Start,
    "end": End,
    "jitter": Jitter,
    "name": Name,
    "version": Version,
    "catchup": Catchup,
    "overlap": Overlap,
    "queue": Queue,
    "priority": Priority,
    "timeout": Timeout,
    "budget": Budget,
    "use_cache": UseCache,
}


def takes_scheduling(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a schedule; it takes those that are given as `what`."""
    own = signature(command, eval_str=True).parameters.values()
    first = [option for option in own if option.kind is not Parameter.KEYWORD_ONLY]
    rest = [option for option in own if option not in first and option.name != "what"]
    shared = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=option)
        for name, option in _SCHEDULING.items()
    ]

    @wraps(command)
    def call(*arguments: Any, **options: Any) -> None:
        what = {name: options.pop(name, None) for name in _SCHEDULING}
        given = {name: value for name, value in what.items() if value is not None}
        if "budget" in given:
            given["budget"] = read_budget(given["budget"])
        command(*arguments, what=given, **options)

    taken = Signature([*first, *shared, *rest])
    call.__signature__ = taken  # pyright: ignore[reportAttributeAccessIssue]
    call.__annotations__ = {name: option.annotation for name, option in taken.parameters.items()}
    return call


@dataclass(frozen=True, slots=True)
class Change:
    """What an edit changes in a schedule."""

    session: Session
    what: Scheduling
    #: The path of another target in the workspace; None: the one that it has.
    target: str | None
    #: Parameters as `name=value`; those that are not named stay.
    parameters: Sequence[str]
    unset: Sequence[Removable]

    def __call__(self, spec: ScheduleSpec) -> ScheduleSpec:
        """Return the changed schedule.

        Raises:
            InputError: Something that is given cannot be read, or names no parameter.
        """
        spec = spec if self.target is None else replace(spec, target=self.target)
        if Removable.INPUTS in self.unset:
            spec = replace(spec, inputs={})
        removed = {name.value: None for name in self.unset if name is not Removable.INPUTS}
        what = cast("Scheduling", removed | self.what)
        if self.parameters:
            read = read_inputs(self.session, spec.target, self.parameters)
            what["inputs"] = {**spec.inputs, **read}
        return changed_spec(spec, what)
