"""`iaiflow run`: run a flow or notebook now, with a worker of its own, and watch it."""

from __future__ import annotations

import signal
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from threading import Thread
from typing import Annotated, Any

import typer

from iaiflow_lab.cli import live, views
from iaiflow_lab.cli.files import Budget, Parameters, Timeout, UseCache, project_path, read_inputs
from iaiflow_lab.cli.output import AsJson, print_json
from iaiflow_lab.cli.runs import progress_of
from iaiflow_lab.errors import ConflictError
from iaiflow_lab.model.budget import read_budget
from iaiflow_lab.model.event import Event
from iaiflow_lab.model.progress import RunProgress
from iaiflow_lab.service import Session, as_data, history, open_session, runs
from iaiflow_lab.service.runs import Options
from iaiflow_lab.worker.duty import Duty
from iaiflow_lab.worker.supervisor import STOPPING, Supervisor, Terms

app = typer.Typer(add_completion=False)


@app.command()
def run(
    file: Annotated[str, typer.Argument(help="NAME.flow.json or NAME.ipynb")],
    *,
    parameters: Parameters = None,
    timeout: Timeout = None,
    budget: Budget = None,
    use_cache: UseCache = False,
    as_json: AsJson = False,
) -> None:
    """Run a flow or notebook now and watch it; exit status 1 when it does not complete.

    It is an ordinary run with its place in the history. Ctrl-C cancels it.
    """
    from iaiflow_lab.sdk.catalog import load_catalog

    with open_session() as session:
        path = project_path(session, file)
        inputs = read_inputs(session, path, parameters or ())
        types = load_catalog(session.workspace)
        limits = read_budget(budget or ())
        options = Options(timeout=timeout, budget=limits, use_cache=use_cache)
        run_id = runs.start(session, path, inputs, types, options)
        attend(session, run_id, quiet=as_json)
        found = history.get(session, run_id)
        files = history.artifacts(session, run_id)
    if as_json:
        print_json(as_data.run_data(found, files))
    else:
        views.print_end(found)
        typer.echo(f"{found.id}  {found.state}")
    raise typer.Exit(views.exit_status(found.state))


def attend(session: Session, run_id: str, *, quiet: bool = False) -> None:
    """Execute a queued run with a worker of its own and show it until it ends; Ctrl-C cancels it.

    Args:
        session: An open workspace.
        run_id: The run.
        quiet: Whether nothing is shown.
    """
    with _own_worker(session, run_id):
        _watch(session, run_id, quiet=quiet)


@contextmanager
def _own_worker(session: Session, run_id: str) -> Generator[None]:
    """Have a worker for this one run; should this process die, any other worker takes it over."""
    supervisor = Supervisor(
        session.coordinator,
        session.world,
        str(session.workspace),
        Duty(run_id=run_id),
        Terms(lease_s=session.store.settings.lease_s),
        tell=_tell,
    )
    thread = Thread(target=supervisor.run, name="supervisor")
    thread.start()
    try:
        yield
    finally:
        for _ in range(3):  # the run has ended, or is abandoned: nothing is to be waited for
            supervisor.stop()
        thread.join()


def _tell(sentence: str) -> None:
    if sentence not in STOPPING.values():
        typer.echo(sentence, err=True)


def _watch(session: Session, run_id: str, *, quiet: bool) -> None:
    """Show the run until it ends; the first Ctrl-C cancels it, the second leaves it."""
    events = (event for _, event in history.follow(session, run_id))
    with _handled(_Interruption(session, run_id)):
        _show(events, progress_of(session, run_id), quiet=quiet)


@contextmanager
def _handled(interruption: _Interruption) -> Generator[None]:
    """Have requests to end this process go to `interruption`."""
    before = {
        number: signal.signal(number, interruption) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Interruption:
    """Cancels the run at the first signal, beside what is shown, and raises at the second.

    An exception in a signal handler is lost when it strikes in a destructor, so that the first
    request does not depend on one.

    Args:
        session: An open workspace.
        run_id: The run.
    """

    def __init__(self, session: Session, run_id: str) -> None:
        self._session = session
        self._run_id = run_id
        self._is_asked = False

    def __call__(self, *_: Any) -> None:
        """Take one signal."""
        if self._is_asked:
            raise KeyboardInterrupt
        self._is_asked = True
        Thread(target=self._cancel, name="cancel", daemon=True).start()

    def _cancel(self) -> None:
        typer.echo("Cancelling; Ctrl-C again kills the run's worker.", err=True)
        with suppress(ConflictError):  # it has ended by now
            runs.cancel(self._session, self._run_id)


def _show(events: Iterable[Event], progress: RunProgress, *, quiet: bool) -> None:
    if quiet:
        for event in events:
            progress.apply(event)
    else:
        live.watch(events, progress)
