"""What pages of a visit give each other by way of this server while no connection is up: sealed, and soon gone."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from flask import Blueprint, Response, abort, g, jsonify, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from .. import clinics
from ..extending.registry import Registry
from ..visits import RUNNING, Visit, VisitError
from ..visits.blobs import Cut, NoRoom, TooBig
from .errors import answer
from .guard import cookie, me
from .house import house
from .say import watches

READ = 64 * 1024  #: bytes taken at once, before others have a turn
TICKETS = ("hc-ticket-", "hc-guest-")

pages = Blueprint("blobs", __name__)


def refusal(registry: Registry, clinic: str, transfer: str, roles: Collection[str], state: str) -> int:
    """The HTTP status with which somebody of these roles may give no piece of a transfer; 0 where they may."""
    rule = registry.transfer(clinic, transfer)
    if rule is None or not roles:
        return 404
    if not set(roles) & set(rule.sources):
        return 403
    return 0 if state in rule.states else 409


@pages.post("/-/blob")
def give() -> ResponseReturnValue:
    """One piece of `transfer` for another page of `visit`: 201 `{id}`.

    404 where transfer or visit is not known here, 403 for a role that sends none, 409 in a state in which none is
    sent, 413 for one that is too large, 507 where the visit, the server or the disk has no room.
    """
    parts = house()
    visit = parts.visits.get(request.args.get("visit", ""))
    roles = _roles(visit) if visit else set()
    transfer = request.args.get("transfer", "")
    if status := refusal(parts.registry, g.clinic.id, transfer, roles, visit.state if visit else ""):
        abort(status)
    size = request.content_length
    if size is None:
        abort(400)
    assert visit is not None
    known = visit.id
    try:
        name = parts.blobs.take(known, size, _chunks(), stands=lambda: parts.visits.get(known) is not None)
    except TooBig:
        abort(413)
    except NoRoom:
        return answer(507)
    except Cut:
        abort(400)
    return jsonify(id=name), 201


def _chunks() -> Iterator[bytes]:
    """What comes, a little at a time: a large file stalls nobody's signals."""
    sleep = house().runtime.sleep
    while chunk := request.stream.read(READ):
        yield chunk
        sleep(0)


@pages.get("/-/blob/<blob_id>")
def fetch(blob_id: str) -> ResponseReturnValue:
    """The sealed bytes, for those who take part in the visit. Never something that a browser would show."""
    parts = house()
    visit = parts.visits.get(blob_id.partition(".")[0])
    path = parts.blobs.find(blob_id) if visit and _roles(visit) else None
    if path is None:
        abort(404)
    try:
        data: bytes = parts.runtime.offload(path.read_bytes)
    except OSError:  # gone in this moment
        abort(404)
    response = Response(data, mimetype="application/octet-stream")
    response.headers["Content-Disposition"] = "attachment"
    response.headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'; sandbox"
    return response


def _roles(visit: Visit) -> set[str]:
    """As what the asker takes part in a visit, by login and tickets; one browser may hold several."""
    if visit.clinic != g.clinic.id:
        return set()
    found = {"provider"} if current_user.is_authenticated and _serves(visit) else set()
    for name, text in request.cookies.items():
        for kind in map(cookie, TICKETS):
            if name.startswith(kind) and (role := _seated(visit, text, name.removeprefix(kind))):
                found.add(role)
    return found


def _serves(visit: Visit) -> bool:
    """Whether the member sits in the visit or, until the call, may watch its room."""
    if visit.seat_of(me().id):
        return True
    return watches(visit) and any(room.id == visit.room for room in clinics.members.rooms_of(me()))


def _seated(visit: Visit, ticket: str, room: str) -> str:
    """The role of a ticket's seat; nothing where it has none in this visit, or nobody has let it in."""
    try:
        read = house().visits.read_ticket(ticket, clinic=g.clinic.id, room=room)
    except VisitError:
        return ""
    seat = visit.seat(read.p) if read.v == visit.id else None
    if seat is None:
        return ""
    if seat.role == "guest" and not (seat.inside and seat.holder == read.holder and visit.state in RUNNING):
        return ""
    return seat.role
