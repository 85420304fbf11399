"""What a plugin may use: the house's own frame, who is signed in, where, its settings, what it seals, who waits."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jinja2
from flask import current_app, g, has_request_context, render_template, request
from flask_login import current_user
from markupsafe import Markup

from ..clinics import limits, sealing
from ..clinics.database import db
from ..clinics.logins import family
from ..clinics.members import shown_name
from ..extending import settings as stored
from ..extending.registry import Plugin
from ..visits import VisitView
from . import slots
from .guard import admins_only, members_only, webhook
from .house import house
from .say import EventContext

__all__ = [
    "SignedIn",
    "Usage",
    "admins_only",
    "clinic_id",
    "clinic_name",
    "fingerprint",
    "in_visit",
    "member",
    "members_only",
    "page",
    "queue",
    "reconsider",
    "seal",
    "settings",
    "unseal",
    "usage",
    "webhook",
]


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """The member of the clinic who asks for a page."""

    id: str
    name: str  #: as patients read it
    role: str  #: "owner", "admin", "provider" or "staff"
    login: str  #: the id of this browser's login, as `signed_out` tells it; it opens nothing
    browser: str  #: such as "Firefox, Linux"


@dataclass(frozen=True, kw_only=True)
class Usage:
    """How much a clinic has of what plugins may limit (hook `allow`)."""

    members: int  #: accounts that can sign in
    rooms: int
    plugins: Mapping[str, str]  #: those whose switches are the clinic's own: id to name, in the reader's language
    on: frozenset[str]  #: those of them that are switched on, held back or not


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


def member() -> SignedIn | None:
    """Who is signed in here, or None: then it is a visitor."""
    if not has_request_context() or not current_user.is_authenticated:
        return None
    found = current_user.member
    browser = family(request.headers.get("User-Agent", ""))
    return SignedIn(id=found.id, name=shown_name(found), role=found.role, login=current_user.login, browser=browser)


def settings(plugin: str, *, clinic: str = "", room: str = "", member: str = "") -> dict[str, Any]:
    """A plugin's settings as they hold in a clinic (this request's where none is named), typed, secrets included.

    Settings of rooms and of members are among them where the room or the member is named. Raises KeyError for a
    plugin that is not loaded. What is secret stays on the server: give it to no template and to no answer. Those of
    "core" are how the practice is reached: those of email, phone, address and emergency that housecall.toml names.
    """
    if plugin == "core":
        return dict(house().site.clinics[clinic or clinic_id()].core)
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


def in_visit(plugin: str, visit: str) -> EventContext | None:
    """What a handler of events is given, of a visit that goes on, for what happens outside of it: an answer has come
    from elsewhere. Nobody is its sender. None where the visit has ended, this server has not heard of it yet, or the
    plugin is off there.
    """
    found = house().visits.get(visit)
    own = house().registry.get(found.clinic, plugin) if found else None
    return house().gate.context(own, found) if found and own else None


def queue(clinic: str, room: str = "") -> list[VisitView]:
    """The visits of a clinic, or of one of its rooms, that have not ended, first come first: without a name."""
    visits = house().visits
    found = visits.room(room) if room else [v for v in visits.store.all() if v.state != "ended"]
    own = sorted((v for v in found if v.clinic == clinic), key=lambda v: (v.arrived, v.id))
    return [visits.view(visit) for visit in own]


def usage(clinic: str) -> Usage:
    """How much a clinic has of what may be limited."""
    registry = house().registry
    own = registry.limitable(clinic)
    return Usage(
        members=limits.count(db.session, clinic, "members"),
        rooms=limits.count(db.session, clinic, "rooms"),
        plugins={plugin.id: slots.words(plugin)(plugin.own.name) for plugin in own},
        on=frozenset(p.id for p in own if registry.is_on(clinic, p.id) or (clinic, p.id) in registry.withheld),
    )


def reconsider(clinic: str) -> None:
    """What plugins allow a clinic has changed: ask them again which plugins it may have on. Pages follow at once."""
    house().registry.reconsider(clinic)
