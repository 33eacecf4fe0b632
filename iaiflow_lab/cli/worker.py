"""`iaiflow worker`: execute queued runs with a supervisor and its workers."""

from __future__ import annotations

import signal
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from iaiflow_lab import log_files, queue
from iaiflow_lab.notebook.kernel_server import KernelServer
from iaiflow_lab.queue.enqueue import DEFAULT_QUEUE
from iaiflow_lab.service import open_session
from iaiflow_lab.service.keeper import Keeper
from iaiflow_lab.service.room_watch import check_drained
from iaiflow_lab.service.runs import check_queue
from iaiflow_lab.settings import find_workspace, load_settings, state_dir
from iaiflow_lab.worker.duty import Duty
from iaiflow_lab.worker.supervisor import Supervisor, Terms
from iaiflow_lab.world import real_world

app = typer.Typer(add_completion=False)


@app.command()
def worker(
    *,
    concurrency: Annotated[
        int, typer.Option("--concurrency", "-c", min=1, max=256, help="Runs at a time.")
    ] = 1,
    queues: Annotated[
        list[str] | None,
        typer.Option("--queue", "-q", help="A queue to serve; may be given several times."),
    ] = None,
    drain: Annotated[
        bool, typer.Option("--drain", help="End when nothing in the queues is due.")
    ] = False,
    drain_s: Annotated[
        float,
        typer.Option("--grace", min=0, help="Seconds that runs may take to end when stopped."),
    ] = 30.0,
) -> None:
    """Execute queued runs until stopped.

    Ctrl-C (or SIGTERM) lets the present runs end; a second one gives them back to the queue, and a
    third one kills the workers. A run that is given back goes on from its recorded steps.
    """
    for name in queues or ():
        check_queue(name)
    workspace = find_workspace()
    world = real_world()
    duty = Duty(tuple(queues or (DEFAULT_QUEUE,)), drain=drain)
    settings = load_settings(workspace)
    terms = Terms(concurrency=concurrency, lease_s=settings.lease_s, drain_s=drain_s)
    coordinator = queue.connect(str(workspace), world)
    tell = log_files.telling(_tell, log_files.start(state_dir(workspace), "supervisor"))
    with KernelServer(workspace, settings, is_lazy=drain, tell=tell) as kernels:
        supervisor = Supervisor(
            coordinator,
            world,
            str(workspace),
            duty,
            terms,
            tell=tell,
            environment=kernels.environment,
        )
        _stop_on_signals(supervisor)
        tell(_opening(workspace, duty, concurrency))
        keeper = Keeper(lambda: open_session(workspace), tell)
        keeper.start()
        try:
            supervisor.run()
        finally:
            keeper.stop()
    if drain:
        with open_session(workspace) as session:
            check_drained(session, duty.queues)


def _opening(workspace: Path, duty: Duty, concurrency: int) -> str:
    runs = "one run at a time" if concurrency == 1 else f"{concurrency} runs at a time"
    return f"Serving {', '.join(duty.queues)} in {workspace}, {runs}; Ctrl-C ends after them."


def _tell(sentence: str) -> None:
    with suppress(OSError):  # the terminal may have gone
        typer.echo(sentence, err=True)


def _stop_on_signals(supervisor: Supervisor) -> None:
    def stop(*_: Any) -> None:
        supervisor.stop()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
