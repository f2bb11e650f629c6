"""Remember which file a job comes from, and what that file said last."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.add_column("jobs", sa.Column("origin", sa.Text()))
    op.add_column("jobs", sa.Column("filed", sa.Text()))
    op.create_index("jobs_origin", "jobs", ["origin"])


def downgrade() -> None:
    """Go back."""
    op.drop_index("jobs_origin", "jobs")
    op.drop_column("jobs", "filed")
    op.drop_column("jobs", "origin")
