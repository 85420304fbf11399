"""The patient's page: welcome, check-in, waiting, the call and what comes after, in one document."""

from __future__ import annotations

import contextlib
from typing import Any

from flask import Blueprint, Response, abort, current_app, g, jsonify, make_response, request, url_for
from flask.typing import ResponseReturnValue

from .. import clinics
from ..clinics.models import Room
from ..visits import Early, Expired, Invalid, Invite, NotHere, NotWhole, Used, VisitError
from . import content, slots, steps
from .assets import squeezed
from .guard import cookie, set_cookie
from .house import house
from .ice import servers
from .language import lang
from .look import render, wear
from .messages import FIELDS, REFUSALS, field_errors, say
from .pages import page_data
from .rates import Buckets

CHECK_IN_BYTES = 4096
PASSCODES = Buckets(rate=1 / 20, burst=20)  #: passcodes tried, by room and network
AT_A_DOOR = Buckets(rate=1, burst=30)  #: check-ins by room: a room fills slowly, a script fast

pages = Blueprint("waiting", __name__)


def room_or_404(slug: str) -> Room:
    """The room behind a link of this clinic."""
    room: Room | None = clinics.rooms.find(g.clinic.id, slug)
    if room is None:
        abort(404)
    return room


def reserved() -> frozenset[str]:
    """The words that no room may be called: the first segments of our own addresses."""
    rules = (rule.rule.split("/")[1] for rule in current_app.url_map.iter_rules())
    return frozenset(first for first in rules if first and not first.startswith("<"))


def ticket_cookie(room: Room) -> str:
    return f"hc-ticket-{room.id}"


def guest_cookie(room: Room) -> str:
    """A guest's ticket has a name of its own: one browser may hold a patient's too."""
    return f"hc-guest-{room.id}"


def whom(room: Room) -> dict[str, str] | None:
    """Whom a patient meets in a room: name, specialty and photo of its owner. None where it is shared."""
    owner = clinics.members.by_id(room.owner_id) if room.owner_id else None
    if owner is None or owner.disabled_at is not None:
        return None
    return {
        "name": clinics.members.shown_name(owner),
        "specialty": owner.specialty or "",
        "photo": url_for("account.image", image_id=owner.image_id) if owner.image_id else "",
    }


@pages.get("/<slug>")
def patient(slug: str) -> ResponseReturnValue:
    """Creates nothing: link scanners and curious people may open it as often as they like."""
    room = room_or_404(slug)
    parts = house()
    wear((room.content or {}).get("theme"))
    ticket = request.cookies.get(cookie(ticket_cookie(room)))
    me: dict[str, Any] | None = None
    if ticket:
        try:
            me = {"visit": parts.visits.read_ticket(ticket, clinic=g.clinic.id, room=room.id).v}
        except VisitError:
            me = None
    page = page_data(
        room={
            "id": room.id,
            "slug": room.slug,
            "name": room.name,
            "media": room.media,
            "passcode": bool(room.passcode_hash),
        },
        clinic={"name": g.clinic.name},
        me=me,
        ice=servers(parts.site.clinics[g.clinic.id].ice, parts.now()),
        parts=slots.described(("room", room.id)),
        modules=list(parts.assets.needs("js/visit.js")),
    )
    asked = steps.shown(room, me["visit"]) if me else []
    if asked:
        page |= {"steps": steps.described(asked), "errors": field_errors({code: code for code in FIELDS}, lang())}
    html = render(
        "patient.html",
        room=room,
        page=page,
        contact=parts.site.clinics[g.clinic.id].core,
        steps=asked,
        content=content.of(room),
        whom=whom(room),
        shown={
            "role": "patient",
            "scopes": [("room", room.id)],
            "room": {"id": room.id, "slug": room.slug, "name": room.name},
        },
    )
    return squeezed(html, "text/html")  # it shows nothing of what the request says


@pages.post("/<slug>/check-in")
def check_in(slug: str) -> ResponseReturnValue:
    """Takes the name, gives a place in line: 201 `{visit}` and the ticket's cookie, or 422 `{fields}`.

    With an `invite` it is that one's visit: 409 where it opens nothing here or not yet, 410 where not any more.
    """
    room = room_or_404(slug)
    body = given(room.id, "name", "lang", "invite", "passcode")
    parts = house()
    try:
        invite = _invited(room, body.get("invite"))
        if not (invite and invite.free):
            _check_passcode(room, body.get("passcode"))
        for answer in parts.registry.hooks.ask(
            "refuse_check_in", g.clinic.id, room=room.id, invite=invite.v if invite else ""
        ):
            return jsonify(error="closed", message=answer.value), 409
        visit, ticket = parts.visits.arrive(
            clinic=g.clinic.id,
            room=room.id,
            name=body.get("name", ""),
            media=room.media,
            steps=steps.asked(room),
            invite=invite,
        )
    except Early as early:
        return closed("early", 409, opens=early.opens)
    except (NotWhole, NotHere) as error:
        return closed(error.code, 409)
    except (Expired, Used) as error:
        return closed(error.code, 410)
    except VisitError as error:
        return refused(getattr(error, "fields", {}) or {"name": "invalid"})
    response = make_response(jsonify(visit=visit.id), 201)
    set_cookie(response, ticket_cookie(room), ticket)
    return response


def _invited(room: Room, text: object) -> Invite | None:
    """What the one-visit link says that somebody came by, if it was one. Raises a VisitError."""
    return house().visits.read_invitation(str(text), clinic=g.clinic.id, room=room.id) if text else None


def _check_passcode(room: Room, typed: object) -> None:
    """Raises Invalid(passcode=...) where the room has one and this is another; aborts after too many tries."""
    if not room.passcode_hash:
        return
    typed = str(typed or "").strip()
    if not typed:
        raise Invalid(passcode="required")
    if not PASSCODES.take(f"{room.id} {clinics.logins.network(request.remote_addr or '')}"):
        abort(429)
    if not clinics.passwords.check(room.passcode_hash, typed, offload=house().runtime.offload):
        raise Invalid(passcode="passcode")


def closed(code: str, status: int, **more: Any) -> ResponseReturnValue:
    """A door that does not open for this link, in words."""
    return jsonify(error=code, message=" ".join(say(REFUSALS[code], lang())), **more), status


def given(door: str, *known: str) -> dict[str, Any]:
    """What somebody brings to a door: JSON of these fields and no others, small, and not too often; else it aborts."""
    if (request.content_length or 0) > CHECK_IN_BYTES:
        abort(413)
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        abort(400)
    if unknown := sorted(set(body) - set(known)):
        abort(make_response(refused({name[:40]: "unknown" for name in unknown})))
    if not AT_A_DOOR.take(door):
        abort(429)
    return body


def refused(fields: dict[str, str]) -> ResponseReturnValue:
    """422, with a sentence for each field."""
    words = field_errors(fields, lang())
    return jsonify(error="invalid", message=" ".join(words.values()), fields=words), 422


@pages.post("/<slug>/leaving")
def leaving(slug: str) -> ResponseReturnValue:
    """The beacon of a page that is closed or reloaded: frees its seat; without a return the visit ends soon."""
    room = room_or_404(slug)
    ticket = request.cookies.get(cookie((guest_cookie if request.form.get("guest") else ticket_cookie)(room)))
    if ticket:
        with contextlib.suppress(VisitError):
            house().visits.leaving(
                ticket, clinic=g.clinic.id, room=room.id, page=str(request.form.get("page", ""))[:200]
            )
    return Response(status=204)
