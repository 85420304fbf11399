"""Counts of a day, who wants no texts, and who wants to be called."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "sms_sent",
        sa.Column("clinic_id", sa.String(32), sa.ForeignKey("clinic.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("day", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("number", sa.String(64), primary_key=True),
        sa.Column("texts", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "sms_stopped",
        sa.Column("clinic_id", sa.String(32), sa.ForeignKey("clinic.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.String(64), primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "sms_call",
        sa.Column("visit", sa.String(32), primary_key=True),
        sa.Column("clinic_id", sa.String(32), sa.ForeignKey("clinic.id", ondelete="CASCADE"), nullable=False),
        sa.Column("sealed", sa.Text, nullable=False),
        sa.Column("waits", sa.Boolean, nullable=False),
        sa.Column("asked", sa.BigInteger, nullable=False),
        sa.Column("times", sa.BigInteger, nullable=False),
        sa.Column("message", sa.String(64), nullable=False),
    )
