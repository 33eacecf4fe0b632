"""Jobs of jupyter-scheduler: it makes a process for each, which starts a kernel.

    python scheduled.py FOLDER

Reads lines of JSON, each a list of notebooks, and gives them all to the scheduler at once; answers
how long they took to their ends, in seconds, or `null` when one failed. The scheduler works as in
Jupyter Server, with its database in FOLDER, where the notebooks are.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from jupyter_scheduler.environments import CondaEnvironmentManager
from jupyter_scheduler.models import CreateJob, Status
from jupyter_scheduler.orm import create_tables
from jupyter_scheduler.scheduler import Scheduler

ENDED = frozenset((Status.COMPLETED, Status.FAILED))  # a job that waits is STOPPED at first


def main() -> None:
    """Answer until the input ends."""
    folder = Path(sys.argv[1])
    url = f"sqlite:///{folder / 'scheduler.sqlite'}"
    create_tables(url)
    scheduler = Scheduler(str(folder), CondaEnvironmentManager(), url)
    scheduler.staging_path = str(folder / "staging")
    for line in sys.stdin:
        started = time.perf_counter()
        jobs = [scheduler.create_job(job(name)) for name in json.loads(line)]
        while not ENDED.issuperset(states := look(scheduler, jobs)):
            time.sleep(0.005)
        taken = time.perf_counter() - started
        print(json.dumps(taken if states == {Status.COMPLETED} else None), flush=True)


def look(scheduler: Scheduler, jobs: list[str]) -> set[str]:
    """Return the states in which jobs are."""
    return {scheduler.get_job(job_id, job_files=False).status for job_id in jobs}


def job(name: str) -> CreateJob:
    """Return what the scheduler is asked for: the notebook as its only output."""
    return CreateJob(
        name=name,
        input_uri=name,
        runtime_environment_name=sys.executable,
        output_formats=["ipynb"],
    )


if __name__ == "__main__":
    main()
