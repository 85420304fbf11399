"""Every table of the core (contracts §4). Times are ms since 1970 UTC."""

from __future__ import annotations

import secrets
import time
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Integer, LargeBinary, MetaData, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMES = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """The base of all models. A plugin's own carry `{"info": {"owner": "<plugin>"}}` in `__table_args__`."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {int: BigInteger, dict[str, Any]: JSON}  # noqa: RUF012


def new_id() -> str:
    return secrets.token_urlsafe(16)


def now() -> int:
    return time.time_ns() // 1_000_000


class Clinic(Base):
    """A practice: owns rooms, members and look."""

    __tablename__ = "clinic"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)  #: the key of its table in housecall.toml
    host: Mapped[str | None] = mapped_column(String(255), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    theme: Mapped[str] = mapped_column(String(64))
    created: Mapped[int] = mapped_column(default=now)


class Image(Base):
    """A picture or a video as we encoded it; never as it was uploaded."""

    __tablename__ = "image"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id", ondelete="CASCADE"))
    type: Mapped[str] = mapped_column(String(32))
    width: Mapped[int] = mapped_column(Integer)
    height: Mapped[int] = mapped_column(Integer)
    sha256: Mapped[str] = mapped_column(String(64))
    bytes: Mapped[bytes] = mapped_column(LargeBinary)


class Member(Base):
    """A person with an account in a clinic."""

    __tablename__ = "member"
    __table_args__ = (UniqueConstraint("clinic_id", "email"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id", ondelete="CASCADE"))
    email: Mapped[str] = mapped_column(String(254))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(16))
    disabled_at: Mapped[int | None]
    first_name: Mapped[str] = mapped_column(String(80))
    last_name: Mapped[str] = mapped_column(String(80))
    display_name: Mapped[str] = mapped_column(String(120), default="")
    title: Mapped[str] = mapped_column(String(40), default="")
    specialty: Mapped[str] = mapped_column(String(120), default="")
    position: Mapped[str] = mapped_column(String(120), default="")
    provider_number: Mapped[str] = mapped_column(String(40), default="")  #: "US:1234567893", or without a country
    states_licensed: Mapped[str] = mapped_column(String(200), default="")
    mobile: Mapped[str] = mapped_column(String(40), default="")
    image_id: Mapped[str | None] = mapped_column(ForeignKey("image.id", ondelete="SET NULL"))
    adult_at: Mapped[int | None]  #: when the member said to be 18 or older (R10)
    service_mail: Mapped[bool] = mapped_column(default=True)
    lang: Mapped[str] = mapped_column(String(16), default="")
    created: Mapped[int] = mapped_column(default=now)


class Login(Base):
    """One browser in which a member is signed in."""

    __tablename__ = "login"

    token_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), index=True)
    method: Mapped[str] = mapped_column(String(16))
    created: Mapped[int] = mapped_column(default=now)
    seen: Mapped[int] = mapped_column(default=now)
    expires: Mapped[int]
    agent: Mapped[str] = mapped_column(String(60))  #: "Firefox, Linux"
    ip_prefix: Mapped[str] = mapped_column(String(60))  #: /24 or /48


class Invitation(Base):
    """A one-time link that makes an account."""

    __tablename__ = "invitation"

    token_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id", ondelete="CASCADE"))
    role: Mapped[str] = mapped_column(String(16))
    made_by: Mapped[str | None] = mapped_column(ForeignKey("member.id", ondelete="SET NULL"))
    expires: Mapped[int]
    used_at: Mapped[int | None]


class Room(Base):
    """A waiting room with its own link."""

    __tablename__ = "room"
    __table_args__ = (UniqueConstraint("clinic_id", "slug"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id", ondelete="CASCADE"))
    slug: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(120))
    owner_id: Mapped[str | None] = mapped_column(ForeignKey("member.id", ondelete="SET NULL"))  #: none: shared
    media: Mapped[str] = mapped_column(String(8), default="video")
    passcode_hash: Mapped[str | None] = mapped_column(String(200))
    content: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created: Mapped[int] = mapped_column(default=now)


class RoomMember(Base):
    """Who serves a room besides its owner and the clinic's owners and admins."""

    __tablename__ = "room_member"

    room_id: Mapped[str] = mapped_column(ForeignKey("room.id", ondelete="CASCADE"), primary_key=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), primary_key=True)


class Setting(Base):
    """What was set on a page rather than in housecall.toml."""

    __tablename__ = "setting"

    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id", ondelete="CASCADE"), primary_key=True)
    owner: Mapped[str] = mapped_column(String(64), primary_key=True)
    scope: Mapped[str] = mapped_column(String(8), primary_key=True)
    scope_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    values: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class PluginState(Base):
    """Whether a clinic has switched a plugin on."""

    __tablename__ = "plugin_state"

    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id", ondelete="CASCADE"), primary_key=True)
    plugin: Mapped[str] = mapped_column(String(64), primary_key=True)
    enabled: Mapped[bool]
    changed_by: Mapped[str | None] = mapped_column(ForeignKey("member.id", ondelete="SET NULL"))
    changed_at: Mapped[int]


class History(Base):
    """One ended visit, without a name; also what refuses its old ticket."""

    __tablename__ = "history"

    visit_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id", ondelete="CASCADE"))
    room_id: Mapped[str] = mapped_column(String(32), index=True)  #: no foreign key: outlives its room
    member_id: Mapped[str | None] = mapped_column(ForeignKey("member.id", ondelete="SET NULL"))
    arrived: Mapped[int]
    started: Mapped[int | None]
    ended: Mapped[int] = mapped_column(index=True)
    outcome: Mapped[str] = mapped_column(String(16))
    media: Mapped[str] = mapped_column(String(8))
    seats: Mapped[int] = mapped_column(Integer)


class Outbox(Base):
    """A message on its way out; `sealed` is empty once it has ended."""

    __tablename__ = "outbox"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(8))
    owner: Mapped[str] = mapped_column(String(64))  #: the plugin that posted it, or "core"
    due: Mapped[int] = mapped_column(index=True)
    expires: Mapped[int]
    tries: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(16))
    sealed: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(String(400))
    reference: Mapped[str] = mapped_column(String(64))  #: SHA-256 of the carrier's own id
    changed: Mapped[int]


class Audit(Base):
    """What members changed; each row holds the hash of the one before."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinic.id", ondelete="CASCADE"), index=True)
    at: Mapped[int]
    actor_id: Mapped[str | None] = mapped_column(String(32))
    action: Mapped[str] = mapped_column(String(40))
    object: Mapped[str] = mapped_column(String(80))
    outcome: Mapped[str] = mapped_column(String(16))
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
