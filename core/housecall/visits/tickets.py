"""Invitations, tickets and passes: what a browser brings for its place, or to get it again (contracts §6).

None of them holds a name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from itsdangerous import BadData, URLSafeSerializer
from itsdangerous import Signer as Plain

from .model import STATES, Early, Expired, NotHere, NoTicket, NotWhole, Role, Seat, State, Visit

LIFETIME = 12 * 3600 * 1000  #: ms from arrival until a ticket is worth nothing
STEPS = 1500  #: characters of the steps in a ticket: a browser keeps no cookie of more than 4096


@dataclass(frozen=True, kw_only=True, slots=True)
class Invite:
    """A visit that may come: c clinic, r room, v visit, n not before, x expires (ms), free: needs no passcode."""

    c: str
    r: str
    v: str
    n: int
    x: int
    free: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Ticket:
    """A place in a visit: c clinic, r room, v visit, p seat, a arrived, i issued, x expires (ms)."""

    c: str
    r: str
    v: str
    p: str
    role: Role
    a: int
    i: int
    x: int
    media: str = "video"
    patient: str = ""  #: of a guest's: the patient's seat, so that whoever is back first can rebuild the visit
    kind: str = ""
    holder: str = ""  #: of a guest's: the mark of this browser
    steps: tuple[str, ...] = ()  #: what had to be done before the place in line


@dataclass(frozen=True, kw_only=True, slots=True)
class Pass:
    """How a visit stood: v visit, c clinic, room, state, started, note, seats (who sits where), steps, i issued."""

    v: str
    c: str
    room: str
    state: State
    started: int | None
    note: str
    seats: tuple[Seat, ...]
    steps: Mapping[str, str]
    i: int


class Signer:
    """Makes and reads invitations, tickets, passes and guests' links, each under its own salt: one is never another."""

    def __init__(self, key: bytes | str):
        self._invite = URLSafeSerializer(key, salt="invite")
        self._link = Plain(key, salt="guest")
        self._ticket = URLSafeSerializer(key, salt="ticket")
        self._pass = URLSafeSerializer(key, salt="pass")

    def invite(self, invite: Invite) -> str:
        return str(self._invite.dumps([invite.c, invite.r, invite.v, invite.n, invite.x, int(invite.free)]))

    def read_invite(self, text: str, *, clinic: str, room: str, now: int) -> Invite:
        """Raises NotWhole, NotHere for one of another room or clinic, Early or Expired."""
        try:
            c, r, v, n, x, free = self._invite.loads(text)
        except (BadData, TypeError, ValueError):
            raise NotWhole from None
        if (c, r) != (clinic, room):
            raise NotHere
        if now < n:
            raise Early(n)
        if now >= x:
            raise Expired
        return Invite(c=c, r=r, v=v, n=n, x=x, free=bool(free))

    def ticket(self, visit: Visit, seat: Seat, now: int) -> str:
        body: list[Any] = [
            visit.clinic,
            visit.room,
            visit.id,
            seat.id,
            seat.role,
            visit.arrived,
            now,
            visit.arrived + LIFETIME,
            visit.media,
        ]
        if seat.role == "guest":
            body += [visit.patient.id, seat.kind, seat.holder]
        if steps := _required(visit):
            body.append(steps)
        return str(self._ticket.dumps(body))

    def link(self, visit: Visit, seat: Seat) -> str:
        """What opens a guest's seat, by the address of the room in which the patient is now, wherever they go then.

        The ids of the three and their signature: what the seat is for and how long stands in the visit.
        """
        return self._link.sign(f"{visit.id}.{seat.id}.{visit.room}").decode()

    def read_link(self, text: str) -> tuple[str, str, str]:
        """The ids of the visit, the seat and the room. Raises NoTicket."""
        try:
            visit, seat, room = self._link.unsign(text).decode().split(".")
        except (BadData, ValueError):
            raise NoTicket from None
        return visit, seat, room

    def read_ticket(self, text: str, *, clinic: str, room: str, now: int) -> Ticket:
        """Raises NoTicket for one that is forged, foreign or too old, NotHere for one of another room or clinic."""
        try:
            body = self._ticket.loads(text)
        except BadData:
            raise NoTicket from None
        if not isinstance(body, list) or len(body) not in (9, 10, 12, 13):
            raise NoTicket
        steps = body.pop() if len(body) in (10, 13) else ()
        names = ("c", "r", "v", "p", "role", "a", "i", "x", "media", "patient", "kind", "holder")
        ticket = Ticket(**dict(zip(names, body, strict=False)), steps=tuple(steps))
        if ticket.c != clinic or ticket.r != room:
            raise NotHere
        if now >= ticket.x:
            raise NoTicket
        return ticket

    def pass_(self, visit: Visit, now: int) -> str:
        seats = [
            [s.id, s.role, s.member, *((s.kind, s.holder, s.admitted, s.curtain) if s.role == "guest" else ())]
            for s in visit.seats
        ]
        body = [
            visit.id,
            visit.clinic,
            visit.room,
            visit.state,
            visit.started,
            visit.note,
            seats,
            dict(visit.steps),
            now,
        ]
        return str(self._pass.dumps(body))

    def read_pass(self, text: str | None) -> Pass | None:
        """None for anything that is not a pass of ours: it only adds to what a ticket gives."""
        if not text:
            return None
        try:
            body = self._pass.loads(text)
        except BadData:
            return None
        if not isinstance(body, list) or len(body) != 9 or body[3] not in STATES:
            return None
        visit, clinic, room, state, started, note, seats, steps, issued = body
        return Pass(
            v=visit,
            c=clinic,
            room=room,
            state=state,
            started=started,
            note=note,
            seats=_rows(seats),
            steps=steps,
            i=issued,
        )


def _required(visit: Visit) -> list[str]:
    """What holds a patient up, or did; of very many as much as a cookie holds: one open step is enough."""
    steps, room = list[str](), STEPS
    for step in [step for step, stands in visit.steps.items() if stands != "waived"]:
        room -= len(step)
        if room >= 0:
            steps.append(step)
    return steps


def _rows(seats: Sequence[Any]) -> tuple[Seat, ...]:
    """The seats of a pass, empty; their pages and names come by themselves."""
    names = ("id", "role", "member", "kind", "holder", "admitted", "curtain")
    return tuple(Seat(**dict(zip(names, row, strict=False))) for row in seats)
