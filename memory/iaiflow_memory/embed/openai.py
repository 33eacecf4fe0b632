"""Models of OpenAI, and of any server that speaks its language: vLLM, LM Studio, llama.cpp."""

from __future__ import annotations

import os
from collections.abc import Sequence

from iaiflow_memory.embed.remote import Remote, data_of, in_batches, readable, secret


class OpenAI:
    """An embedding model behind OpenAI's interface.

    Args:
        model: Its name; "" is `text-embedding-3-small`.
        base_url: Where the interface begins; "" is `OPENAI_BASE_URL`, or OpenAI itself.
        key: The API key; "" is `OPENAI_API_KEY`. Only OpenAI itself must have one.

    Raises:
        BadInput: There is no key for OpenAI.
    """

    def __init__(self, model: str = "", base_url: str = "", key: str = "") -> None:
        base = base_url or os.environ.get("OPENAI_BASE_URL", "")
        if not base:
            key = key or secret("OPENAI_API_KEY", "OpenAI")
        self._model = model or "text-embedding-3-small"
        self._remote = Remote(
            "openai",
            f"{(base or 'https://api.openai.com/v1').rstrip('/')}/embeddings",
            key or os.environ.get("OPENAI_API_KEY", ""),
        )

    @property
    def model_id(self) -> str:
        """What made the vectors."""
        return f"openai:{self._model}"

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
        answer = self._remote.post({"model": self._model, "input": readable(texts)})
        return self._remote.checked(data_of(answer), len(texts))
