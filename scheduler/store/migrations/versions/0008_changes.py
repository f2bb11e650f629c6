"""Make the table of what was changed in definitions."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "changes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("job_key", sa.Integer(), sa.ForeignKey("jobs.key"), nullable=False),
        sa.Column("task_id", sa.String(128), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.String(64)),
        sa.Column("fields", sa.Text(), nullable=False),
    )
    op.create_index("changes_task_id", "changes", ["task_id", "id"])


def downgrade() -> None:
    """Go back."""
    op.drop_table("changes")
