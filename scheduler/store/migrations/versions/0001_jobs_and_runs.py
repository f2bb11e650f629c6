"""Make the tables of jobs, runs and state."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_PRESENT = sa.text("removed_at IS NULL")
# Ids are in the order of time; a language's own order of letters would not be.
_RUN_ID = sa.String(26).with_variant(sa.String(26, collation="C"), "postgresql")
_ACTIVE = sa.text("status IN ('queued', 'running')")


def upgrade() -> None:
    """Go up."""
    state = op.create_table(
        "state",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("value", sa.BigInteger(), nullable=False),
    )
    op.bulk_insert(state, [{"name": "revision", "value": 0}])
    op.create_table(
        "jobs",
        sa.Column("key", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("task_id", sa.String(128), nullable=False),
        sa.Column("type", sa.String(16), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("schedule", sa.Text(), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("ended", sa.Boolean(), nullable=False),
        sa.Column("anchor", sa.BigInteger(), nullable=False),
        sa.Column("next_fire_time", sa.BigInteger()),
        sa.Column("due_at", sa.BigInteger()),
        sa.Column("fired", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(64), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("removed_at", sa.BigInteger()),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "jobs_task_id_present",
        "jobs",
        ["task_id"],
        unique=True,
        sqlite_where=_PRESENT,
        postgresql_where=_PRESENT,
    )
    op.create_index("jobs_revision", "jobs", ["revision"])
    op.create_table(
        "runs",
        sa.Column("run_id", _RUN_ID, primary_key=True),
        sa.Column("job_key", sa.Integer(), sa.ForeignKey("jobs.key"), nullable=False),
        sa.Column("task_id", sa.String(128), nullable=False),
        sa.Column("scheduled_for", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("trigger", sa.String(16), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("priority", sa.String(8), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger()),
        sa.Column("started_at", sa.BigInteger()),
        sa.Column("finished_at", sa.BigInteger()),
        sa.Column("cancel_reason", sa.Text()),
        sa.Column("scheduled_until", sa.BigInteger()),
        sa.Column("count", sa.Integer()),
        sa.Column("details", sa.Text(), nullable=False),
        sa.UniqueConstraint("job_key", "scheduled_for", "attempt", name="runs_fire_time_once"),
        sqlite_with_rowid=False,
    )
    op.create_index("runs_task_id", "runs", ["task_id", "run_id"])
    op.create_index("runs_active", "runs", ["job_key", "status"], sqlite_where=_ACTIVE, postgresql_where=_ACTIVE)


def downgrade() -> None:
    """Go back."""
    op.drop_table("runs")
    op.drop_table("jobs")
    op.drop_table("state")
