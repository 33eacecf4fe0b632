"""Sends the traces of runs that have ended, from a thread of its own, however often it restarts."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Final

from iaiflow_lab.errors import InputError, LabError
from iaiflow_lab.safe.redact import redactor
from iaiflow_lab.sdk import values
from iaiflow_lab.service import history, open_session
from iaiflow_lab.service.session import Session
from iaiflow_lab.settings import Settings, Telemetry
from iaiflow_lab.telemetry.gen_ai import Calls
from iaiflow_lab.telemetry.spans import spans_of

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

#: Where it notes how far it has come, in the state folder.
CURSOR: Final = "telemetry.json"
#: Pauses between two looks, and after a failure, in seconds.
_LOOK_EVERY: Final = 2.0
_RETRY_AFTER: Final = 30.0
#: Runs of so many seconds before the cursor are looked at again: they may have ended meanwhile.
_OVERLAP: Final = 60.0
_RUNS: Final = 100
#: How many spans are sent at a time.
_SPANS: Final = 1_000

_log = logging.getLogger("iaiflow.telemetry")


class Exporter:
    """Follows the workspace and sends each ended run's trace at least once.

    The first start begins with what ends from then on.

    Args:
        opened: Opens the workspace, in the exporter's thread.
        target: Takes the spans; see `otlp`.
    """

    def __init__(self, opened: Callable[[], Session], target: SpanExporter) -> None:
        self._open = opened
        self._target = target
        self._ended = Event()
        self._thread = Thread(target=self._run, name="telemetry", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """Send what has ended, and end."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        with self._open() as session:
            done = False
            while not done:
                done = self._ended.is_set()
                pause = _LOOK_EVERY
                try:
                    while send_ended(session, self._target):
                        pass
                except (LabError, OSError) as error:
                    _log.warning("Traces are not sent: %s", error)
                    pause = _RETRY_AFTER
                if not done:
                    self._ended.wait(pause)
        self._target.shutdown()


def exporter_for(workspace: Path, settings: Settings) -> Exporter | None:
    """Return what sends the traces of a workspace; None when its settings say nothing of them.

    Raises:
        InputError: The libraries are missing, or the variable with the headers is not set right.
    """
    if settings.traces is None:
        return None
    return Exporter(lambda: open_session(workspace), otlp(settings.traces))


def send_ended(session: Session, target: SpanExporter) -> int:
    """Send the runs that have ended since the last time; returns how many.

    Raises:
        OSError: They could not be delivered; they are sent the next time.
        StoreError: The workspace cannot be read.
    """
    cursor = session.store.state / CURSOR
    at, recent = _read(cursor, session.world.clock.now())
    known = set(recent)
    span = {"project": session.project, "since": at - _OVERLAP, "limit": len(known) + _RUNS}
    with session.store.db.read() as reader:
        found = [row for row in reader.all("runs_ended", span) if row["id"] not in known]
    if not found:
        if not cursor.exists():
            _write(cursor, at, recent)
        return 0
    for row in found:
        _send(session, target, row["id"])
    at = max(at, *(row["ended_at"] for row in found))
    ended = recent | {row["id"]: row["ended_at"] for row in found}
    _write(cursor, at, {i: t for i, t in ended.items() if t >= at - _OVERLAP})
    return len(found)


def _send(session: Session, target: SpanExporter, run_id: str) -> None:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace.export import SpanExportResult

    resource = Resource({"service.name": "iaiflow", "service.version": version("iaiflow-lab")})
    traces = session.store.settings.traces
    hide = redactor(os.environ, headers=() if traces is None else (traces.headers_env,))
    run, stretches = history.get(session, run_id), history.spans(session, run_id)
    made = spans_of(run, stretches, resource, hide, _calls(session, run_id, traces))
    while some := list(islice(made, _SPANS)):
        if target.export(some) is not SpanExportResult.SUCCESS:
            raise ConnectionError("the collector did not take them")


def _calls(session: Session, run_id: str, traces: Telemetry | None) -> Calls:
    return Calls(
        lambda: history.substeps(session, run_id),
        lambda output: values.decode(output, session.store.artifacts),
        content=traces is not None and traces.content,
    )


def _read(path: Path, now: float) -> tuple[float, dict[str, float]]:
    """Return how far was sent, and which runs shortly before that; nothing sent yet: from now."""
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return float(data["at"]), {str(i): float(t) for i, t in data["recent"].items()}
    except FileNotFoundError:
        return now + _OVERLAP, {}
    except (ValueError, KeyError, TypeError, AttributeError):
        return now, {}


def _write(path: Path, at: float, recent: dict[str, float]) -> None:
    temporary = path.with_suffix(".part")
    temporary.write_text(json.dumps({"at": at, "recent": recent}), encoding="utf-8")
    temporary.replace(path)


def otlp(settings: Telemetry) -> SpanExporter:
    """Return what sends spans to a collector by OTLP over HTTP.

    Raises:
        InputError: The libraries are missing, or the variable with the headers is not set right.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError as error:
        raise InputError(
            "Traces are to be sent, but OpenTelemetry is not installed.",
            where="[telemetry] in config.toml",
            remedy="pip install 'iaiflow-lab[telemetry]', or remove the setting",
            code="no-telemetry-libraries",
        ) from error
    return OTLPSpanExporter(endpoint=settings.endpoint, headers=_headers(settings.headers_env))


def _headers(variable: str) -> dict[str, str]:
    """Return the headers that an environment variable holds: `NAME=VALUE,NAME=VALUE`."""
    if not variable:
        return {}
    pairs = [part.partition("=") for part in os.environ.get(variable, "").split(",")]
    if not all(name.strip() and equals for name, equals, _ in pairs):
        raise InputError(
            f"The environment variable {variable} holds no headers.",
            where="[telemetry] in config.toml",
            remedy="Set it to NAME=VALUE, several with commas between them",
        )
    return {name.strip(): value.strip() for name, _, value in pairs}
