"""One-time links: invitations in the database; reset and demo links signed, without a row."""

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
RESET = 3600  #: seconds of a reset link


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


def reset_token(secret: bytes, member: Member) -> str:
    """Bound to the present password: once that has changed, the link is worth nothing."""
    return str(URLSafeTimedSerializer(secret, salt="reset").dumps([member.id, _mark(member)]))


def reset_member(secret: bytes, token: str) -> Member | None:
    try:
        member_id, mark = URLSafeTimedSerializer(secret, salt="reset").loads(token, max_age=RESET)
    except (BadData, ValueError, TypeError):
        return None
    member = db.session.get(Member, member_id)
    return member if member and member.disabled_at is None and mark == _mark(member) else None


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
