from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iaiflow_lab.notebook.text import Overflow, StreamText, clean, fold, fold_piece

pieces = st.lists(st.text(st.sampled_from("ab\r\n"), max_size=8), max_size=8)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("10%\r50%\r100%\n", "100%\n"),
        ("a\r\nb\r\n", "a\r\nb\r\n"),
        ("half\r", "half\r"),
        ("a\rb\nc\rd", "b\nd"),
        ("plain\n", "plain\n"),
    ],
)
def test_redrawn_lines_are_shown_once(text, shown):
    assert fold(text) == shown


@given(pieces)
def test_pieces_fold_as_the_whole(parts):
    stream = StreamText()
    for part in parts:
        stream.add(part)
    assert str(stream) == fold("".join(parts))


@given(pieces)
def test_live_pieces_fold_to_the_same_text(parts):
    assert fold("".join(map(fold_piece, parts))) == fold("".join(parts))


def test_a_long_line_without_an_end_grows_in_linear_time():
    stream = StreamText()
    for _ in range(20_000):
        stream.add("x" * 100)
    assert len(str(stream)) == 2_000_000


def test_lone_surrogates_are_replaced():
    assert clean("a\ud800b") == "a?b"
    assert clean("ü") == "ü"


def test_an_overflow_stops_at_its_limit(tmp_path: Path):
    overflow = Overflow(tmp_path / "log", limit=5)
    overflow.write("abc")
    overflow.write("defg")
    overflow.write("h")
    overflow.close()
    assert (tmp_path / "log").read_text() == "abcde"
