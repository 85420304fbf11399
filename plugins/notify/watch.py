"""Who waits, and who is to be told of it now: looked at every few seconds, and decided anew each time.

What is decided survives a restart: a call is written down with the visits that it tells of, and only then posted, each
message under a name that the outbox takes once. Visits come back with their patients' pages; who waited before a
restart and was told of is not told of again.
"""

import contextlib
import secrets
import threading
from dataclasses import dataclass

from sqlalchemy import delete, func, select

from housecall import (
    VisitView,
    db,
    deliverable,
    fingerprint,
    last_seen,
    members_of,
    post,
    queue,
    rooms_of,
    settings,
    withdraw,
    write,
)

from . import browsers, message
from .models import Call, Told, Wish
from .times import now, quiet

PLUGIN = "notify"
LOOK = 5  #: seconds between two looks
GRACE = 30_000  #: ms after a start in which dashboards that were open come back
LIFE = 10 * 60_000  #: ms in which a message is sent or not at all
SWEEP = 3600  #: seconds between two sweeps
KEPT = 11 * 3_600_000  #: ms that a call is kept, or one sweep longer: plugin.toml says 12 hours

began = now()  #: when this server started
_known = {}  # clinic -> {visit: (room, since when it waits there)}, as seen at the last look
_looking = threading.Lock()


@dataclass(frozen=True, kw_only=True)
class Waiter:
    """A visit that waits: since when in its room, and before when nobody is told (ms)."""

    view: VisitView
    since: int
    earliest: int
    present: bool


def see(clinic, at):
    """Who waits now. Who came before the server started waits since they came, everybody else since we saw them."""
    before, _known[clinic] = _known.get(clinic, {}), {}
    for view in queue(clinic):
        if view.state != "waiting":
            continue
        old = view.arrived < began
        room, since = before.get(view.id, (view.room, view.arrived if old else at))
        since = since if room == view.room else at
        _known[clinic][view.id] = (view.room, since)
        present = any(role == "patient" and there for _, role, _, there in view.seats)
        yield Waiter(view=view, since=since, earliest=began + GRACE if old else 0, present=present)


def look(clinic):
    """Tell every member who wants to know, and finish what a crash has left half done."""
    with _looking:
        at = now()
        finish(clinic, at)
        waiting = [waiter for waiter in see(clinic, at) if waiter.present]  # who is away is not told of
        for member in members_of(clinic) if waiting else ():
            wishes = settings(PLUGIN, clinic=clinic, member=member.id)
            if wishes["ways"]:
                _consider(clinic, member, wishes, waiting, at)


def _consider(clinic, member, wishes, waiting, at):
    """Tell one member, if there is something to tell and the time is right."""
    rooms = {room.id: room.name for room in wanted(clinic, member.id)}
    mine = [waiter for waiter in waiting if waiter.view.room in rooms]
    told = set(db.session.scalars(select(Told.visit_id).where(Told.member_id == member.id)))
    fresh = [waiter for waiter in mine if waiter.view.id not in told]
    if not due(fresh, wishes, at, seen=last_seen(member.id), last=last_call(member.id)):
        return
    ways = list(_ways(clinic, member, wishes["ways"]))
    if not ways:
        return
    call = Call(id=secrets.token_urlsafe(12), clinic_id=clinic, member_id=member.id, at=at, posted=False)
    with write() as session:
        session.add(call)
        session.flush()
        session.add_all(Told(visit_id=each.view.id, member_id=member.id, call_id=call.id) for each in fresh)
    _send(call, member, ways, [rooms[waiter.view.room] for waiter in mine])


def due(fresh, wishes, at, *, seen, last):
    """Whether a member is told now. `fresh`: who waits and was not told of; `seen`: when their dashboard was open last;
    `last`: when they were told last (ms)."""
    if at < last + wishes["every"] * 1000:
        return False
    if quiet(at, wishes["quiet_from"], wishes["quiet_until"], wishes["own_zone"] or wishes["zone"]):
        return False
    return any(seen < each.since and at >= max(each.since + wishes["delay"] * 1000, each.earliest) for each in fresh)


