"""Members: people with an account in a clinic, their roles and their profiles."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError

from ..message import EMAIL
from . import audit, images, limits, logins, passwords, provider_numbers, rooms
from .database import db, write
from .models import Invitation, Member, Room, RoomMember, now
from .passwords import Offload
from .refused import Refused

ROLES = ("owner", "admin", "provider", "staff")

#: Each field of the profile that a member types, and its longest value.
LENGTHS = {
    "first_name": 80,
    "last_name": 80,
    "display_name": 120,
    "title": 40,
    "specialty": 120,
    "position": 120,
    "states_licensed": 200,
    "mobile": 40,
}


def _inline(function: Any, *args: Any) -> Any:
    return function(*args)


def by_id(member_id: str) -> Member | None:
    return db.session.get(Member, member_id)


def by_email(clinic_id: str, email: str) -> Member | None:
    return db.session.scalar(select(Member).where(Member.clinic_id == clinic_id, Member.email == email.strip().lower()))


def of(clinic_id: str) -> list[Member]:
    """A clinic's members by name, disabled ones last."""
    query = select(Member).where(Member.clinic_id == clinic_id)
    return list(db.session.scalars(query.order_by(Member.disabled_at.isnot(None), Member.last_name, Member.first_name)))


def shown_name(member: Member) -> str:
    """How patients see a member."""
    return member.display_name or " ".join(filter(None, (member.title, member.first_name, member.last_name)))


def rooms_of(member: Member) -> list[Room]:
    """The rooms that a member may serve: all for owners and admins, else own ones and those one is listed in."""
    query = select(Room).where(Room.clinic_id == member.clinic_id)
    if member.role not in ("owner", "admin"):
        listed = select(RoomMember.room_id).where(RoomMember.member_id == member.id)
        query = query.where(or_(Room.owner_id == member.id, Room.id.in_(listed)))
    return list(db.session.scalars(query.order_by(Room.owner_id != member.id, Room.name)))


def has_own_room(clinic_id: str, role: str) -> bool:
    """Whether a new member of this role gets a waiting room: not where there may be no more."""
    return role != "staff" and not limits.refusal(clinic_id, "rooms")


def create(
    clinic_id: str,
    *,
    email: str,
    first_name: str,
    last_name: str,
    role: str,
    password: str | None,
    offload: Offload = _inline,
) -> Member:
    """A new member, without asking who may make one. Raises Refused."""
    values = _clean({"email": email, "first_name": first_name, "last_name": last_name})
    hashed = passwords.hash(password, offload=offload) if password is not None else None
    with limits.one_more(clinic_id, "members", "email") as session:
        member = Member(clinic_id=clinic_id, role=role, password_hash=hashed, **values)
        _add(session, member)
    return member


def join(
    clinic_id: str,
    *,
    role: str,
    email: str,
    first_name: str,
    last_name: str,
    password: str,
    adult: bool,
    invitation: str | None,
    reserved: Collection[str],
    offload: Offload,
) -> Member:
    """Sign-up: the member and, of most roles, a room of their own where there may be one more; uses up `invitation`.

    Raises Refused with all mistakes.
    """
    wrong: dict[str, str] = {}
    values: dict[str, Any] = {}
    try:
        values = _clean({"email": email, "first_name": first_name, "last_name": last_name})
    except Refused as refused:
        wrong |= refused.fields
    try:
        passwords.accept(password, email, first_name, last_name)
    except Refused as refused:
        wrong |= refused.fields
    if not adult:
        wrong["adult"] = "adult"
    if "email" not in wrong and by_email(clinic_id, email):
        wrong["email"] = "taken"
    if wrong:
        raise Refused(**wrong)
    hashed = passwords.hash(password, offload=offload)
    own_room = has_own_room(clinic_id, role)
    with limits.one_more(clinic_id, "members", "email") as session:
        if invitation:
            row = session.get(Invitation, logins.digest(invitation))
            if row is None or row.used_at is not None or row.expires <= now() or row.clinic_id != clinic_id:
                raise Refused(email="used")
            row.used_at = now()
        member = Member(clinic_id=clinic_id, role=role, password_hash=hashed, adult_at=now(), **values)
        _add(session, member)
        if own_room:
            slug = rooms.suggest(session, clinic_id, shown_name(member), reserved)
            session.add(Room(clinic_id=clinic_id, slug=slug, name=shown_name(member), owner_id=member.id))
        audit.add(session, clinic_id, actor=member.id, action="member.join", object=member.id)
    rooms.reassigned(clinic_id)
    return member


