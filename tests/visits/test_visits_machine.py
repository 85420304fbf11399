"""Long random histories of a waiting room: nobody lost, doubled, let into another's visit, or back after the end."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule
from world import CLINIC, World

from housecall.visits import (
    KINDS,
    MOVES,
    Actor,
    Forbidden,
    Full,
    InUse,
    Invalid,
    NotHere,
    NoTicket,
    Over,
    Stale,
    Unknown,
    VisitError,
    card,
)

ROOMS = ("north", "south")
MEMBERS = ("ada", "bob")


@dataclass
class Patient:
    """What a browser knows of its visit, and what we know of it."""

    visit: str
    seat: str
    room: str
    name: str
    arrived: int
    ticket: str
    page: str = ""  #: the page that holds the seat, as far as its owner knows
    passes: list[str] = field(default_factory=list)


@dataclass
class Guest:
    """What a browser knows of its seat, and what we know of it."""

    visit: str
    seat: str
    room: str
    link: str
    ticket: str = ""
    page: str = ""


class WaitingRooms(RuleBasedStateMachine):
    patients = Bundle("patients")
    guests = Bundle("guests")

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.known: dict[str, Patient] = {}
        self.pages = 0
        self.seated: dict[str, dict[str, str]] = {}  #: visit -> member -> page
        self.admitted: set[str] = set()  #: seats of guests whom somebody has let in
        self.removed: set[str] = set()  #: seats of guests who were sent away, or whose link was taken back

    # -- histories

    @rule(target=patients, room=st.sampled_from(ROOMS))
    def arrive(self, room: str) -> Patient:
        name = f"Marker {len(self.known)}"
        visit, ticket = self.world.arrive(name, room)
        patient = Patient(visit.id, visit.patient.id, room, name, visit.arrived, ticket)
        self.known[visit.id] = patient
        return patient

    @rule(patient=patients, take=st.booleans(), with_pass=st.booleans())
    def come(self, patient: Patient, take: bool, with_pass: bool) -> None:
        """A page opens (or opens again, or a second tab) with the patient's ticket."""
        self.pages += 1
        page = f"page-{self.pages}"
        before = self.world.visits.get(patient.visit)
        held = before is not None and before.patient.present
        pass_ = patient.passes[-1] if with_pass and patient.passes else None
        try:
            entry = self.world.enter(patient.ticket, page, patient.room, name=patient.name, pass_=pass_, take=take)
        except Over:
            assert patient.visit in self.world.over or self.world.visits.store.get(patient.visit) is not None
            return
        except NoTicket:
            assert self.world.clock >= patient.arrived + 12 * 3600 * 1000
            return
        assert patient.visit not in self.world.over, "back after the end"
        assert entry.visit.id == patient.visit
        assert entry.seat == patient.seat
        assert entry.visit.arrived == patient.arrived, "the place was lost"
        assert entry.held == (held and not take), "a living page lost its seat unasked"
        if not entry.held:
            patient.page = page
        patient.passes.append(self.world.visits.pass_for(entry.visit))

    @rule(patient=patients)
    def fall_silent(self, patient: Patient) -> None:
        self.world.visits.away(patient.visit, patient.seat, patient.page)

    @rule(patient=patients)
    def close_the_page(self, patient: Patient) -> None:
        if self.world.clock < patient.arrived + 12 * 3600 * 1000:
            self.world.visits.leaving(patient.ticket, clinic=CLINIC, room=patient.room, page=patient.page)

    @rule(
        patient=patients, to=st.sampled_from(["in_call", "paused", "waiting", "ended"]), member=st.sampled_from(MEMBERS)
    )
    def member_moves(self, patient: Patient, to: str, member: str) -> None:
        visit = self.world.visits.get(patient.visit)
        try:
            moved = self.world.visits.move(
                patient.visit,
                to,
                actor=Actor(kind="member", id=member),
                rev=visit.rev if visit else None,
                name=member,
                page=f"board-{member}",
            )
        except (Unknown, Invalid):
            assert visit is None or to not in MOVES[visit.state]
            return
        except Full:
            assert visit is not None
            assert len(visit.seats) == 4
            assert visit.seat_of(member) is None
            return
        assert visit is not None
        assert to in MOVES[visit.state]
        if moved.state == "in_call":
            assert moved.seat_of(member) is not None
            self.seated.setdefault(patient.visit, {})[member] = f"board-{member}"
        if moved.state != "ended":
            patient.passes.append(self.world.visits.pass_for(moved))

    @rule(patient=patients, to=st.sampled_from(ROOMS), member=st.sampled_from(MEMBERS))
    def member_sends_on(self, patient: Patient, to: str, member: str) -> None:
        visit = self.world.visits.get(patient.visit)
        try:
            sent = self.world.visits.transfer(patient.visit, to, actor=Actor(kind="member", id=member), note=member)
        except (Unknown, Invalid):
            assert visit is None or visit.room == to
            return
        assert visit is not None
        assert (sent.room, sent.state, sent.note, sent.arrived) == (to, "waiting", member, visit.arrived)
        assert sent.seats == tuple(seat for seat in visit.seats if seat.role != "provider")
        self.seated.pop(patient.visit, None)
        patient.passes.append(self.world.visits.pass_for(sent))

    @rule(patient=patients, member=st.sampled_from(MEMBERS))
    def move_with_an_old_revision(self, patient: Patient, member: str) -> None:
        visit = self.world.visits.get(patient.visit)
        if visit is not None:
            with pytest.raises(Stale):
                self.world.visits.move(patient.visit, "ended", actor=Actor(kind="member", id=member), rev=visit.rev - 1)

    @rule(patient=patients, member=st.sampled_from(MEMBERS))
    def members_page_goes(self, patient: Patient, member: str) -> None:
        visit = self.world.visits.get(patient.visit)
        seat = visit.seat_of(member) if visit else None
        if seat is not None:
            self.world.visits.away(patient.visit, seat.id, seat.key)

    @rule(patient=patients, member=st.sampled_from(MEMBERS))
    def members_page_returns(self, patient: Patient, member: str) -> None:
        if patient.passes:
            self.world.visits.restore(patient.passes[-1], clinic=CLINIC)
        visit = self.world.visits.get(patient.visit)
        try:
            entry = self.world.visits.sit(patient.visit, member=member, name=member, page=f"board-{member}", take=True)
        except Unknown:
            assert visit is None or visit.seat_of(member) is None
            return
        assert member in self.seated.get(patient.visit, {}), "a member got a seat that was never given"
        assert entry.visit.seat_of(member) is not None

    @rule(patient=consumes(patients))
    def patient_leaves(self, patient: Patient) -> None:
        with contextlib.suppress(Unknown):
            self.world.visits.move(patient.visit, "ended", actor=Actor(kind="seat", id=patient.seat))

    # -- guests

    @rule(target=guests, patient=patients, kind=st.sampled_from(KINDS))
    def invite(self, patient: Patient, kind: str) -> Guest:
        visit = self.world.visits.get(patient.visit)
        try:
            seat = self.world.visits.invite(patient.visit, kind)
        except Unknown:
            assert visit is None
        except Full:
            assert visit is not None
            assert len(visit.seats) + (not any(s.role == "provider" for s in visit.seats)) >= 4
        else:
            assert visit is not None
            patient.passes.append(self.world.visits.pass_for(self.world.now(visit)))
            return Guest(patient.visit, seat.id, visit.room, self.world.visits.link(patient.visit, seat.id))
        return Guest(patient.visit, "none", patient.room, "none")

    @rule(guest=guests, same=st.booleans())
    def guest_joins(self, guest: Guest, same: bool) -> None:
        """By the link, in the browser that has the seat or in another one."""
        before = self.world.visits.get(guest.visit)
        seat = before.seat(guest.seat) if before else None
        ticket = guest.ticket if same else ""
        try:
            _, taken, ticket = self.world.join(guest.link, "Marker guest", guest.room, ticket)
        except InUse:
            assert seat is not None
            assert seat.holder
            assert not (same and guest.ticket), "a browser lost its seat"
            return
        except (Over, NoTicket):
            assert seat is None or self.world.clock >= self.known[guest.visit].arrived + 12 * 3600 * 1000
            return
        assert seat is not None
        assert not seat.holder or (same and guest.ticket), "a link opened a seat twice"
        assert taken.id == guest.seat
        assert guest.seat not in self.removed
        guest.ticket = ticket
        self.known[guest.visit].passes.append(self.world.visits.pass_for(self.world.visits.store.get(guest.visit)))

    @rule(guest=guests, with_pass=st.booleans())
    def guest_comes(self, guest: Guest, with_pass: bool) -> None:
        """A page with the guest's ticket, perhaps with a pass that is none of a guest's business."""
        if not guest.ticket:
            return
        self.pages += 1
        page, before = f"page-{self.pages}", self.world.visits.get(guest.visit)
        inside = {s.id for s in before.seats if s.inside} if before else set()
        passes = self.known[guest.visit].passes
        pass_ = passes[-1] if with_pass and passes else None
        try:
            entry = self.world.enter(guest.ticket, page, guest.room, name="Marker guest", pass_=pass_, take=True)
        except (Over, NoTicket):
            return
        assert guest.visit not in self.world.over, "back after the end"
        assert entry.seat == guest.seat
        seat = entry.visit.seat(guest.seat)
        assert seat is not None
        assert not seat.inside or guest.seat in inside, "a guest let itself in"
        guest.page = page

    @rule(guest=guests)
    def guest_is_admitted(self, guest: Guest) -> None:
        with contextlib.suppress(Unknown):
            moved = self.world.visits.admit(guest.visit, guest.seat)
            self.admitted.add(guest.seat)
            self.known[guest.visit].passes.append(self.world.visits.pass_for(moved))

    @rule(target=guests, room=st.sampled_from(ROOMS), kind=st.sampled_from(KINDS))
    def a_guest_is_in(self, room: str, kind: str) -> Guest:
        """The usual way of one, so that histories of what follows are not rare."""
        guest = self.invite(self.arrive(room), kind)
        self.guest_joins(guest, same=True)
        self.guest_comes(guest, with_pass=False)
        self.guest_is_admitted(guest)
        return guest

    @rule(guest=guests)
    def guest_is_the_first_after_a_restart(self, guest: Guest) -> None:
        self.the_server_restarts()
        self.guest_comes(guest, with_pass=True)

    @rule(guest=guests)
    def guest_is_removed(self, guest: Guest) -> None:
        with contextlib.suppress(Unknown):
            moved = self.world.visits.remove(guest.visit, guest.seat)
            self.removed.add(guest.seat)
            self.known[guest.visit].passes.append(self.world.visits.pass_for(moved))
            with pytest.raises(Over):
                self.world.join(guest.link, "Marker guest", guest.room, guest.ticket)

    @rule(guest=guests, on=st.booleans())
    def curtain(self, guest: Guest, on: bool) -> None:
        with contextlib.suppress(Unknown):
            moved = self.world.visits.curtain(guest.visit, guest.seat, on)
            assert [s.curtain for s in moved.seats if s.id == guest.seat] == [on]

    @rule(guest=guests)
    def guest_closes_the_page(self, guest: Guest) -> None:
        if guest.ticket and self.world.clock < self.known[guest.visit].arrived + 12 * 3600 * 1000:
            self.world.visits.leaving(guest.ticket, clinic=CLINIC, room=guest.room, page=guest.page)

    @rule(guest=guests)
    def guest_tries_to_move(self, guest: Guest) -> None:
        with pytest.raises((Unknown, Forbidden)):
            self.world.visits.move(guest.visit, "ended", actor=Actor(kind="seat", id=guest.seat))

    @rule(mine=patients, other=patients)
    def try_anothers_visit(self, mine: Patient, other: Patient) -> None:
        """A ticket of one's own never opens what it was not made for."""
        if mine.room != other.room:
            with pytest.raises((NotHere, NoTicket)):
                self.world.enter(mine.ticket, "stranger", other.room)
        if mine.visit != other.visit:
            with pytest.raises(VisitError):
                self.world.visits.move(other.visit, "ended", actor=Actor(kind="seat", id=mine.seat))

    @rule(patient=patients, at=st.integers(0, 200), by=st.sampled_from("AZaz09_-"))
    def forge(self, patient: Patient, at: int, by: str) -> None:
        at %= len(patient.ticket)
        forged = patient.ticket[:at] + by + patient.ticket[at + 1 :]
        # the last character of base64 has bits that mean nothing: such a change is none
        if forged != patient.ticket and at < patient.ticket.rindex("."):
            with pytest.raises(NoTicket):
                self.world.enter(forged, "stranger", patient.room)

    @rule(seconds=st.sampled_from([1, 10, 31, 300, 601, 4000, 30_000]))
    def time_passes(self, seconds: int) -> None:
        self.world.wait(seconds * 1000)

    @rule()
    def the_server_restarts(self) -> None:
        if not self.world.failing:  # an end that was never written is forgotten by a crash: nobody can know of it
            self.world.restart()
            self.removed.clear()  # who was sent away may knock again until a pass says who sits where; nobody is let in

    @rule(failing=st.booleans())
    def the_disk_fills_or_frees(self, failing: bool) -> None:
        self.world.failing = failing
        if not failing:
            self.world.visits.sweep()

    # -- what always holds

    @invariant()
    def nobody_is_doubled_and_the_order_is_that_of_arrival(self) -> None:
        for room in ROOMS:
            visits = self.world.visits.room(room)
            assert len({v.id for v in visits}) == len(visits)
            assert [(v.arrived, v.id) for v in visits] == sorted((v.arrived, v.id) for v in visits)
            for visit in visits:
                assert visit.room == room
                assert visit.arrived == self.known[visit.id].arrived
                assert len({s.id for s in visit.seats}) == len(visit.seats)
                assert sum(s.role == "patient" for s in visit.seats) == 1
                assert visit.name in (self.known[visit.id].name, "")

    @invariant()
    def the_place_in_line_is_what_counting_says(self) -> None:
        for room in ROOMS:
            line = [visit.id for visit in self.world.visits.room(room) if visit.state == "waiting"]
            for place, visit in enumerate(line):
                assert self.world.visits.ahead(self.world.visits.store.get(visit)) == place

    @invariant()
    def nobody_is_there_after_the_end(self) -> None:
        for visit in self.world.over:
            assert self.world.visits.get(visit) is None

    @invariant()
    def only_seats_that_were_given_exist(self) -> None:
        for visit in self.world.visits.store.all():
            members = {s.member for s in visit.seats if s.member}
            assert members <= set(self.seated.get(visit.id, {}))

    @invariant()
    def four_at_most_and_only_guests_who_were_let_in(self) -> None:
        for visit in self.world.visits.store.all():
            assert len(visit.seats) <= 4
            for seat in visit.seats:
                assert seat.role != "guest" or not seat.inside or seat.id in self.admitted
                assert seat.role != "guest" or seat.holder or not seat.present

    @invariant()
    def names_are_on_cards_only(self) -> None:
        for visit in self.world.visits.store.all():
            if visit.state != "ended" and visit.name:
                assert visit.name in card(visit)["name"]
                assert "Marker" not in repr(self.world.visits.view(visit))

    def teardown(self) -> None:
        """Nobody is lost: at the end, each valid ticket of a visit that did not end brings its visit back."""
        self.world.failing = False
        self.world.visits.sweep()
        self.world.restart()
        for patient in self.known.values():
            if patient.visit in self.world.over or self.world.clock >= patient.arrived + 12 * 3600 * 1000:
                with pytest.raises((Over, NoTicket)):
                    self.world.enter(patient.ticket, "last", patient.room)
            else:
                entry = self.world.enter(patient.ticket, "last", patient.room, name=patient.name)
                assert (entry.visit.id, entry.visit.arrived) == (patient.visit, patient.arrived)


WaitingRooms.TestCase.settings = settings(
    max_examples=int(os.environ.get("HOUSECALL_EXAMPLES", "300")),
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestWaitingRooms = WaitingRooms.TestCase
