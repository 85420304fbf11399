"""Who is connected by socket, and everything that goes to and comes from those sockets (contracts §7)."""

from __future__ import annotations

import contextlib
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, request
from flask_socketio import ConnectionRefusedError as Refused
from flask_socketio import SocketIO

from .. import clinics
from ..extending.registry import Registry
from ..logs import log
from ..runtime import Runtime
from ..visits import COLOURS, REASONS, Actor, Change, Seat, Visit, VisitError, Visits, card, must
from . import guard, ice, language, messages, steps
from . import say as saying
from .rates import Bucket

PROTOCOL = 1
SIGNAL_BYTES = 32 * 1024
SIGNAL_FIELDS = ("visit", "to", "life", "round", "description", "candidate", "please")
SIGNAL_RATE, SIGNAL_BURST = 50, 150  #: a seat's signals (contracts §19)
EVENT_RATE, EVENT_BURST = 20, 60
SHORT = 200  #: characters of a request that has no description
TURN = 200  #: places said until others have a turn
FLOOD = 400  #: refused events after which a socket is cut
PLACES_EVERY = 2.0  #: seconds between two computations of the places in a room
LOGINS_EVERY = 30.0  #: seconds between two looks at the logins of open dashboards

Ack = dict[str, Any]


@dataclass(eq=False, slots=True)
class Connection:
    """One open socket: a seat's page or a member's dashboard."""

    sid: str
    clinic: str
    page: str
    lang: str
    visit: str = ""  #: of a seat
    seat: str = ""
    guest: bool = False  #: whether it is a guest's
    room: str = ""  #: of a seat: the one whose link it came by
    queue: str = ""  #: of a seat: the one in which it is now
    ticket: str = ""  #: of a seat that another page holds: needed for `take`
    member: str = ""  #: of a dashboard
    name: str = ""
    login: str = ""
    rooms: tuple[str, ...] = ()
    signals: Bucket = field(default_factory=lambda: Bucket(SIGNAL_RATE, SIGNAL_BURST))
    events: Bucket = field(default_factory=lambda: Bucket(EVENT_RATE, EVENT_BURST))
    says: Bucket = field(default_factory=lambda: Bucket(SIGNAL_RATE * 4, SIGNAL_BURST * 4))  #: each event has its own
    rates: dict[str, Bucket] = field(default_factory=dict)  #: by event
    refused: int = 0

    @property
    def who(self) -> str:
        """Whose page this is: the member's id, or the seat's."""
        return self.member or self.seat

    def serves(self, visit: Visit) -> bool:
        """Whether this dashboard may act on a visit: one of its rooms, or one that its member is in already."""
        if not self.member or visit.clinic != self.clinic:
            return False
        return visit.room in self.rooms or _seat_of(visit, self.member) is not None


