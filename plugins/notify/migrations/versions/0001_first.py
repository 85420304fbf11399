"""Browsers, rooms, calls."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "notify_key",
        sa.Column("name", sa.String(16), primary_key=True),
        sa.Column("sealed", sa.Text, nullable=False),
    )
    op.create_table(
        "notify_browser",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("clinic_id", sa.String(32), sa.ForeignKey("clinic.id", ondelete="CASCADE"), nullable=False),
        sa.Column("member_id", sa.String(32), sa.ForeignKey("member.id", ondelete="CASCADE"), nullable=False),
        sa.Column("login", sa.String(64), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("sealed", sa.Text, nullable=False),
        sa.Column("browser", sa.String(60), nullable=False),
        sa.Column("made", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("fingerprint", name="uq_notify_browser_fingerprint"),
    )
    op.create_index("ix_notify_browser_member_id", "notify_browser", ["member_id"])
    op.create_table(
        "notify_wish",
        sa.Column("member_id", sa.String(32), sa.ForeignKey("member.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("room_id", sa.String(32), sa.ForeignKey("room.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("wanted", sa.Boolean, nullable=False),
    )
    op.create_table(
        "notify_call",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("clinic_id", sa.String(32), sa.ForeignKey("clinic.id", ondelete="CASCADE"), nullable=False),
        sa.Column("member_id", sa.String(32), sa.ForeignKey("member.id", ondelete="CASCADE"), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("posted", sa.Boolean, nullable=False),
    )
    op.create_index("ix_notify_call_member_id", "notify_call", ["member_id"])
    op.create_table(
        "notify_told",
        sa.Column("visit_id", sa.String(32), primary_key=True),
        sa.Column("member_id", sa.String(32), sa.ForeignKey("member.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("call_id", sa.String(32), sa.ForeignKey("notify_call.id", ondelete="CASCADE"), nullable=False),
        sa.Column("answer", sa.String(16)),
        sa.Column("answered", sa.BigInteger),
    )
    op.create_index("ix_notify_told_call_id", "notify_told", ["call_id"])
