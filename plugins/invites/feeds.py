"""A member's calendar: an address that is the only key to it. The address is shown once; its hash is kept."""

import hashlib
import secrets

from sqlalchemy import select

from housecall import db, members_of, write

from .models import Feed
from .sent import now


def make(clinic, member):
    """A new address's secret part; the one before opens nothing any more."""
    token = secrets.token_urlsafe(24)
    with write() as session:
        row = session.get(Feed, member) or Feed(member_id=member, clinic_id=clinic)
        row.token_sha256, row.made = _hash(token), now()
        session.add(row)
    return token


def drop(member):
    """Nobody can follow this member's calendar any more."""
    with write() as session:
        if row := session.get(Feed, member):
            session.delete(row)


def of(member):
    """The feed of a member, or None."""
    return db.session.get(Feed, member)


def whose(clinic, token):
    """The id of the member whose calendar this is, or None; a member who is disabled has none."""
    mine = select(Feed.member_id).where(Feed.clinic_id == clinic, Feed.token_sha256 == _hash(token))
    found = db.session.scalar(mine)
    return found if found in [each.id for each in members_of(clinic)] else None


def _hash(token):
    return hashlib.sha256(token.encode()).hexdigest()
