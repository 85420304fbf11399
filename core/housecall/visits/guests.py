"""Guests: what a link, a knock, a welcome and a good-bye make of a visit. `Visits` stores what these functions make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from .model import Full, InUse, Seat, Unknown, Visit, with_seat

MOST = 4  #: seats of a visit: each page sends to each other one (contracts §19)
KINDS = ("interpreter", "relative", "colleague", "captioner", "chaperone")  #: what a guest may come as
CURTAINED = ("chaperone",)  #: those to whom no picture goes until a provider opens the curtain


def seat_for(seat_id: str, kind: str, holder: str = "") -> Seat:
    """A guest's seat, in which nobody has been let in yet."""
    return Seat(id=seat_id, role="guest", kind=kind, holder=holder, curtain=kind in CURTAINED)


def free(visit: Visit) -> int:
    """How many more may come; a chair is kept for the provider."""
    provided = any(seat.role == "provider" for seat in visit.seats)
    return MOST - len(visit.seats) - (0 if provided else 1)


def invited(seat: Seat) -> Callable[[Visit], Visit]:
    """One more seat, kept for whoever brings its link. Raises Full."""

    def change(visit: Visit) -> Visit:
        if free(visit) < 1:
            raise Full
        return replace(visit, seats=(*visit.seats, seat))

    return change


def taken(seat_id: str, holder: str, name: str) -> Callable[[Visit], Visit]:
    """The seat belongs to one browser from now on. Raises InUse where it belongs to another."""

    def change(visit: Visit) -> Visit:
        seat = guest(visit, seat_id)
        if seat.holder not in ("", holder):
            raise InUse
        return with_seat(visit, replace(seat, holder=holder, name=name))

    return change


def admitted(seat_id: str, now: int) -> Callable[[Visit], Visit]:
    """Let in whoever has taken the seat."""

    def change(visit: Visit) -> Visit:
        seat = guest(visit, seat_id)
        if not seat.holder:
            raise Unknown
        return visit if seat.inside else with_seat(visit, replace(seat, admitted=now))

    return change


def outside(seat_id: str) -> Callable[[Visit], Visit]:
    """The page has gone: the seat stays, and whoever comes back to it knocks again."""
    return lambda visit: with_seat(visit, replace(guest(visit, seat_id), admitted=None))


def removed(seat_id: str) -> Callable[[Visit], Visit]:
    """Without the seat; its link and its ticket open nothing any more."""

    def change(visit: Visit) -> Visit:
        seat = guest(visit, seat_id)
        return replace(visit, seats=tuple(each for each in visit.seats if each is not seat))

    return change


def curtained(seat_id: str, on: bool) -> Callable[[Visit], Visit]:
    """Whether pictures go to the seat; every sender obeys (sends.js)."""
    return lambda visit: with_seat(visit, replace(guest(visit, seat_id), curtain=on))


def guest(visit: Visit, seat_id: str) -> Seat:
    """A guest's seat. Raises Unknown."""
    seat = visit.seat(seat_id)
    if seat is None or seat.role != "guest":
        raise Unknown
    return seat
