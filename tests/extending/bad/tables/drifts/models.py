"""A table with a column that no migration makes."""

from sqlalchemy.orm import Mapped, mapped_column

from housecall import Base


class Count(Base):
    __tablename__ = "drifts_count"
    __table_args__ = {"info": {"owner": "drifts"}}  # noqa: RUF012

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int]
