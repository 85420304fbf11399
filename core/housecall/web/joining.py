"""The page of a guest: a link that opens one seat of one visit, a name, one button, and somebody lets them in."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, jsonify, make_response, request
from flask.typing import ResponseReturnValue

from ..clinics.models import Room
from ..visits import InUse, Invalid, Seated, VisitError
from . import slots
from .assets import squeezed
from .guard import cookie, set_cookie
from .house import house
from .ice import servers
from .language import lang
from .look import render, wear
from .messages import for_modules
from .pages import page_data
from .waiting import closed, given, guest_cookie, refused, room_or_404

pages = Blueprint("joining", __name__)


@pages.get("/<slug>/join")
def door(slug: str) -> ResponseReturnValue:
    """Uses nothing up: which seat it is for stands in the fragment, which no server and no link scanner sees."""
    room = room_or_404(slug)
    parts = house()
    wear((room.content or {}).get("theme"))
    page = page_data(
        guest=True,
        room={"id": room.id, "slug": room.slug, "name": room.name, "media": room.media},
        clinic={"name": g.clinic.name},
        me=_mine(room),
        ice=servers(parts.site.clinics[g.clinic.id].ice, parts.now()),
        parts=slots.described(("room", room.id)),
        modules=list(parts.assets.needs("js/visit.js")),
    )
    words = for_modules(lang())
    page["messages"] = {**words, "over": words["withdrawn"], "no_ticket": words["withdrawn"]}
    shown = {
        "role": "guest",
        "scopes": [("room", room.id)],
        "room": {"id": room.id, "slug": room.slug, "name": room.name},
    }
    contact = parts.site.clinics[g.clinic.id].core
    html = render("join.html", room=room, page=page, contact=contact, shown=shown, steps=[])
    return squeezed(html, "text/html")  # it shows nothing of what the request says


def _mine(room: Room) -> dict[str, Any] | None:
    """The seat of this browser's ticket."""
    try:
        ticket = house().visits.read_ticket(_ticket(room), clinic=g.clinic.id, room=room.id)
    except VisitError:
        return None
    return {"visit": ticket.v, "seat": ticket.p}


def _ticket(room: Room) -> str:
    return request.cookies.get(cookie(guest_cookie(room)), "")


@pages.post("/<slug>/join")
def join(slug: str) -> ResponseReturnValue:
    """Takes the seat: 201 `{visit}` and a ticket of its own; 409 where it or the browser is taken, 410 elsewhere."""
    room = room_or_404(slug)
    body = given(f"join {room.id}", "name", "lang", "link")
    try:
        visit, _, ticket = house().visits.join(
            str(body.get("link", "")), clinic=g.clinic.id, room=room.id, name=body.get("name", ""), ticket=_ticket(room)
        )
    except Invalid as error:
        return refused(error.fields)
    except (InUse, Seated) as error:
        return closed(error.code, 409)
    except VisitError:
        return closed("withdrawn", 410)
    response = make_response(jsonify(visit=visit.id), 201)
    set_cookie(response, guest_cookie(room), ticket)
    return response
