"""What lasts, for as long as plugin.toml says. No number is here but sealed; all others are fingerprints."""

from sqlalchemy import BigInteger, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from housecall import Base


class Sent(Base):
    """How many texts went to a number on a day; with an empty number, how many in all."""

    __tablename__ = "sms_sent"
    __table_args__ = {"info": {"owner": "sms"}}  # noqa: RUF012

    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[int] = mapped_column(BigInteger, primary_key=True)  #: since 1970, UTC
    number: Mapped[str] = mapped_column(String(64), primary_key=True)  #: a fingerprint of this day
    texts: Mapped[int] = mapped_column(BigInteger)


class Stopped(Base):
    """Somebody who wants no texts of a practice."""

    __tablename__ = "sms_stopped"
    __table_args__ = {"info": {"owner": "sms"}}  # noqa: RUF012

    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[str] = mapped_column(String(64), primary_key=True)  #: a fingerprint
    at: Mapped[int] = mapped_column(BigInteger)  #: ms


class Call(Base):
    """A patient who waits and wants to be called by text."""

    __tablename__ = "sms_call"
    __table_args__ = {"info": {"owner": "sms"}}  # noqa: RUF012

    visit: Mapped[str] = mapped_column(String(32), primary_key=True)
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id", ondelete="CASCADE"))
    sealed: Mapped[str] = mapped_column(Text)  #: the number; empty once it was used
    waits: Mapped[bool]  #: whether somebody was ahead: then being next is worth a text
    asked: Mapped[int] = mapped_column(BigInteger)  #: ms
    times: Mapped[int] = mapped_column(BigInteger)  #: how often a number was given in this visit
    message: Mapped[str] = mapped_column(String(64))  #: of the outbox, once it was used
