"""The counts."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "tally_day",
        sa.Column("clinic_id", sa.String(32), sa.ForeignKey("clinic.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("visits", sa.BigInteger, nullable=False),
    )
