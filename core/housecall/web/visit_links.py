"""Links that open one visit, as plugins make them; and how to reach the practice that they lead to."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

from flask import request

from .. import clinics
from ..visits import Invite
from .house import house
from .known import RoomView
from .letters import address
from .plugin_pages import clinic_id

LIFETIME = 400 * 86_400_000  #: ms that a link may live at most; history, which refuses a used one, lives longer
ID = re.compile(r"[\w-]{22}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Contact:
    """How to reach the practice whose page is asked for."""

    url: str  #: of its front page, without a slash at its end
    email: str  #: as in housecall.toml; each of these may be empty
    phone: str


@dataclass(frozen=True, kw_only=True)
class VisitLink:
    """A link that opens one visit. `id` is that visit's, and no secret; `url` is."""

    id: str
    url: str


def contact() -> Contact:
    """The addresses of the practice whose page is asked for.

    `url` is that of housecall.toml; where it has none, that by which the member has come.
    """
    site = house().site
    core = site.clinics[clinic_id()].core
    front = address(clinic_id()) if site.url else request.url_root.rstrip("/")
    return Contact(url=front, email=core.get("email", ""), phone=core.get("phone", ""))


def visit_link(room: RoomView, *, expires: int, opens: int = 0, passes: bool = False, id: str = "") -> VisitLink:
    """A link by which one visit to a room is checked in to; opening it uses nothing up (contracts §6).

    `opens` and `expires` are ms since 1970; `passes`: it needs no passcode. With the `id` of a link that nobody has
    come by, it opens the same visit: for an appointment that moves. Raises ValueError for an id of a visit that has
    begun, and for times that cannot be.
    """
    parts = house()
    if not opens < expires or not parts.now() < expires <= parts.now() + LIFETIME:
        raise ValueError("a link ends after it opens, later than now, and within 400 days")
    if id and (not ID.fullmatch(id) or parts.visits.get(id) or clinics.history.exists(id)):
        raise ValueError(f"{id!r} is no link that nobody has come by")
    id = id or secrets.token_urlsafe(16)
    invite = Invite(c=clinic_id(), r=room.id, v=id, n=opens, x=expires, free=passes)
    return VisitLink(id=id, url=f"{contact().url}/{room.slug}#i={parts.visits.invitation(invite)}")
