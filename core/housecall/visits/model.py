"""The nouns of what passes: a visit, its seats, a change of it, and what the rest of the house may see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

State = Literal["arriving", "waiting", "in_call", "paused", "ended"]
Role = Literal["provider", "patient", "guest"]
STATES: tuple[State, ...] = ("arriving", "waiting", "in_call", "paused", "ended")
RUNNING: tuple[State, ...] = ("in_call", "paused")

#: Which state may follow which when a person asks for it (contracts §5).
MOVES: Mapping[str, tuple[str, ...]] = {
    "arriving": ("waiting", "ended"),
    "waiting": ("in_call", "ended"),
    "in_call": ("paused", "ended"),
    "paused": ("in_call", "waiting", "ended"),
    "ended": (),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Seat:
    """One participant's place in a visit. Pages come and go; the seat stays."""

    id: str
    role: Role
    member: str | None = None  #: the member's id where a member sits here
    name: str = ""
    present: bool = False  #: whether a page with an open socket holds it
    lost_at: int | None = None  #: since when it is silent (ms), once that is known for sure
    key: str = ""  #: the public key of the page that holds it, or held it last
    ready: Mapping[str, str] | None = None  #: ``{colour, reason}`` of the device check
    kind: str = ""  #: of a guest: what they come as (guests.py)
    holder: str = ""  #: of a guest: the mark of the browser that took the link; empty until one has
    admitted: int | None = None  #: of a guest: since when they take part (ms)
    curtain: bool = False  #: of a guest: no picture goes here

    @property
    def inside(self) -> bool:
        """Whether it takes part: everybody but guests whom nobody has let in."""
        return self.role != "guest" or self.admitted is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    """From check-in to the end of the call. Never changed, only replaced by a newer one with a higher `rev`."""

    id: str
    clinic: str
    room: str
    name: str  #: the patient's, as typed: it exists here, on members' cards and in browsers, nowhere else
    media: str  #: "video" or "audio"
    arrived: int  #: ms
    rev: int = 1
    state: State = "waiting"
    started: int | None = None  #: ms of the first call
    note: str = ""  #: who sent the patient on to this room, as shown to members
    steps: Mapping[str, str] = field(default_factory=dict)  #: "plugin:step" -> open (holds up), done, waived
    seats: tuple[Seat, ...] = ()

    def seat(self, seat_id: str) -> Seat | None:
        """The seat with this id."""
        return next((seat for seat in self.seats if seat.id == seat_id), None)

    def seat_of(self, member: str) -> Seat | None:
        """The seat in which a member sits."""
        return next((seat for seat in self.seats if seat.member == member), None)

    @property
    def patient(self) -> Seat:
        """The patient's own seat."""
        return next(seat for seat in self.seats if seat.role == "patient")


@dataclass(frozen=True, kw_only=True, slots=True)
class Actor:
    """Who moves a visit: a member, a seat of it, or the clock."""

    kind: Literal["member", "seat", "clock"]
    id: str = ""


CLOCK = Actor(kind="clock")


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """A visit before and after. `rev` counts the changes of its room, `left` those of the room that it has left.

    `reason` says how an ended visit ended.
    """

    old: Visit | None
    new: Visit
    rev: int
    actor: Actor
    reason: str | None = None
    left: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """Why a move may not happen, in words for the person who asked, and who says so."""

    reason: str
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class VisitView:
    """What plugins are told of a visit: no name, no key."""

    id: str
    clinic: str
    room: str
    state: State
    media: str
    arrived: int
    started: int | None
    seats: tuple[tuple[str, Role, str | None, bool], ...]  #: (id, role, member, present)
    steps: Mapping[str, str] = field(default_factory=dict)  #: "plugin:step" -> open, done, waived


class Ports(Protocol):
    """The questions and messages by which `visits` reaches the rest of the house."""

    def refuse(self, view: VisitView, to: str, actor: Actor) -> list[Refusal]: ...
    def changed(self, change: Change) -> None: ...
    def is_over(self, visit_id: str) -> bool: ...
    def came(self, visit_id: str) -> bool: ...


class VisitError(Exception):
    """A request that `visits` does not grant; `code` is the ack's or the refusal's (contracts §7)."""

    code = "failed"


class Unknown(VisitError):
    code = "unknown"


class Forbidden(VisitError):
    code = "forbidden"


class NotHere(VisitError):
    code = "not_here"


class NoTicket(VisitError):
    code = "no_ticket"


class Over(VisitError):
    code = "over"


class NotWhole(VisitError):
    """An invitation that is none of ours, or not all of one."""

    code = "not_whole"


class Early(VisitError):
    """An invitation that opens later: at `opens` (ms)."""

    code = "early"

    def __init__(self, opens: int):
        self.opens = opens


class Expired(VisitError):
    """An invitation whose time is over."""

    code = "expired"


class Used(VisitError):
    """An invitation whose visit has been."""

    code = "used"


class InUse(VisitError):
    """A guest's link that another browser has taken."""

    code = "in_use"


class Seated(VisitError):
    """This browser sits in the room as another guest; its ticket would be lost."""

    code = "seated"


class Full(VisitError):
    """There are as many people in the visit as may be."""

    code = "full"


class Closed(VisitError):
    """Refused for now; `reasons` are sentences."""

    code = "closed"

    def __init__(self, reasons: list[str]):
        self.reasons = reasons


class Invalid(VisitError):
    """Bad input; `fields` maps each wrong field to a code."""

    code = "invalid"

    def __init__(self, **fields: str):
        self.fields = fields


class Stale(VisitError):
    """The visit has changed since it was looked at; `visit` is the present one."""

    code = "stale"

    def __init__(self, visit: Visit):
        self.visit = visit


def must(visit: Visit, seat_id: str) -> Seat:
    """A seat of a visit. Raises Unknown."""
    seat = visit.seat(seat_id)
    if seat is None:
        raise Unknown
    return seat


def with_seat(visit: Visit, seat: Seat) -> Visit:
    """The visit with another state of one of its seats."""
    return replace(visit, seats=tuple(seat if s.id == seat.id else s for s in visit.seats))


def view(visit: Visit) -> VisitView:
    """A visit without its name."""
    return VisitView(
        id=visit.id,
        clinic=visit.clinic,
        room=visit.room,
        state=visit.state,
        media=visit.media,
        arrived=visit.arrived,
        started=visit.started,
        seats=tuple((s.id, s.role, s.member, s.present) for s in visit.seats if s.inside),
        steps=dict(visit.steps),
    )


def card(visit: Visit) -> dict[str, Any]:
    """What members see of a visit (contracts §7): the one shape that carries the name to them."""
    return {
        "id": visit.id,
        "name": visit.name,
        "rev": visit.rev,
        "arrived": visit.arrived,
        "started": visit.started,
        "state": visit.state,
        "lost": visit.patient.lost_at,
        "present": visit.patient.present,
        "media": visit.media,
        "note": visit.note,
        "open_steps": [step for step, state in visit.steps.items() if state == "open"],
        "ready": dict(visit.patient.ready) if visit.patient.ready else None,
        "seats": [
            {"id": s.id, "role": s.role, "member": s.member, "present": s.present, "key": s.key, **_guest(s)}
            for s in visit.seats
        ],
    }


def _guest(seat: Seat) -> dict[str, Any]:
    """What members see of a guest besides: also of one who knocks, and of a link that nobody has used yet."""
    if seat.role != "guest":
        return {}
    taken = bool(seat.holder)
    return {"kind": seat.kind, "name": seat.name, "taken": taken, "admitted": seat.admitted, "curtain": seat.curtain}
