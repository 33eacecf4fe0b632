"""ARCHITECTURE.md names functions that exist, in modules that exist."""

from __future__ import annotations

import importlib
import re
from functools import reduce
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "ARCHITECTURE.md").read_text()
NAMES = sorted(set(re.findall(r"`(iaiflow_\w+(?:\.\w+)*(?::[\w.]+)?)`", PAGE)))


def test_the_page_names_the_functions_of_a_run() -> None:
    assert len(NAMES) > 15


@pytest.mark.parametrize("name", NAMES)
def test_every_name_exists(name: str) -> None:
    module, _, attribute = name.partition(":")
    found = importlib.import_module(module)
    if attribute:
        reduce(getattr, attribute.split("."), found)
