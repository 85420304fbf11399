"""The rings."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "ledger_ring",
        sa.Column("room", sa.String(64), primary_key=True),
        sa.Column("clinic_id", sa.String(32), nullable=False),
        sa.Column("times", sa.BigInteger, nullable=False),
    )
