"""The counts."""

import datetime as dt

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from housecall import Base


class Day(Base):
    """How many visits of a clinic ended on one day, by the clinic's own clock."""

    __tablename__ = "tally_day"
    __table_args__ = {"info": {"owner": "tally"}}  # noqa: RUF012

    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[dt.date] = mapped_column(primary_key=True)
    visits: Mapped[int]
