"""The first table, without its second column."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table("drifts_count", sa.Column("id", sa.BigInteger, primary_key=True))
