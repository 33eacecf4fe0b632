"""A real JupyterLab and a real browser.

Every worker process of the test run has one server and one browser; every test has a page of its
own in a fresh browser context, and fails on an error that the page did not expect.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from browser.canvas_page import CanvasPage
from browser.notebook_page import NotebookPage, write_notebook
from browser.patience import PATIENCE
from playwright.sync_api import Browser, BrowserContext, Page, WebError, expect, sync_playwright

from iaiflow_lab.api.address import served_at

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
expect.set_options(timeout=PATIENCE)
#: What Notebook's own pages raise, without this extension too: while they load settings, and where
#: a page of JupyterLab on the same server has left the folder that it showed.
NOTEBOOK_ERRORS = (
    "Cannot read properties of undefined (reading 'schema')",
    "Command 'filebrowser:open-path' not registered.",
)
NOTEBOOK_PAGES = re.compile(r"^http://[^/]+/(notebooks|edit|tree)\b")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder; all need the browser, and all take a while."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.slow)


@dataclass(frozen=True)
class Jupyter:
    """A running server."""

    #: Address with a slash at the end.
    url: str
    #: The folder that it serves; also the workspace.
    root: Path
    process: subprocess.Popen[bytes]

    def address(self, path: str = "lab") -> str:
        """Return the address of a page, in a workspace that remembers nothing."""
        return f"{self.url}{path}{'&' if '?' in path else '?'}reset"


def chromium() -> str:
    """Return the browser's path."""
    named = os.environ.get("IAIFLOW_CHROMIUM", "")
    found = named or shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        pytest.skip(
            "Browser tests need Chromium (apt-get install chromium), or its path in"
            " IAIFLOW_CHROMIUM."
        )
    return found


def serve_jupyter(home: Path, *, collaboration: bool = False) -> Jupyter:
    """Start JupyterLab on a free port of the loopback, with a home of its own."""
    root = home / "work"
    root.mkdir(parents=True)
    env = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("JUPYTER", "JPY", "IAIFLOW", "PYTEST"))
    }
    keep_quiet(home / "config" / "labconfig")
    project = Path(__file__).parents[2]
    extra = project / ".venv" / "collaboration"
    env |= {
        "HOME": str(home),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "IPYTHONDIR": str(home / "ipython"),
        "PYTHONWARNINGS": "ignore",
    }
    if collaboration:
        env |= {
            "PYTHONPATH": str(extra),
            "JUPYTER_PATH": str(extra / "share" / "jupyter"),
            "JUPYTER_CONFIG_PATH": str(extra / "etc" / "jupyter"),
        }
    for _ in range(3):  # somebody else may take the port first
        if (served := try_port(home, root, env)) is not None:
            return served
    log = (home / "server.log").read_text()
    return pytest.fail(f"JupyterLab ended at once:\n{log[-4000:]}")


