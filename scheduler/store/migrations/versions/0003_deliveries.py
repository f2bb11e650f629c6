"""Make the tables of deliveries and of how jobs stand with those who are told."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_WAITING = sa.text("state = 'waiting'")
_FAILED = sa.text("state = 'failed'")
_ID = sa.String(26).with_variant(sa.String(26, collation="C"), "postgresql")


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "deliveries",
        sa.Column("delivery_id", _ID, primary_key=True),
        sa.Column("job_key", sa.Integer(), sa.ForeignKey("jobs.key"), nullable=False),
        sa.Column("task_id", sa.String(128), nullable=False),
        sa.Column("event", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("planned_at", sa.BigInteger(), nullable=False),
        sa.Column("next_attempt_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("finished_at", sa.BigInteger()),
        sa.Column("error", sa.Text()),
        sa.UniqueConstraint("job_key", "event", "kind", "target", name="deliveries_once"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "deliveries_waiting", "deliveries", ["next_attempt_at"], sqlite_where=_WAITING, postgresql_where=_WAITING
    )
    op.create_index("deliveries_failed", "deliveries", ["delivery_id"], sqlite_where=_FAILED, postgresql_where=_FAILED)
    op.create_index("deliveries_task_id", "deliveries", ["task_id", "delivery_id"])
    op.create_table(
        "standings",
        sa.Column("job_key", sa.Integer(), sa.ForeignKey("jobs.key"), primary_key=True, autoincrement=False),
        sa.Column("standing", sa.Text(), nullable=False),
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("standings")
    op.drop_table("deliveries")
