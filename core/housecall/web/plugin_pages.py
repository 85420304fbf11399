"""What a plugin may use: the house's own frame, who is signed in, where, its settings, what it seals, who waits."""

from __future__ import annotations

import functools
import re
import secrets
from dataclasses import dataclass
from typing import Any

import jinja2
from flask import current_app, g, has_request_context, render_template, request
from flask_login import current_user
from markupsafe import Markup

from .. import clinics
from ..clinics import sealing
from ..clinics.members import shown_name
from ..clinics.models import Room
from ..extending import settings as stored
from ..extending.registry import Plugin
from ..visits import Invite, VisitView
from . import slots
from .guard import admins_only, members_only, webhook
from .house import house
from .letters import address

__all__ = [
    "Contact",
    "RoomView",
    "SignedIn",
    "VisitLink",
    "admins_only",
    "clinic_id",
    "clinic_name",
    "contact",
    "find_room",
    "fingerprint",
    "member",
    "members_only",
    "page",
    "queue",
    "rooms",
    "seal",
    "settings",
    "unseal",
    "visit_link",
    "webhook",
]

LINK_LIFETIME = 400 * 86_400_000  #: ms that a link may live at most; history, which refuses a used one, lives longer


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """The member of the clinic who asks for a page."""

    id: str
    name: str  #: as patients read it
    role: str  #: "owner", "admin", "provider" or "staff"


@dataclass(frozen=True, kw_only=True)
class Contact:
    """How to reach the practice whose page is asked for."""

    url: str  #: of its front page, without a slash at its end
    email: str  #: as in housecall.toml; each of these may be empty
    phone: str


@dataclass(frozen=True, kw_only=True)
class RoomView:
    """A waiting room."""

    id: str
    slug: str
    name: str
    media: str  #: "video" or "audio"
    passcode: bool  #: whether one is needed to check in


@dataclass(frozen=True, kw_only=True)
class VisitLink:
    """A link that opens one visit. `id` is that visit's, and no secret; `url` is."""

    id: str
    url: str


def page(template: str, **context: Any) -> str:
    """A template of the plugin whose blueprint serves this request; `{% extends "base.html" %}` puts it in our frame.

    Templates and assets are looked for in the plugin's folder first, then in the house's. `_` speaks the plugin's
    catalogue, then ours. `plugin` is its id; what all pages of the house know, it knows too. Raises RuntimeError
    outside of a plugin's own pages, and jinja2.TemplateNotFound.
    """
    plugin = _serving()
    say, own, ours = slots.words(plugin), house().assets_of(plugin), house().assets

    def gettext(english: str, **values: Any) -> Markup:
        words = Markup(say(english))  # noqa: S704  a catalogue is trusted as a template is
        return words % values if values else words

    def asset(name: str) -> str:
        return (own if name in own.files else ours).url(name)

    found = _templates(current_app._get_current_object(), str(plugin.folder / "templates")).get_template(template)  # type: ignore[attr-defined]
    return render_template(found, **{"plugin": plugin.id, "gettext": gettext, "asset": asset, **context})


@functools.cache
def _templates(app: Any, folder: str) -> jinja2.Environment:
    """The house's environment with a plugin's templates before ours; Jinja caches by name, so each has its own."""
    loader = jinja2.ChoiceLoader([jinja2.FileSystemLoader(folder), app.jinja_loader])
    made: jinja2.Environment = app.jinja_env.overlay(loader=loader)
    return made


def _serving() -> Plugin:
    """The plugin whose page this is: blueprints of plugins are named `plugin.<id>.<number>`."""
    kind, _, rest = (request.blueprint or "" if has_request_context() else "").partition(".")
    if kind != "plugin":
        raise RuntimeError("page() makes a plugin's own pages: call it in a view of the plugin's blueprint")
    return house().registry.by_id[rest.rpartition(".")[0]]


def clinic_id() -> str:
    """The id of the clinic whose page is asked for. Hooks, jobs and handlers are told theirs."""
    if not has_request_context() or g.get("clinic") is None:
        raise RuntimeError("there is no request here; a hook, a job and a handler are given their clinic")
    return str(g.clinic.id)


