"""Other projects' test notebooks, fetched into a folder that IAIFLOW_NOTEBOOKS names."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from iaiflow_lab.errors import LabError
from iaiflow_lab.notebook.runner import NotebookLimits, run_notebook

FOLDER = os.environ.get("IAIFLOW_NOTEBOOKS", "")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not FOLDER,
        reason="IAIFLOW_NOTEBOOKS names no folder with the test notebooks of papermill, nbclient "
        "and jupyter-scheduler",
    ),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

PASS = """
nb_version_4.4 no_parameters report_mode_test result_no_exec simple_execute sysexit sysexit0
systemexit test_autosave test_notebooknode_io Clear_Output Empty_Cell Other_Comms Sleep1s UnicodePy3
helloworld helloworld-1 side_effects blank-vscode Check_History_in_Memory Factorials HelloWorld
Inline_Image Output SVG Skip_Execution_with_Cell_Tag Unicode update-display-id
Skip_Exceptions_with_Cell_Tags
"""
FAIL = {
    "broken": "SyntaxError",
    "broken1": "AssertionError",
    "broken2": "ImportError",
    "line_magic_error": "UsageError",
    "sysexit1": "SystemExit: 1",
    "Error": "ZeroDivisionError",
    "import-helloworld": "FileNotFoundError",
    "keyboard_interrupt": "The cell ran longer than 5 s",
    "Interrupt": "The cell ran longer than 5 s",
    "Autokill": "The kernel died (signal 15, SIGTERM",
    "notimplemented_translator": "Kernel 'r' isn't installed.",
    "read_check": "AssertionError",
    "complex_parameters": "The parameters cell is not valid Python",
    "test_logging": "ModuleNotFoundError",
    "Disable Stdin": "StdinNotImplementedError",
    "Skip Exceptions": "Exception: message",
}


@pytest.fixture
def fetched(tmp_path: Path):
    def find(name: str) -> Path:
        found = sorted(Path(FOLDER).rglob(f"{name}.ipynb"))
        if not found:
            pytest.skip(f"{name}.ipynb is not in {FOLDER}")
        shutil.copytree(found[0].parent, tmp_path / "fetched")
        return tmp_path / "fetched" / found[0].name

    return find


@pytest.mark.parametrize(
    "name", [word.replace("_", " ") if word[0].isupper() else word for word in PASS.split()]
)
def test_it_completes(context, fetched, name):
    assert run_notebook(fetched(name), {}, context, limits=NotebookLimits(cell=12)).output.exists()


@pytest.mark.parametrize("name", FAIL)
def test_it_fails_with_a_clear_sentence(context, fetched, name):
    with pytest.raises(LabError) as caught:
        run_notebook(fetched(name), {}, context, limits=NotebookLimits(cell=5))
    assert FAIL[name] in caught.value.what
    assert name in caught.value.where
