"""What each practice has subscribed to, and the events that were heeded."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "plans_subscription",
        sa.Column("clinic_id", sa.String(32), sa.ForeignKey("clinic.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("plan", sa.String(40), nullable=False),
        sa.Column("price", sa.String(80), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("ends", sa.Boolean, nullable=False),
        sa.Column("customer", sa.String(80), nullable=False),
        sa.Column("subscription", sa.String(80), nullable=False),
        sa.Column("live", sa.BigInteger, nullable=False),
        sa.Column("trialed", sa.Boolean, nullable=False),
        sa.Column("asked", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_plans_subscription_customer", "plans_subscription", ["customer"])
    op.create_table(
        "plans_event",
        sa.Column("id", sa.String(80), primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
