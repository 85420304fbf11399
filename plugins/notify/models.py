"""What lasts: browsers that take notifications, rooms, and for the length of a visit who was told of it."""

from sqlalchemy import BigInteger, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from housecall import Base

OWNER = {"info": {"owner": "notify"}}


class Key(Base):
    """The server's own key pair, by which push services know who sends (RFC 8292)."""

    __tablename__ = "notify_key"
    __table_args__ = OWNER

    name: Mapped[str] = mapped_column(String(16), primary_key=True)
    sealed: Mapped[str] = mapped_column(Text)


class Browser(Base):
    """A browser in which a member has switched notifications on."""

    __tablename__ = "notify_browser"
    __table_args__ = OWNER

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id", ondelete="CASCADE"))
    member_id: Mapped[str] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), index=True)
    login: Mapped[str] = mapped_column(String(64))  #: the last one that was used there; ended, it takes this with it
    fingerprint: Mapped[str] = mapped_column(String(64), unique=True)  #: of its endpoint
    sealed: Mapped[str] = mapped_column(Text)  #: JSON: endpoint, p256dh, auth
    browser: Mapped[str] = mapped_column(String(60))  #: "Firefox, Linux"
    made: Mapped[int] = mapped_column(BigInteger)  #: ms
    until: Mapped[int] = mapped_column(BigInteger)  #: ms


class Wish(Base):
    """Whether a member wants to be told of a room, where that was said."""

    __tablename__ = "notify_wish"
    __table_args__ = OWNER

    member_id: Mapped[str] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), primary_key=True)
    room_id: Mapped[str] = mapped_column(ForeignKey("room.id", ondelete="CASCADE"), primary_key=True)
    wanted: Mapped[bool]


class Call(Base):
    """That a member is told that somebody waits; its id, signed, is the link by which they answer."""

    __tablename__ = "notify_call"
    __table_args__ = OWNER

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id", ondelete="CASCADE"))
    member_id: Mapped[str] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), index=True)
    at: Mapped[int] = mapped_column(BigInteger)  #: ms
    posted: Mapped[bool]  #: whether every message of it is in the outbox


class Told(Base):
    """A visit that a member was told of."""

    __tablename__ = "notify_told"
    __table_args__ = OWNER

    visit_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), primary_key=True)
    call_id: Mapped[str] = mapped_column(ForeignKey("notify_call.id", ondelete="CASCADE"), index=True)
    answer: Mapped[str | None] = mapped_column(String(16))
    answered: Mapped[int | None] = mapped_column(BigInteger)  #: ms
