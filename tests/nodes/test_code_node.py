"""Python code in a flow, as its author meets it when it fails."""

from __future__ import annotations

import pytest
from harness import Lab

from iaiflow_lab.model.flow import Flow, Node


@pytest.mark.parametrize(
    ("code", "place"),
    [
        ("def main():\n    return [][1]", 'File "<bad>", line 2, in main'),
        ("async def main():\n    return [][1]", 'File "<bad>", line 2, in main'),
        ("numbers = [][1]\n\ndef main(): ...", 'File "<bad>", line 1, in <module>'),
    ],
)
def test_the_trace_of_a_failure_begins_in_the_code(lab: Lab, code: str, place: str) -> None:
    result = lab.run(Flow("test", nodes={"bad": Node("python", {"code": code})}))
    assert result.error is not None
    assert result.error.message == "IndexError: list index out of range"
    assert result.error.trace.strip().startswith(place)
