"""What production needs: waits and signals, schedules, servers, notifications."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("runs", sa.Column("schedule_id", sa.Text(), nullable=True))
    op.add_column("runs", sa.Column("due_at", sa.Float(), nullable=True))
    op.add_column("runs", sa.Column("serial", sa.Text(), server_default="", nullable=False))
    op.create_index(
        "runs_by_schedule",
        "runs",
        ["schedule_id", "due_at"],
        unique=True,
        sqlite_where=sa.text("schedule_id IS NOT NULL"),
    )
    op.create_index("runs_by_version", "runs", ["project", "version"], unique=False)
    op.execute(
        "DELETE FROM flow_versions WHERE NOT EXISTS (SELECT 1 FROM runs WHERE"
        " runs.project = flow_versions.project AND runs.version = flow_versions.version)"
        " AND version NOT IN (SELECT version FROM flow_saves)"
        " AND version NOT IN (SELECT version FROM flows)"
    )
    op.drop_index("runs_retrying", "runs")
    op.create_index(
        "runs_resting",
        "runs",
        ["run_at"],
        unique=False,
        sqlite_where=sa.text("state IN ('retrying', 'waiting') AND ready = 0"),
    )
    op.execute("UPDATE runs SET ready = 0 WHERE state = 'retrying'")
    op.create_index(
        "runs_serial",
        "runs",
        ["serial"],
        unique=False,
        sqlite_where=sa.text(
            "serial <> '' AND fence > 0"
            " AND state IN ('queued', 'claimed', 'running', 'waiting', 'retrying')"
        ),
    )
    op.create_index(
        "runs_scheduled",
        "runs",
        ["schedule_id"],
        unique=False,
        sqlite_where=sa.text(
            "schedule_id IS NOT NULL"
            " AND state IN ('queued', 'claimed', 'running', 'waiting', 'retrying')"
        ),
    )
    op.drop_index("runs_due", "runs")
    op.create_index(
        "runs_due",
        "runs",
        ["queue", "priority", "run_at", "id", "flow", "serial"],
        unique=False,
        sqlite_where=sa.text("state = 'queued' AND ready = 1"),
    )
    op.create_table(
        "notification_rules",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("events", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("quiet", sa.Text(), nullable=True),
        sa.Column("group_s", sa.Float(), nullable=False),
        sa.Column("late_s", sa.Float(), nullable=False),
        sa.Column("paused", sa.Integer(), server_default="0", nullable=False),
        sa.Column("sent_at", sa.Float(), nullable=True),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "rules_by_flow",
        "notification_rules",
        ["project", "flow"],
        unique=False,
        sqlite_where=sa.text("paused = 0"),
    )
    op.create_table(
        "schedules",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=True),
        sa.Column("inputs", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.Float(), nullable=True),
        sa.Column("ends_at", sa.Float(), nullable=True),
        sa.Column("catchup", sa.Text(), nullable=False),
        sa.Column("overlap", sa.Text(), nullable=False),
        sa.Column("jitter_s", sa.Float(), nullable=False),
        sa.Column("options", sa.Text(), nullable=False),
        sa.Column("paused", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_due", sa.Float(), nullable=True),
        sa.Column("next_fire", sa.Float(), nullable=True),
        sa.Column("last_due", sa.Float(), nullable=True),
        sa.Column("seen", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("changed_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )
    op.create_index("schedules_by_name", "schedules", ["project", "name"], unique=True)
    op.create_index(
        "schedules_next",
        "schedules",
        ["project", "next_fire"],
        unique=False,
        sqlite_where=sa.text("paused = 0 AND next_fire IS NOT NULL"),
    )
    op.create_index(
        "schedules_files",
        "schedules",
        ["project"],
        unique=False,
        sqlite_where=sa.text("paused = 0 AND kind = 'file'"),
    )
    op.create_table(
        "servers",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("started_at", sa.Float(), nullable=False),
        sa.Column("seen_at", sa.Float(), nullable=False),
        sa.Column("stopped_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("owner"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "notifications",
        sa.Column("rule_id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("since", sa.Float(), nullable=False),
        sa.Column("made_at", sa.Float(), nullable=False),
        sa.Column("due", sa.Float(), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("sent_at", sa.Float(), nullable=True),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["rule_id"], ["notification_rules.id"]),
        sa.PrimaryKeyConstraint("rule_id", "run_id", "event", "since"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "notifications_due",
        "notifications",
        ["due"],
        unique=False,
        sqlite_where=sa.text("due IS NOT NULL"),
    )
    op.create_index(
        "notifications_of",
        "notifications",
        ["rule_id", "message"],
        unique=False,
        sqlite_where=sa.text("due IS NOT NULL"),
    )
    op.create_table(
        "schedule_misses",
        sa.Column("schedule_id", sa.Text(), nullable=False),
        sa.Column("due_at", sa.Float(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("noted_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["schedule_id"], ["schedules.id"]),
        sa.PrimaryKeyConstraint("schedule_id", "due_at"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "signals",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.Float(), nullable=False),
        sa.Column("dedupe", sa.Text(), nullable=True),
        sa.Column("step", sa.Text(), nullable=True),
        sa.Column("key", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"]),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "signals_by_dedupe",
        "signals",
        ["run_id", "name", "dedupe"],
        unique=True,
        sqlite_where=sa.text("dedupe IS NOT NULL"),
    )
    op.create_index(
        "signals_early",
        "signals",
        ["run_id", "name", "sent_at"],
        unique=False,
        sqlite_where=sa.text("step IS NULL"),
    )
    op.create_table(
        "waits",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("form", sa.Text(), nullable=True),
        sa.Column("due", sa.Float(), nullable=True),
        sa.Column("opened_at", sa.Float(), nullable=False),
        sa.Column("answered_at", sa.Float(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answered_by", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"]),
        sa.PrimaryKeyConstraint("run_id", "step", "key"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "waits_due",
        "waits",
        ["due"],
        unique=False,
        sqlite_where=sa.text("answered_at IS NULL AND due IS NOT NULL"),
    )
    op.create_index(
        "waits_open",
        "waits",
        ["run_id", "name"],
        unique=False,
        sqlite_where=sa.text("answered_at IS NULL"),
    )
