"""Embedders: what turns texts into vectors. None is needed, and none is the default.

`embedder("KIND:MODEL")` makes one. Kinds:

    minilm                 all-MiniLM-L6-v2 (int8) in this process, offline; English
    e5                     multilingual-e5-small (4 bits) in this process, offline; many languages
    ollama:bge-m3          a model of a local Ollama server (OLLAMA_HOST)
    voyage:voyage-3.5      Voyage AI (VOYAGE_API_KEY)
    openai:MODEL           OpenAI or any server with its interface (OPENAI_BASE_URL, OPENAI_API_KEY)

For other languages than English use a multilingual model: `e5` and `ollama:bge-m3` run on this
machine, `voyage:voyage-3.5` and `openai:text-embedding-3-small` elsewhere. Words find Vietnamese
anyway.
Other packages add kinds by the entry point group `iaiflow.embedders`: a callable that takes the
MODEL part and returns an `Embedder`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import entry_points
from typing import Final, Protocol

from iaiflow_memory.errors import BadInput

#: The entry point group in which packages offer embedders.
GROUP: Final = "iaiflow.embedders"
_BUILT_IN: Final = {
    "minilm": "iaiflow_memory.embed.minilm:open_minilm",
    "e5": "iaiflow_memory.embed.e5:open_e5",
    "ollama": "iaiflow_memory.embed.ollama:Ollama",
    "voyage": "iaiflow_memory.embed.voyage:Voyage",
    "openai": "iaiflow_memory.embed.openai:OpenAI",
}


#: The variables in which keys are looked for, of the kinds that may be given one instead.
KEYS: Final = {"openai": "OPENAI_API_KEY", "voyage": "VOYAGE_API_KEY"}


class Embedder(Protocol):
    """What turns texts into vectors. All vectors have as many components."""

    @property
    def model_id(self) -> str:
        """What made the vectors: those of different ids never compare."""
        ...

    def embed_documents(self, texts: Sequence[str]) -> list[list[float]]:
        """Return a vector for each text that is to be found."""
        ...

    def embed_query(self, text: str) -> list[float]:
        """Return the vector of a question."""
        ...


def embedder(spec: str, *, key: str = "") -> Embedder:
    """Return the embedder that `KIND:MODEL` names.

    Args:
        spec: The kind and the model.
        key: The key of a service in `KEYS`; "" is that of the environment.

    Raises:
        BadInput: There is no such kind, or it cannot be used here.
    """
    kind, _, model = spec.partition(":")
    offered = {one.name: one for one in entry_points(group=GROUP)}
    if kind in offered:
        make: Callable[..., Embedder] = offered[kind].load()
    elif kind in _BUILT_IN:
        module, _, name = _BUILT_IN[kind].partition(":")
        make = getattr(import_module(module), name)
    else:
        raise BadInput(
            f"There is no embedder {kind!r}",
            where="embedder",
            remedy=f"use one of {', '.join(sorted({*offered, *_BUILT_IN}))}",
        )
    return make(model, key=key) if key and kind in KEYS else make(model)
