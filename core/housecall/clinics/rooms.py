"""Rooms and their addresses."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from . import audit, images, limits, passwords, videos
from .database import Remembered, db, write
from .models import Member, Room
from .passwords import Offload
from .refused import Refused

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{1,38}[a-z0-9]")
MEDIA = ("video", "audio")
PASSCODE = (6, 64)  #: characters of a passcode, at least and at most
on_reassigned: list[Callable[[str], None]] = []  #: called with a clinic's id when other members may serve its rooms

_TITLES = {"dr", "prof", "mr", "mrs", "ms", "mx"}


@Remembered
def find(clinic_id: str, slug: str) -> Room | None:
    return db.session.scalar(select(Room).where(Room.clinic_id == clinic_id, Room.slug == slug))


def by_id(clinic_id: str, room_id: str) -> Room | None:
    """A room of this clinic by its id."""
    return db.session.scalar(select(Room).where(Room.clinic_id == clinic_id, Room.id == room_id))


def of(clinic_id: str) -> list[Room]:
    return list(db.session.scalars(select(Room).where(Room.clinic_id == clinic_id).order_by(Room.name)))


def create(
    clinic_id: str,
    *,
    slug: str,
    name: str,
    owner_id: str | None,
    media: str = "video",
    passcode_hash: str | None = None,
    reserved: Collection[str] = (),
    actor: str | None = None,
) -> Room:
    """Raises Refused(slug=..., name=..., media=..., owner=...). Whoever checks in needs the passcode of the hash."""
    with limits.one_more(clinic_id, "rooms", "name") as session:
        _check(session, clinic_id, slug, name, owner_id, media, reserved, room_id=None)
        room = Room(
            clinic_id=clinic_id,
            slug=slug,
            name=name.strip(),
            owner_id=owner_id,
            media=media,
            passcode_hash=passcode_hash,
        )
        session.add(room)
        session.flush()
        audit.add(session, clinic_id, actor=actor, action="room.create", object=room.id)
    reassigned(clinic_id)
    return room


def update(
    clinic_id: str,
    room_id: str,
    *,
    slug: str,
    name: str,
    owner_id: str | None,
    media: str,
    reserved: Collection[str],
    actor: str | None,
    passcode_hash: str | None = "",
    besides: Mapping[str, str] | None = None,
) -> None:
    """Change a room. Its old address stops to work at once. Raises Refused, also for `besides`: errors of its form.

    `passcode_hash`: of the new passcode, None for none, "" to leave it as it is.
    """
    with write() as session:
        room = session.get(Room, room_id)
        if room is None or room.clinic_id != clinic_id:
            raise Refused(room="unknown")
        _check(session, clinic_id, slug, name, owner_id, media, reserved, room_id=room_id, besides=besides)
        room.slug, room.name, room.owner_id, room.media = slug, name.strip(), owner_id, media
        if passcode_hash != "":
            room.passcode_hash = passcode_hash
        audit.add(session, clinic_id, actor=actor, action="room.update", object=room.id)
    reassigned(clinic_id)


def hash_passcode(passcode: str, *, offload: Offload) -> str:
    """What is kept of a passcode. Raises Refused(passcode=...) for one that is too short, too long, or all the same."""
    if not PASSCODE[0] <= len(passcode) <= PASSCODE[1] or len(set(passcode)) < 3:
        raise Refused(passcode="passcode_short")
    return passwords.hash(passcode, offload=offload)


def reassigned(clinic_id: str) -> None:
    """To be called after every change of who may serve which room: of a role, a room's owner, or `room_member`."""
    for tell in on_reassigned:
        tell(clinic_id)


def set_content(
    clinic_id: str,
    room_id: str,
    content: dict[str, Any],
    *,
    picture: bytes | None,
    video: bytes | None = None,
    offload: Offload,
    actor: str | None,
) -> None:
    """What the waiting room shows; with `picture` or `video`, new ones, encoded anew.

    Raises Refused(photo=...) or Refused(video=...).
    """
    new: dict[str, images.Encoded] = {}
    if picture is not None:
        new["image"] = images.encode(picture, offload=offload, side=images.LARGE)
    if video is not None:
        new["video"], new["poster"] = videos.encode(video)
    with write() as session:
        room = session.get(Room, room_id)
        if room is None or room.clinic_id != clinic_id:
            raise Refused(room="unknown")
        kept = {**content, **{name: images.add(session, clinic_id, encoded) for name, encoded in new.items()}}
        for name in ("image", "video", "poster"):
            before = (room.content or {}).get(name, "")
            if before and before != kept.get(name):
                images.drop(session, before)
        room.content = kept
        audit.add(session, clinic_id, actor=actor, action="room.content", object=room.id)


def _check(
    session: Session,
    clinic_id: str,
    slug: str,
    name: str,
    owner_id: str | None,
    media: str,
    reserved: Collection[str],
    *,
    room_id: str | None,
    besides: Mapping[str, str] | None = None,
) -> None:
    wrong = dict(besides or {})
    if code := slug_problem(session, clinic_id, slug, reserved, room_id=room_id):
        wrong["slug"] = code
    if not name.strip():
        wrong["name"] = "required"
    elif len(name.strip()) > 120:
        wrong["name"] = "too_long"
    if media not in MEDIA:
        wrong["media"] = "invalid"
    if owner_id:
        owner = session.get(Member, owner_id)
        if owner is None or owner.clinic_id != clinic_id:
            wrong["owner"] = "unknown"
    if wrong:
        raise Refused(**wrong)


def slug_problem(
    session: Session | Any, clinic_id: str, slug: str, reserved: Collection[str], *, room_id: str | None
) -> str | None:
    """The code of what is wrong with a slug, or None."""
    if not SLUG.fullmatch(slug):
        return "slug"
    if slug in reserved:
        return "reserved"
    other = session.scalar(select(Room.id).where(Room.clinic_id == clinic_id, Room.slug == slug))
    return "taken" if other is not None and other != room_id else None


def suggest(session: Session, clinic_id: str, name: str, reserved: Collection[str]) -> str:
    """A free slug for a name: "Dr Ada Smith" gives drsmith, then dradasmith, then drsmith-2 and so on."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = [w for w in re.split(r"[^a-z0-9]+", plain) if w] or ["room"]
    title = [w for w in words if w in _TITLES][:1]
    names = [w for w in words if w not in _TITLES] or ["room"]
    wanted = ["".join([*title, names[-1]]), "".join([*title, *names]), *(f"{names[-1]}-{n}" for n in range(2, 1000))]
    for slug in wanted:
        slug = slug[:40].strip("-")
        if slug_problem(session, clinic_id, slug, reserved, room_id=None) is None:
            return slug
    raise Refused(slug="taken")
