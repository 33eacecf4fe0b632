"""The hash of a node's code: equal for equal code, other for anything that it names."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from iaiflow_lab.sdk.code_hash import code_hash

CONSTANT = 1
LOCK = threading.Lock()


def helper(value: int) -> int:
    return value + CONSTANT


def uses_constant() -> int:
    return CONSTANT


def uses_helper() -> int:
    return helper(1)


def uses_module() -> str:
    return json.dumps({})


def uses_lock() -> None:
    LOCK.acquire()


def loops(value: int) -> int:
    return loops(value - 1) if value else uses_nested()


def uses_nested() -> int:
    def inner() -> int:
        return CONSTANT

    return inner()


class Node:
    def run(self) -> int:
        return helper(2)


def closing(value: Any) -> Callable[[], Any]:
    return lambda: value


@pytest.mark.parametrize("target", [uses_constant, uses_helper, uses_module, uses_nested, Node])
def test_it_is_known_and_stable(target: Any) -> None:
    assert code_hash(target) == code_hash(target)
    assert len(code_hash(target) or "") == 64


def test_what_cannot_be_hashed_makes_it_unknown() -> None:
    assert code_hash(uses_lock) is None
    assert code_hash(closing(LOCK)) is None


@pytest.mark.parametrize("target", [uses_constant, uses_helper, uses_nested, Node, loops])
def test_a_constant_counts_even_far_away(target: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = code_hash(target)
    monkeypatch.setitem(globals(), "CONSTANT", 2)
    assert code_hash(target) != before


def test_closures_count() -> None:
    assert code_hash(closing(1)) == code_hash(closing(1))
    assert code_hash(closing(1)) != code_hash(closing(2))
