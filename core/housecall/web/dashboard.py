"""A member's page from queue to after-call, in one document; and the list of past visits."""

from __future__ import annotations

from flask import Blueprint, g, request
from flask.typing import ResponseReturnValue

from .. import clinics
from . import slots
from .guard import me, members_only
from .house import house
from .ice import servers
from .look import render
from .pages import page_data

pages = Blueprint("dashboard", __name__)


@pages.get("/dashboard")
@members_only
def dashboard() -> ResponseReturnValue:
    parts, rooms = house(), clinics.members.rooms_of(me())
    page = page_data(
        member={"id": me().id, "name": clinics.members.shown_name(me())},
        rooms=[
            {
                "id": room.id,
                "slug": room.slug,
                "name": room.name,
                "media": room.media,
                "link": f"{request.url_root}{room.slug}",
            }
            for room in rooms
        ],
        ice=servers(parts.site.clinics[g.clinic.id].ice, parts.now()),
        parts=slots.described(("member", me().id), rooms=[room.id for room in rooms]),
    )
    shown = {
        "role": "provider",
        "scopes": [("member", me().id)],
        "member": {"id": me().id, "name": page["member"]["name"]},
    }
    others = [{"id": room.id, "name": room.name} for room in clinics.rooms.of(g.clinic.id)]
    listed = [{"id": room.id, "slug": room.slug, "name": room.name} for room in rooms]
    return render("dashboard.html", rooms=rooms, others=others, listed=listed, page=page, shown=shown)


@pages.get("/dashboard/history")
@members_only
def history() -> ResponseReturnValue:
    number = request.args.get("page", "1")
    listing = clinics.history.listing(
        [room.id for room in clinics.members.rooms_of(me())],
        page=int(number) if number.isascii() and number.isdigit() and 0 < int(number) < 10_000 else 1,
    )
    house().runtime.sleep(0)  # what was read and what is to be written are ten ms each: others have a turn between
    return render("history.html", history=listing.rows, totals=listing.totals, weeks=listing.weeks, listing=listing)
