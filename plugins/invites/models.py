"""What lasts of invitations: when and in which room, and whose; no address, no name, no message."""

from sqlalchemy import BigInteger, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from housecall import Base


class Sent(Base):
    """An invitation that somebody has sent, by whichever way."""

    __tablename__ = "invites_sent"
    __table_args__ = {"info": {"owner": "invites"}}  # noqa: RUF012

    id: Mapped[str] = mapped_column(String(32), primary_key=True)  #: of the visit that its link opens
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id", ondelete="CASCADE"), index=True)
    room_id: Mapped[str] = mapped_column(ForeignKey("room.id", ondelete="CASCADE"))
    member_id: Mapped[str] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), index=True)
    at: Mapped[int | None] = mapped_column(BigInteger)  #: ms; none: at any time
    minutes: Mapped[int]
    expires: Mapped[int] = mapped_column(BigInteger)  #: ms, of the link
    passes: Mapped[bool]  #: whether the link needs no passcode
    sequence: Mapped[int]  #: of its calendar entry: how often it was moved or cancelled
    cancelled: Mapped[bool]
    posts: Mapped[int]  #: messages that this server has sent for it
    reminder: Mapped[str] = mapped_column(String(64))  #: the outbox's id of a reminder that waits, or empty
    changed: Mapped[int] = mapped_column(BigInteger)  #: ms


class Wording(Base):
    """A message of the practice's own."""

    __tablename__ = "invites_wording"
    __table_args__ = {"info": {"owner": "invites"}}  # noqa: RUF012

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    lang: Mapped[str] = mapped_column(String(16))
    subject: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    short: Mapped[str] = mapped_column(Text)  #: as a text message


class Feed(Base):
    """The secret address of a member's calendar; only its hash is here."""

    __tablename__ = "invites_feed"
    __table_args__ = {"info": {"owner": "invites"}}  # noqa: RUF012

    member_id: Mapped[str] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), primary_key=True)
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id", ondelete="CASCADE"), index=True)
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    made: Mapped[int] = mapped_column(BigInteger)  #: ms
