"""The practice's own forms, and receipts."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "teleconsent_own",
        sa.Column("clinic_id", sa.String(32), sa.ForeignKey("clinic.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("ready", sa.Boolean, nullable=False),
        sa.Column("places", sa.JSON, nullable=False),
        sa.Column("made_by", sa.String(32), sa.ForeignKey("member.id", ondelete="SET NULL")),
        sa.Column("made", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "teleconsent_page",
        sa.Column("clinic_id", sa.String(32), primary_key=True),
        sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("width", sa.BigInteger, nullable=False),
        sa.Column("height", sa.BigInteger, nullable=False),
        sa.Column("png", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id", "version"], ["teleconsent_own.clinic_id", "teleconsent_own.version"], ondelete="CASCADE"
        ),
    )
    op.create_table(
        "teleconsent_receipt",
        sa.Column("clinic_id", sa.String(32), sa.ForeignKey("clinic.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("form", sa.String(40), nullable=False),
        sa.Column("version", sa.String(20), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
