"""Limits of kernels: what they hold, however one was started, and what is said when one is met."""

from __future__ import annotations

import json
import sys

import pytest

from iaiflow_lab.errors import NotebookError
from iaiflow_lab.notebook import resource_limits
from iaiflow_lab.notebook.runner import run_notebook
from iaiflow_lab.settings import make_state_dir

LIMITS = {
    "memory": 8_000_000_000,
    "cpu_s": 100,
    "files": 200,
    "processes": 20_000,
    "file_size": 3_000_000,
}


@pytest.fixture
def limit(context):
    """Return `limit(name=value)`, which writes the workspace's settings."""

    def write(**limits: int) -> None:
        lines = [f"{name} = {value}" for name, value in limits.items()]
        config = make_state_dir(context.workspace) / "config.toml"
        config.write_text("\n".join(["[kernel_limits]", *lines]))

    return write


@pytest.mark.slow
@pytest.mark.usefixtures("start")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
class TestKernels:
    def test_it_has_every_limit(self, context, write_notebook, limit):
        limit(**LIMITS)
        names = [kind for kind, _ in resource_limits.RESOURCES.values()]
        path = write_notebook(
            f"import resource\n[resource.getrlimit(getattr(resource, n)) for n in {names}]"
        )
        result = run_notebook(path, {}, context)
        shown = json.loads(result.output.read_text())["cells"][0]["outputs"][0]["data"]
        found = eval("".join(shown["text/plain"]))
        assert [soft for soft, _ in found] == list(LIMITS.values())

    @pytest.mark.parametrize(
        ("name", "value", "source", "sentence"),
        [
            ("memory", 4_000_000_000, "bytearray(10**10)", "4,000,000,000 bytes of address space"),
            ("files", 100, "kept = [open('/dev/null') for _ in range(200)]", "100 open files"),
            ("file_size", 10_000, "open('big', 'wb').write(bytes(20_000))", "10,000 bytes in one"),
            ("cpu_s", 3, "while True:\n    pass", "3 seconds of processor time"),
        ],
    )
    def test_one_that_is_met_is_named(
        self, context, write_notebook, limit, name, value, source, sentence
    ):
        limit(**{name: value})
        with pytest.raises(NotebookError) as caught:
            run_notebook(write_notebook(source), {}, context)
        assert f"A kernel may have {sentence}" in caught.value.remedy
        assert f"kernel_limits.{name}" in caught.value.remedy


def test_without_limits_a_command_stays_as_it_is():
    assert resource_limits.limited({}, ["a", "b"]) == ["a", "b"]
    assert resource_limits.limited({"files": 1}, ["a"])[0] == sys.executable


@pytest.mark.parametrize(
    ("name", "text", "limit"),
    [
        ("MemoryError", "", "memory"),
        ("OSError", "[Errno 24] Too many open files: 'x'", "files"),
        ("OSError", "[Errno 27] File too large", "file_size"),
        ("BlockingIOError", "[Errno 11] Resource temporarily unavailable", "processes"),
        ("RuntimeError", "can't start new thread", "processes"),
        ("OSError", "[Errno 2] No such file", ""),
        ("ValueError", "File too large", ""),
    ],
)
def test_what_a_cell_shows_names_the_limit(name, text, limit):
    found = resource_limits.explain(LIMITS, name, text)
    assert (f"kernel_limits.{limit}" in found) if limit else not found
    assert resource_limits.explain({}, name, text) == ""
