"""One-time links: invitations in the database; all others (reset, an address, the demo) signed, without a row."""

from __future__ import annotations

import hashlib
import secrets

from itsdangerous import BadData, URLSafeSerializer, URLSafeTimedSerializer
from sqlalchemy import select

from . import audit
from .database import db, write
from .logins import digest
from .members import ROLES
from .models import Invitation, Member, now
from .refused import Refused

LIFETIME = 7 * 24 * 3600 * 1000  #: ms of an invitation
RESET = 3600  #: seconds of a reset link, and of one that shows whose an address is


def make(clinic_id: str, role: str, *, made_by: str | None) -> str:
    """A token that makes one account of `role`; owners are invited by owners (or the command line) only."""
    if role not in ROLES:
        raise Refused(role="invalid")
    maker = db.session.get(Member, made_by) if made_by else None
    if role == "owner" and maker is not None and maker.role != "owner":
        raise Refused(role="forbidden")
    token = secrets.token_urlsafe(32)
    with write() as session:
        session.add(
            Invitation(
                token_sha256=digest(token), clinic_id=clinic_id, role=role, made_by=made_by, expires=now() + LIFETIME
            )
        )
        audit.add(session, clinic_id, actor=made_by, action="invitation.make", object=role)
    return token


def find(token: str) -> Invitation | None:
    """The invitation behind a token, if it can still be used; looking uses nothing up."""
    row = db.session.get(Invitation, digest(token))
    return row if row is not None and row.used_at is None and row.expires > now() else None


def open(clinic_id: str) -> list[Invitation]:
    """Invitations that nobody has used yet."""
    query = select(Invitation).where(
        Invitation.clinic_id == clinic_id, Invitation.used_at.is_(None), Invitation.expires > now()
    )
    return list(db.session.scalars(query.order_by(Invitation.expires)))


def sign_up_token(secret: bytes, clinic_id: str, email: str) -> str:
    """Shows that whoever has it reads the mail of an address: with it an account is made where sign-up is open."""
    return str(URLSafeTimedSerializer(secret, salt="sign-up").dumps([clinic_id, email]))


def sign_up_address(secret: bytes, token: str, clinic_id: str) -> str | None:
    """The address that a sign-up link of this clinic is for."""
    found = _signed(secret, "sign-up", token, 2)
    return found[1] if found and found[0] == clinic_id else None


def address_token(secret: bytes, member: Member, email: str) -> str:
    """Gives a member a new address. Bound to the present one: once that has changed, the link is worth nothing."""
    return str(URLSafeTimedSerializer(secret, salt="address").dumps([member.id, member.email, email]))


def address_change(secret: bytes, token: str) -> tuple[Member, str] | None:
    """Who gets which address by a link."""
    found = _signed(secret, "address", token, 3)
    member = db.session.get(Member, found[0]) if found else None
    if not found or member is None or member.disabled_at is not None or member.email != found[1]:
        return None
    return member, found[2]


def _signed(secret: bytes, salt: str, token: str, parts: int) -> list[str] | None:
    """What a signed link holds: so many texts."""
    try:
        found = URLSafeTimedSerializer(secret, salt=salt).loads(token, max_age=RESET)
    except BadData:
        return None
    right = isinstance(found, list) and len(found) == parts and all(isinstance(each, str) for each in found)
    return found if right else None


def reset_token(secret: bytes, member: Member) -> str:
    """Bound to the present password: once that has changed, the link is worth nothing."""
    return str(URLSafeTimedSerializer(secret, salt="reset").dumps([member.id, _mark(member)]))


def reset_member(secret: bytes, token: str) -> Member | None:
    found = _signed(secret, "reset", token, 2)
    member = db.session.get(Member, found[0]) if found else None
    return member if found and member and member.disabled_at is None and found[1] == _mark(member) else None


def _mark(member: Member) -> str:
    return hashlib.sha256((member.password_hash or "none").encode()).hexdigest()[:16]


def demo_token(secret: bytes, member_id: str) -> str:
    """Signs in as often as one likes; servers that are no demo refuse it."""
    return str(URLSafeSerializer(secret, salt="demo").dumps(member_id))


def demo_member(secret: bytes, token: str) -> Member | None:
    try:
        return db.session.get(Member, URLSafeSerializer(secret, salt="demo").loads(token))
    except BadData:
        return None