class Sockets:
    """Every open socket of this process, and the events between them and `visits`."""

    visits: Visits
    registry: Registry
    gate: saying.Gate

    def __init__(self, app: Flask, io: SocketIO, runtime: Runtime, clock: Callable[[], int]):
        self.app, self.io, self.runtime, self.clock = app, io, runtime, clock
        self.open: dict[str, Connection] = {}
        self.pages: dict[tuple[str, str], str] = {}  #: (member or seat, page key) -> sid; a key alone can be copied
        self.seated: defaultdict[str, set[str]] = defaultdict(set)  #: visit -> sids of its seats' pages
        self.boards: defaultdict[str, set[str]] = defaultdict(set)  #: room -> dashboards' sids
        self.patients: defaultdict[str, dict[str, Connection]] = defaultdict(dict)  #: room -> patients' pages by sid
        self.places: dict[str, int] = {}  #: seat's sid -> place last said
        self.said: dict[str, str] = {}  #: room -> provider's status last said
        self.moved: set[str] = set()  #: rooms whose places may have changed
        self.left: dict[str, int] = {}  #: member -> when a dashboard of theirs was closed last

    # -- coming and going

    def serve(self, visits: Visits, registry: Registry) -> None:
        """What to serve; and register the handlers: `connect` with Flask's request (cookies), all others without."""
        self.visits, self.registry = visits, registry
        self.gate = saying.Gate(
            visits=visits,
            registry=registry,
            parties=self._parties,
            emit=lambda sid, said: self.io.server.emit("said", said, to=sid),
        )
        registry.on_switched.append(self._switched)
        self.io.on_event("connect", self.connect)
        server = self.io.server
        server.on("disconnect", self.disconnect)
        for name, handler in {
            "signal": self.signal,
            "move": self.move,
            "ready": self.ready,
            "take": self.take,
            "ice": self.ice,
            "say": self.say,
            "step": self.step,
            "snapshot": self.snapshot,
            "transfer": self.transfer,
            "invite": self.invite,
            "admit": self.admit,
            "remove": self.remove,
            "curtain": self.curtain,
        }.items():
            server.on(name, self._gate(name, handler))
        server.on("*", self._unknown)
        server.eio.on("message", self._readable(server.eio.handlers["message"]))
        clinics.logins.on_revoked.append(self.sign_out)
        clinics.rooms.on_reassigned.append(self.reassign)

    def connect(self, auth: Any = None) -> None:
        if not isinstance(auth, dict) or auth.get("v") != PROTOCOL:
            raise Refused("old_page")
        page = auth.get("key")
        if not isinstance(page, str) or not 16 <= len(page) <= 200:
            raise Refused("old_page")
        clinic = guard.clinic_of(request.host)
        if clinic is None:
            raise Refused("not_here")
        here = Connection(sid=request.sid, clinic=clinic.id, page=page, lang=language.lang())  # type: ignore[attr-defined]
        if auth.get("as") in ("seat", "guest"):
            self._come_to_a_seat(here, auth)
        elif auth.get("as") == "dashboard":
            self._open_a_dashboard(here, auth)
        else:
            raise Refused("old_page")

    def _come_to_a_seat(self, here: Connection, auth: dict[str, Any]) -> None:
        room = auth.get("room")
        if not isinstance(room, str):
            raise Refused("no_ticket")
        here.guest = auth["as"] == "guest"
        here.ticket = request.cookies.get(guard.cookie(f"hc-{'guest' if here.guest else 'ticket'}-{room}"), "")
        here.room = room
        try:
            self._enter(here, name=_text(auth.get("name")), pass_=_text(auth.get("pass")))
        except VisitError as error:
            raise Refused(error.code) from None

    def _enter(
        self, here: Connection, *, name: str | None = None, pass_: str | None = None, take: bool = False
    ) -> None:
        """Give the page its seat, or tell it that another page has it."""
        entry = self.visits.enter(
            here.ticket, clinic=here.clinic, room=here.room, page=here.page, name=name, pass_=pass_, take=take
        )
        here.visit, here.seat = entry.visit.id, entry.seat
        here.guest = must(entry.visit, entry.seat).role == "guest"  # the ticket says so, whatever the page
        self._remember(here)
        if entry.held:
            self.io.server.emit("taken", {"visit": here.visit}, to=here.sid)
            return
        on = self._parts(here.clinic)  # it may have been rebuilt by a server that has other plugins
        self._welcome_seat(here, self._waive(entry.visit, lambda plugin: plugin not in on))

    def _remember(self, here: Connection) -> None:
        self.open[here.sid] = here
        self.pages[here.who, here.page] = here.sid
        if here.visit:
            self.seated[here.visit].add(here.sid)
            self._stand(here, visit.room if (visit := self.visits.get(here.visit)) else here.room)

    def _stand(self, here: Connection, room: str) -> None:
        """A patient's page hears of the places and the provider of one room: the one in which it is now, or none."""
        if here.guest:
            return
        if here.queue:
            self.patients[here.queue].pop(here.sid, None)
            if not self.patients[here.queue]:
                del self.patients[here.queue]
        here.queue = room
        if room:
            self.patients[room][here.sid] = here

    def _page_at(self, seat: Seat) -> Connection | None:
        """The open page that holds a seat."""
        sid = self.pages.get((seat.member or seat.id, seat.key)) if seat.present else None
        return self.open.get(sid) if sid else None

    def _open_a_dashboard(self, here: Connection, auth: dict[str, Any]) -> None:
        token = guard.login_token()
        login = clinics.logins.find(token, in_call=self.in_call(token)) if token else None
        member = clinics.members.by_id(login.member_id) if login else None
        if login is None or member is None or member.clinic_id != here.clinic or member.disabled_at is not None:
            raise Refused("sign_in")
        here.member, here.name, here.login = member.id, clinics.members.shown_name(member), login.token_sha256
        rooms = tuple(room.id for room in clinics.members.rooms_of(member))
        self._remember(here)
        pass_ = _text(auth.get("pass"))
        if pass_:
            self.visits.restore(pass_, clinic=here.clinic)
        self._watch(here, rooms, over=self.visits.is_over(pass_))

    def _watch(self, here: Connection, rooms: tuple[str, ...], *, over: bool = False) -> None:
        """From now on a dashboard hears of these rooms and of no others; who is in them hears that it is there."""
        before, here.rooms = here.rooms, rooms
        for room in {*before} - {*rooms}:
            self.boards[room].discard(here.sid)
            self.io.server.leave_room(here.sid, f"room:{room}")
        for room in {*rooms} - {*before}:
            self.boards[room].add(here.sid)
            self.io.server.enter_room(here.sid, f"room:{room}")
        self._welcome_dashboard(here, over=over)
        for room in {*rooms} ^ {*before}:
            self._say_status(room)
            self._say_watchers(room)

    def reassign(self, clinic: str) -> None:
        """Roles or rooms of a clinic have changed: open dashboards begin anew with the rooms that they may see now."""
        for here in [c for c in self.open.values() if c.member and c.clinic == clinic]:
            member = clinics.members.by_id(here.member)
            rooms = tuple(room.id for room in clinics.members.rooms_of(member)) if member else ()
            if rooms != here.rooms and here.sid in self.open:
                self._watch(here, rooms)

    def disconnect(self, sid: str, *reason: object) -> None:
        """No disconnect is trusted: it only starts the clock of silence."""
        here = self.open.pop(sid, None)
        if here is None:
            return
        self.places.pop(sid, None)
        if here.visit:
            self.seated[here.visit].discard(sid)
            if not self.seated[here.visit]:
                del self.seated[here.visit]
            self._stand(here, "")
        if self.pages.get((here.who, here.page)) == sid:  # else the same page is back already by a new socket
            del self.pages[here.who, here.page]
            if here.member:
                self.left[here.member] = self.clock()
                for visit in self.visits.of_member(here.member):
                    if seat := _seat_of(visit, here.member):
                        self.visits.away(visit.id, seat.id, here.page)
            else:
                self.visits.away(here.visit, here.seat, here.page)
        for room in here.rooms:
            self.boards[room].discard(sid)
            self._say_status(room)
            self._say_watchers(room)

    def sign_out(self, login: str) -> None:
        """A login was revoked: its sockets hear why and are closed."""
        for here in [c for c in self.open.values() if c.login == login]:
            self.io.server.emit("cut", {"reason": "signed_out"}, to=here.sid)
            self.runtime.spawn(self.io.server.disconnect, here.sid)

    def last_seen(self, member: str) -> int:
        """When a dashboard of this member was open for the last time (ms): now where one is, 0 where none has been."""
        if any(here.member == member for here in list(self.open.values())):
            return self.clock()
        return self.left.get(member, 0)

    def in_call(self, token: str | None) -> bool:
        """Whether the login behind a cookie is in a call now: such a login never times out."""
        if not token:
            return False
        login = clinics.logins.digest(token)
        members = {c.member for c in self.open.values() if c.login == login}
        return any(v.state in ("in_call", "paused") for m in members for v in self.visits.of_member(m))

    # -- what a page is told first

    def _welcome_seat(self, here: Connection, visit: Visit) -> None:
        seat = must(visit, here.seat)
        self.io.server.emit(
            "welcome",
            {
                "me": {"id": seat.id, "role": seat.role, "kind": seat.kind},
                "now": self.clock(),
                "epoch": self.visits.store.epoch,
                "parts": self._parts(here.clinic),
                "watchers": [] if here.guest else self._watchers(visit.room),
                "visit": self._visit(visit, here),
                "pass": self._pass(visit, here),
            },
            to=here.sid,
        )
        if not here.guest:
            self.io.server.emit("status", {"provider": self._status(visit.room)}, to=here.sid)
            self._say_place(here, visit)

    def _pass(self, visit: Visit, to: Connection) -> str | None:
        """How the visit stands, for a page to keep. Guests keep none: what they bring lets nobody in."""
        return None if to.guest or visit.state == "ended" else self.visits.pass_for(visit)

    def _welcome_dashboard(self, here: Connection, *, over: bool) -> None:
        hello: dict[str, Any] = {
            "me": {"member": here.member, "name": here.name},
            "now": self.clock(),
            "epoch": self.visits.store.epoch,
            "parts": self._parts(here.clinic),
            "rooms": self._rooms(here),
        }
        for visit in self.visits.of_member(here.member):
            if visit.state in ("in_call", "paused") and here.serves(visit):
                entry = self.visits.sit(visit.id, member=here.member, name=here.name, page=here.page)
                hello["me"]["seat"] = entry.seat
                if entry.held:
                    hello["held"] = True
                hello["visit"] = self._visit(entry.visit, here)
                hello["pass"] = self.visits.pass_for(entry.visit)
                break
        if over:
            hello["over"] = True
        self.io.server.emit("welcome", hello, to=here.sid)

    def _rooms(self, here: Connection) -> list[dict[str, Any]]:
        """Each room of a dashboard, which may be new to its page: how it is called, and its queue."""
        with self.app.app_context():
            told = {room.id: {"name": room.name, "slug": room.slug} for room in clinics.rooms.of(here.clinic)}
        return [{**told[room], **self._snapshot(room)} for room in here.rooms if room in told]

    def _snapshot(self, room: str) -> dict[str, Any]:
        return {
            "id": room,
            "epoch": self.visits.store.epoch,
            "rev": self.visits.store.rev(room),
            "watchers": self._watchers(room),
            "cards": [card(v) for v in self.visits.room(room)],
        }

    def _visit(self, visit: Visit, to: Connection) -> dict[str, Any]:
        return {
            "id": visit.id,
            "room": visit.room,
            "state": visit.state,
            "media": visit.media,
            "arrived": visit.arrived,
            "started": visit.started,
            "note": "" if to.guest else visit.note,
            "steps": {} if to.guest else dict(visit.steps),
            "rev": visit.rev,
            "name": visit.name if to.member or to.seat in _patients(visit) else "",
            "seats": self._seats(visit, to),
            "sent_to": self._room_name(visit) if to.seat and visit.room != to.room else "",
        }

    def _room_name(self, visit: Visit) -> str:
        with self.app.app_context():
            room = clinics.rooms.by_id(visit.clinic, visit.room)
            return room.name if room else ""

    def _seats(self, visit: Visit, to: Connection) -> list[dict[str, Any]]:
        """The rows of `seats`: who takes part. A guest who waits to be let in sees nobody but itself."""
        own = visit.seat(to.seat) if to.seat else None
        alone = bool(to.seat) and (own is None or not own.inside)
        return [self._row(s, visit, to) for s in visit.seats if s is own or (s.inside and not alone)]

    def _row(self, seat: Seat, visit: Visit, to: Connection) -> dict[str, Any]:
        """One seat. A patient's name goes to members and to the patient's own page only (R38)."""
        own = seat.role != "patient" or to.member or seat.id == to.seat
        name = visit.name if seat.role == "patient" else seat.name
        row: dict[str, Any] = {
            "id": seat.id,
            "role": seat.role,
            "member": seat.member,
            "present": seat.present,
            "key": seat.key,
            "name": name if own else "",
        }
        if seat.role == "guest":
            row |= {"kind": seat.kind, "admitted": seat.admitted, "curtain": seat.curtain}
        return row

    # -- what changes

    def publish(self, change: Change) -> None:
        """Tell everybody whom a change concerns: one small delta to dashboards, the visit's own pages the rest."""
        visit, old = change.new, change.old
        over = visit.state == "ended"
        for seat in old.seats if old else ():
            if seat.role == "guest" and visit.seat(seat.id) is None:
                self._let_go(visit, seat)
                continue
            dismissed = self._page_at(seat)
            if dismissed and not any(s.id == seat.id and s.key == seat.key for s in visit.seats):
                self.io.server.emit("taken", {"visit": visit.id}, to=dismissed.sid)
        if old is not None and old.room != visit.room:
            gone = {"room": old.room, "epoch": self.visits.store.epoch, "rev": change.left, "drop": visit.id}
            self.io.server.emit("delta", gone, to=f"room:{old.room}")
        delta: dict[str, Any] = {"room": visit.room, "epoch": self.visits.store.epoch, "rev": change.rev}
        delta |= {"drop": visit.id} if over else {"put": card(visit)}
        self.io.server.emit("delta", delta, to=f"room:{visit.room}")
        self.moved.add(visit.room)
        if old is not None and old.room != visit.room:
            self._sent_on(old.room, visit)
            return
        sits_anew = old is not None and not over and _lasting(old) != _lasting(visit)
        for here in self._pages_of(visit):
            if old is None or old.seats != visit.seats:
                seats: dict[str, Any] = {"visit": visit.id, "seats": self._seats(visit, here)}
                if sits_anew:
                    seats["pass"] = self._pass(visit, here)
                self.io.server.emit("seats", seats, to=here.sid)
            if old is not None and old.state != visit.state:
                moved = {"visit": visit.id, "state": visit.state, "reason": change.reason, "rev": visit.rev}
                moved["pass"] = self._pass(visit, here)
                self.io.server.emit("moved", moved, to=here.sid)
        if old is None or old.state != visit.state:
            self._say_status(visit.room)

    def _sent_on(self, left: str, visit: Visit) -> None:
        """A patient waits in another room now: the pages of the visit's seats begin anew there."""
        self.moved.add(left)
        for here in [here for sid in list(self.seated.get(visit.id, ())) if (here := self.open.get(sid))]:
            self._stand(here, visit.room)
            self.places.pop(here.sid, None)
            self._welcome_seat(here, visit)
        for room in (left, visit.room):
            self._say_status(room)

    def _let_go(self, visit: Visit, seat: Seat) -> None:
        """The pages of a guest who was refused or removed hear so, and nothing more of this visit."""
        reason = "removed" if seat.inside else "turned_away"
        for here in [c for sid in self.seated.get(visit.id, ()) if (c := self.open.get(sid)) and c.seat == seat.id]:
            self.seated[visit.id].discard(here.sid)
            self.io.server.emit("cut", {"reason": reason}, to=here.sid)
            self.runtime.spawn(self.io.server.disconnect, here.sid)

    def _pages_of(self, visit: Visit) -> Iterable[Connection]:
        """The pages that sit in a visit, those too that wait for `take`."""
        members = [here for seat in visit.seats if seat.member and (here := self._page_at(seat))]
        return [*members, *(here for sid in list(self.seated.get(visit.id, ())) if (here := self.open.get(sid)))]

    def keep_time(self) -> None:
        """Runs for ever: silence clocks, places in line, logins that have run out."""
        logins = time.monotonic()
        while True:
            self.runtime.sleep(PLACES_EVERY)
            try:
                self.visits.sweep()
                self.say_places()
                if time.monotonic() - logins > LOGINS_EVERY:
                    logins = time.monotonic()
                    self._check_logins()
            except Exception:
                log("clock", level=logging.ERROR, exc_info=True)

    def _check_logins(self) -> None:
        """An open dashboard counts as use of its login; one past its absolute end is cut, unless in a call."""
        for login in {c.login for c in self.open.values() if c.login}:
            members = {c.member for c in self.open.values() if c.login == login}
            in_call = any(v.state in ("in_call", "paused") for m in members for v in self.visits.of_member(m))
            with self.app.app_context():
                if not clinics.logins.still_good(login, in_call=in_call):
                    self.sign_out(login)

    def say_places(self) -> None:
        """Tell patients their place where it changed."""
        rooms, self.moved = self.moved, set()
        for number, here in enumerate([here for room in rooms for here in self._patients(room)]):
            if number % TURN == TURN - 1:
                self.runtime.sleep(0)  # others have a turn
            visit = self.visits.get(here.visit)
            if visit is not None:
                self._say_place(here, visit)

    def _patients(self, room: str) -> list[Connection]:
        """The pages of a room's patients."""
        return list(self.patients.get(room, {}).values())

    def _say_place(self, here: Connection, visit: Visit) -> None:
        if visit.state != "waiting":
            return
        ahead = self.visits.ahead(visit)
        if self.places.get(here.sid) != ahead:
            self.places[here.sid] = ahead
            self.io.server.emit("place", {"ahead": ahead}, to=here.sid)

    def _status(self, room: str) -> str:
        """online: a dashboard of the room is open · busy: each member who has one open is in a call · away: none."""
        members = {self.open[sid].member for sid in self.boards[room] if sid in self.open}
        if not members:
            return "away"
        busy = all(any(v.state == "in_call" for v in self.visits.of_member(m)) for m in members)
        return "busy" if busy else "online"

    def _say_status(self, room: str) -> None:
        status = self._status(room)
        if self.said.get(room) != status:
            self.said[room] = status
            for here in self._patients(room):
                self.io.server.emit("status", {"provider": status}, to=here.sid)

    # -- what pages ask

    def _gate(self, name: str, handler: Callable[[Connection, dict[str, Any]], Ack]) -> Callable[..., Ack]:
        """What every event passes: who, how often, what shape; and no exception goes further than here."""
        bucket = {"signal": "signals", "say": "says"}.get(name, "events")

        def gated(sid: str, *args: Any) -> Ack:
            here = self.open.get(sid)
            if here is None:
                return {"error": "unknown", "message": "unknown"}
            if not getattr(here, bucket).take():
                return self._too_much(here)
            body = args[0] if args else {}
            if len(args) > 1 or not isinstance(body, dict):
                return self._error(here, "invalid")
            try:
                return {"ok": True, **handler(here, body)}
            except VisitError as error:
                return self._error(here, error.code, **_details(error))
            except (_Bad, saying.Refused) as bad:
                return self._error(here, bad.code, fields=bad.fields)
            except Exception:
                log("event", level=logging.ERROR, exc_info=True, kind=name)
                return self._error(here, "failed")

        return gated

    def _readable(self, take: Callable[[str, Any], None]) -> Callable[[str, Any], None]:
        """A page that says what is no packet of Socket.IO is none of ours: its line is closed."""

        def taken(line: str, data: Any) -> None:
            try:
                take(line, data)
            except Exception:  # of handlers nothing comes through: the gate answers
                self.runtime.spawn(self.io.server.eio.disconnect, line)

        return taken

    def _unknown(self, event: str, sid: str, *args: Any) -> Ack:
        here = self.open.get(sid)
        if here is None:
            return {"error": "unknown", "message": "unknown"}
        return self._error(here, "unknown") if here.events.take() else self._too_much(here)

    def _too_much(self, here: Connection) -> Ack:
        here.refused += 1
        if here.refused == FLOOD:
            self.io.server.emit("cut", {"reason": "flood"}, to=here.sid)
            self.runtime.spawn(self.io.server.disconnect, here.sid)
        return self._error(here, "slow_down")

    def _error(self, here: Connection, code: str, **more: Any) -> Ack:
        words = messages.say(messages.ACKS.get(code) or messages.REFUSALS[code], here.lang)
        return {"error": code if code in messages.ACKS else "forbidden", "message": " ".join(words), **more}

    def signal(self, here: Connection, body: dict[str, Any]) -> Ack:
        """Relay to another seat of the same visit; never read, never kept."""
        visit, to = body.get("visit"), body.get("to")
        if not isinstance(visit, str) or not isinstance(to, str):
            raise _Bad("invalid", visit="required", to="required")
        if unknown := [str(name)[:40] for name in body if name not in SIGNAL_FIELDS]:
            raise _Bad("invalid", **dict.fromkeys(unknown, "unknown"))
        if not isinstance(body.get("life"), int) or not isinstance(body.get("round", 0), int):
            raise _Bad("invalid", life="invalid")
        for name in ("description", "candidate"):
            if (inner := body.get(name)) is not None:
                _check_signal(name, inner)
        if not isinstance(please := body.get("please"), (str, type(None))) or len(please or "") > SHORT:
            raise _Bad("invalid", please="invalid")
        mine, seats = self._seat_in(here, visit)
        target = next((self._page_at(seat) for seat in seats if seat.id == to and seat.inside), None)
        if target is None or to == mine:
            return {"reached": False, "ok": False}
        said = {name: body[name] for name in SIGNAL_FIELDS if name in body and name != "to"}
        self.io.server.emit("signal", {**said, "from": mine, "page": here.page}, to=target.sid)
        return {"reached": True}

    def _served(self, here: Connection, body: dict[str, Any]) -> Visit:
        """The visit that a member's page speaks of. Raises _Bad."""
        visit = self.visits.get(str(body.get("visit", "")))
        if visit is None or not here.serves(visit):
            raise _Bad("unknown")
        return visit

    def _seat_in(self, here: Connection, visit_id: str) -> tuple[str, tuple[Seat, ...]]:
        """The seat that this page holds in a visit, and all seats; what belongs to others is simply unknown."""
        visit = self.visits.get(visit_id)
        if visit is not None:
            for seat in visit.seats:
                if (seat.member or seat.id) == here.who and seat.key == here.page and seat.inside:
                    if visit.state not in ("in_call", "paused"):
                        raise _Bad("closed")
                    return seat.id, visit.seats
        raise _Bad("unknown")

    def move(self, here: Connection, body: dict[str, Any]) -> Ack:
        visit_id, to, rev = body.get("visit"), body.get("to"), body.get("rev")
        if not isinstance(visit_id, str) or not isinstance(to, str) or not isinstance(rev, (int, type(None))):
            raise _Bad("invalid", visit="required", to="required", rev="required")
        visit = self.visits.get(visit_id)
        if visit is None or visit.clinic != here.clinic:
            raise _Bad("unknown")
        if here.member:
            if not here.serves(visit):
                raise _Bad("unknown")
            moved = self.visits.move(
                visit_id, to, actor=Actor(kind="member", id=here.member), rev=rev, name=here.name, page=here.page
            )
        else:
            if here.visit != visit_id or not any(s.id == here.seat and s.key == here.page for s in visit.seats):
                raise _Bad("unknown")
            moved = self.visits.move(visit_id, to, actor=Actor(kind="seat", id=here.seat), rev=rev)
        if moved.state == "ended":
            return {"rev": moved.rev}
        ack: Ack = {"rev": moved.rev, "pass": self.visits.pass_for(moved)}
        own = _seat_of(moved, here.member) if here.member else None
        if own is not None and moved.state == "in_call":
            ack |= {"seat": own.id, "visit": self._visit(moved, here)}
        return ack

    def transfer(self, here: Connection, body: dict[str, Any]) -> Ack:
        """A member sends a patient on to another room of the clinic."""
        room, rev = body.get("room"), body.get("rev")
        if not isinstance(room, str) or not isinstance(rev, (int, type(None))):
            raise _Bad("invalid", room="required", rev="required")
        visit = self._served(here, body)
        with self.app.app_context():
            if clinics.rooms.by_id(here.clinic, room) is None:
                raise _Bad("invalid", room="unknown")
        actor = Actor(kind="member", id=here.member)
        return {"rev": self.visits.transfer(visit.id, room, actor=actor, note=here.name, rev=rev).rev}

    def say(self, here: Connection, body: dict[str, Any]) -> Ack:
        return self.gate.say(here.clinic, here.sid, here.rates, body)

    def _parties(self, visit: Visit) -> Iterator[saying.Party]:
        """The pages that may talk to each other: those that sit in a visit and, until the call, the open dashboards.

        Guests take part in the call, not in what comes before it.
        """
        seated = set()
        for seat in visit.seats:
            if seat.role == "guest" and (not seat.inside or saying.watches(visit)):
                continue
            if page := self._page_at(seat):
                seated.add(page.sid)
                yield saying.Party(page.sid, page.who, seat.role, page.page)
        if saying.watches(visit):
            for sid in list(self.boards.get(visit.room, ())):
                if sid not in seated and (board := self.open.get(sid)):
                    yield saying.Party(sid, board.member, "provider", board.page)

    def _watchers(self, room: str) -> list[dict[str, str]]:
        """The dashboards that are open on a room, for those who have something to say to them."""
        boards = [board for sid in list(self.boards.get(room, ())) if (board := self.open.get(sid))]
        return [{"id": board.member, "name": board.name, "key": board.page} for board in boards]

    def _say_watchers(self, room: str) -> None:
        said = {"room": room, "watchers": self._watchers(room)}
        self.io.server.emit("watchers", said, to=f"room:{room}")
        for here in self._patients(room):
            self.io.server.emit("watchers", said, to=here.sid)

    def _parts(self, clinic: str) -> list[str]:
        return [plugin.id for plugin in self.registry.on(clinic)]

    def _switched(self, clinic: str, on: list[str], off: list[str]) -> None:
        """Plugins were switched on or off: open pages follow at once, and nobody waits for what is gone."""
        for visit in [v for v in self.visits.store.all() if v.clinic == clinic]:
            self._waive(visit, lambda plugin: plugin in off)
        for here in list(self.open.values()):
            if here.clinic == clinic:
                self.io.server.emit("parts", {"on": on, "off": off}, to=here.sid)

    def _waive(self, visit: Visit, gone: Callable[[str], bool]) -> Visit:
        """Nobody waits for the open steps of plugins that are gone; says how the visit stands then."""
        if visit.state == "arriving":
            for step in [step for step, stands in visit.steps.items() if stands == "open"]:
                if gone(step.partition(":")[0]):
                    with contextlib.suppress(VisitError):  # it has ended or moved on meanwhile
                        visit = self.visits.step(visit.id, step, "waived")
        return visit

    def step(self, here: Connection, body: dict[str, Any]) -> Ack:
        """A patient's page says that a step of the check-in is done, or not any more. The answers are not here."""
        step, done = body.get("id"), body.get("done")
        if not isinstance(step, str) or not isinstance(done, bool):
            raise _Bad("invalid", id="required", done="required")
        visit = self.visits.get(here.visit)
        if visit is None or not (visit.patient.id == here.seat and visit.patient.key == here.page):
            raise _Bad("unknown")
        with self.app.app_context():
            if steps.confirmed(self.visits.view(visit), step):
                raise _Bad("forbidden")
        stepped = self.visits.step(visit.id, step, "done" if done else "open")
        return {"rev": stepped.rev, "steps": dict(stepped.steps)}

    def ready(self, here: Connection, body: dict[str, Any]) -> Ack:
        colour, reason = body.get("colour"), body.get("reason", "")
        if not isinstance(colour, str) or colour not in COLOURS:
            raise _Bad("invalid", colour="invalid")
        if not isinstance(reason, str) or reason not in REASONS:
            raise _Bad("invalid", reason="invalid")
        if not here.seat:
            raise _Bad("forbidden")
        self.visits.ready(here.visit, here.seat, colour, reason)
        return {}

    def take(self, here: Connection, body: dict[str, Any]) -> Ack:
        if here.ticket:
            self._enter(here, name=_text(body.get("name")), take=True)
            return {}
        visit = self._served(here, body)
        if pass_ := _text(body.get("pass")):
            self.visits.restore(pass_, clinic=here.clinic)
        entry = self.visits.sit(visit.id, member=here.member, name=here.name, page=here.page, take=True)
        return {"seat": entry.seat, "visit": self._visit(entry.visit, here), "pass": self.visits.pass_for(entry.visit)}

    def ice(self, here: Connection, body: dict[str, Any]) -> Ack:
        house = self.app.extensions["housecall"]
        return ice.servers(house.site.clinics[here.clinic].ice, self.clock())

    # -- guests

    def invite(self, here: Connection, body: dict[str, Any]) -> Ack:
        """A link for one guest more; of a seat that there is already, its link again."""
        visit, kind, seat = self._served(here, body), body.get("kind"), body.get("seat")
        if seat is None:
            if not isinstance(kind, str):
                raise _Bad("invalid", kind="required")
            seat = self.visits.invite(visit.id, kind).id
        return {"seat": str(seat), "link": self.visits.link(visit.id, str(seat))}

    def admit(self, here: Connection, body: dict[str, Any]) -> Ack:
        self.visits.admit(self._served(here, body).id, str(body.get("seat", "")))
        return {}

    def remove(self, here: Connection, body: dict[str, Any]) -> Ack:
        """A member takes back a link, refuses a guest or lets one go; a guest leaves."""
        if here.guest:
            seat = must(self._own(here), here.seat)
            if seat.key != here.page or body.get("seat") != seat.id:
                raise _Bad("unknown")
            self.visits.remove(here.visit, seat.id)
        else:
            self.visits.remove(self._served(here, body).id, str(body.get("seat", "")))
        return {}

    def _own(self, here: Connection) -> Visit:
        visit = self.visits.get(here.visit)
        if visit is None:
            raise _Bad("unknown")
        return visit

    def curtain(self, here: Connection, body: dict[str, Any]) -> Ack:
        """Whether pictures go to a guest; each sender hears it with the seats."""
        on = body.get("on")
        if not isinstance(on, bool):
            raise _Bad("invalid", on="required")
        self.visits.curtain(self._served(here, body).id, str(body.get("seat", "")), on)
        return {}

    def snapshot(self, here: Connection, body: dict[str, Any]) -> Ack:
        room = body.get("room")
        if room not in here.rooms:
            raise _Bad("unknown")
        return self._snapshot(room)


