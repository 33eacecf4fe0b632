"""The Jupyter side of IAI Flow Lab."""

from __future__ import annotations

from typing import Any

__all__ = [
    "_jupyter_labextension_paths",
    "_jupyter_server_extension_points",
    "_load_jupyter_server_extension",
]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Say where the built extension lies, for installs that link it from a checkout."""
    return [{"src": "../labextension", "dest": "iaiflow-lab"}]


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """Say what Jupyter loads at its start."""
    return [{"module": "iaiflow_extension"}]


def _load_jupyter_server_extension(server: Any) -> None:
    """Have the workspace served below `iaiflow/` of this Jupyter server."""
    from importlib.util import find_spec

    if find_spec("jupyter_server_proxy") is None:
        server.log.warning("IAI Flow Lab: no panels - pip install 'iaiflow-lab[lab]'")
        return
    from iaiflow_extension.proxy import attach

    attach(server)
