"""The queue and the call as one state machine: the only code that changes a visit."""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from . import guests, model
from .model import (
    CLOCK,
    MOVES,
    RUNNING,
    Actor,
    Change,
    Closed,
    Forbidden,
    Full,
    Invalid,
    NotHere,
    NoTicket,
    Over,
    Ports,
    Seat,
    Seated,
    Stale,
    State,
    Unknown,
    Used,
    Visit,
    VisitView,
    must,
    with_seat,
)
from .store import Store
from .tickets import LIFETIME, Invite, Pass, Signer, Ticket

SILENT = 30_000  #: ms without a socket until a seat counts as lost; the place is kept
LEAVING = 30_000  #: ms after a `leaving` beacon until the visit ends, unless the page comes back
LOST = 600_000  #: ms that a lost patient's place is kept
NAME = 80  #: characters of a patient's name
COMINGS = 20  #: check-ins by one invitation, as long as no call comes of them

_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")
_JOINERS = frozenset("\u200c\u200d")  # Persian and Indic names need them


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """What a page gets when it comes to its seat."""

    visit: Visit
    seat: str
    held: bool = False  #: another living page has the seat; nothing was changed
    dismissed: str | None = None  #: the key of the page that lost the seat by a `take`


class Visits:
    """All visits of this server. Every method may be called from any thread: changes are compare-and-set."""

    def __init__(self, store: Store, clock: Callable[[], int], key: bytes | str, ports: Ports):
        self.store, self.clock, self.ports = store, clock, ports
        self._sign = Signer(key)
        self._silent: dict[tuple[str, str], int] = {}  #: (visit, seat) -> since when its socket is closed
        self._leaving: dict[tuple[str, str], int] = {}  #: (visit, seat) -> when its page said that it closes
        self._unwritten: dict[str, Change] = {}  #: ended visits whose history could not be written yet
        self._ending = threading.RLock()

    # -- coming

    def invitation(self, invite: Invite) -> str:
        """The text that makes this visit when somebody checks in with it."""
        return self._sign.invite(invite)

    def read_invitation(self, text: str, *, clinic: str, room: str) -> Invite:
        """What an invitation says; nothing is used up. Raises NotWhole, NotHere, Early or Expired."""
        return self._sign.read_invite(text, clinic=clinic, room=room, now=self.clock())

    def arrive(
        self,
        *,
        clinic: str,
        room: str,
        name: str,
        media: str = "video",
        steps: Mapping[str, bool] | None = None,
        invite: Invite | None = None,
    ) -> tuple[Visit, str]:
        """A patient checks in: the visit, and the ticket's text. Raises Invalid for a name that cannot be used.

        `steps` are those of the check-in, each with whether it must be done before the patient waits. By an `invite`
        that somebody has checked in with, one comes to that same visit. Raises Used when it has been.
        """
        now, called = self.clock(), clean_name(name)
        visit_id, present = self._invited(invite) if invite else (secrets.token_urlsafe(16), None)
        if present:
            return self._again(present, room, now)
        visit = Visit(
            id=visit_id,
            clinic=clinic,
            room=room,
            name=called,
            media=media,
            arrived=now,
            state="arriving" if any((steps or {}).values()) else "waiting",
            steps={step: "open" if required else "waived" for step, required in (steps or {}).items()},
            # whoever was there before this server began has a ticket for the seat that the invitation names
            seats=(Seat(id=f"0{_drawn_from(visit_id, 'seat')}" if invite else _seat_id(0), role="patient"),),
        )
        if not self.store.put(visit, None):  # the same invitation, at the same moment
            return self._again(self.store.get(visit_id) or visit, room, now)
        self._silent[visit.id, visit.patient.id] = now  # a place that nobody comes to is lost like any other
        self._tell(None, visit, Actor(kind="seat", id=visit.patient.id))
        return visit, self._sign.ticket(visit, visit.patient, now)

    def _invited(self, invite: Invite) -> tuple[str, Visit | None]:
        """The id of the visit that an invitation makes now, and that visit if it has begun. Raises Used.

        Whoever has left, or was lost, before anybody called them in may come again: under another id, since the first
        one is over.
        """
        for n in range(COMINGS):
            visit_id = _drawn_from(invite.v, str(n)) if n else invite.v
            visit = self.store.get(visit_id)
            if visit and visit.state == "ended":
                raise Used
            if visit or not self.ports.is_over(visit_id):
                return visit_id, visit
            if self.ports.came(visit_id):
                raise Used
        raise Used

    def _again(self, visit: Visit, room: str, now: int) -> tuple[Visit, str]:
        """Another ticket for the patient's seat, by the address of the room in which the visit began."""
        return visit, self._sign.ticket(replace(visit, room=room), visit.patient, now)

    def read_ticket(self, ticket: str, *, clinic: str, room: str) -> Ticket:
        """What a ticket says, without a look at the visit. Raises NoTicket or NotHere."""
        return self._sign.read_ticket(ticket, clinic=clinic, room=room, now=self.clock())

    def enter(
        self,
        ticket: str,
        *,
        clinic: str,
        room: str,
        page: str,
        name: str | None = None,
        pass_: str | None = None,
        take: bool = False,
    ) -> Entry:
        """A page comes (back) to its seat. Raises NoTicket, NotHere or Over.

        A visit that this server has never heard of since it started is rebuilt from the ticket, with the state of
        the pass and the name that the page brings. Without a pass, what had to be done first is open again.
        """
        read = self.read_ticket(ticket, clinic=clinic, room=room)
        guest = read.role == "guest"
        brought = None if guest else self._sign.read_pass(pass_)  # no guest says that somebody let them in
        visit = self.store.get(read.v)
        if visit is None:
            visit = self._rebuild(read, name, brought)
        elif brought:
            visit = self._upgrade(visit, brought) or visit
        seat = visit.seat(read.p)
        if visit.state == "ended" or seat is None or (guest and seat.holder not in ("", read.holder)):
            raise Over
        if guest and (not seat.holder or (name and not seat.name)):
            called = clean_name(name) if name else ""
            visit = self._change(visit.id, guests.taken(read.p, read.holder, seat.name or called))
        if name and not visit.name and read.role == "patient":
            visit = self._change(visit.id, lambda v: replace(v, name=clean_name(name)))
        return self._sit(visit, read.p, page, take=take)

    def sit(self, visit_id: str, *, member: str, name: str, page: str, take: bool = False) -> Entry:
        """A member's page comes back to a visit in which the member has a seat. Raises Unknown where there is none."""
        visit = self.store.get(visit_id)
        seat = visit.seat_of(member) if visit else None
        if visit is None or seat is None or visit.state == "ended":
            raise Unknown
        if seat.name != name:
            visit = self._change(visit.id, lambda v: with_seat(v, replace(must(v, seat.id), name=name)))
        return self._sit(visit, seat.id, page, take=take)

    def restore(self, pass_: str, *, clinic: str) -> Visit | None:
        """What a member's page knows of a visit that was rebuilt without it: state, start, note and seats."""
        read = self._sign.read_pass(pass_)
        visit = self.store.get(read.v) if read and read.c == clinic else None
        return self._upgrade(visit, read) if visit else None

    def is_over(self, pass_: str | None) -> bool:
        """Whether the visit of a pass is over for sure; one that a new server has not heard of yet is not."""
        read = self._sign.read_pass(pass_)
        if read is None or self.get(read.v) is not None:
            return False
        return read.i >= self.store.started or self.ports.is_over(read.v)

    def _sit(self, visit: Visit, seat_id: str, page: str, *, take: bool) -> Entry:
        seat = must(visit, seat_id)
        before = seat.key
        if seat.present and seat.key != page and not take:
            return Entry(visit=visit, seat=seat_id, held=True)
        self._silent.pop((visit.id, seat_id), None)
        self._leaving.pop((visit.id, seat_id), None)

        def sitting(now: Visit) -> Visit:
            return with_seat(now, replace(must(now, seat_id), present=True, key=page, lost_at=None))

        visit = self._change(visit.id, sitting)
        return Entry(visit=visit, seat=seat_id, dismissed=before if seat.present and before != page else None)

    def _rebuild(self, ticket: Ticket, name: str | None, brought: Pass | None) -> Visit:
        if ticket.i >= self.store.started or self.ports.is_over(ticket.v):
            raise Over
        guest = ticket.role == "guest"
        seats: tuple[Seat, ...] = (Seat(id=ticket.patient if guest else ticket.p, role="patient"),)
        if guest:
            seats += (guests.seat_for(ticket.p, ticket.kind, ticket.holder),)
        visit = Visit(
            id=ticket.v,
            clinic=ticket.c,
            room=ticket.r,
            name=clean_name(name) if name and not guest else "",
            media=ticket.media,
            arrived=ticket.a,
            state="arriving" if ticket.steps else "waiting",
            steps=dict.fromkeys(ticket.steps, "open"),
            seats=seats,
        )
        if brought and brought.v == visit.id and brought.c == visit.clinic:
            visit = _as_in(brought, visit)
        if not self.store.put(visit, None):  # somebody else was faster
            return self.store.get(visit.id) or visit
        now = self.clock()
        for seat in visit.seats:
            self._silent[visit.id, seat.id] = now
        self._tell(None, visit, CLOCK)
        return visit

    def _upgrade(self, visit: Visit, brought: Pass | None) -> Visit | None:
        """A later pass tells a rebuilt visit how it stood; one that moved on since this server started stays."""
        if (
            brought is None
            or brought.v != visit.id
            or brought.c != visit.clinic
            or brought.i >= self.store.started
            or visit.state not in ("arriving", "waiting")
            or visit.started is not None
            or any(seat.role == "provider" for seat in visit.seats)
        ):
            return None
        now = self.clock()
        upgraded = self._change(visit.id, lambda v: _as_in(brought, v))
        for seat in upgraded.seats:
            if not seat.present:
                self._silent.setdefault((visit.id, seat.id), now)
        return upgraded

    # -- moving

    def move(
        self,
        visit_id: str,
        to: str,
        *,
        actor: Actor,
        rev: int | None = None,
        reason: str | None = None,
        name: str = "",
        page: str = "",
    ) -> Visit:
        """Change a state; says how the visit stands then.

        A member who moves a visit into the call gets a seat in it for `page`. Raises Unknown, Stale (`rev` is not
        the present one), Invalid (no such move), Forbidden (a seat may only end its own visit, a guest none),
        Full or Closed.
        """
        visit = self.store.get(visit_id)
        if visit is None or visit.state == "ended":
            raise Unknown
        if actor.kind == "seat":
            seat = visit.seat(actor.id)
            if seat is None or seat.role == "guest" or to != "ended":
                raise Forbidden
        if rev is not None and rev != visit.rev:
            raise Stale(visit)
        if to not in MOVES[visit.state]:
            raise Invalid(to="invalid")
        if to == "ended":
            return self._end(visit, actor, reason or _outcome(visit, actor))
        self._grant(visit, to, actor)
        moved = _moved(visit, to, self.clock())
        if actor.kind == "member" and to == "in_call":
            moved = _seat_member(moved, actor.id, name, page)
        return self._put(visit, moved, actor)

    def transfer(self, visit_id: str, room: str, *, actor: Actor, note: str, rev: int | None = None) -> Visit:
        """A member sends a patient on to another room of the clinic, who waits there in the place of the arrival.

        From the call too: it ends, and the visit does not. Raises Unknown, Stale, Invalid (not from this state, or
        there already), Forbidden (only members) or Closed.
        """
        visit = self.store.get(visit_id)
        if visit is None or visit.state == "ended":
            raise Unknown
        if actor.kind != "member":
            raise Forbidden
        if rev is not None and rev != visit.rev:
            raise Stale(visit)
        if visit.state == "arriving" or room == visit.room:
            raise Invalid(room="invalid")
        self._grant(visit, "waiting", actor)
        return self._put(visit, replace(_moved(visit, "waiting", self.clock()), room=room, note=note), actor)

    def _grant(self, visit: Visit, to: str, actor: Actor) -> None:
        """Raises Closed where a plugin has something against a move; the clock asks nobody."""
        refusals = self.ports.refuse(self.view(visit), to, actor) if actor.kind != "clock" else []
        if refusals:
            raise Closed([refusal.reason for refusal in refusals])

    def _put(self, visit: Visit, moved: Visit, actor: Actor) -> Visit:
        """Store what a move makes of a visit. Raises Stale where somebody was faster."""
        moved = replace(moved, rev=visit.rev + 1)
        if not self.store.put(moved, visit.rev):
            raise Stale(self.store.get(visit.id) or visit)
        self._silent.pop((visit.id, getattr(moved.seat_of(actor.id), "id", "")), None)
        self._tell(visit, moved, actor)
        return moved

    def _end(self, visit: Visit, actor: Actor, reason: str) -> Visit:
        """Ended is stored first, so that nobody comes in any more; forgotten only when its row is written."""
        with self._ending:
            while True:
                ended = replace(visit, state="ended", rev=visit.rev + 1)
                if self.store.put(ended, visit.rev):
                    break
                present = self.store.get(visit.id)
                if present is None or present.state == "ended":
                    return ended
                visit = present
            change = Change(old=visit, new=ended, rev=self.store.next_rev(visit.room), actor=actor, reason=reason)
            self._unwritten[visit.id] = change
            self._write(change)
            return ended

    def _write(self, change: Change) -> None:
        try:
            self.ports.changed(change)
        except Exception:  # the row could not be written: the sweep tries again, and the visit stays ended
            return
        self.store.drop(change.new.id)
        del self._unwritten[change.new.id]
        for seat in change.new.seats:
            self._silent.pop((change.new.id, seat.id), None)
            self._leaving.pop((change.new.id, seat.id), None)

    # -- silence

    def away(self, visit_id: str, seat_id: str, page: str) -> None:
        """A seat's socket is closed. Nothing ends by that: the clock of silence starts."""
        visit = self.store.get(visit_id)
        seat = visit.seat(seat_id) if visit else None
        if visit is None or visit.state == "ended" or seat is None or seat.key != page or not seat.present:
            return

        def gone(now: Visit) -> Visit:
            there = must(now, seat_id)
            return with_seat(now, replace(there, present=False)) if there.key == page else now

        self._silent[visit_id, seat_id] = self.clock()
        self._change(visit_id, gone)

    def leaving(self, ticket: str, *, clinic: str, room: str, page: str) -> None:
        """The beacon of a page that closes or reloads: frees its seat, and starts the short clock."""
        read = self.read_ticket(ticket, clinic=clinic, room=room)
        visit = self.store.get(read.v)
        seat = visit.seat(read.p) if visit else None
        if visit is None or visit.state == "ended" or seat is None or seat.key != page:
            return
        self._leaving[visit.id, seat.id] = self.clock()
        self.away(visit.id, seat.id, page)

    def sweep(self) -> None:
        """Everything that only time does: seats get lost, visits end, a failed end is tried again."""
        now = self.clock()
        with self._ending:
            for change in list(self._unwritten.values()):
                self._write(change)
        for (visit_id, seat_id), since in list(self._silent.items()):
            visit = self.get(visit_id)
            seat = visit.seat(seat_id) if visit else None
            if visit is None or seat is None or seat.present:
                self._silent.pop((visit_id, seat_id), None)
            elif seat.lost_at is None and now - since >= SILENT:
                self._change(visit_id, _lost(seat_id, since))
        for (visit_id, seat_id), since in list(self._leaving.items()):
            visit = self.get(visit_id)
            if visit is None:
                self._leaving.pop((visit_id, seat_id), None)
            elif now - since >= LEAVING and seat_id == visit.patient.id:
                self._end(visit, CLOCK, "left")
            elif now - since >= LEAVING:
                self._leaving.pop((visit_id, seat_id), None)
                if visit.seat(seat_id) is not None:
                    self._change(visit_id, guests.outside(seat_id))
        for visit in self.store.all():
            if visit.state == "ended":
                continue
            if _given_up(visit, now):
                self._end(visit, CLOCK, "silent")
                continue
            for seat in visit.seats:
                if seat.role == "guest" and seat.lost_at is not None and now - seat.lost_at >= LOST:
                    self.remove(visit.id, seat.id)

    # -- guests

    def invite(self, visit_id: str, kind: str) -> Seat:
        """A seat for one guest more, which `link` opens. Raises Unknown, Full, or Invalid for a kind of nobody."""
        if kind not in guests.KINDS:
            raise Invalid(kind="choice")
        visit = self.get(visit_id)
        seat = guests.seat_for(_seat_id(len(visit.seats) if visit else 0), kind)
        self._change(visit_id, guests.invited(seat))
        return seat

    def link(self, visit_id: str, seat_id: str) -> str:
        """The text that opens a guest's seat, always the same one. Raises Unknown."""
        visit = self.get(visit_id)
        if visit is None:
            raise Unknown
        return self._sign.link(visit, guests.guest(visit, seat_id))

    def join(self, link: str, *, clinic: str, room: str, name: object, ticket: str = "") -> tuple[Visit, Seat, str]:
        """Somebody takes the seat of a link: the visit, the seat, and the ticket's text.

        `ticket` is what this browser had before: whoever has the seat may take it again, and whose page is open in
        another one may not leave it by this. Raises NoTicket for a link that is none, Over for one that opens nothing
        any more, InUse, Seated, NotHere, or Invalid for the name.
        """
        visit_id, seat_id, made_for = self._sign.read_link(link)
        visit = self.get(visit_id)
        if visit is None or self.clock() >= visit.arrived + LIFETIME:
            raise Over
        if (visit.clinic, made_for) != (clinic, room):
            raise NotHere
        before = self._brought(ticket, clinic=clinic, room=room)
        if before and before.p != seat_id and self._holds(before):
            raise Seated
        holder = before.holder if before and before.p == seat_id else secrets.token_urlsafe(9)
        called = clean_name(name)
        try:
            visit = self._change(visit_id, guests.taken(seat_id, holder, called))
        except Unknown:  # taken back, or somebody was sent away
            raise Over from None
        now, seat = self.clock(), must(visit, seat_id)
        if not seat.present:
            self._silent[visit_id, seat_id] = now
        return visit, seat, self._sign.ticket(replace(visit, room=room), seat, now)  # the patient may have been sent on

    def _brought(self, ticket: str, *, clinic: str, room: str) -> Ticket | None:
        """What the ticket says that a browser brings, if it brings one."""
        try:
            return self.read_ticket(ticket, clinic=clinic, room=room)
        except (NoTicket, NotHere):
            return None

    def _holds(self, ticket: Ticket) -> bool:
        """Whether a page of this ticket's browser is open in its seat."""
        visit = self.get(ticket.v)
        seat = visit.seat(ticket.p) if visit else None
        return seat is not None and seat.present and seat.holder == ticket.holder

    def admit(self, visit_id: str, seat_id: str) -> Visit:
        """Let a guest in. Raises Unknown for a seat that nobody has taken."""
        return self._change(visit_id, guests.admitted(seat_id, self.clock()))

    def remove(self, visit_id: str, seat_id: str) -> Visit:
        """Take back a link, refuse a guest, or let one go. Raises Unknown."""
        self._silent.pop((visit_id, seat_id), None)
        self._leaving.pop((visit_id, seat_id), None)
        return self._change(visit_id, guests.removed(seat_id))

    def curtain(self, visit_id: str, seat_id: str, on: bool) -> Visit:
        """Draw the curtain before a guest, or open it."""
        return self._change(visit_id, guests.curtained(seat_id, on))

    # -- small changes

    def step(self, visit_id: str, step: str, state: str) -> Visit:
        """A step of the check-in is `done`, `open` again or `waived`; with the last open one the patient waits.

        Who waits already, and has to do again what was done, is back before the line, and keeps the place.
        Raises Unknown for a visit or a step that is not there.
        """

        def stepped(visit: Visit) -> Visit:
            if step not in visit.steps:
                raise Unknown
            steps = {**visit.steps, step: state}
            now = visit.state
            if now == "arriving" and "open" not in steps.values():
                now = "waiting"
            elif now == "waiting" and (visit.steps[step], state) == ("done", "open"):
                now = "arriving"
            return replace(visit, steps=steps, state=now)

        return self._change(visit_id, stepped)

    def ready(self, visit_id: str, seat_id: str, colour: str, reason: str) -> Visit:
        """What a seat's device check says."""
        said = {"colour": colour, "reason": reason}
        return self._change(visit_id, lambda v: with_seat(v, replace(must(v, seat_id), ready=said)))

    # -- looking

    def get(self, visit_id: str) -> Visit | None:
        """A visit that has not ended."""
        visit = self.store.get(visit_id)
        return visit if visit and visit.state != "ended" else None

    def room(self, room_id: str) -> list[Visit]:
        """The visits of a room, first come first."""
        return self.store.room(room_id)

    def ahead(self, visit: Visit) -> int:
        """How many wait before this one."""
        return self.store.ahead(visit)

    def of_member(self, member: str) -> list[Visit]:
        """The visits in which a member has a seat."""
        return self.store.of_member(member)

    def pass_for(self, visit: Visit) -> str:
        """What each page of a visit keeps, so that a new server learns how it stood."""
        return self._sign.pass_(visit, self.clock())

    def view(self, visit: Visit) -> VisitView:
        """A visit without its name, for plugins."""
        return model.view(visit)

    # -- changing

    def _change(self, visit_id: str, new: Callable[[Visit], Visit]) -> Visit:
        """Replace a visit by what `new` makes of it, again when somebody else was faster. Raises Unknown."""
        while True:
            visit = self.store.get(visit_id)
            if visit is None or visit.state == "ended":
                raise Unknown
            changed = new(visit)
            if changed == visit:
                return visit
            changed = replace(changed, rev=visit.rev + 1)
            if self.store.put(changed, visit.rev):
                self._tell(visit, changed, CLOCK)
                return changed

    def _tell(self, old: Visit | None, new: Visit, actor: Actor) -> None:
        left = self.store.next_rev(old.room) if old and old.room != new.room else None
        self.ports.changed(Change(old=old, new=new, rev=self.store.next_rev(new.room), actor=actor, left=left))


