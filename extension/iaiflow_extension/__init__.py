"""The Jupyter side of IAI Flow Lab."""

__all__ = ["_jupyter_labextension_paths"]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Say where the built extension lies, for installs that link it from a checkout."""
    return [{"src": "../labextension", "dest": "iaiflow-lab"}]
