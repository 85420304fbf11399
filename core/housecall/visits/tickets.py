"""Tickets and passes: what a browser brings so that it gets its place again (contracts §6). Neither holds a name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

from .model import STATES, NotHere, NoTicket, Role, State, Visit

LIFETIME = 12 * 3600 * 1000  #: ms from arrival until a ticket is worth nothing


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Pass:
    """How a visit stood: v visit, c clinic, room, state, started, note, seats (id, role, member), steps, i issued."""

    v: str
    c: str
    room: str
    state: State
    started: int | None
    note: str
    seats: tuple[tuple[str, Role, str | None], ...]
    steps: Mapping[str, str]
    i: int


class Signer:
    """Makes and reads both, each under its own salt: a pass is never a ticket."""

    def __init__(self, key: bytes | str):
        self._ticket = URLSafeSerializer(key, salt="ticket")
        self._pass = URLSafeSerializer(key, salt="pass")

    def ticket(self, visit: Visit, seat: str, role: Role, now: int) -> str:
        body = [
            visit.clinic,
            visit.room,
            visit.id,
            seat,
            role,
            visit.arrived,
            now,
            visit.arrived + LIFETIME,
            visit.media,
        ]
        return str(self._ticket.dumps(body))

    def read_ticket(self, text: str, *, clinic: str, room: str, now: int) -> Ticket:
        """Raises NoTicket for one that is forged, foreign or too old, NotHere for one of another room or clinic."""
        try:
            body = self._ticket.loads(text)
        except BadData:
            raise NoTicket from None
        if not isinstance(body, list) or len(body) != 9:
            raise NoTicket
        ticket = Ticket(**dict(zip(("c", "r", "v", "p", "role", "a", "i", "x", "media"), body, strict=True)))
        if ticket.c != clinic or ticket.r != room:
            raise NotHere
        if now >= ticket.x:
            raise NoTicket
        return ticket

    def pass_(self, visit: Visit, now: int) -> str:
        seats = [[s.id, s.role, s.member] for s in visit.seats]
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


def _rows(seats: Sequence[Any]) -> tuple[tuple[str, Role, str | None], ...]:
    return tuple((seat, role, member) for seat, role, member in seats)
