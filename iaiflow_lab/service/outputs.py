"""What a run leaves for people: output notebooks, documents made of them, all of it packed."""

from __future__ import annotations

import io
import os
import re
import zipfile
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from iaiflow_lab.errors import InputError, NotFoundError
from iaiflow_lab.model import event as ev
from iaiflow_lab.notebook.document import SUFFIX
from iaiflow_lab.notebook.export import Exported, Form
from iaiflow_lab.notebook.export import export as export_notebook
from iaiflow_lab.notebook.output_file import folder_of
from iaiflow_lab.safe.path import name_fault
from iaiflow_lab.service import as_data, history
from iaiflow_lab.service.history import RunView
from iaiflow_lab.service.session import Session

#: The node type whose steps have an output notebook.
NODE_TYPE: Final = "notebook"
#: How many events are read at a time.
_PAGE: Final = 1_000
#: Largest file that is sent to a browser, in bytes: what lies between holds all of it in memory.
MOST_SENT: Final = 90_000_000
_ODD: Final = re.compile(r"[^\w.\-\[\] ]+")


@dataclass(frozen=True, slots=True)
class OutputNotebook:
    """The output notebook of one step."""

    step: str
    path: Path


def notebooks(session: Session, run_id: str, step: str = "") -> list[OutputNotebook]:
    """Return the output notebooks of a run, in the order in which their steps started.

    A run that goes on has the notebook as far as it has come.

    Args:
        session: An open workspace.
        run_id: The run.
        step: Only the one of this step; "" for all.

    Raises:
        NotFoundError: There is no such run.
    """
    run = history.get(session, run_id)
    folder = session.store.run_dir(run.id)
    return [
        OutputNotebook(found.step, path)
        for found in run.steps
        if found.type == NODE_TYPE and step in {"", found.step}
        for path in sorted(folder_of(folder, found.step).glob(f"*{SUFFIX}"))
        if path.is_file() and not path.is_symlink() and not path.name.startswith(".")
    ]


def export(
    session: Session, run_id: str, form: Form | str = Form.HTML, step: str = ""
) -> list[Exported]:
    """Make the output notebooks of a run into documents that run nothing and load nothing.

    Args:
        session: An open workspace.
        run_id: The run.
        form: `html`, `markdown`, `pdf`, or `ipynb`: as they are.
        step: Only the one of this step; "" for all.

    Raises:
        InputError: There is no such form.
        NotFoundError: There is no such run, it has no output notebook, or no browser that prints.
        NotebookError: A notebook cannot be read or printed.
    """
    wanted = _form(form)
    found = notebooks(session, run_id, step)
    if not found:
        of_step = f" of the step {step!r}" if step else ""
        raise NotFoundError(
            f"Run {run_id} has no output notebook{of_step}.",
            remedy="Only runs of notebooks have one; `iaiflow runs show` lists the steps",
            code="no-output-notebook",
        )
    return [export_notebook(each.path, wanted) for each in found]


def document(
    session: Session, run_id: str, form: Form | str = Form.HTML, step: str = ""
) -> Exported:
    """Do as `export` does, for one file: several, or one with pictures beside it, are packed.

    Raises:
        InputError: There is no such form, or the file would be too large to be sent.
        NotFoundError: There is no such run, it has no output notebook, or no browser that prints.
        NotebookError: A notebook cannot be read or printed.
    """
    made = export(session, run_id, form, step)
    files = placed(made, Path())
    if len(files) == 1:
        return _sendable(made[0])
    run, packed = history.get(session, run_id), io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        packer = _Packer(archive, _moment(run))
        for path, data in files.items():
            packer.add(path.as_posix(), [data])
    return _sendable(Exported(f"{run.id}-{form}.zip", packed.getvalue(), "application/zip"))


def _sendable(document: Exported) -> Exported:
    refuse_large(len(document.data), "`iaiflow runs export` writes it to a file")
    return document


def refuse_large(size: int, remedy: str) -> None:
    """Refuse what is too large to be sent to a browser.

    Raises:
        InputError: It is.
    """
    if size > MOST_SENT:
        raise InputError(
            f"More than {MOST_SENT // 1_000_000:,} MB are too much to send.",
            remedy=remedy,
            code="too-large-to-send",
        )


