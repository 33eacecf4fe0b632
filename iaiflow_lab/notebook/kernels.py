"""Which kernel runs a notebook."""

from __future__ import annotations

import os
import shutil
import sys
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from iaiflow_lab.errors import NotebookError
from iaiflow_lab.model import names
from iaiflow_lab.notebook.document import Notebook

#: The kernel for notebooks that ask for none.
DEFAULT_KERNEL: Final = "python3"

#: Names by which Jupyter knows the default kernel too.
_ALIASES = {"python": DEFAULT_KERNEL}


class KernelMissingError(NotebookError):
    """A notebook needs a kernel that is not installed."""

    code = "kernel-missing"
    exit_code = 2


def has_ipython_folder() -> bool:
    """Say whether IPython can keep its folder where it wants to; else it warns and makes one."""
    place = os.environ.get("IPYTHONDIR") or "~/.ipython"
    folder = Path(os.path.expanduser(place))  # noqa: PTH111  a user without a home is no error
    return os.access(folder if folder.exists() else folder.parent, os.W_OK | os.X_OK)


def spec_manager() -> Any:
    """Return jupyter_client's manager of kernel specs, which needs no writable home."""
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_core.paths import jupyter_path

    if has_ipython_folder():
        return KernelSpecManager()
    return KernelSpecManager(kernel_dirs=jupyter_path("kernels"))


class InstalledKernels:
    """The kernels that Jupyter finds on this machine."""

    @cached_property
    def _manager(self) -> Any:
        return spec_manager()

    @cached_property
    def names(self) -> list[str]:
        """Their names, sorted."""
        found: dict[str, str] = self._manager.find_kernel_specs()
        return sorted(found)

    def language(self, name: str) -> str:
        """Return the language of a kernel, in lower case."""
        return str(self._manager.get_kernel_spec(name).language).lower()

    def speaking(self, language: str) -> list[str]:
        """Return the kernels for a language, the default one first."""
        fitting = [name for name in self.names if self.language(name) == language]
        return sorted(fitting, key=lambda name: name != DEFAULT_KERNEL)

    def is_own(self, name: str) -> bool:
        """Say whether the kernel runs on the interpreter of this process."""
        command: str = self._manager.get_kernel_spec(name).argv[0]
        if command in ("python", "python3", f"python3.{sys.version_info.minor}"):
            return True  # jupyter_client starts its own interpreter for these
        return (shutil.which(command) or command) == sys.executable


def choose_kernel(notebook: Notebook, wanted: str = "") -> str:
    """Return the name of the installed kernel that runs `notebook`.

    Args:
        notebook: The notebook.
        wanted: A kernel that goes before the one that the notebook asks for.

    Raises:
        KernelMissingError: It is not installed.
    """
    installed = InstalledKernels()
    name = wanted or notebook.kernel
    if name:
        name = _ALIASES.get(name, name)
        if name in installed.names:
            return name
        raise KernelMissingError(
            f"Kernel {names.shorten(name)!r} isn't installed.",
            where=str(notebook.path),
            remedy=f"Choose one of: {names.listed(installed.names, 20)}.",
        )
    fitting = installed.speaking(notebook.language or "python")
    if not fitting:
        raise KernelMissingError(
            f"No kernel for the language {names.shorten(notebook.language)!r} is installed.",
            where=str(notebook.path),
            remedy=f"Choose one of: {names.listed(installed.names, 20)}.",
        )
    return fitting[0]