def _add(session: Any, member: Member) -> None:
    session.add(member)
    try:
        session.flush()
    except IntegrityError:
        raise Refused(email="taken") from None


def check_password(clinic_id: str, email: str, password: str, *, offload: Offload) -> Member | None:
    """The member behind an address and a password, or None, as slowly for an unknown address as for a known one."""
    member = by_email(clinic_id, email)
    stored = member.password_hash if member else None
    if not passwords.check(stored, password, offload=offload):
        return None
    if member is None or member.disabled_at is not None:
        return None
    if stored and passwords.needs_rehash(stored):
        _store_hash(member.id, passwords.hash(password, offload=offload))
    return member


def set_password(member_id: str, password: str, *, offload: Offload) -> None:
    """A new password, when it is good enough. Raises Refused."""
    member = by_id(member_id)
    if member is None:
        raise Refused(password="used")
    passwords.accept(password, member.email, member.first_name, member.last_name)
    _store_hash(member_id, passwords.hash(password, offload=offload))


def address(typed: str) -> str:
    """An address as it is kept. Raises Refused(email=...)."""
    return str(_clean({"email": typed})["email"])


def is_free(clinic_id: str, email: str) -> None:
    """Raises Refused(email="taken") where somebody in the clinic has an address."""
    if by_email(clinic_id, email):
        raise Refused(email="taken")


def change_address(member_id: str, email: str) -> None:
    """Another address to sign in by. Raises Refused where somebody else has got it in the meantime."""
    with write() as session:
        member = session.get_one(Member, member_id)
        member.email = email
        try:
            session.flush()
        except IntegrityError:
            raise Refused(email="taken") from None
        audit.add(session, member.clinic_id, actor=member_id, action="member.address", object=member_id)


def _store_hash(member_id: str, hashed: str) -> None:
    with write() as session:
        session.get_one(Member, member_id).password_hash = hashed


def update(member_id: str, values: Mapping[str, Any]) -> None:
    """Change profile fields. Raises Refused; then nothing is changed."""
    save_profile(member_id, {**values}, slugs={}, photo=None, drop_photo=False, reserved=(), offload=_inline)


def save_profile(
    member_id: str,
    values: Mapping[str, Any],
    *,
    slugs: Mapping[str, str],
    photo: bytes | None,
    drop_photo: bool,
    reserved: Collection[str],
    offload: Offload,
    besides: Mapping[str, str] | None = None,
) -> None:
    """The whole profile in one step: fields, own rooms' slugs (by room id), photo. Raises Refused; all or nothing.

    `besides` are errors of the same form that were found elsewhere.
    """
    wrong = dict(besides or {})
    clean: dict[str, Any] = {}
    try:
        clean = _clean(values)
    except Refused as refused:
        wrong |= refused.fields
    picture = None
    if photo is not None:
        try:
            picture = images.encode(photo, offload=offload)
        except Refused as refused:
            wrong |= refused.fields
    with write() as session:
        member = session.get_one(Member, member_id)
        for room_id, slug in slugs.items():
            room = session.get(Room, room_id)
            if room is None or room.owner_id != member_id:
                wrong[f"slug-{room_id}"] = "invalid"
            elif code := rooms.slug_problem(session, member.clinic_id, slug, reserved, room_id=room_id):
                wrong[f"slug-{room_id}"] = code
            else:
                room.slug = slug
        email = clean.get("email")
        if email and email != member.email:
            taken = select(Member.id).where(Member.clinic_id == member.clinic_id, Member.email == email)
            if session.scalar(taken):
                wrong["email"] = "taken"
        if wrong:
            raise Refused(**wrong)
        for name, value in clean.items():
            setattr(member, name, value)
        if picture is not None or drop_photo:
            images.drop(session, member.image_id)
            member.image_id = images.add(session, member.clinic_id, picture) if picture is not None else None


