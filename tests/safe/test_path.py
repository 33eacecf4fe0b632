from __future__ import annotations

import contextlib
import os
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iaiflow_lab.errors import InputError, LabError, NotFoundError
from iaiflow_lab.safe.path import safe_path

HOSTILE = [
    "",
    "/etc/passwd",
    "//server/share",
    "~/secrets",
    "..",
    "../evil",
    "a/../../evil",
    "a//b",
    "a/",
    "..\\evil",
    "C:\\Windows",
    "C:evil",
    "file.txt:stream",
    "CON",
    "con.txt",
    "data/NUL",
    "COM1.log",
    "lpt¹",
    "nul\0.txt",
    "line\nbreak",
    "a\u202egpj.exe",
    "zero\u200bwidth",
    "\uff0e\uff0e/evil",
    "‥/evil",
    "a\uff0fb",
    "…",
    "trailing.",
    "trailing ",
    " leading",
    "a" * 300,
    "ä" * 200,
    "a/" * 600 + "b",
    "what?",
    "a|b",
    "\ud800",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_refused_in_one_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="can't be used") as caught:
        safe_path(tmp_path, name)
    assert caught.value.code == "path-refused"
    assert caught.value.what.isprintable()
    assert len(caught.value.what) < 300


@pytest.mark.parametrize("name", ["a.csv", "data/a b.csv", "./a.csv", "Zürich/größe.txt", ".env"])
def test_plain_names_stay_below_the_root(tmp_path: Path, name: str) -> None:
    assert safe_path(tmp_path, name) == (tmp_path.resolve() / name)


def test_a_sibling_with_the_same_prefix_is_outside(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (tmp_path / "root-evil").mkdir()
    root.mkdir()
    (root / "link").symlink_to(tmp_path / "root-evil")
    with pytest.raises(InputError, match="outside"):
        safe_path(root, "link/file")


def test_links_inside_the_root_may_be_used(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert safe_path(tmp_path, "link/a.txt") == tmp_path.resolve() / "real" / "a.txt"


def test_a_link_that_is_swapped_in_is_noticed(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "data").mkdir(parents=True)
    assert safe_path(root, "data/a.txt").parent == root.resolve() / "data"
    (root / "data").rmdir()
    (root / "data").symlink_to("/etc")
    with pytest.raises(InputError, match="outside"):
        safe_path(root, "data/a.txt")


def test_links_in_a_circle_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(LabError):
        safe_path(tmp_path, "a/file", must_exist=True)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"a\.csv"):
        safe_path(tmp_path, "a.csv", must_exist=True)


def _random_name(chance: random.Random) -> str:
    pieces = [
        "..",
        ".",
        "/",
        "\\",
        "a",
        "b.txt",
        "CON",
        "\0",
        "\uff0e",
        "‥",
        "\u202e",
        "~",
        ":",
        " ",
    ]
    pieces += [
        "link",
        "link/",
        "../",
        "%2e%2e",
        "/etc",
        "é",
        "x" * 200,
        chr(chance.randrange(0xFFFF)),
    ]
    return "".join(chance.choice(pieces) for _ in range(chance.randint(1, 6)))


def test_thousands_of_hostile_names_stay_inside(tmp_path: Path, soak) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to("/etc")
    chance = random.Random(20_130_101)
    accepted = 0
    for _ in range(soak(20_000, 500_000)):
        try:
            path = safe_path(root, _random_name(chance))
        except InputError:
            continue
        accepted += 1
        assert Path(os.path.realpath(path)).is_relative_to(root.resolve())
    assert accepted > 100


@given(st.text(max_size=80))
def test_any_text_gives_a_path_inside_or_one_sentence(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    root = tmp_path_factory.getbasetemp()
    with contextlib.suppress(InputError):
        assert safe_path(root, name).is_relative_to(root.resolve())