def contact() -> Contact:
    """The addresses of the practice whose page is asked for."""
    core = house().site.clinics[clinic_id()].core
    return Contact(url=_front(), email=core.get("email", ""), phone=core.get("phone", ""))


def _front() -> str:
    """The address of housecall.toml; where it has none, that by which the member has come."""
    return address(clinic_id()) if house().site.url else request.url_root.rstrip("/")


def rooms() -> list[RoomView]:
    """The rooms that the signed-in member may serve, the own ones first; none for a visitor."""
    found = clinics.members.rooms_of(current_user.member) if current_user.is_authenticated else []
    return [_room(room) for room in found]


def find_room(slug: str) -> RoomView | None:
    """The room of this clinic at an address, whoever asks."""
    room = clinics.rooms.find(clinic_id(), slug)
    return _room(room) if room else None


def _room(room: Room) -> RoomView:
    return RoomView(
        id=room.id, slug=room.slug, name=room.name, media=room.media, passcode=room.passcode_hash is not None
    )


def visit_link(room: RoomView, *, expires: int, opens: int = 0, passes: bool = False, id: str = "") -> VisitLink:
    """A link by which one visit to a room is checked in to; opening it uses nothing up (contracts §6).

    `opens` and `expires` are ms since 1970; `passes`: it needs no passcode. With the `id` of a link that nobody has
    come by, it opens the same visit: for an appointment that moves. Raises ValueError for an id of a visit that has
    begun, and for times that cannot be.
    """
    parts = house()
    if not opens < expires or not parts.now() < expires <= parts.now() + LINK_LIFETIME:
        raise ValueError("a link ends after it opens, later than now, and within 400 days")
    if id and (not re.fullmatch(r"[\w-]{22}", id, re.ASCII) or parts.visits.get(id) or clinics.history.exists(id)):
        raise ValueError(f"{id!r} is no link that nobody has come by")
    id = id or secrets.token_urlsafe(16)
    invite = Invite(c=clinic_id(), r=room.id, v=id, n=opens, x=expires, free=passes)
    return VisitLink(id=id, url=f"{_front()}/{room.slug}#i={parts.visits.invitation(invite)}")


def member() -> SignedIn | None:
    """Who is signed in here, or None: then it is a visitor."""
    if not has_request_context() or not current_user.is_authenticated:
        return None
    found = current_user.member
    return SignedIn(id=found.id, name=shown_name(found), role=found.role)


def settings(plugin: str, *, clinic: str = "", room: str = "", member: str = "") -> dict[str, Any]:
    """A plugin's settings as they hold in a clinic (this request's where none is named), typed, secrets included.

    Settings of rooms and of members are among them where the room or the member is named. Raises KeyError for a
    plugin that is not loaded. What is secret stays on the server: give it to no template and to no answer.
    """
    scopes = [(kind, each) for kind, each in (("room", room), ("member", member)) if each]
    manifest = house().registry.by_id[plugin].own
    return stored.values(house().site, clinic or clinic_id(), manifest, *scopes, secrets=True)


def clinic_name(clinic: str) -> str:
    """A clinic's name, as patients know it."""
    return house().site.clinics[clinic].name


def seal(place: str, plain: str) -> str:
    """A text that only this server can read again, and only from `place`: table, column and id of where it is kept."""
    return sealing.seal(house().site.secret, place, plain)


def unseal(place: str, sealed: str) -> str | None:
    """What was sealed there; None where it was sealed under another key or for another place, or was changed."""
    try:
        return sealing.unseal(house().site.secret, place, sealed)
    except sealing.Unsealable:
        return None


def fingerprint(place: str, plain: str) -> str:
    """64 hex digits, the same for the same text in the same place; nobody makes them without the server's key."""
    return sealing.fingerprint(house().site.secret, place, plain)


def queue(clinic: str, room: str = "") -> list[VisitView]:
    """The visits of a clinic, or of one of its rooms, that have not ended, first come first: without a name."""
    visits = house().visits
    found = visits.room(room) if room else [v for v in visits.store.all() if v.state != "ended"]
    own = sorted((v for v in found if v.clinic == clinic), key=lambda v: (v.arrived, v.id))
    return [visits.view(visit) for visit in own]
