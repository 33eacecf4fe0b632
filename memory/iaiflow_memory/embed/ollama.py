"""Models of an Ollama server, which mostly runs on the same machine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from iaiflow_memory.embed.remote import Remote, in_batches, readable
from iaiflow_memory.errors import BadInput

#: Where Ollama listens, unless it is told otherwise.
_PORT: Final = 11_434


class Ollama:
    """An embedding model of an Ollama server.

    Args:
        model: Its name there, as `bge-m3` or `nomic-embed-text`.
        host: The server; "" is `OLLAMA_HOST`, or the usual place on this machine.

    Raises:
        BadInput: No model is named, or the server's address cannot be used.
    """

    def __init__(self, model: str, host: str = "") -> None:
        if not model:
            raise BadInput("No model is named", where="embedder", remedy="write ollama:bge-m3")
        host = host or os.environ.get("OLLAMA_HOST", "") or "127.0.0.1"
        self._model = model
        self._remote = Remote("ollama", f"{_address(host).rstrip('/')}/api/embed")

    @property
    def model_id(self) -> str:
        """What made the vectors."""
        return f"ollama:{self._model}"

    def embed_documents(self, texts: Sequence[str]) -> list[list[float]]:
        """Return a vector for each text."""
        return in_batches(texts, self._embed)

    def embed_query(self, text: str) -> list[float]:
        """Return the vector of a question."""
        return self._embed([text])[0]

    def close(self) -> None:
        """Close the connections."""
        self._remote.close()

    def _embed(self, texts: Sequence[str]) -> list[list[float]]:
        answer: Any = self._remote.post({"model": self._model, "input": readable(texts)})
        try:
            vectors = answer["embeddings"]
        except (TypeError, KeyError):
            vectors = None
        return self._remote.checked(vectors, len(texts))


def _address(host: str) -> str:
    """Return where a server is; a host that is named alone has Ollama's own port."""
    if "://" in host:
        return host
    try:
        parts = urlsplit(f"http://{host}")
        own = "" if parts.port else f":{_PORT}"
    except ValueError as error:
        raise BadInput(
            f"{host!r} is not the address of a server",
            where="OLLAMA_HOST",
            remedy="write HOST, HOST:PORT or http://HOST:PORT",
        ) from error
    return f"http://{parts.netloc}{own}{parts.path}"
