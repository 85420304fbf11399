"""Payments, what ties them to visits, what was heard of Stripe, and accounts."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "payments_payment",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("clinic_id", sa.String(32), sa.ForeignKey("clinic.id", ondelete="CASCADE"), nullable=False),
        sa.Column("member_id", sa.String(32), sa.ForeignKey("member.id", ondelete="SET NULL")),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("refunded", sa.BigInteger, nullable=False),
        sa.Column("refunding", sa.BigInteger, nullable=False),
        sa.Column("refunding_from", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("cancelled", sa.Boolean, nullable=False),
        sa.Column("live", sa.Boolean, nullable=False),
        sa.Column("account", sa.String(40), nullable=False),
        sa.Column("session", sa.String(100)),
        sa.Column("intent", sa.String(100)),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("changed", sa.BigInteger, nullable=False),
        sa.Column("paid", sa.BigInteger),
    )
    op.create_index("payments_payment_clinic", "payments_payment", ["clinic_id", "created"])
    op.create_index("ix_payments_payment_session", "payments_payment", ["session"])
    op.create_index("ix_payments_payment_intent", "payments_payment", ["intent"])
    op.create_table(
        "payments_tie",
        sa.Column(
            "payment_id", sa.String(32), sa.ForeignKey("payments_payment.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("mark", sa.String(64), nullable=False),
        sa.Column("sealed", sa.Text, nullable=False),
        sa.Column("made", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_payments_tie_mark", "payments_tie", ["mark"])
    op.create_table(
        "payments_heard",
        sa.Column("clinic_id", sa.String(32), sa.ForeignKey("clinic.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("event", sa.String(100), primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "payments_account",
        sa.Column("clinic_id", sa.String(32), sa.ForeignKey("clinic.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("account", sa.String(40), nullable=False),
        sa.Column("ready", sa.Boolean, nullable=False),
        sa.Column("live", sa.Boolean, nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("hook", sa.String(32), nullable=False),
        sa.Column("endpoint", sa.String(100), nullable=False),
        sa.Column("sealed", sa.Text, nullable=False),
        sa.Column("checked", sa.BigInteger, nullable=False),
    )