def _clean(values: Mapping[str, Any]) -> dict[str, Any]:
    """Profile fields as they are stored; unknown names are refused."""
    clean: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for name, value in values.items():
        if name == "email":
            clean[name] = str(value).strip().lower()
            if not clean[name]:
                wrong[name] = "required"
            elif len(clean[name]) > 254 or not EMAIL.fullmatch(clean[name]):
                wrong[name] = "email"
        elif name == "provider_number":
            try:
                clean[name] = provider_numbers.check(str(value)).text if str(value).strip() else ""
            except ValueError:
                wrong[name] = "provider_number"
        elif name in LENGTHS:
            clean[name] = " ".join(str(value).split())
            if len(clean[name]) > LENGTHS[name]:
                wrong[name] = "too_long"
            elif not clean[name] and name in ("first_name", "last_name"):
                wrong[name] = "required"
            elif name == "mobile" and clean[name] and not re.fullmatch(r"\+?[0-9 ()/.-]{5,}", clean[name]):
                wrong[name] = "phone"
        elif name == "service_mail":
            clean[name] = bool(value)
        else:
            wrong[name] = "unknown"
    if wrong:
        raise Refused(**wrong)
    return clean


def set_role(clinic_id: str, member_id: str, role: str, *, actor: str) -> None:
    """Raises Refused for an unknown role, and where the clinic would be left without an owner."""
    if role not in ROLES:
        raise Refused(role="invalid")
    with write() as session:
        member = _in_clinic(session, clinic_id, member_id, actor)
        if member.role == "owner" and role != "owner":
            _keep_an_owner(session, member)
        member.role = role
        audit.add(session, clinic_id, actor=actor, action=f"member.role.{role}", object=member_id)
    rooms.reassigned(clinic_id)


def set_disabled(clinic_id: str, member_id: str, disabled: bool, *, actor: str) -> None:
    """A disabled member is signed out everywhere and cannot sign in; history keeps its rows. Raises Refused."""
    found = by_id(member_id)
    comes_back = not disabled and found is not None and found.disabled_at is not None
    with limits.one_more(clinic_id, "members", "member") if comes_back else write() as session:
        member = _in_clinic(session, clinic_id, member_id, actor)
        if disabled and member.role == "owner":
            _keep_an_owner(session, member)
        member.disabled_at = now() if disabled else None
        audit.add(
            session, clinic_id, actor=actor, action=f"member.{'disable' if disabled else 'enable'}", object=member_id
        )
    if disabled:
        logins.revoke_all(member_id)


def _in_clinic(session: Any, clinic_id: str, member_id: str, actor: str) -> Member:
    member = session.get(Member, member_id)
    by = session.get(Member, actor)
    if member is None or member.clinic_id != clinic_id:
        raise Refused(member="unknown")
    if member.role == "owner" and (by is None or by.role != "owner"):
        raise Refused(member="forbidden")
    found: Member = member
    return found


def _keep_an_owner(session: Any, member: Member) -> None:
    others = select(Member.id).where(
        Member.clinic_id == member.clinic_id,
        Member.role == "owner",
        Member.disabled_at.is_(None),
        Member.id != member.id,
    )
    if session.scalar(others) is None:
        raise Refused(member="last_owner")
