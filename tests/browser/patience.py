"""Waiting for what takes as long as it takes: machines are slow, and share their cores."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page

T = TypeVar("T")

#: How long a page may take for one step, in milliseconds.
PATIENCE = 60_000
#: How often it is looked at, in milliseconds; a page that is not painted has no frames to go by.
LOOK_EVERY = 100.0


def until(page: Page, look: Callable[[], T], what: str = "") -> T:
    """Look again and again until something is found; returns it.

    Args:
        page: The page that goes on meanwhile.
        look: Returns what is false in a condition while there is nothing.
        what: What is waited for, in the words of a failure.
    """
    end = monotonic() + PATIENCE / 1_000
    while not (found := look()):
        if monotonic() > end:
            pytest.fail(f"Never came true: {what or look}")
        page.wait_for_timeout(LOOK_EVERY)
    return found


#: Keeps what a function promises on the page, and says what became of it so far.
_PROMISED = """([key, arg]) => {
    const kept = (window.promised ??= {});
    kept[key] ??= (async () => (%s)(arg))().then(
        value => { kept[key] = { state: 'kept', value }; },
        error => { kept[key] = { state: 'broken', value: String(error?.stack ?? error) }; }
    );
    return kept[key] instanceof Promise ? { state: 'open' } : kept[key];
}"""


def promised(page: Page, function: str, arg: Any = None) -> Any:
    """Wait until what a JavaScript function promises has come; returns it.

    The page keeps it and is asked again and again: V8 collects a promise now and then that only
    the debugger waits for.
    """
    key = uuid4().hex

    def look() -> dict[str, Any] | None:
        found = page.evaluate(_PROMISED % function, [key, arg])
        return None if found["state"] == "open" else found

    came = until(page, look, function)
    assert came["state"] == "kept", f"{function}\n{came['value']}"
    return came.get("value")


def wait_restored(page: Page, condition: str = "true") -> None:
    """Wait until JupyterLab has brought back what was open, and something holds in JavaScript.

    A page that loads itself anew meanwhile is waited for from the beginning.
    """
    page.wait_for_function(
        f"""() => {{
            window.restoring ??= window.jupyterapp?.restored.then(() => {{
                window.isRestored = true;
            }});
            return window.isRestored && ({condition});
        }}""",
        polling=LOOK_EVERY,
    )


def wait_until(page: Page, predicate: str, arg: Any = None) -> None:
    """Wait until an asynchronous JavaScript function returns true; Playwright's own do not."""
    until(page, lambda: promised(page, predicate, arg), predicate)


def json_in(file: Path) -> Any:
    """Return what a file says; nothing while it is not there, or is being written."""
    try:
        return json.loads(file.read_text())
    except (FileNotFoundError, ValueError):
        return {}


def place_of(what: Locator) -> dict[str, float]:
    """Return where something is, in pixels, once it stands still."""
    handle = what.element_handle()
    handle.wait_for_element_state("stable")
    box = handle.bounding_box()
    assert box is not None, what
    return dict(box)
