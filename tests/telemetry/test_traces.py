"""Traces made from journals, sent to a collector that a test provides."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from iaiflow_lab.errors import InputError
from iaiflow_lab.model import event as ev
from iaiflow_lab.model.flow import Flow, Node
from iaiflow_lab.model.run import RunState, StepState
from iaiflow_lab.model.signature import NodeSignature
from iaiflow_lab.queue.protocol import Settlement
from iaiflow_lab.service import history, open_session, runs
from iaiflow_lab.settings import Settings, Telemetry, load_settings
from iaiflow_lab.telemetry import exporter
from iaiflow_lab.telemetry.exporter import CURSOR, exporter_for, otlp, send_ended
from iaiflow_lab.telemetry.spans import spans_of

OWNER = "worker:elsewhere:1:1:x"
ECHO = NodeSignature("echo", 1, "Test", "Echo", "Echo.", "Echo.", (), (), {"type": "object"})


class Types:
    def signature(self, _):
        return ECHO


@pytest.fixture
def simulated(workspace, simulate):
    """Return a session whose clock the test moves, and that clock."""
    made = simulate(1)
    with open_session(workspace, made.world) as opened:
        yield opened, made.clock


def execute(session, clock, *events, error=None):
    run_id = runs.start(session, Flow("One", nodes={"each": Node("echo")}), {}, Types())
    claim = session.coordinator.claim(OWNER, ["default"], run_id)
    session.coordinator.start(run_id, claim.fence)
    clock.advance(10)
    session.coordinator.append(run_id, claim.fence, events)
    end = RunState.FAILED if error else RunState.COMPLETED
    session.coordinator.settle(run_id, claim.fence, Settlement(end, error=error))
    return run_id


def started(step, at):
    return ev.StepStarted(at=at, step=step, node=step, type="echo")


def finished(step, at, state=StepState.COMPLETED, **more):
    return ev.StepFinished(at=at, step=step, node=step, type="echo", state=state, **more)


def test_a_run_is_a_trace_of_its_steps(simulated):
    session, clock = simulated
    now = clock.now()
    broken = ev.ErrorInfo("ValueError", "It broke.")
    run_id = execute(
        session,
        clock,
        started("each", now + 1),
        started("each[0]/a", now + 2),
        ev.StepSpan(
            at=now + 3, step="each[0]/a", name="load", duration_s=0.5, attributes={"n": [1]}
        ),
        finished("each[0]/a", now + 4),
        finished("each", now + 5, StepState.FAILED, error=broken),
        error=broken,
    )
    view = history.get(session, run_id)
    made = list(spans_of(view, history.spans(session, run_id), Resource({})))
    root, each, inner, load = made
    assert (root.name, root.parent, root.status.status_code) == ("One", None, StatusCode.ERROR)
    assert (each.name, each.parent.span_id) == ("each", root.context.span_id)
    assert inner.parent.span_id == each.context.span_id
    assert (load.name, load.parent.span_id) == ("load", inner.context.span_id)
    assert load.end_time - load.start_time == 500_000_000
    assert (root.end_time - root.start_time) / 1e9 == 10
    assert each.status.description == "ValueError: It broke."
    assert root.attributes["iaiflow.run"] == run_id
    assert len({span.context.trace_id for span in made}) == 1
    again = spans_of(view, history.spans(session, run_id), Resource({}))
    assert [span.context for span in again] == [span.context for span in made]


def test_every_run_that_ends_from_now_on_is_sent_once(simulated, monkeypatch):
    monkeypatch.setattr(exporter, "_RUNS", 2)
    session, clock = simulated
    execute(session, clock)
    clock.advance(100)
    target = InMemorySpanExporter()
    assert send_ended(session, target) == 0
    ids = set()
    for _ in range(7):
        ids.add(execute(session, clock))
        clock.advance(15)
    sent = 0
    while found := send_ended(session, target):
        sent += found
    assert sent == 7
    assert {span.attributes["iaiflow.run"] for span in target.get_finished_spans()} == ids
    clock.advance(1_000)
    assert send_ended(session, target) == 0


def test_what_could_not_be_delivered_is_sent_again(simulated):
    session, clock = simulated
    target = InMemorySpanExporter()
    send_ended(session, target)
    execute(session, clock)
    target.export = lambda spans: SpanExportResult.FAILURE
    with pytest.raises(ConnectionError):
        send_ended(session, target)
    del target.export
    assert send_ended(session, target) == 1


def test_secrets_of_the_environment_are_not_sent(simulated, monkeypatch):
    monkeypatch.setenv("SHOP_TOKEN", "hunter22")
    session, clock = simulated
    target = InMemorySpanExporter()
    send_ended(session, target)
    now, broken = clock.now(), ev.ErrorInfo("ValueError", "hunter22 was refused.")
    told = {"asked": "shop?hunter22", "list": ["hunter22"], "n": 2}
    execute(
        session,
        clock,
        started("each", now),
        ev.StepSpan(at=now, step="each", name="hunter22", duration_s=0.0, attributes=told),
        finished("each", now, StepState.FAILED, error=broken),
        error=broken,
    )
    assert send_ended(session, target) == 1
    _, each, load = target.get_finished_spans()
    assert each.status.description == "ValueError: [secret] was refused."
    assert (load.name, load.attributes["n"]) == ("[secret]", 2)
    assert all("hunter22" not in span.to_json() for span in target.get_finished_spans())


def test_headers_of_the_collector_are_not_sent_as_what_nodes_said(simulated, monkeypatch):
    monkeypatch.setenv("COLLECTOR", "x-team=red,authorization=Bearer hunter22")
    session, clock = simulated
    traces = {"endpoint": "http://127.0.0.1:1", "headers_env": "COLLECTOR"}
    session.store.settings = Settings(telemetry=traces)
    target = InMemorySpanExporter()
    send_ended(session, target)
    now = clock.now()
    execute(
        session,
        clock,
        started("each", now),
        ev.StepSpan(at=now, step="each", name="asked with hunter22", duration_s=0.0),
        finished("each", now),
    )
    assert send_ended(session, target) == 1
    assert target.get_finished_spans()[-1].name == "asked with [secret]"


def test_a_long_journal_is_a_whole_trace_in_small_parts(simulated, monkeypatch):
    monkeypatch.setattr(history, "_MOST", 7)
    monkeypatch.setattr(exporter, "_SPANS", 5)
    session, clock = simulated
    target, sizes = InMemorySpanExporter(), []
    send_ended(session, target)
    now = clock.now()
    lines = [ev.StepLog(at=now, step="each", stream="stdout", text="x")] * 20
    named = [ev.StepSpan(at=now, step="each", name=f"n{n}", duration_s=0.0) for n in range(21)]
    execute(session, clock, started("each", now), *lines, *named, finished("each", now))
    export = target.export
    target.export = lambda spans: sizes.append(len(spans)) or export(spans)
    assert send_ended(session, target) == 1
    names = [span.name for span in target.get_finished_spans()]
    assert names == ["One", "each", *(f"n{n}" for n in range(21))]
    assert sizes == [5, 5, 5, 5, 3]


@pytest.mark.parametrize("text", ["", "[]", '{"at": "x"}', "\0"])
def test_a_damaged_note_of_how_far_it_came_is_passed_over(simulated, text):
    session, clock = simulated
    (session.store.state / CURSOR).write_text(text)
    execute(session, clock)
    assert send_ended(session, InMemorySpanExporter()) == 1


@pytest.fixture
def collector():
    """Return a collector on a free port, and what it was sent."""
    received = []
    arrived = threading.Event()

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            received.append((self.path, self.headers["x-key"], body))
            self.send_response(200)
            self.end_headers()
            arrived.set()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Collector)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1/traces", received, arrived
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_collector_gets_what_a_workspace_did(workspace, collector, simulate, monkeypatch):
    url, received, arrived = collector
    monkeypatch.setenv("COLLECTOR_HEADERS", "x-key = abc")
    with open_session(workspace) as session:
        send_ended(session, InMemorySpanExporter())
        run_id = execute(session, simulate(1).clock)
    settings = Settings(telemetry={"endpoint": url, "headers_env": "COLLECTOR_HEADERS"})
    thread = exporter_for(workspace, settings)
    thread.start()
    assert arrived.wait(30)
    thread.stop()
    [(path, key, body)] = set(received)  # a slow answer has the same sent again
    assert (path, key) == ("/v1/traces", "abc")
    request = ExportTraceServiceRequest.FromString(body)
    [span] = request.resource_spans[0].scope_spans[0].spans
    assert run_id in {attribute.value.string_value for attribute in span.attributes}


def test_settings_are_off_unless_written_and_checked(workspace, monkeypatch):
    (workspace / ".iaiflow").mkdir()
    file = workspace / ".iaiflow" / "config.toml"
    assert load_settings(workspace).traces is None
    assert exporter_for(workspace, Settings()) is None
    file.write_text('[telemetry]\nendpoint = "http://127.0.0.1:4318/v1/traces"\n')
    assert load_settings(workspace).traces == Telemetry("http://127.0.0.1:4318/v1/traces")
    for wrong in ("", "endpoint = 3", 'endpoint = "file:///x"', 'endpoint = "http://x"\nkey = "y"'):
        file.write_text(f"[telemetry]\n{wrong}\n")
        with pytest.raises(InputError, match="telemetry"):
            load_settings(workspace)
    monkeypatch.setenv("COLLECTOR_HEADERS", "nothing")
    with pytest.raises(InputError, match="holds no headers"):
        otlp(Telemetry("http://127.0.0.1:1", "COLLECTOR_HEADERS"))
