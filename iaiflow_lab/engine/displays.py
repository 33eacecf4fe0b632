"""Catches IPython's `display()`, in a kernel and in a process that has no shell.

In a kernel, what cells display, return and raise passes here as well: without secrets that its
flows have resolved.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, cast

from iaiflow_lab.safe.redact import RESOLVED

#: Takes a MIME bundle and its metadata; says whether it took it.
Taker = Callable[[dict[str, Any], dict[str, Any]], bool]

_DISPLAY_MODULE = "IPython.core.display_functions"


def capture_displays(take: Taker) -> None:
    """Offer everything displayed from now on to `take` first.

    IPython is not imported for this: when it is not there yet, it is prepared on import.
    """
    shell = _live_shell()
    if shell is not None:
        _wrap_publisher(shell.display_pub, take)
        _wrap_results(shell)
    elif _DISPLAY_MODULE in sys.modules:
        _wrap_display(sys.modules[_DISPLAY_MODULE], take)
    elif not any(isinstance(finder, _OnImport) for finder in sys.meta_path):
        sys.meta_path.insert(0, _OnImport(take))


def _live_shell() -> Any:
    module = sys.modules.get("IPython.core.interactiveshell")
    shell_class = getattr(module, "InteractiveShell", None)
    if shell_class is None or not shell_class.initialized():
        return None
    return shell_class.instance()


def _wrap_publisher(publisher: Any, take: Taker) -> None:
    publish = publisher.publish
    if getattr(publish, "feeds_steps", False):
        return

    def publish_or_take(data: Any, metadata: Any = None, **rest: Any) -> None:
        if not take(dict(data), dict(metadata or {})):
            publish(RESOLVED.data(data), RESOLVED.data(metadata), **rest)

    publish_or_take.feeds_steps = True  # type: ignore[attr-defined]
    publisher.publish = publish_or_take


def _wrap_results(shell: Any) -> None:
    """Hide secrets in the results of cells and in their tracebacks."""
    write, show = shell.displayhook.write_format_data, shell._showtraceback  # noqa: SLF001
    if getattr(write, "hides_secrets", False):
        return

    def write_hidden(data: Any, *rest: Any, **named: Any) -> None:
        write(RESOLVED.data(data), *rest, **named)

    def show_hidden(kind: Any, error: Any, lines: Any) -> None:
        message = str(error)
        hidden = RESOLVED.text(message)
        show(kind, error if hidden == message else hidden, RESOLVED.data(lines))

    write_hidden.hides_secrets = True  # type: ignore[attr-defined]
    shell.displayhook.write_format_data = write_hidden
    shell._showtraceback = show_hidden  # noqa: SLF001  every traceback passes there


def _wrap_display(module: ModuleType, take: Taker) -> None:
    """Replace `display` where no shell would format the objects: it would only print them."""
    display = module.display
    if getattr(display, "feeds_steps", False):
        return

    def display_or_take(*objects: Any, **rest: Any) -> Any:
        if _live_shell() is not None:
            return display(*objects, **rest)
        left = [value for value in objects if not take(mime_bundle(value), {})]
        return display(*left, **rest) if left else None

    display_or_take.feeds_steps = True  # type: ignore[attr-defined]
    for place in (module, sys.modules.get("IPython.display")):  # the second has copied the name
        if getattr(place, "display", None) is display:
            place.display = display_or_take  # type: ignore[union-attr]


_METHODS = {
    "_repr_html_": "text/html",
    "_repr_markdown_": "text/markdown",
    "_repr_svg_": "image/svg+xml",
    "_repr_latex_": "text/latex",
    "_repr_json_": "application/json",
}


def mime_bundle(value: Any) -> dict[str, Any]:
    """Return how a value shows itself, by its own `_repr_*_` methods."""
    bundle: dict[str, Any] = {"text/plain": repr(value)}
    if hasattr(value, "_repr_mimebundle_"):
        found: Any = value._repr_mimebundle_()
        shown = cast("tuple[Any, ...]", found)[0] if isinstance(found, tuple) else found
        return bundle | cast("dict[str, Any]", shown)
    for method, media_type in _METHODS.items():
        shown = getattr(value, method, lambda: None)()
        if shown is not None:
            bundle[media_type] = shown
    return bundle


class _OnImport(importlib.abc.MetaPathFinder):
    """Prepares IPython's display module right after it is imported, then steps aside."""

    def __init__(self, take: Taker) -> None:
        self._take = take

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Find the display module with a loader that wraps its `display`."""
        if fullname != _DISPLAY_MODULE:
            return None
        sys.meta_path.remove(self)
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _WrappingLoader(spec.loader, self._take)
        return spec


class _WrappingLoader(importlib.abc.Loader):
    def __init__(self, loader: Any, take: Taker) -> None:
        self._loader = loader
        self._take = take

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        """Create the module as usual."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Execute the module, then wrap its `display`."""
        self._loader.exec_module(module)
        _wrap_display(module, self._take)
