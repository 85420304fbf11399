"""Answers by the link of a message, without signing in: "I am coming", "10 minutes", "Please call us".

The link is a call's id and a signature of the server, in the fragment, which no server and no log sees. It counts for
an hour, while somebody of the call still waits, and while its member still serves the room. To open it uses nothing up.
"""

import hmac

from sqlalchemy import select

from housecall import db, fingerprint, in_visit, members_of, queue, rooms_of, settings, write

from .models import Call, Told
from .times import now

PLUGIN = "notify"
WHAT = ("coming", "soon", "call")
SIGNED = 20  #: hex digits of a signature
LIFE = 3_600_000  #: ms that a link is good


class Refused(Exception):
    """Why a link opens nothing: "unknown", "old" or "over"."""


def link(call):
    """The path of the page on which a call is answered."""
    return f"/-/{PLUGIN}/answer#{call.id}.{_signature(call.id)}"


def _signature(call):
    return fingerprint("notify answer", call)[:SIGNED]


def read(clinic, token):
    """The member who answers, and the visits that wait for it. Raises Refused."""
    id, _, signature = token.strip().rpartition(".")
    if not hmac.compare_digest(signature.encode(), _signature(id).encode()):
        raise Refused("unknown")
    call = db.session.get(Call, id)
    member = next((each for each in members_of(clinic) if call and each.id == call.member_id), None)
    if call is None or member is None:  # it is another practice's, perhaps
        raise Refused("unknown")
    if now() >= call.at + LIFE:
        raise Refused("old")
    earlier = select(Call.id).where(Call.member_id == member.id, Call.at <= call.at)  # the message counted them, too
    told = set(db.session.scalars(select(Told.visit_id).where(Told.call_id.in_(earlier))))
    waiting = [view for view in queue(clinic) if view.id in told and view.state == "waiting"]
    if not waiting:
        raise Refused("over")
    served = {room.id for room in rooms_of(clinic, member.id)}
    mine = [view for view in waiting if view.room in served]
    if not mine:
        raise Refused("unknown")
    return member, mine


def give(clinic, token, what):
    """Show an answer to everybody who still waits of those that the message counted. Raises Refused."""
    member, visits = read(clinic, token)
    at = now()
    with write() as session:
        for view in visits:
            told = session.get_one(Told, (view.id, member.id))
            told.answer, told.answered = what, at
    for view in visits:
        if visit := in_visit(PLUGIN, view.id):
            visit.emit("answer", _body(clinic, what, member.name, at))


def of(view):
    """The last answer that somebody gave in a visit, as its pages show it, or nothing."""
    query = select(Told).where(Told.visit_id == view.id, Told.answer.is_not(None)).order_by(Told.answered.desc())
    for told in db.session.scalars(query):
        if member := next((each for each in members_of(view.clinic) if each.id == told.member_id), None):
            return _body(view.clinic, told.answer, member.name, told.answered)
    return {}


def _body(clinic, what, name, at):
    return {"what": what, "name": name, "at": at, "phone": phone(clinic) if what == "call" else ""}


def phone(clinic):
    """The practice's telephone number, or nothing."""
    return settings("core", clinic=clinic).get("phone", "")
