import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from iaiflow_lab import syntax

DEEP = "value = " + "(1, " * 40 + "0" + ")" * 40
LONG = "\n".join(f"def f{n}(a):\n    return [a, {{'k': (a, {n})}}]" for n in range(200))


def test_many_threads_read_source_at_once():
    start = threading.Barrier(8)

    def read(source: str) -> int:
        start.wait()
        return sum(len(syntax.parse(source).body) for _ in range(20))

    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(read, [DEEP, LONG] * 4))
    assert counts == [20, 4_000] * 4


def test_a_thread_of_others_that_reads_too_does_no_harm(monkeypatch):
    failures = [SystemError("AST constructor recursion depth mismatch (before=54, after=329)")] * 3
    real = syntax.ast.parse

    def parse(*args):
        if failures:
            raise failures.pop()
        return real(*args)

    monkeypatch.setattr(syntax.ast, "parse", parse)
    assert len(syntax.parse("a = 1\nb = 2").body) == 2


def test_what_is_no_python_is_refused():
    with pytest.raises(SyntaxError):
        syntax.parse("a = = 1")
    with pytest.raises(SyntaxError):
        syntax.parse_expression("a = 1")


@pytest.mark.filterwarnings("error")
def test_what_python_warns_of_is_silent():
    assert syntax.parse(r"a = '\d'").body
