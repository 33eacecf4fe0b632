"""Draw docs/run.svg, the picture in the README, from the last completed demo run.

iaiflow demo && python tools/make_picture.py
"""

from __future__ import annotations

import io
import re
from pathlib import Path

from rich.console import Console

from iaiflow_lab.lab.table import rich_table
from iaiflow_lab.lab.words import duration
from iaiflow_lab.model.progress import RunProgress
from iaiflow_lab.model.run import RunState
from iaiflow_lab.service import history, open_session

ROOT = Path(__file__).parents[1]
#: The fonts that rich would load from the network.
FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def main() -> None:
    """Draw the table as the terminal shows it when the run has ended."""
    with open_session(ROOT / "notebooks") as session:
        run = history.list_runs(session, states=[RunState.COMPLETED], limit=1)[0]
        progress = RunProgress(["notebook"])
        for _, event in history.events(session, run.id):
            progress.apply(event)
    for line in progress.lines.values():
        line.text = line.text.replace(f"{ROOT}/", "")
    screen = Console(record=True, width=104, file=io.StringIO())
    screen.print("[bold]$ make demo[/]")
    foot = f"{run.state} in {duration(run.duration_s)} · {run.id}"
    screen.print(rich_table(progress, run.ended_at or 0.0, foot))
    target = ROOT / "docs" / "run.svg"
    target.parent.mkdir(exist_ok=True)
    target.write_text(FONTS.sub("", screen.export_svg(title="IAI Flow Lab")), encoding="utf-8")


if __name__ == "__main__":
    main()
