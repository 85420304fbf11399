"""The device check of a room: a rehearsal on any day, which makes nothing and keeps nothing on the server."""

from __future__ import annotations

from flask import Blueprint, abort, g, jsonify, request
from flask.typing import ResponseReturnValue

from .. import clinics
from . import ice
from .assets import squeezed
from .house import house
from .look import render, wear
from .pages import page_data
from .rates import Buckets
from .waiting import room_or_404

BY_NETWORK = Buckets(rate=1 / 10, burst=12)  #: tests of the relay: a person tries again, a script for ever
IN_A_ROOM = Buckets(rate=1, burst=60)

pages = Blueprint("check", __name__)


@pages.get("/<slug>/check")
def page(slug: str) -> ResponseReturnValue:
    """Creates nothing, like the room's own page."""
    room = room_or_404(slug)
    wear((room.content or {}).get("theme"))
    data = page_data(room={"slug": room.slug, "media": room.media})
    return squeezed(render("check.html", room=room, page=data), "text/html")  # it shows nothing of the request


@pages.post("/<slug>/check")
def servers(slug: str) -> ResponseReturnValue:
    """The practice's relays, with credentials for one test: `{servers, until}`."""
    room, network = room_or_404(slug), clinics.logins.network(request.remote_addr or "")
    if not (BY_NETWORK.take(f"{g.clinic.id} {network}") and IN_A_ROOM.take(room.id)):
        abort(429)
    parts = house()
    return jsonify(ice.servers(ice.apart(parts.site.clinics[g.clinic.id].ice), parts.now(), lifetime=ice.CHECK))
