"""Where the example notebooks are: in a checkout of the project, not in an installed package."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from iaiflow_lab.errors import NotFoundError

#: The notebook that `iaiflow demo` runs.
DEMO: Final = "flights.ipynb"

#: The folder that holds the package; in a checkout, the project's root.
_ROOT: Final = Path(__file__).parents[2]


def examples_folder() -> Path | None:
    """Return the checkout's folder of notebooks; None when this is an installed package."""
    folder = _ROOT / "notebooks"
    return folder if (folder / DEMO).is_file() else None


def demo_folder(given: Path | None) -> Path:
    """Return the folder that holds the demo notebook.

    Args:
        given: A folder that was asked for; None: the checkout's own.

    Raises:
        NotFoundError: The notebook is not there.
    """
    folder = given or examples_folder()
    if folder is None:
        raise NotFoundError(
            "The example notebooks are not part of the installed package.",
            remedy=f"Clone the project and type `make demo`, or name a folder that holds {DEMO} "
            "with --workspace",
        )
    if not (folder / DEMO).is_file():
        raise NotFoundError(
            f"There is no {DEMO} in {str(folder)!r}.",
            remedy="Copy it there together with its data folder, or leave --workspace out",
        )
    return folder.absolute()


def is_checkout(folder: Path) -> bool:
    """Say whether `folder` is the root of the project's own checkout."""
    return folder.absolute() == _ROOT and examples_folder() is not None
