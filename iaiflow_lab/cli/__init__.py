"""The `iaiflow` command. Each command is a file of this folder, imported when it is called."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from typing import Final

from iaiflow_lab.errors import LabError

#: Environment variable that shows where an error came from.
DEBUG: Final = "IAIFLOW_DEBUG"


def main() -> None:
    """Run the command line and leave with its exit status: 0, 1 (run failed), 2 (usage), 3."""
    from iaiflow_lab.cli.root import app

    for stream in (sys.stdout, sys.stderr):  # whatever a name holds, a plain locale can show it
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        app(prog_name="iaiflow")
    except LabError as error:
        _leave(error.code, str(error), error.exit_code)
    except BrokenPipeError:  # the reader of our output has gone, which is its right
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:
        remedy = f"This is a defect; {DEBUG}=1 shows where it happened"
        _leave("internal", f"{type(error).__name__}: {error} - {remedy}", 2)


def _leave(code: str, sentence: str, status: int) -> None:
    if os.environ.get(DEBUG):
        import traceback

        traceback.print_exc()
    sys.stderr.write(f"error[{code}]: {sentence}\n")
    sys.exit(status)
