"""Removed runs that are told of, and indexes for what is asked often."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "removals",
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("removed_at", sa.Float(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("project", "removed_at", "run_id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "runs_ended",
        "runs",
        ["project", "ended_at"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NOT NULL"),
    )
    op.create_index("misses_noted", "schedule_misses", ["noted_at"], unique=False)