def try_port(home: Path, root: Path, env: dict[str, str]) -> Jupyter | None:
    """Start JupyterLab on a port that was free just now; None when it ended at once."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable, "-m", "jupyter", "lab",
        "--no-browser",
        "--ip=127.0.0.1",
        f"--port={port}",
        "--ServerApp.port_retries=0",
        "--allow-root",
        "--IdentityProvider.token=",
        "--ServerApp.disable_check_xsrf=True",
        "--LabApp.expose_app_in_browser=True",
        "--JupyterNotebookApp.expose_app_in_browser=True",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        f"--ServerApp.root_dir={root}",
    ]  # fmt: skip
    with (home / "server.log").open("wb") as log:
        process = subprocess.Popen(command, env=env, cwd=root, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}/"
    if not answers(f"{url}api/status", process, home / "server.log"):
        return None
    return Jupyter(url, root, process)


def keep_quiet(folder: Path) -> None:
    """Answer the question about news, which would cover the page and ask the network."""
    folder.mkdir(parents=True)
    settings = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false"}}
    (folder / "default_setting_overrides.json").write_text(json.dumps(settings))


def answers(url: str, process: subprocess.Popen[bytes], log: Path) -> bool:
    """Wait until the server answers; false when it ended instead."""
    end = time.monotonic() + 3 * PATIENCE / 1_000
    while time.monotonic() < end:
        if process.poll() is not None:
            return False
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                json.load(answer)
        except OSError:
            time.sleep(0.1)
        else:
            return True
    process.kill()
    return pytest.fail(f"JupyterLab does not answer:\n{log.read_text()[-4000:]}")


def stop(jupyter: Jupyter) -> None:
    """End a server with its kernels."""
    jupyter.process.terminate()
    try:
        jupyter.process.wait(20)
    except subprocess.TimeoutExpired:
        jupyter.process.kill()
        jupyter.process.wait()


@pytest.fixture(scope="session")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    """Return the server that the tests of this process share; each finds it empty.

    A test of the service, which would be emptied as well, has a server of its own, called `lab`.
    """
    server = serve_jupyter(tmp_path_factory.mktemp("jupyter"))
    yield server
    stop(server)


@pytest.fixture(scope="module")
def start_jupyter(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[..., Jupyter]]:
    """Return a function that starts a server for a file's tests, e.g. with collaboration."""
    servers: list[Jupyter] = []

    def start(**options: bool) -> Jupyter:
        servers.append(serve_jupyter(tmp_path_factory.mktemp("jupyter"), **options))
        return servers[-1]

    yield start
    for server in servers:
        stop(server)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return the browser that the tests of a file share.

    Playwright's event loop counts as running until it is closed, and no other can run beside it:
    the tests of other folders, which this process may be given next, need their own.
    """
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Return a browser profile that knows nothing, 1440 x 900."""
    made = browser.new_context(
        viewport={"width": 1440, "height": 900},
        permissions=["clipboard-read", "clipboard-write"],
    )
    made.set_default_timeout(PATIENCE)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Return a page; a test that fails leaves its picture in `build/screenshots/failed`."""
    made = context.new_page()
    failures: list[str] = []

    def note(raised: WebError) -> None:
        error, url = raised.error, raised.page.url if raised.page else ""
        is_its_own = NOTEBOOK_PAGES.match(url) and error.message in NOTEBOOK_ERRORS
        if not is_its_own:
            failures.append(f"{error}\n{error.stack}")

    context.on("weberror", note)  # of this page, and of those that it opens
    yield made
    if getattr(request.node, "failed_in_call", False):
        folder = pictures() / "failed"
        folder.mkdir(parents=True, exist_ok=True)
        made.screenshot(path=folder / f"{request.node.name}.png")
    assert failures == [], "The page raised errors."


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """Tell the fixtures whether the test failed."""
    outcome = yield
    if call.when == "call":
        item.failed_in_call = outcome.get_result().failed  # type: ignore[attr-defined]


def pictures() -> Path:
    """Return where screenshots are kept for people to look at."""
    return Path(__file__).parents[2] / "build" / "screenshots"


@pytest.fixture
def picture(page: Page) -> Callable[[str], None]:
    """Return `picture(name)`: keep a screenshot for people to look at."""

    def take(name: str) -> None:
        pictures().mkdir(parents=True, exist_ok=True)
        page.screenshot(path=pictures() / f"{name}.png")

    return take


@pytest.fixture(autouse=True)
def left_as_found(request: pytest.FixtureRequest) -> Iterator[None]:
    """End a test's kernels, and forget its files and settings, after its page was closed."""
    names = [name for name in ("jupyter", "lab") if name in request.fixturenames]
    servers = {name: request.getfixturevalue(name) for name in names}
    yield
    for name, server in servers.items():
        shut_kernels(server.url)
        shutil.rmtree(server.root.parent / "config" / "lab" / "user-settings", ignore_errors=True)
        if name == "jupyter":
            empty(server.root)


@pytest.fixture
def open_flow(jupyter: Jupyter, page: Page) -> Callable[..., CanvasPage]:
    """Return `open_flow(flow)`: a file opened alone.

    `flow` is what the file says; without it, the file is there already under its `name`.
    """

    def open_(
        flow: dict[str, Any] | None = None, *, name: str = "drawn", kernel: bool = True
    ) -> CanvasPage:
        file = jupyter.root / f"{name}.flow.json"
        if flow is not None:
            file.write_text(json.dumps({"format": "iaiflow/1", "name": name, **flow}))
        page.goto(jupyter.address(f"lab/tree/{file.name}"))
        return CanvasPage(page, jupyter.root).wait(kernel=kernel)

    return open_


@pytest.fixture
def open_notebook(jupyter: Jupyter, page: Page) -> Callable[..., NotebookPage]:
    """Return `open_notebook(*cells)`: a notebook of code cells, alone and with its kernel."""

    def open_(*cells: str, name: str = "cells", app: str = "lab/tree") -> NotebookPage:
        file = jupyter.root / f"{name}.ipynb"
        if cells:
            write_notebook(file, *cells)
        page.goto(jupyter.address(f"{app}/{file.name}"))
        return NotebookPage(page, file).wait()

    return open_


def shut_kernels(url: str) -> None:
    """End the kernels of a server; the next test has both cores for itself."""
    with urllib.request.urlopen(f"{url}api/kernels", timeout=60) as answer:
        kernels = json.load(answer)
    for kernel in kernels:
        address = f"{url}api/kernels/{kernel['id']}"
        request = urllib.request.Request(address, method="DELETE")
        try:
            urllib.request.urlopen(request, timeout=60).close()
        except urllib.error.HTTPError as error:
            with error:
                if error.code != 404:  # it has ended by itself
                    raise


def empty(root: Path) -> None:
    """Remove all files of a workspace, but not from under the process that serves it."""
    state = root / ".iaiflow"
    kept = [state] if state.is_dir() and served_at(state) else []
    for file in root.iterdir():
        if file not in kept and file.is_dir():
            shutil.rmtree(file, ignore_errors=True)  # a kernel that came late may write in it
        elif file not in kept:
            file.unlink(missing_ok=True)