def clean_name(name: object) -> str:
    """The name as it may be shown: trimmed, in one line, without control characters and text-direction tricks.

    Raises Invalid(name=...) with the code required, too_long or invalid.
    """
    if not isinstance(name, str):
        raise Invalid(name="invalid")
    if len(name) > 4 * NAME:
        raise Invalid(name="too_long")
    kept = "".join(" " if c.isspace() else c for c in name if c not in _BIDI)
    kept = "".join(c for c in kept if c in _JOINERS or unicodedata.category(c)[0] != "C")
    kept = " ".join(unicodedata.normalize("NFC", kept).split())
    if not kept:
        raise Invalid(name="required")
    if len(kept) > NAME:
        raise Invalid(name="too_long")
    return kept


def _lost(seat_id: str, since: int) -> Callable[[Visit], Visit]:
    def lost(visit: Visit) -> Visit:
        seat = must(visit, seat_id)
        return visit if seat.present else with_seat(visit, replace(seat, lost_at=since))

    return lost


def _given_up(visit: Visit, now: int) -> bool:
    """Whether nobody is there to wait for: the patient of a queue, or both sides of a call, lost for too long."""
    seats = [s for s in visit.seats if s.role != "guest"] if visit.state in RUNNING else [visit.patient]
    return all(seat.lost_at is not None and now - seat.lost_at >= LOST for seat in seats)


