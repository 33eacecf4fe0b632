"""Embedders behind HTTP: what they share."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from iaiflow_memory.errors import BadInput, Unavailable

if TYPE_CHECKING:
    import httpx

#: Texts of one request.
BATCH: Final = 64
#: Characters of a text that a server reads. Longer texts some servers refuse, and with them all
#: that were asked for together.
LONGEST: Final = 4_000
#: How often a request is made that fails for a reason that may pass.
ATTEMPTS: Final = 4
#: Seconds to wait before the second attempt; twice as many before each further one.
FIRST_WAIT: Final = 0.5
#: Seconds that a server may ask us to wait.
LONGEST_WAIT: Final = 30.0
#: Seconds for one request.
TIMEOUT: Final = 60.0
_PASSING: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Why a request failed."""

    #: What went wrong.
    problem: str
    #: Whether it may pass.
    may_pass: bool
    #: How many seconds the server asks us to wait, or 0.
    wait: float = 0.0


class Remote:
    """A server that embeds.

    Args:
        name: What it is called in faults.
        url: Where requests go.
        key: The secret that it asks for, or "".
        sleep: Waits some seconds.
    """

    def __init__(
        self, name: str, url: str, key: str = "", *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        if not url.startswith(("http://", "https://")):
            raise BadInput(f"{url!r} is not the address of a server", where=name)
        self.name = name
        self.url = url
        self._key = key
        self._sleep = sleep
        self._client: httpx.Client | None = None

    def post(self, body: Mapping[str, Any]) -> Any:
        """Send a request and return the answer.

        Raises:
            Unavailable: The server cannot be reached or refuses.
        """
        wait = FIRST_WAIT
        for attempt in range(1, ATTEMPTS + 1):
            answer = self._try(body)
            if not isinstance(answer, _Refusal):
                return answer
            if attempt == ATTEMPTS or not answer.may_pass:
                raise Unavailable(
                    f"The embedder {self.name} did not embed: {answer.problem}",
                    where=self.url,
                    remedy="check the address, the key and the name of the model",
                )
            self._sleep(min(LONGEST_WAIT, answer.wait or wait))
            wait *= 2
        raise AssertionError("the last attempt returns or raises")

    def _try(self, body: Mapping[str, Any]) -> Any:
        import httpx

        try:
            response = self._connected().post(self.url, json=body)
        except httpx.TransportError as error:
            return _Refusal(f"it cannot be reached ({type(error).__name__})", may_pass=True)
        if response.is_success:
            return self._read(response)
        asked = response.headers.get("retry-after", "")
        return _Refusal(
            f"it answered {response.status_code}",
            may_pass=response.status_code in _PASSING,
            wait=float(asked) if asked.isdigit() else 0.0,
        )

    def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _connected(self) -> httpx.Client:
        if self._client is None:
            import httpx

            headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
            self._client = httpx.Client(headers=headers, timeout=TIMEOUT)
        return self._client

    def _read(self, response: httpx.Response) -> Any:
        try:
            return response.json()
        except ValueError as error:
            raise self.strange() from error

    def strange(self) -> Unavailable:
        """Return the fault for an answer that holds no vectors."""
        return Unavailable(
            f"The embedder {self.name} answered something else than vectors",
            where=self.url,
            remedy="check the address",
        )

    def checked(self, vectors: Any, count: int) -> list[list[float]]:
        """Return the vectors of an answer.

        Raises:
            Unavailable: They are no vectors, or not as many as texts.
        """
        try:
            read = [[float(value) for value in vector] for vector in vectors]
        except (TypeError, ValueError) as error:
            raise self.strange() from error
        lengths = {len(vector) for vector in read}
        finite = all(math.isfinite(value) for vector in read for value in vector)
        if len(read) != count or len(lengths) != 1 or 0 in lengths or not finite:
            raise self.strange()
        return read


def readable(texts: Iterable[str]) -> list[str]:
    """Return what a server reads of texts."""
    return [text[:LONGEST] for text in texts]


def in_batches(
    texts: Sequence[str], embed: Callable[[Sequence[str]], list[list[float]]]
) -> list[list[float]]:
    """Return the vectors of many texts, asked for in several requests."""
    parts = (texts[start : start + BATCH] for start in range(0, len(texts), BATCH))
    return [vector for part in parts for vector in embed(part)]


def secret(variable: str, name: str) -> str:
    """Return a key from the environment.

    Raises:
        BadInput: The variable is not set.
    """
    key = os.environ.get(variable, "")
    if not key:
        raise BadInput(f"{name} needs a key", where="embedder", remedy=f"set {variable}")
    return key


def data_of(answer: Any) -> Any:
    """Return the vectors of an answer in OpenAI's form, in the order of the texts."""
    try:
        rows = sorted(answer["data"], key=lambda row: row.get("index", 0))
        return [row["embedding"] for row in rows]
    except (TypeError, KeyError, AttributeError):
        return None