class _Bad(Exception):
    """A request that a handler does not take: an ack's code, and the fields that are wrong."""

    def __init__(self, code: str, **fields: str):
        self.code, self.fields = code, fields


def _check_signal(name: str, inner: Any) -> None:
    """A description or a candidate as browsers make them: a few flat values, which nobody reads."""
    if not isinstance(inner, dict) or len(inner) > 12:
        raise _Bad("invalid", **{name: "invalid"})
    size = 0
    for key, value in inner.items():
        if isinstance(value, str):
            size += len(value)
        elif not isinstance(value, (int, type(None))):
            raise _Bad("invalid", **{name: "invalid"})
        size += len(key)
    if size > SIGNAL_BYTES:
        raise _Bad("too_big", **{name: "too_long"})


def _details(error: VisitError) -> dict[str, Any]:
    """What the page needs beside the code to say or do the right thing."""
    more: dict[str, Any] = {}
    if fields := getattr(error, "fields", None):
        more["fields"] = fields
    if reasons := getattr(error, "reasons", None):
        more["reasons"] = list(reasons)
    if (visit := getattr(error, "visit", None)) is not None:
        more |= {"rev": visit.rev, "state": visit.state}
    return more


def _lasting(visit: Visit) -> list[tuple[object, ...]]:
    """What a pass says of the seats: who sits where, not whether their page is there."""
    return [(s.id, s.member, s.holder, s.admitted, s.curtain) for s in visit.seats]


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _patients(visit: Visit) -> list[str]:
    return [s.id for s in visit.seats if s.role == "patient"]


def _seat_of(visit: Visit, member: str) -> Seat | None:
    return next((s for s in visit.seats if s.member == member), None)
