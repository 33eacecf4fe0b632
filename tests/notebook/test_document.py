from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iaiflow_lab.notebook.check import problems
from iaiflow_lab.notebook.document import UnreadableNotebookError, read_notebook

GOOD = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (json.dumps({**GOOD, "nbformat": 999}), "unsupported nbformat 999."),
        (json.dumps({"nbformat": 3, "worksheets": []}), "unsupported nbformat 3."),
        (json.dumps({"nbformat": 4}), "it must have a list of cells, found none."),
        (json.dumps({"cells": []}), "unsupported nbformat (none)."),
        ("[]", "it must be an object, found a list."),
        ("null", "it must be an object, found null."),
        ("", "the file is empty."),
        ('{"nbformat": 4,', "invalid JSON at line 1, column 16."),
        ('{"nbformat": 4, "nbformat": 4}', "key 'nbformat' appears twice."),
        ("[" * 100_000 + "]" * 100_000, "nested deeper than 100 levels."),
        ("[" * 101 + "]" * 101, "nested deeper than 100 levels."),
        (json.dumps({**GOOD, "cells": [1]}), "a cell must be an object, found a number."),
        (json.dumps({**GOOD, "cells": [{"cell_type": "x"}]}), "type must be code, markdown, raw"),
        (json.dumps({**GOOD, "cells": [{"cell_type": "raw", "source": [1]}]}), "must be a text."),
        (json.dumps({**GOOD, "metadata": []}), "it must be an object."),
    ],
)
def test_what_is_no_notebook_is_refused_in_one_sentence(tmp_path: Path, text, sentence):
    path = tmp_path / "bad.ipynb"
    path.write_text(text)
    with pytest.raises(UnreadableNotebookError) as caught:
        read_notebook(path)
    assert caught.value.what.startswith("Not a readable notebook: ")
    assert sentence in caught.value.what
    assert str(path) in caught.value.where
    assert caught.value.exit_code == 2
    assert [problem.severity for problem in problems(path)] == ["error"]


def test_a_missing_file_is_refused(tmp_path: Path):
    with pytest.raises(UnreadableNotebookError, match="no such notebook"):
        read_notebook(tmp_path / "none.ipynb")


def test_bytes_that_are_no_text_are_refused(tmp_path: Path):
    path = tmp_path / "bad.ipynb"
    path.write_bytes(b'{"a": "\xff\xfe"}')
    with pytest.raises(UnreadableNotebookError, match="UTF-8"):
        read_notebook(path)


def test_cells_get_ids_that_are_the_same_at_each_reading(tmp_path: Path):
    cell = {"cell_type": "code", "source": ["a = 1\n", "b"], "metadata": {}, "outputs": []}
    path = tmp_path / "old.ipynb"
    content = GOOD | {"nbformat_minor": 4, "cells": [cell, cell | {"id": "x"}, cell | {"id": "x"}]}
    path.write_text(json.dumps(content))
    first, second = read_notebook(path), read_notebook(path)
    ids = [cell["id"] for cell in first.cells]
    assert ids == [cell["id"] for cell in second.cells]
    assert len(set(ids)) == 3
    assert first.cells[0]["source"] == "a = 1\nb"


def test_problems_name_the_place(write_notebook, tmp_path: Path):
    metadata = {"kernelspec": {"name": "r", "display_name": "R"}}
    path = write_notebook(("x = = 1", ["parameters"]), metadata=metadata)
    content = json.loads(path.read_text())
    picture = {"output_type": "display_data", "data": {"image/png": "@@"}, "metadata": {}}
    content["cells"][0]["outputs"] = [picture]
    content["cells"].append(content["cells"][0])
    path.write_text(json.dumps(content))
    found = {problem.code: problem for problem in reversed(problems(path))}
    assert found["IAI202"].message == "Several cells have the id 'c0'."
    assert found["IAI204"].place == "cells[0]"
    assert found["IAI205"].message == "Kernel 'r' isn't installed."
    assert found["IAI206"].place == "cells[0].outputs"
    assert [p.severity for p in problems(path)][:2] == ["error", "error"]


def test_a_good_notebook_has_no_problems(write_notebook):
    assert problems(write_notebook("1 + 1", ("limit = 3  # rows", ["parameters"]))) == []


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
keys = st.sampled_from(["cell_type", "source", "metadata", "outputs", "id", "tags", "name"])
objects = st.dictionaries(keys, json_values | st.sampled_from(["code", "markdown"]), max_size=6)


@given(cells=st.lists(objects | json_values, max_size=3), metadata=objects | json_values)
def test_any_json_is_read_or_refused(tmp_path_factory, cells, metadata):
    path = tmp_path_factory.mktemp("any") / "any.ipynb"
    path.write_text(json.dumps(GOOD | {"cells": cells, "metadata": metadata}))
    try:
        notebook = read_notebook(path)
    except UnreadableNotebookError:
        assert problems(path)[0].code == "IAI201"
    else:
        assert all(isinstance(cell["source"], str) for cell in notebook.cells)
        assert isinstance(problems(path), list)
