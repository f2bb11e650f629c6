"""Make the table of idempotency keys, and an index to count ended runs by."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_ENDED = sa.text("status NOT IN ('queued', 'running')")


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "idempotency_keys",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("idempotency_keys_age", "idempotency_keys", ["created_at"])
    op.create_index(
        "runs_ended",
        "runs",
        ["run_id", "task_id", "status", "started_at", "finished_at"],
        sqlite_where=_ENDED,
        postgresql_where=_ENDED,
    )


def downgrade() -> None:
    """Go back."""
    op.drop_index("runs_ended", "runs")
    op.drop_table("idempotency_keys")
