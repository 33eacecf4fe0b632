"""The tables, for SQLAlchemy: filtered reads and migrations. Opening a store does not import this.

`schema.sql` is what a new database is made from; `python -m iaiflow_lab.store.schema` prints it
from this file, and a test keeps the two and the migrations equal.
"""

from __future__ import annotations

import re

from sqlalchemy import (
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

metadata = MetaData()

#: Definitions by the hash of their meaning; never changed, never deleted while a run names them.
flow_versions = Table(
    "flow_versions",
    metadata,
    Column("project", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("definition", Text, nullable=False),  # JSON, as in a flow file
    Column("created_at", Float, nullable=False),
    PrimaryKeyConstraint("project", "version"),
    sqlite_with_rowid=False,
)

#: Flows by their path in the project, with the version saved last.
flows = Table(
    "flows",
    metadata,
    Column("project", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("saved_at", Float, nullable=False),
    PrimaryKeyConstraint("project", "path"),
    sqlite_with_rowid=False,
)

#: Every save that changed a flow's meaning, with the file's whole text.
flow_saves = Table(
    "flow_saves",
    metadata,
    Column("project", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("number", Integer, nullable=False),  # from 1
    Column("version", Text, nullable=False),
    Column("file", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("saved_at", Float, nullable=False),
    PrimaryKeyConstraint("project", "path", "number"),
)

#: One row a run. `state`, `fence` and what goes with them is changed by `queue.transition` alone.
runs = Table(
    "runs",
    metadata,
    Column("id", Text, primary_key=True, nullable=False),
    Column("project", Text, nullable=False),
    Column("flow", Text, nullable=False),  # path in the project, or the name of an unsaved flow
    Column("source", Text, nullable=False),  # the file; "" for an unsaved flow
    Column("version", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("error", Text),  # JSON of ErrorInfo
    Column("inputs", Text, nullable=False),  # JSON
    Column("outputs", Text),  # JSON of OutputRef by name
    Column("queue", Text, nullable=False),
    Column("priority", Integer, nullable=False),  # the lowest goes first
    Column("run_at", Float, nullable=False),
    Column("ready", Integer, nullable=False),  # 1 once `run_at` has come, whatever the clock does
    Column("owner", Text, nullable=False, server_default=""),
    Column("lease_boot", Text, nullable=False, server_default=""),
    Column("lease_until", Float),  # monotonic seconds since that boot
    Column("lost_by", Text, nullable=False, server_default=""),  # the owner it was taken from
    Column("fence", Integer, nullable=False, server_default="0"),
    Column("attempt", Integer, nullable=False, server_default="1"),
    Column("max_attempts", Integer, nullable=False),
    Column("seq", Integer, nullable=False, server_default="0"),  # number of the last event
    Column("cancel_requested", Integer, nullable=False, server_default="0"),
    Column("use_cache", Integer, nullable=False, server_default="0"),
    Column("timeout", Float),  # seconds
    Column("idempotency_key", Text),
    Column("request", Text, nullable=False, server_default=""),  # hash of what was asked for
    Column("retry_of", Text),
    Column("rerun", Text),  # JSON list of nodes of `retry_of` that are not replayed
    Column("created_at", Float, nullable=False),
    Column("started_at", Float),
    Column("ended_at", Float),
    Column("schedule_id", Text),  # the schedule that made it
    Column("due_at", Float),  # for which moment of the schedule
    Column("serial", Text, nullable=False, server_default=""),  # runs that go one after another
    Column("budget", Text),  # JSON of RunBudget
    Index("runs_by_key", "project", "idempotency_key", unique=True),
    Index("runs_by_project", "project", "id"),
    Index("runs_ended", "project", "ended_at", sqlite_where=text("ended_at IS NOT NULL")),
    Index("runs_by_version", "project", "version"),
    Index(
        "runs_by_schedule",
        "schedule_id",
        "due_at",
        unique=True,
        sqlite_where=text("schedule_id IS NOT NULL"),
    ),
    Index(
        "runs_serial",
        "serial",
        sqlite_where=text(
            "serial <> '' AND fence > 0"
            " AND state IN ('queued', 'claimed', 'running', 'waiting', 'retrying')"
        ),
    ),
    Index(
        "runs_scheduled",
        "schedule_id",
        sqlite_where=text(
            "schedule_id IS NOT NULL"
            " AND state IN ('queued', 'claimed', 'running', 'waiting', 'retrying')"
        ),
    ),
    Index(
        "runs_due",
        "queue",
        "priority",
        "run_at",
        "id",
        "flow",
        "serial",  # what a claim looks at is all in the index
        sqlite_where=text("state = 'queued' AND ready = 1"),
    ),
    Index("runs_later", "run_at", sqlite_where=text("state = 'queued' AND ready = 0")),
    Index(
        "runs_resting",
        "run_at",
        sqlite_where=text("state IN ('retrying', 'waiting') AND ready = 0"),
    ),
    Index("runs_lost", "lost_by", sqlite_where=text("lost_by <> ''")),
    Index("runs_held", "owner", sqlite_where=text("state IN ('claimed', 'running')")),
)

#: Runs that were removed lately, for those who show them.
removals = Table(
    "removals",
    metadata,
    Column("project", Text, nullable=False),
    Column("removed_at", Float, nullable=False),
    Column("run_id", Text, nullable=False),
    PrimaryKeyConstraint("project", "removed_at", "run_id"),
    sqlite_with_rowid=False,
)

#: The journal: every fact about every run, in order.
events = Table(
    "events",
    metadata,
    Column("run_id", Text, ForeignKey("runs.id"), nullable=False),
    Column("seq", Integer, nullable=False),  # from 1, without gaps
    Column("at", Float, nullable=False),
    Column("kind", Text, nullable=False),
    Column("body", Text, nullable=False),  # the event as JSON
    PrimaryKeyConstraint("run_id", "seq"),
    sqlite_with_rowid=False,
)

#: Where each step of a run is, and its outcome once it is settled: the record that is kept.
steps = Table(
    "steps",
    metadata,
    Column("run_id", Text, ForeignKey("runs.id"), nullable=False),
    Column("step", Text, nullable=False),
    Column("node", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("items", Integer),
    Column("source", Text),
    Column("started_at", Float),
    Column("ended_at", Float),
    Column("queue_wait_s", Float),
    Column("duration_s", Float),
    Column("cpu_s", Float),
    Column("peak_rss", Integer),
    Column("rows", Integer),
    Column("bytes", Integer),
    Column("outcome", Text),  # JSON of StepFinished; written once, unless it is passing
    Column("passing", Integer),  # 1: nobody can go on from it, so the step is executed again
    PrimaryKeyConstraint("run_id", "step"),
    sqlite_with_rowid=False,
)

#: Results of `ctx.once`.
substeps = Table(
    "substeps",
    metadata,
    Column("run_id", Text, ForeignKey("runs.id"), nullable=False),
    Column("step", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("body", Text, nullable=False),  # JSON of SubstepRecorded
    PrimaryKeyConstraint("run_id", "step", "key"),
    sqlite_with_rowid=False,
)

#: Numbers that steps wanted remembered.
metrics = Table(
    "metrics",
    metadata,
    Column("run_id", Text, ForeignKey("runs.id"), nullable=False),
    Column("seq", Integer, nullable=False),  # of its event
    Column("step", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("value", Float, nullable=False),
    Column("unit", Text, nullable=False),
    Column("at", Float, nullable=False),
    PrimaryKeyConstraint("run_id", "seq"),
    sqlite_with_rowid=False,
)

#: Bytes by content hash; the bytes themselves are files.
artifacts = Table(
    "artifacts",
    metadata,
    Column("hash", Text, primary_key=True, nullable=False),
    Column("size", Integer, nullable=False),
    Column("touched_at", Float, nullable=False),  # when it was stored or found stored
    sqlite_with_rowid=False,
)

#: Which run needs which artifact, and what for.
run_artifacts = Table(
    "run_artifacts",
    metadata,
    Column("run_id", Text, ForeignKey("runs.id"), nullable=False),
    Column("step", Text, nullable=False),
    Column("role", Text, nullable=False),  # file: made for people; output, substep: a value
    Column("name", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("media_type", Text, nullable=False),
    PrimaryKeyConstraint("run_id", "step", "role", "name"),
    Index("run_artifacts_by_hash", "hash"),
    sqlite_with_rowid=False,
)

#: Outputs of earlier steps by what they were computed from.
cache = Table(
    "cache",
    metadata,
    Column("project", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("outputs", Text, nullable=False),  # JSON of OutputRef by port
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float),
    PrimaryKeyConstraint("project", "key"),
    sqlite_with_rowid=False,
)

#: How many runs may be held at once.
limits = Table(
    "limits",
    metadata,
    Column("kind", Text, nullable=False),  # queue or flow
    Column("subject", Text, nullable=False),
    Column("value", Integer, nullable=False),
    PrimaryKeyConstraint("kind", "subject"),
    sqlite_with_rowid=False,
)

#: What steps wait for, and how each wait ended.
waits = Table(
    "waits",
    metadata,
    Column("run_id", Text, ForeignKey("runs.id"), nullable=False),
    Column("step", Text, nullable=False),
    Column("key", Text, nullable=False),  # tells the waits of one step apart
    Column("node", Text, nullable=False),
    Column("kind", Text, nullable=False),  # delay, until, approval, signal, webhook
    Column("name", Text, nullable=False),  # of the signal that ends it; "": only its moment does
    Column("message", Text, nullable=False),
    Column("form", Text),  # JSON Schema of the answer
    Column("due", Float),  # when it ends by itself
    Column("opened_at", Float, nullable=False),
    Column("answered_at", Float),
    Column("outcome", Text),  # due, timed-out, answered, approved or refused
    Column("answer", Text),  # JSON
    Column("answered_by", Text, nullable=False, server_default=""),
    Column("reason", Text, nullable=False, server_default=""),  # of the answer, in their words
    PrimaryKeyConstraint("run_id", "step", "key"),
    Index("waits_due", "due", sqlite_where=text("answered_at IS NULL AND due IS NOT NULL")),
    Index("waits_open", "run_id", "name", sqlite_where=text("answered_at IS NULL")),
    sqlite_with_rowid=False,
)

#: Messages to runs; one that comes before its wait is kept until that opens.
signals = Table(
    "signals",
    metadata,
    Column("id", Text, primary_key=True, nullable=False),
    Column("run_id", Text, ForeignKey("runs.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("payload", Text, nullable=False),  # JSON
    Column("sender", Text, nullable=False),
    Column("sent_at", Float, nullable=False),
    Column("dedupe", Text),  # the same one is taken once
    Column("step", Text),  # the wait that took it
    Column("key", Text),
    Index(
        "signals_by_dedupe",
        "run_id",
        "name",
        "dedupe",
        unique=True,
        sqlite_where=text("dedupe IS NOT NULL"),
    ),
    Index("signals_early", "run_id", "name", "sent_at", sqlite_where=text("step IS NULL")),
    sqlite_with_rowid=False,
)

#: When something runs by itself.
schedules = Table(
    "schedules",
    metadata,
    Column("id", Text, primary_key=True, nullable=False),
    Column("project", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("target", Text, nullable=False),  # the flow's or notebook's path in the project
    Column("version", Text),  # the version that runs; none: the one saved last
    Column("inputs", Text, nullable=False),  # JSON
    Column("kind", Text, nullable=False),  # cron, interval, once or file
    Column(
        "rule", Text, nullable=False
    ),  # JSON: the expression, the seconds, the moment, the files
    Column("zone", Text, nullable=False),  # IANA name
    Column("starts_at", Float),
    Column("ends_at", Float),
    Column("catchup", Text, nullable=False),  # none, latest or all
    Column("overlap", Text, nullable=False),  # allow, skip, queue or cancel
    Column("jitter_s", Float, nullable=False),
    Column("options", Text, nullable=False),  # JSON: queue, priority, timeout, budget, use_cache
    Column("paused", Integer, nullable=False, server_default="0"),
    Column("next_due", Float),  # the next moment of its rule
    Column("next_fire", Float),  # the same with its jitter
    Column("last_due", Float),
    Column("seen", Text),  # for files: JSON of what was there last
    Column("created_at", Float, nullable=False),
    Column("changed_at", Float, nullable=False),
    Index("schedules_by_name", "project", "name", unique=True),
    Index(
        "schedules_next",
        "project",
        "next_fire",
        sqlite_where=text("paused = 0 AND next_fire IS NOT NULL"),
    ),
    Index("schedules_files", "project", sqlite_where=text("paused = 0 AND kind = 'file'")),
    sqlite_with_rowid=False,
)

#: Moments of schedules for which no run was made, and why.
schedule_misses = Table(
    "schedule_misses",
    metadata,
    Column("schedule_id", Text, ForeignKey("schedules.id"), nullable=False),
    Column("due_at", Float, nullable=False),
    Column("reason", Text, nullable=False),  # down, overlap, refused
    Column("message", Text, nullable=False),
    Column("noted_at", Float, nullable=False),
    PrimaryKeyConstraint("schedule_id", "due_at"),
    Index("misses_noted", "noted_at"),
    sqlite_with_rowid=False,
)

#: Processes that serve the workspace: who fires schedules, and whether it is still there.
servers = Table(
    "servers",
    metadata,
    Column("owner", Text, primary_key=True, nullable=False),  # as owners of runs are named
    Column("kind", Text, nullable=False),  # serve or jupyter
    Column("address", Text, nullable=False),  # where its API is; "": it has none
    Column("started_at", Float, nullable=False),
    Column("seen_at", Float, nullable=False),
    Column("stopped_at", Float),  # when it ended in order
    sqlite_with_rowid=False,
)

#: Who is told about which runs.
notification_rules = Table(
    "notification_rules",
    metadata,
    Column("id", Text, primary_key=True, nullable=False),
    Column("project", Text, nullable=False),
    Column("flow", Text, nullable=False),  # a path; "": all flows
    Column("events", Text, nullable=False),  # JSON list: failed, completed, waiting, late
    Column("channel", Text, nullable=False),  # email, webhook or slack
    Column("target", Text, nullable=False),  # address or URL, or the variable that holds it
    Column("secret", Text, nullable=False),  # the variable that holds a webhook's secret
    Column("quiet", Text),  # JSON: from, to, zone
    Column("group_s", Float, nullable=False),  # at most one message in so many seconds
    Column("late_s", Float, nullable=False),  # a scheduled run that begins so late is late
    Column("paused", Integer, nullable=False, server_default="0"),
    Column("sent_at", Float),  # when it sent its last message
    Column("created_at", Float, nullable=False),
    Index(
        "rules_by_flow", "project", "flow", sqlite_where=text("paused = 0")
    ),  # every change of a run asks it
    sqlite_with_rowid=False,
)

#: What is still to be told, and what was: written in the transaction that made it true.
notifications = Table(
    "notifications",
    metadata,
    Column("rule_id", Text, ForeignKey("notification_rules.id"), nullable=False),
    Column("run_id", Text, nullable=False),  # for missed: the schedule
    Column("event", Text, nullable=False),
    # for waiting: when the last wait was opened; for missed: when it was noted; else 0
    Column("since", Float, nullable=False),
    Column("made_at", Float, nullable=False),
    Column("due", Float),  # when it is sent, or tried again; none: it is over
    Column("message", Text),  # the message that it is sent in, however often that is tried
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("sent_at", Float),
    Column("error", Text, nullable=False, server_default=""),
    PrimaryKeyConstraint("rule_id", "run_id", "event", "since"),
    Index("notifications_due", "due", sqlite_where=text("due IS NOT NULL")),
    Index("notifications_of", "rule_id", "message", sqlite_where=text("due IS NOT NULL")),
    sqlite_with_rowid=False,
)

#: The key that encrypts the secrets of a project, itself encrypted by a master key.
secret_keys = Table(
    "secret_keys",
    metadata,
    Column("project", Text, primary_key=True, nullable=False),
    Column("id", Text, nullable=False),
    Column("master", Text, nullable=False),  # id of the master key, which is kept elsewhere
    Column("nonce", LargeBinary, nullable=False),
    Column("box", LargeBinary, nullable=False),
    Column("created_at", Float, nullable=False),
    sqlite_with_rowid=False,
)

#: Secrets, encrypted. One that was removed keeps its row, so that its versions never come again.
secrets = Table(
    "secrets",
    metadata,
    Column("project", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("nonce", LargeBinary),
    Column("box", LargeBinary),  # none: it was removed
    Column("created_at", Float, nullable=False),
    Column("created_by", Text, nullable=False),
    PrimaryKeyConstraint("project", "name"),
    sqlite_with_rowid=False,
)


def statements() -> list[str]:
    """Return the SQLite statements that create every table and index."""
    dialect = sqlite.dialect()
    made: list[str] = []
    for table in metadata.sorted_tables:
        made.append(str(CreateTable(table).compile(dialect=dialect)).strip())
        indexes = sorted(table.indexes, key=lambda index: str(index.name))
        made.extend(str(CreateIndex(index).compile(dialect=dialect)) for index in indexes)
    return [re.sub(r"\s*\n\s*(?=WITHOUT)", " ", _tidy(statement)) for statement in made]


def _tidy(statement: str) -> str:
    return statement.replace("\t", "  ").replace(" \n", "\n")


if __name__ == "__main__":
    print("-- Made by `python -m iaiflow_lab.store.schema`; do not edit.")  # noqa: T201
    print("\n".join(f"\n{statement};" for statement in statements()))  # noqa: T201