def pack(
    session: Session,
    run_id: str,
    target: BinaryIO,
    forms: Sequence[Form | str] = (),
    check: Callable[[int], None] = lambda _: None,
) -> None:
    """Write a zip archive of a run: its record, events, output notebooks and files.

    Args:
        session: An open workspace.
        run_id: The run.
        target: A binary file, open for writing.
        forms: What the output notebooks are made into as well.
        check: Called often with the bytes so far; what it raises ends the packing.

    Raises:
        InputError: There is no such form.
        NotFoundError: There is no such run, or no browser that prints.
        NotebookError: A notebook cannot be read or printed.
    """
    run = history.get(session, run_id)
    wanted = [_form(form) for form in forms]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        packer = _Packer(archive, _moment(run), lambda: check(target.tell()))
        packer.add("run.json", [_record(session, run)])
        packer.add("events.jsonl", _event_lines(session, run.id))
        for notebook in notebooks(session, run.id):
            packer.add(f"notebooks/{notebook.step}/{notebook.path.name}", _pieces(notebook.path))
            for form in wanted:
                made = export_notebook(notebook.path, form)
                folder = f"exports/{notebook.step}"
                packer.add(f"{folder}/{made.name}", [made.data])
                for name, data in made.files.items():
                    packer.add(f"{folder}/{name}", [data])
        for file in history.artifacts(session, run.id):
            if file.path is not None:
                packer.add(f"files/{file.step}/{file.name}", _pieces(file.path))


def write_pack(session: Session, run_id: str, path: Path, forms: Sequence[Form | str] = ()) -> Path:
    """Write the archive of a run to a file, whole or not at all; one that is there is replaced.

    Raises:
        InputError: The file cannot be written.
        NotFoundError: There is no such run.
    """
    with _replacing(path) as file:
        pack(session, run_id, file, forms)
    return path


def placed(documents: Iterable[Exported], folder: Path) -> dict[Path, bytes]:
    """Return documents by their paths in `folder`; one whose name is taken gets a folder in it."""
    found: dict[Path, bytes] = {}
    for document in documents:
        number, place = 1, folder
        while place / document.name in found:
            number += 1
            place = folder / str(number)
        files = {document.name: document.data, **document.files}
        found.update({place / name: data for name, data in files.items()})
    return found


def write(files: Mapping[Path, bytes]) -> list[Path]:
    """Write files, each whole or not at all, and return their paths.

    Raises:
        InputError: One cannot be written.
    """
    for path, data in files.items():
        with _replacing(path) as file:
            file.write(data)
    return list(files)


@contextmanager
def _replacing(path: Path) -> Generator[BinaryIO]:
    """Open a file that takes the place of `path` once it is whole."""
    beside = path.with_name(f".{path.name[:80]}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            yield file
        beside.replace(path)
    except OSError as error:
        raise InputError(
            f"The file cannot be written: {error.strerror}.", where=str(path)
        ) from error
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


def _form(form: Form | str) -> Form:
    try:
        return Form(form)
    except ValueError:
        known = ", ".join(Form)
        raise InputError(
            f"A notebook cannot be made into {form!r}.", remedy=f"Use {known}"
        ) from None


def _moment(run: RunView) -> tuple[int, int, int, int, int, int]:
    """Return the moment that files of a run's archive bear, in UTC."""
    year, month, day, hour, minute, second = datetime.fromtimestamp(
        run.ended_at or run.created_at, UTC
    ).timetuple()[:6]
    return year, month, day, hour, minute, second


class _Packer:
    """Adds members to an archive, each under a name that every system can hold, once."""

    def __init__(
        self,
        archive: zipfile.ZipFile,
        moment: tuple[int, int, int, int, int, int],
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self._archive = archive
        self._moment = moment
        self._check = check
        self._taken: set[str] = set()

    def add(self, name: str, pieces: Iterable[bytes]) -> None:
        """Write one member."""
        member = zipfile.ZipInfo(self._free(member_name(name)), self._moment)
        member.compress_type = zipfile.ZIP_DEFLATED
        with self._archive.open(member, "w", force_zip64=True) as out:
            for piece in pieces:
                out.write(piece)
                self._check()

    def _free(self, name: str) -> str:
        stem, dot, suffix = name.rpartition(".")
        number, free = 1, name
        while free.casefold() in self._taken:
            number += 1
            free = f"{stem}-{number}.{suffix}" if dot else f"{name}-{number}"
        self._taken.add(free.casefold())
        return free


def member_name(name: str) -> str:
    """Return `name` with the parts changed that would lead elsewhere or that no file may have."""
    parts = [_ODD.sub("_", part).strip(" .") or "_" for part in name.split("/")]
    return "/".join(part if not name_fault(part) else f"_{part[:80]}" for part in parts)


def _record(session: Session, run: RunView) -> bytes:
    data = as_data.run_data(run, history.artifacts(session, run.id))
    return msgspec.json.format(msgspec.json.encode(data))


def _event_lines(session: Session, run_id: str) -> Iterator[bytes]:
    after = 0
    while page := history.events(session, run_id, after, _PAGE):
        for after, event in page:
            yield b'{"seq":%d,%b\n' % (after, ev.encode(event)[1:])


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            yield piece
