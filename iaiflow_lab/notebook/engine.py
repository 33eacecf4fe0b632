"""The engine that executes notebooks for papermill: live, within limits, with clear ends.

papermill finds it by the entry point `papermill.engine` under the name `iaiflow`; importing this
module imports neither papermill nor nbclient.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Any, Final

from iaiflow_lab.notebook.session import Session
from iaiflow_lab.settings import find_workspace, load_settings

_IMPORTING: Final = Lock()


class LiveEngine:
    """papermill's engine interface."""

    @classmethod
    def execute_notebook(
        cls,
        nb: Any,
        kernel_name: str,
        output_path: str | None = None,
        session: Session | None = None,
        **options: Any,
    ) -> Any:
        """Execute every cell of `nb` and return it; blocks until the kernel has ended.

        Args:
            nb: The notebook, an nbformat node that papermill has prepared; it is changed.
            kernel_name: An installed kernel.
            output_path: Where the output notebook is written, when there is no session.
            session: What a run gives; None when papermill itself calls.
            options: papermill's own, of which the timeouts are used.

        Raises:
            NotebookError: A cell raised or took too long, or the kernel failed.
        """
        if session is not None:
            return _execute(nb, kernel_name, session)
        output = Path(output_path).absolute() if output_path else None
        with tempfile.TemporaryDirectory(prefix="iaiflow-") as scratch:
            return _execute(nb, kernel_name, _bare_session(output, Path(scratch), options))

    @classmethod
    def nb_kernel_name(cls, nb: Any, name: str | None = None) -> str:
        """Return the kernel that executes `nb`."""
        utils: Any = import_module("papermill.utils")
        return str(utils.nb_kernel_name(nb, name))

    @classmethod
    def nb_language(cls, nb: Any, language: str | None = None) -> str:
        """Return the programming language of `nb`."""
        utils: Any = import_module("papermill.utils")
        return str(utils.nb_language(nb, language))


def preload() -> None:
    """Import what a notebook needs; the first one need not wait for it when this is done before.

    One thread after another: modules that import each other are met half made when two do it.
    """
    with _IMPORTING:
        import_module("papermill.engines")
        import_module("iaiflow_lab.notebook.client")
        import_module("iaiflow_lab.notebook.output_file")
        import_module("iaiflow_lab.notebook.provisioner")


def _bare_session(output: Path | None, scratch: Path, options: dict[str, Any]) -> Session:
    def keep(name: str, path: Path) -> None:
        if output is not None:
            shutil.move(path, output.with_name(f"{output.stem}-{name}"))

    return Session(
        source=str(options.get("input_path") or "notebook"),
        folder=Path.cwd(),
        output=output,
        run_dir=scratch,
        kernel_limits=load_settings(find_workspace()).kernel_limits,
        cell_timeout=options.get("execution_timeout"),
        start_timeout=options.get("start_timeout") or 60.0,
        keep=keep,
    )


def _execute(nb: Any, kernel_name: str, session: Session) -> Any:
    from iaiflow_lab.notebook.client import LiveClient
    from iaiflow_lab.notebook.output_file import OutputFile

    engines: Any = import_module("papermill.engines")
    manager = engines.NotebookExecutionManager(nb, progress_bar=False)
    file = OutputFile(nb, session.output)
    manager.notebook_start()
    file.save()
    try:
        asyncio.run(LiveClient(manager, session, file).run(kernel_name))
    finally:
        manager.notebook_complete()
        file.save()
    return nb
