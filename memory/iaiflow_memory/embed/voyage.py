"""Models of Voyage AI."""

from __future__ import annotations

from collections.abc import Sequence

from iaiflow_memory.embed.remote import Remote, data_of, in_batches, readable, secret


class Voyage:
    """An embedding model of Voyage AI.

    Args:
        model: Its name; "" is `voyage-3.5`.
        key: The API key; "" is `VOYAGE_API_KEY`.
        url: Where requests go.

    Raises:
        BadInput: There is no key.
    """

    def __init__(
        self, model: str = "", key: str = "", url: str = "https://api.voyageai.com/v1/embeddings"
    ) -> None:
        self._model = model or "voyage-3.5"
        self._remote = Remote("voyage", url, key or secret("VOYAGE_API_KEY", "Voyage"))

    @property
    def model_id(self) -> str:
        """What made the vectors."""
        return f"voyage:{self._model}"

    def embed_documents(self, texts: Sequence[str]) -> list[list[float]]:
        """Return a vector for each text."""
        return in_batches(texts, lambda part: self._embed(part, "document"))

    def embed_query(self, text: str) -> list[float]:
        """Return the vector of a question."""
        return self._embed([text], "query")[0]

    def close(self) -> None:
        """Close the connections."""
        self._remote.close()

    def _embed(self, texts: Sequence[str], kind: str) -> list[list[float]]:
        body = {"model": self._model, "input": readable(texts), "input_type": kind}
        return self._remote.checked(data_of(self._remote.post(body)), len(texts))