def last_call(member):
    return db.session.scalar(select(func.max(Call.at)).where(Call.member_id == member)) or 0


def wanted(clinic, member):
    """The rooms of which a member wants to be told, of those that they may serve now.

    Until the member says something else: their own rooms, and all where none is their own.
    """
    rooms = rooms_of(clinic, member)
    said = dict(db.session.execute(select(Wish.room_id, Wish.wanted).where(Wish.member_id == member)).all())
    own = any(room.owner == member for room in rooms)
    return [room for room in rooms if said.get(room.id, room.owner == member or not own)]


def _ways(clinic, member, kinds):
    """The messages that can go now: (kind, to)."""
    for kind in kinds:
        if not deliverable(clinic, kind):
            continue
        if kind == "push":
            yield from (("push", browser.id) for browser in browsers.of(member.id))
        elif address := {"mail": member.email, "text": member.mobile}[kind]:
            yield kind, address


def _send(call, member, ways, rooms):
    """Post the messages of a call. Once more after a crash it posts only what is missing."""
    for kind, to in ways:
        said = message.waiting(call, member, kind, rooms)
        name = _name(call.id, kind, to if kind == "push" else "")
        with contextlib.suppress(ValueError):  # an address that nothing can be sent to
            post(call.clinic_id, kind, to, **said, owner=PLUGIN, expires=call.at + LIFE, id=name)
    with write() as session:
        session.get_one(Call, call.id).posted = True


def _name(call, kind, browser):
    """The id of a message in the outbox."""
    return fingerprint("notify message", f"{call} {kind} {browser}")[:32]


def finish(clinic, at):
    """Calls that were written down and not posted whole: the server was stopped in between."""
    for call in list(db.session.scalars(select(Call).where(Call.clinic_id == clinic, Call.posted.is_(False)))):
        member = next((member for member in members_of(clinic) if member.id == call.member_id), None)
        rooms = {room.id: room.name for room in rooms_of(clinic, call.member_id)}
        told = set(db.session.scalars(select(Told.visit_id).where(Told.call_id == call.id)))
        waits = [view for view in queue(clinic) if view.id in told and view.state == "waiting" and view.room in rooms]
        if member and waits and at < call.at + LIFE:
            wishes = settings(PLUGIN, clinic=clinic, member=member.id)
            _send(call, member, list(_ways(clinic, member, wishes["ways"])), [rooms[view.room] for view in waits])
        elif at >= call.at + LIFE:
            with write() as session:
                session.get_one(Call, call.id).posted = True


def served(view, ended):
    """Nobody waits there any more: what still lies in the outbox for this visit alone is taken back."""
    waiting = {each.id for each in queue(view.clinic) if each.state == "waiting"}
    for call in _calls(Told.visit_id == view.id):
        others = db.session.scalars(select(Told.visit_id).where(Told.call_id == call.id, Told.visit_id != view.id))
        if not waiting & set(others):
            take_back(call)
    if ended:
        with write() as session:
            session.execute(delete(Told).where(Told.visit_id == view.id))


def take_back(call):
    for kind, browser in (("mail", ""), ("text", ""), *(("push", each.id) for each in browsers.of(call.member_id))):
        withdraw(call.clinic_id, _name(call.id, kind, browser))


def silence(member):
    """Nothing more goes to a member: browsers are forgotten, what waits in the outbox is taken back."""
    for call in list(db.session.scalars(select(Call).where(Call.member_id == member, Call.at > now() - LIFE))):
        take_back(call)
    browsers.forget(member=member)


def _calls(*where):
    return list(db.session.scalars(select(Call).join(Told, Told.call_id == Call.id).where(*where)))


def sweep(clinic):
    """Forget what is older than plugin.toml says, and browsers of members who have no account any more."""
    at = now()
    with write() as session:
        session.execute(delete(Call).where(Call.clinic_id == clinic, Call.at < at - KEPT))
    browsers.sweep(clinic, {member.id for member in members_of(clinic)}, at + SWEEP * 1000)  # before the next one
