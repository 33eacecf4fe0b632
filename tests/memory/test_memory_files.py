"""Files that a model keeps with the memory tool, with and without Anthropic's SDK."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iaiflow_memory import AsOf, BadInput, Memory, NotFound
from iaiflow_memory import anthropic as adapter
from iaiflow_memory import files as module
from iaiflow_memory.files import LONGEST_FILE, ROOT, Files, checked

NOTES = f"{ROOT}/notes.txt"


@pytest.fixture
def memory(place: Path) -> Iterator[Memory]:
    with Memory(place, serve=True) as opened:
        yield opened


@pytest.fixture
def files(memory: Memory) -> Files:
    return Files(memory)


def create(files: Files, text: str, path: str = NOTES) -> str:
    return files.do({"command": "create", "path": path, "file_text": text})


def view(files: Files, path: str = NOTES, **rest) -> str:
    return files.do({"command": "view", "path": path, **rest})


def lines(shown: str) -> list[str]:
    return [line.partition("\t")[2] for line in shown.splitlines()[1:]]


def replace(files: Files, old: str, new: str) -> str:
    return files.do({"command": "str_replace", "path": NOTES, "old_str": old, "new_str": new})


def insert(files: Files, line: int, text: str) -> str:
    return files.do({"command": "insert", "path": NOTES, "insert_line": line, "insert_text": text})


def test_a_file_reads_as_it_was_written(files) -> None:
    assert create(files, "tea\n\ttwo  \nđường\n") == f"File created successfully at: {NOTES}"
    assert view(files) == (
        f"Here's the content of {NOTES} with line numbers:\n"
        "     1\ttea\n     2\t\ttwo  \n     3\tđường\n     4\t"
    )
    assert lines(view(files, view_range=[2, 3])) == ["\ttwo  ", "đường"]
    assert lines(view(files, view_range=[3, -1])) == ["đường", ""]


def test_a_range_that_is_none_is_refused(files) -> None:
    create(files, "tea\nmilk")
    for span in ([0, 1], [2, 1], [9, 9], [1], "1-2", [1.0, 2], [True, 1]):
        with pytest.raises(BadInput):
            view(files, view_range=span)


def test_a_file_may_hold_no_words(files) -> None:
    for text in ("", " \n ", "\n"):
        create(files, text)
        assert lines(view(files)) == text.split("\n")
        insert(files, 0, "tea")
        assert lines(view(files))[0] == "tea"
        replace(files, "tea", "")
        assert "tea" not in view(files)
        files.clear()


def test_a_folder_lists_two_levels_with_sizes(files) -> None:
    assert lines(view(files, ROOT)) == [ROOT]
    create(files, "x" * 2_048, f"{ROOT}/a.txt")
    create(files, "tea", f"{ROOT}/of/anna/b.txt")
    create(files, "é", f"{ROOT}/of/c.txt")
    assert view(files, f"{ROOT}/").splitlines()[1:] == [
        f"2.0K\t{ROOT}",
        f"2.0K\t{ROOT}/a.txt",
        f"5B\t{ROOT}/of/",
        f"3B\t{ROOT}/of/anna/",
        f"2B\t{ROOT}/of/c.txt",
    ]
    assert lines(view(files, f"{ROOT}/of/anna")) == [f"{ROOT}/of/anna", f"{ROOT}/of/anna/b.txt"]


def test_a_place_that_is_taken_stays_as_it_is(files) -> None:
    create(files, "tea")
    create(files, "milk", f"{ROOT}/folder/milk.txt")
    for taken in (NOTES, f"{NOTES}/below", ROOT, f"{ROOT}/folder"):
        with pytest.raises(BadInput, match=r"already exists|is a file"):
            create(files, "coffee", taken)
        with pytest.raises(BadInput, match=r"already exists|can't be moved"):
            files.do({"command": "rename", "old_path": NOTES, "new_path": taken})
    assert lines(view(files)) == ["tea"]


def test_a_text_is_replaced_where_it_stands_once(files) -> None:
    create(files, "\n".join("abcdefgh"))
    assert "     4\tD\n     5\tE\n" in replace(files, "d", "D\nE")
    create_again = "\n".join([*"abc", "D", "E", *"efgh"])
    assert lines(view(files)) == create_again.split("\n")
    for wanted, said in (("z", "did not appear verbatim"), ("", "no text to replace")):
        with pytest.raises(BadInput, match=said):
            replace(files, wanted, "x")
    insert(files, 9, "aa")
    with pytest.raises(BadInput, match="lines: 1, 10, 10"):
        replace(files, "a", "x")


def test_a_text_is_put_below_a_line(files) -> None:
    create(files, "one\r\nthree\u2028still")
    insert(files, 1, "two\n")
    insert(files, 0, "zero")
    insert(files, 4, "last")
    assert lines(view(files).replace("\r", "").replace("\u2028", "_")) == [
        *("zero", "one", "two", "three_still", "last", "")
    ]
    for line in (-1, 6):
        with pytest.raises(BadInput, match=rf"`insert_line` parameter: {line}\. .* \[0, 5\]"):
            insert(files, line, "x")


def test_folders_are_moved_and_deleted_with_what_is_in_them(files) -> None:
    for name in ("a/1", "a/b/2", "ab"):
        create(files, name, f"{ROOT}/{name}")
    files.do({"command": "rename", "old_path": f"{ROOT}/a", "new_path": f"{ROOT}/c/d"})
    assert lines(view(files, f"{ROOT}/c/d/b/2")) == ["a/b/2"]
    assert lines(view(files, f"{ROOT}/ab")) == ["ab"]
    with pytest.raises(NotFound):
        view(files, f"{ROOT}/a")
    with pytest.raises(BadInput, match="into itself"):
        files.do({"command": "rename", "old_path": f"{ROOT}/c", "new_path": f"{ROOT}/c/e"})
    files.do({"command": "delete", "path": f"{ROOT}/c/"})
    assert lines(view(files, ROOT)) == [ROOT, f"{ROOT}/ab"]
    assert files.clear() == "All memory cleared"
    assert lines(view(files, ROOT)) == [ROOT]


def test_what_is_not_there_is_said(files) -> None:
    rest = {"old_str": "a", "new_str": "b", "insert_line": 0, "insert_text": "x"}
    paths = {"path": NOTES, "old_path": NOTES, "new_path": f"{ROOT}/other"}
    for command in ("delete", "view", "str_replace", "insert", "rename"):
        with pytest.raises(NotFound, match=r"path /memories/notes\.txt does not exist"):
            files.do({"command": command, **paths, **rest})


def test_each_edit_is_a_version_and_the_past_can_be_read(files, memory) -> None:
    create(files, "tea")
    (item,) = [hit.item for hit in memory.search("tea")]
    replace(files, "tea", "coffee")
    insert(files, 1, "milk")
    assert [version.body for version in memory.history(item.id)] == [
        *("tea", "coffee", "coffee\nmilk\n")
    ]
    past = AsOf(recorded=item.recorded_from)
    assert memory.get(item.id, past).body == "tea"
    assert [hit.item.id for hit in memory.search("milk")] == [item.id], "found like any memory"
    files.do({"command": "delete", "path": NOTES})
    assert len(memory.history(item.id)) == 3
    create(files, "tea")
    assert lines(view(files)) == ["tea"], "what was shown before may be written again"


def test_what_a_file_says_may_be_remembered_apart_from_it(files, memory) -> None:
    create(files, "Anna likes tea")
    view(files, ROOT)
    told = memory.add("Anna likes tea")
    files.do({"command": "delete", "path": NOTES})
    assert memory.get(told.id).body == "Anna likes tea"
    assert told.is_new


def test_each_scope_has_files_of_its_own(memory) -> None:
    anna, ben = (Files(memory.scoped(user=name)) for name in ("anna", "ben"))
    nobody = Files(memory)
    create(anna, "of anna")
    create(nobody, "of nobody")
    assert lines(view(ben, ROOT)) == [ROOT]
    assert (lines(view(anna)), lines(view(nobody))) == (["of anna"], ["of nobody"])
    ben.clear()
    nobody.do({"command": "delete", "path": NOTES})
    assert lines(view(anna)) == ["of anna"]


def test_sizes_are_bounded(files, monkeypatch) -> None:
    create(files, "x" * LONGEST_FILE)
    with pytest.raises(BadInput, match="100,002 characters"):
        insert(files, 0, "")
    with pytest.raises(BadInput, match="characters"):
        create(files, "x" * (LONGEST_FILE + 1), f"{ROOT}/b")
    monkeypatch.setattr(module, "LONGEST_ALL", LONGEST_FILE + 3)
    create(files, "tea", f"{ROOT}/b")
    with pytest.raises(BadInput, match="There is room for"):
        create(files, "t", f"{ROOT}/c")
    monkeypatch.setattr(module, "LONGEST_ALL", 10**9)
    monkeypatch.setattr(module, "MOST_FILES", 2)
    with pytest.raises(BadInput, match="room for 2 files"):
        create(files, "t", f"{ROOT}/c")
    replace(files, "x" * LONGEST_FILE, "tea")


def test_a_path_that_leads_elsewhere_is_refused(files) -> None:
    for path in (
        *("", "/", "notes", "/etc/passwd", "/memoriesx/a", "memories/a", "//memories/a"),
        *(f"{ROOT}/../etc", f"{ROOT}/a/../b", f"{ROOT}/.", f"{ROOT}//a", f"{ROOT}/%2e%2e/a"),
        *(f"{ROOT}/a%2Fb", f"{ROOT}/..\\a", f"{ROOT}/a\0", f"{ROOT}/\ud800", f"{ROOT}/ "),
        f"{ROOT}/" + "x" * 500,
    ):
        for command in (
            {"command": "view", "path": path},
            {"command": "create", "path": path, "file_text": "x"},
            {"command": "delete", "path": path},
            {"command": "rename", "old_path": path, "new_path": NOTES},
            {"command": "rename", "old_path": NOTES, "new_path": path},
        ):
            with pytest.raises(BadInput):
                files.do(command)


@given(st.text(st.sampled_from("/.%2eEfF\\ amemories\0"), max_size=30))
def test_a_checked_path_stays_below_the_root_and_has_one_spelling(end: str) -> None:
    try:
        path = checked(f"{ROOT}/{end}")
    except BadInput:
        return
    assert path == ROOT or path.startswith(f"{ROOT}/")
    assert not {"", ".", ".."} & set(path.split("/")[1:])
    assert checked(path) == path


def test_what_is_no_command_is_refused_with_a_sentence(files) -> None:
    for command in (
        *(None, "view", [], {}, {"command": "format"}, {"command": ["view"]}),
        *({"command": "view"}, {"command": "view", "path": 3}),
        {"command": "create", "path": NOTES},
        {"command": "insert", "path": NOTES, "insert_line": True, "insert_text": "x"},
    ):
        with pytest.raises(BadInput):
            files.do(command)


def test_without_the_sdk_it_is_said_how_to_get_it(memory, monkeypatch) -> None:
    def missing(name: str):
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr(adapter, "import_module", missing)
    for make in (adapter.memory_tool, adapter.async_memory_tool):
        with pytest.raises(BadInput, match=r"iaiflow-lab\[claude\]"):
            make(memory)
    monkeypatch.setattr(adapter, "import_module", lambda _: SimpleNamespace())
    with pytest.raises(BadInput, match="or later"):
        adapter.memory_tool(memory)


def test_the_sdks_tool_speaks_with_the_files(memory) -> None:
    tools = pytest.importorskip("anthropic.lib.tools")
    tool = adapter.memory_tool(memory, cache_control={"type": "ephemeral"})
    assert isinstance(tool, tools.BetaAbstractMemoryTool)
    assert tool.to_dict() == {
        "type": "memory_20250818",
        "name": "memory",
        "cache_control": {"type": "ephemeral"},
    }
    told = tool.call({"command": "create", "path": NOTES, "file_text": "tea\nmilk"})
    assert told == f"File created successfully at: {NOTES}"
    beta = pytest.importorskip("anthropic.types.beta")
    command = beta.BetaMemoryTool20250818ViewCommand(command="view", path=NOTES, view_range=[2, 2])
    assert lines(tool.execute(command)) == lines(tool.view(command)) == ["milk"]
    for refused in ({"command": "format"}, "view", {"command": "view", "path": "/etc"}):
        with pytest.raises(tools.ToolError):
            tool.call(refused)
    assert tool.clear_all_memory() == "All memory cleared"
    assert lines(view(Files(memory), ROOT)) == [ROOT]


def test_the_sdks_asynchronous_tool_does_the_same(memory) -> None:
    tools = pytest.importorskip("anthropic.lib.tools")
    tool = adapter.async_memory_tool(memory)
    assert isinstance(tool, tools.BetaAsyncAbstractMemoryTool)

    async def use() -> str:
        await tool.call({"command": "create", "path": NOTES, "file_text": "tea"})
        with pytest.raises(tools.ToolError, match="already exists"):
            await tool.call({"command": "create", "path": NOTES, "file_text": "tea"})
        shown = await tool.call({"command": "view", "path": NOTES})
        await tool.clear_all_memory()
        return shown

    assert lines(asyncio.run(use())) == ["tea"]
    assert lines(view(Files(memory), ROOT)) == [ROOT]


PATHS = st.sampled_from([f"{ROOT}/{name}" for name in ("a", "a/b", "a/b/c", "d", "d/e")])
TEXTS = st.text("xy \n", max_size=6)
COMMANDS = st.one_of(
    st.fixed_dictionaries({"command": st.just("create"), "path": PATHS, "file_text": TEXTS}),
    st.fixed_dictionaries({"command": st.just("delete"), "path": PATHS}),
    st.fixed_dictionaries({"command": st.just("rename"), "old_path": PATHS, "new_path": PATHS}),
    st.fixed_dictionaries(
        {"command": st.just("str_replace"), "path": PATHS, "old_str": TEXTS, "new_str": TEXTS}
    ),
    st.fixed_dictionaries(
        {
            "command": st.just("insert"),
            "path": PATHS,
            "insert_line": st.integers(0, 3),
            "insert_text": TEXTS,
        }
    ),
)


def expected(texts: dict[str, str], command: dict) -> dict[str, str] | None:
    """Return what files hold after a command, as a folder on a disk would; None: it is refused."""
    path = command.get("path", command.get("old_path"))
    below = {at for at in texts if f"{at}/".startswith(f"{path}/")}
    new = command.get("new_path", path)
    is_free = not any(f"{at}/".startswith(f"{new}/") or new.startswith(f"{at}/") for at in texts)
    match command["command"]:
        case "create":
            return {**texts, path: command["file_text"]} if is_free else None
        case "delete":
            return {at: text for at, text in texts.items() if at not in below} if below else None
        case "rename":
            moved = {new + at.removeprefix(path): texts[at] for at in below}
            rest = {at: text for at, text in texts.items() if at not in below}
            return rest | moved if below and is_free else None
        case "str_replace":
            text, old = texts.get(path), command["old_str"]
            if text is None or not old:
                return None
            is_once = text.find(old) == text.rfind(old) != -1
            return {**texts, path: text.replace(old, command["new_str"])} if is_once else None
        case _:
            lines_ = texts.get(path, "").split("\n")
            if lines_[-1] == "":
                lines_.pop()
            if path not in texts or command["insert_line"] > len(lines_):
                return None
            lines_.insert(command["insert_line"], command["insert_text"].removesuffix("\n"))
            return {**texts, path: "\n".join(lines_) + "\n"}


@settings(max_examples=20)
@given(st.lists(COMMANDS, max_size=12))
def test_files_are_what_a_folder_would_hold(commands) -> None:
    with TemporaryDirectory() as folder, Memory(Path(folder, "m.duckdb"), serve=True) as memory:
        files, texts = Files(memory), dict[str, str]()
        for command in commands:
            wanted = expected(texts, command)
            if wanted is None:
                with pytest.raises((BadInput, NotFound)):
                    files.do(command)
            else:
                files.do(command)
                texts = wanted
            assert {at: module._text(item) for at, item in files._files().items()} == texts
