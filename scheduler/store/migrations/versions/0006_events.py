"""Make the ledger of events."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("task_id", sa.String(128)),
        sa.Column("run_id", sa.String(26)),
        sa.Column("data", sa.Text(), nullable=False),
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("events")
