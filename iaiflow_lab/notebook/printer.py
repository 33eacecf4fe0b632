"""Prints a page to PDF with the browser that is installed, if one is."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from iaiflow_lab.errors import NotebookError, NotFoundError

#: Browsers that print without a window, by command.
BROWSERS: Final = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge",
)  # fmt: skip
#: Longest time that printing may take, in seconds.
_PATIENCE: Final = 120
_FLAGS: Final = (
    "--headless", "--disable-gpu", "--disable-extensions", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run", "--no-pdf-header-footer",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # whatever stands in the page, nothing is asked for
)  # fmt: skip


def print_pdf(page: str) -> bytes:
    """Return a page, which needs nothing from elsewhere, as PDF.

    Raises:
        NotFoundError: No browser is installed that prints.
        NotebookError: The browser did not print.
    """
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        raise NotFoundError(
            "A PDF is printed by Chromium or Chrome, and none is installed.",
            remedy="Install chromium, or export to html and print that",
            code="no-pdf-tools",
        )
    with TemporaryDirectory(prefix="iaiflow-pdf-") as made:
        folder = Path(made)
        source, target = folder / "page.html", folder / "page.pdf"
        source.write_text(page, encoding="utf-8")
        _print([browser, *_flags(folder), f"--print-to-pdf={target}", source.as_uri()])
        if not target.is_file():
            raise NotebookError("The browser printed no PDF.", where=browser, code="pdf-failed")
        return target.read_bytes()


def _flags(folder: Path) -> list[str]:
    flags = [*_FLAGS, f"--user-data-dir={folder / 'profile'}"]
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0  # Chromium's own refuses to start then
    return [*flags, "--no-sandbox"] if is_root else flags


def _print(command: list[str]) -> None:
    try:
        subprocess.run(command, check=False, capture_output=True, timeout=_PATIENCE)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotebookError(
            "The browser did not print the notebook.",
            where=command[0],
            remedy="Export to html and print that",
            code="pdf-failed",
        ) from error
