"""Invitations that were sent, messages of the practice's own, calendars."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "invites_sent",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("clinic_id", sa.String(32), sa.ForeignKey("clinic.id", ondelete="CASCADE"), nullable=False),
        sa.Column("room_id", sa.String(32), sa.ForeignKey("room.id", ondelete="CASCADE"), nullable=False),
        sa.Column("member_id", sa.String(32), sa.ForeignKey("member.id", ondelete="CASCADE"), nullable=False),
        sa.Column("at", sa.BigInteger),
        sa.Column("minutes", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.Column("passes", sa.Boolean, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("cancelled", sa.Boolean, nullable=False),
        sa.Column("posts", sa.BigInteger, nullable=False),
        sa.Column("reminder", sa.String(64), nullable=False),
        sa.Column("changed", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_invites_sent_clinic_id", "invites_sent", ["clinic_id"])
    op.create_index("ix_invites_sent_member_id", "invites_sent", ["member_id"])
    op.create_table(
        "invites_wording",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("clinic_id", sa.String(32), sa.ForeignKey("clinic.id", ondelete="CASCADE"), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("lang", sa.String(16), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("short", sa.Text, nullable=False),
    )
    op.create_index("ix_invites_wording_clinic_id", "invites_wording", ["clinic_id"])
    op.create_table(
        "invites_feed",
        sa.Column("member_id", sa.String(32), sa.ForeignKey("member.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("clinic_id", sa.String(32), sa.ForeignKey("clinic.id", ondelete="CASCADE"), nullable=False),
        sa.Column("token_sha256", sa.String(64), nullable=False),
        sa.Column("made", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("token_sha256", name="uq_invites_feed_token_sha256"),
    )
    op.create_index("ix_invites_feed_clinic_id", "invites_feed", ["clinic_id"])
