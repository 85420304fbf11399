"""Logins: one row for each browser in which a member is signed in; the browser has a token, we its hash."""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
from collections.abc import Callable

from sqlalchemy import delete, select

from .database import db, write
from .models import Login, Member, now

ABSOLUTE = 12 * 3600 * 1000  #: ms that a login lasts at most
IDLE = 30 * 60 * 1000  #: ms without use after which it ends
TOUCH = 60 * 1000  #: ms between two notes of use

on_revoked: list[Callable[[str], None]] = []  #: called with the hash of each login that is ended
#: Called with clinic, member and the hash of a login that somebody ends; an empty one means every login ever made.
on_signed_out: list[Callable[[str, str, str], None]] = []

_BROWSERS = (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def digest(token: str) -> str:
    """What we keep of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def start(member_id: str, method: str, *, agent: str, address: str) -> str:
    """Sign a member in; the answer is the token for the cookie, which is stored nowhere."""
    token, at = secrets.token_urlsafe(32), now()
    with write() as session:
        session.add(
            Login(
                token_sha256=digest(token),
                member_id=member_id,
                method=method,
                created=at,
                seen=at,
                expires=at + ABSOLUTE,
                agent=family(agent),
                ip_prefix=network(address),
            )
        )
    return token


def find(token: str, *, in_call: bool = False) -> Login | None:
    """The login behind a token, if it is still good; notes that it was used. In a call it never times out."""
    login = db.session.get(Login, digest(token))
    return login if login is not None and _use(login, in_call) else None


def still_good(token_sha256: str, *, in_call: bool = False) -> bool:
    """Whether a login that is in use by an open page may go on; counts as use."""
    login = db.session.get(Login, token_sha256)
    return login is not None and _use(login, in_call)


def _use(login: Login, in_call: bool) -> bool:
    at = now()
    if not in_call and (at >= login.expires or at - login.seen >= IDLE):
        return False
    if at - login.seen >= TOUCH:
        with write() as session:
            if row := session.get(Login, login.token_sha256):
                row.seen = at
    return True


def listing(member_id: str) -> list[Login]:
    """Where a member is signed in, the latest use first."""
    at = now()
    query = select(Login).where(Login.member_id == member_id, Login.expires > at, Login.seen > at - IDLE)
    return list(db.session.scalars(query.order_by(Login.seen.desc())))


def revoke(token_sha256: str) -> None:
    """End a login, and let everybody know who holds something open for it."""
    member_id = db.session.scalar(select(Login.member_id).where(Login.token_sha256 == token_sha256))
    _end(token_sha256)
    if member_id:
        _signed_out(member_id, token_sha256)


def revoke_all(member_id: str) -> None:
    """End all logins of a member; what was set up by one that has run out since is ended, too."""
    for token_sha256 in list(db.session.scalars(select(Login.token_sha256).where(Login.member_id == member_id))):
        _end(token_sha256)
    _signed_out(member_id, "")


def _end(token_sha256: str) -> None:
    with write() as session:
        session.execute(delete(Login).where(Login.token_sha256 == token_sha256))
    for tell in on_revoked:
        tell(token_sha256)


def _signed_out(member_id: str, token_sha256: str) -> None:
    clinic_id = db.session.scalar(select(Member.clinic_id).where(Member.id == member_id))
    if clinic_id is not None:
        for tell in on_signed_out:
            tell(clinic_id, member_id, token_sha256)


def family(agent: str) -> str:
    """Such as "Firefox, Linux": product names, the same in every language.

    Enough to recognise one's own browser, too little to follow anybody.
    """
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    return ", ".join(filter(None, (browser, system)))


def network(address: str) -> str:
    """The first three bytes of an IPv4 address, the first six of an IPv6 one."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return ""
    return str(ipaddress.ip_network((ip, 24 if ip.version == 4 else 48), strict=False))