def _moved(visit: Visit, to: str, now: int) -> Visit:
    state: State = next(s for s in model.STATES if s == to)
    started = now if state == "in_call" and visit.started is None else visit.started
    seats = visit.seats if state != "waiting" else tuple(s for s in visit.seats if s.role != "provider")
    steps = visit.steps
    if visit.state == "arriving":  # whoever admits a patient waives what is still open
        steps = {step: "waived" if stands == "open" else stands for step, stands in steps.items()}
    return replace(visit, state=state, started=started, seats=seats, steps=steps)


def _seat_id(before: int) -> str:
    """Ids sort in the order in which seats were taken: who was there first makes the first offer, and has it ready."""
    return f"{before}{secrets.token_urlsafe(16)}"


def _drawn_from(visit_id: str, what: str) -> str:
    """An id that is always the same for a visit, and as long as one by chance."""
    digest = hashlib.sha256(f"{visit_id} {what}".encode()).digest()
    return base64.urlsafe_b64encode(digest[:16]).decode().rstrip("=")


def _seat_member(visit: Visit, member: str, name: str, page: str) -> Visit:
    present = visit.seat_of(member)
    if present:
        return with_seat(visit, replace(present, present=True, key=page, name=name, lost_at=None))
    if len(visit.seats) >= guests.MOST:
        raise Full
    seat = Seat(id=_seat_id(len(visit.seats)), role="provider", member=member, name=name, present=True, key=page)
    return replace(visit, seats=(*visit.seats, seat))


def _as_in(brought: Pass, visit: Visit) -> Visit:
    """A rebuilt visit as a pass says that it stood: its seats and no others, empty until their pages come."""
    here = {seat.id: seat for seat in visit.seats}
    # what has been done since the restart stays done
    steps = {s: visit.steps.get(s, told) if told == "open" else told for s, told in brought.steps.items()}
    held = brought.state == "arriving" and "open" in steps.values()
    state = "waiting" if brought.state == "ended" or (brought.state == "arriving" and not held) else brought.state
    return replace(
        visit,
        room=brought.room,
        state=state,
        started=brought.started,
        note=brought.note,
        seats=tuple(_as_told(seat, here.get(seat.id)) for seat in brought.seats),
        steps=steps,
    )


def _as_told(told: Seat, here: Seat | None) -> Seat:
    """A seat of a pass, whose page may be back already."""
    if here is None:
        return told
    return replace(here, holder=told.holder or here.holder, admitted=told.admitted, curtain=told.curtain)


def _outcome(visit: Visit, actor: Actor) -> str:
    if actor.kind == "clock":
        return "silent"
    if visit.started is not None:
        return "completed"
    return "removed" if actor.kind == "member" else "left"
