"""An application over a workspace with a flow and a notebook, asked through its whole stack."""

from __future__ import annotations

from collections.abc import Iterator

import nbformat
import pytest
from fastapi.testclient import TestClient

from iaiflow_lab.api.app import create_app
from iaiflow_lab.model import file
from iaiflow_lab.model.flow import Flow, Node
from iaiflow_lab.queue.owner import owner_name
from iaiflow_lab.service import open_session
from iaiflow_lab.worker.duty import Duty
from iaiflow_lab.worker.loop import work
from iaiflow_lab.worker.stop import Stop

SECRET = "a-secret-of-this-test"


@pytest.fixture
def project(workspace):
    """Return a workspace with `hello.flow.json` and `report.ipynb`."""
    flow = Flow(
        "Hello",
        parameters={"topic": {"type": "string", "default": "ducks"}},
        nodes={"greet": Node("text.template", {"template": "Hello {{params.topic}}"})},
    )
    (workspace / "hello.flow.json").write_text(file.dump(flow, ""))
    asking = Flow("Ask", nodes={"ask": Node("approval", {"message": "Shall we?"})})
    (workspace / "ask.flow.json").write_text(file.dump(asking, ""))
    notebook = nbformat.v4.new_notebook()
    cell = nbformat.v4.new_code_cell("limit: int = 10\nname: str")
    cell.metadata["tags"] = ["parameters"]
    notebook.cells = [cell]
    nbformat.write(notebook, workspace / "report.ipynb")
    return workspace


@pytest.fixture
def app(project):
    """Return the application."""
    return create_app(project, secret=SECRET)


@pytest.fixture
def ask(app) -> Iterator[TestClient]:
    """Return a client that knows the secret and sends JSON."""
    headers = {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/json"}
    with TestClient(app, base_url="http://localhost", headers=headers) as client:
        yield client


@pytest.fixture
def work_off(project):
    """Return `work_off()`: execute everything that is queued, in this process."""

    def run() -> None:
        with open_session(project) as session:
            owner = owner_name("worker", session.world.ids)
            work(session.coordinator, session.world, owner, Duty(("default",), drain=True), Stop())

    return run
