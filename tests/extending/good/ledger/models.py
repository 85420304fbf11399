"""The rings."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from housecall import Base


class Ring(Base):
    """How often somebody rang in a room."""

    __tablename__ = "ledger_ring"
    __table_args__ = {"info": {"owner": "ledger"}}  # noqa: RUF012

    room: Mapped[str] = mapped_column(String(64), primary_key=True)
    clinic_id: Mapped[str] = mapped_column(String(32))
    times: Mapped[int]
