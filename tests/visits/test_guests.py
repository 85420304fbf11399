"""Guests of a visit: a link opens one seat, somebody lets them in, and nothing that they bring says so."""

from __future__ import annotations

import pytest
from world import CLINIC, ROOM, World

from housecall.visits import (
    KINDS,
    Actor,
    Forbidden,
    Full,
    InUse,
    Invalid,
    NotHere,
    NoTicket,
    Over,
    Seat,
    Seated,
    Unknown,
    Visit,
    card,
)

ADA = Actor(kind="member", id="ada")


@pytest.fixture
def world() -> World:
    return World()


def in_call(world: World) -> tuple[Visit, str]:
    """A visit in which a patient and a member sit, and the patient's ticket."""
    visit, ticket = world.arrive("Grace")
    world.enter(ticket, "patient-page")
    return world.visits.move(visit.id, "in_call", actor=ADA, name="Ada", page="ada-page"), ticket


def seated(world: World, visit: Visit, kind: str = "interpreter", page: str = "page") -> tuple[Seat, str, str]:
    """A guest who is in: the seat, the ticket, the link."""
    link = world.link(visit, kind)
    _, seat, ticket = world.join(link)
    world.enter(ticket, page)
    world.visits.admit(visit.id, seat.id)
    return present(world, visit, seat.id), ticket, link


def present(world: World, visit: Visit, seat: str) -> Seat:
    found = world.now(visit).seat(seat)
    assert found is not None
    return found


def test_a_guest_waits_until_somebody_lets_them_in(world: World) -> None:
    visit, _ = in_call(world)
    _, seat, ticket = world.join(world.link(visit))
    assert not seat.inside
    assert not world.enter(ticket, "page").held
    assert not present(world, visit, seat.id).inside
    world.visits.admit(visit.id, seat.id)
    assert present(world, visit, seat.id).admitted == world.clock


def test_nobody_is_let_in_whom_nobody_has_seen(world: World) -> None:
    visit, _ = in_call(world)
    seat = world.visits.invite(visit.id, "relative")
    with pytest.raises(Unknown):
        world.visits.admit(visit.id, seat.id)
    for change in (world.visits.admit, world.visits.remove, world.visits.link):
        with pytest.raises(Unknown):
            change(visit.id, visit.patient.id)
    with pytest.raises(Unknown):
        world.visits.curtain(visit.id, visit.patient.id, True)


def test_a_link_opens_one_seat_for_one_browser(world: World) -> None:
    visit, _ = in_call(world)
    link = world.link(visit)
    _, seat, ticket = world.join(link)
    with pytest.raises(InUse):
        world.join(link, "Mallory")
    assert present(world, visit, seat.id).name == "Maria"
    _, again, _ = world.join(link, "Maria Rossi", ticket=ticket)
    assert (again.id, again.name) == (seat.id, "Maria Rossi")
    other = world.join(world.link(visit), "Otto")[2]
    with pytest.raises(InUse):
        world.join(link, "Otto", ticket=other)


def test_a_browser_in_a_seat_takes_no_other_by_a_second_link(world: World) -> None:
    visit, _ = in_call(world)
    seat, ticket, _ = seated(world, visit)
    link = world.link(visit, "relative")
    with pytest.raises(Seated):
        world.join(link, "Otto", ticket=ticket)
    world.visits.away(visit.id, seat.id, "page")
    _, other, _ = world.join(link, "Otto", ticket=ticket)
    assert other.id != seat.id


def test_a_link_is_for_its_room_and_cannot_be_made_up(world: World) -> None:
    visit, ticket = in_call(world)
    link = world.link(visit)
    with pytest.raises(NotHere):
        world.join(link, room="another")
    for text in ("", "nonsense", link[:-2] + "xx", ticket, link.replace(".", "", 1), f"{visit.id}.{visit.patient.id}"):
        with pytest.raises((NoTicket, Over)):
            world.join(text)
    with pytest.raises(Invalid):
        world.join(link, "")
    world.join(link)


def test_four_fit_and_a_chair_is_kept_for_the_provider(world: World) -> None:
    waiting, _ = world.arrive("Grace")
    for _ in range(2):
        world.visits.invite(waiting.id, "relative")
    with pytest.raises(Full):
        world.visits.invite(waiting.id, "relative")
    moved = world.visits.move(waiting.id, "in_call", actor=ADA, name="Ada", page="p")
    assert len(moved.seats) == 4
    with pytest.raises(Full):
        world.visits.invite(waiting.id, "relative")
    world.visits.move(waiting.id, "paused", actor=ADA)
    with pytest.raises(Full):
        world.visits.move(waiting.id, "in_call", actor=Actor(kind="member", id="bob"), name="Bob", page="q")
    world.visits.remove(waiting.id, moved.seats[1].id)
    world.visits.invite(waiting.id, "colleague")


def test_what_a_guest_comes_as_is_one_of_five(world: World) -> None:
    visit, _ = in_call(world)
    for kind in ("", "spy", "provider"):
        with pytest.raises(Invalid):
            world.visits.invite(visit.id, kind)
    assert set(KINDS) == {"interpreter", "relative", "colleague", "captioner", "chaperone"}


def test_only_a_chaperone_comes_behind_a_curtain_and_it_can_be_opened(world: World) -> None:
    for kind in KINDS:
        visit, _ = in_call(world)
        seat = world.visits.invite(visit.id, kind)
        assert seat.curtain == (kind == "chaperone")
        world.visits.curtain(visit.id, seat.id, not seat.curtain)
        assert present(world, visit, seat.id).curtain == (kind != "chaperone")


def test_a_link_that_was_taken_back_opens_nothing(world: World) -> None:
    visit, _ = in_call(world)
    seat = world.visits.invite(visit.id, "relative")
    link = world.visits.link(visit.id, seat.id)
    world.visits.remove(visit.id, seat.id)
    with pytest.raises(Over):
        world.join(link)


def test_a_guest_who_was_removed_does_not_come_back(world: World) -> None:
    visit, _ = in_call(world)
    seat, ticket, link = seated(world, visit)
    world.visits.remove(visit.id, seat.id)
    with pytest.raises(Over):
        world.enter(ticket, "page")
    with pytest.raises(Over):
        world.join(link, ticket=ticket)
    assert world.now(visit).state == "in_call"


def test_guests_and_their_links_go_with_a_patient_who_is_sent_on(world: World) -> None:
    visit, _ = in_call(world)
    seat, ticket, _ = seated(world, visit)
    other = world.visits.invite(visit.id, "relative")
    link = world.visits.link(visit.id, other.id)
    sent = world.visits.transfer(visit.id, "south", actor=ADA, note="Ada")
    assert [s.role for s in sent.seats] == ["patient", "guest", "guest"]
    assert world.enter(ticket, "again").seat == seat.id
    _, joined, later = world.join(link)
    assert joined.id == other.id
    pass_ = world.visits.pass_for(world.now(visit))
    world.restart()
    assert world.enter(later, "page").visit.room == ROOM  # whoever is back first knows no more than the ticket
    world.visits.restore(pass_, clinic=CLINIC)
    assert world.now(visit).room == "south"


def test_a_guest_ends_nobodys_visit(world: World) -> None:
    visit, _ = in_call(world)
    seat, *_ = seated(world, visit)
    with pytest.raises(Forbidden):
        world.visits.move(visit.id, "ended", actor=Actor(kind="seat", id=seat.id))
    world.visits.move(visit.id, "ended", actor=Actor(kind="seat", id=visit.patient.id))
    assert world.over == {visit.id: "completed"}


def test_the_visit_ends_for_its_guests_too(world: World) -> None:
    visit, _ = in_call(world)
    _, ticket, link = seated(world, visit)
    world.visits.move(visit.id, "ended", actor=ADA)
    with pytest.raises(Over):
        world.enter(ticket, "page")
    with pytest.raises(Over):
        world.join(link, ticket=ticket)


def test_a_closed_page_knocks_again_and_a_lost_one_is_forgotten(world: World) -> None:
    visit, ticket = in_call(world)
    seat, own, _ = seated(world, visit)
    world.visits.leaving(own, clinic=CLINIC, room=ROOM, page="page")
    world.wait(29_000)
    assert present(world, visit, seat.id).inside
    world.wait(2_000)
    assert not present(world, visit, seat.id).inside
    world.enter(own, "page-two")
    assert not present(world, visit, seat.id).inside
    world.visits.admit(visit.id, seat.id)
    world.visits.away(visit.id, seat.id, "page-two")
    for _ in range(20):
        world.wait(31_000)
    assert world.now(visit).seat(seat.id) is None
    assert ticket


def test_guests_alone_do_not_keep_a_visit_alive(world: World) -> None:
    visit, ticket = in_call(world)
    seated(world, visit)
    read = world.visits.read_ticket(ticket, clinic=CLINIC, room=ROOM)
    world.visits.away(visit.id, read.p, "patient-page")
    ada = world.now(visit).seat_of("ada")
    assert ada is not None
    world.visits.away(visit.id, ada.id, "ada-page")
    for _ in range(21):
        world.wait(31_000)
    assert world.over == {visit.id: "silent"}


@pytest.mark.parametrize("first", ["guest", "patient", "provider"])
def test_a_guest_is_in_again_after_a_restart_whoever_is_back_first(world: World, first: str) -> None:
    visit, ticket = in_call(world)
    seat, own, _ = seated(world, visit, "chaperone")
    world.visits.curtain(visit.id, seat.id, False)
    pass_ = world.visits.pass_for(world.now(visit))
    world.restart()

    def guest() -> None:
        world.enter(own, "page", name="Maria")

    def patient() -> None:
        world.enter(ticket, "patient-page", name="Grace", pass_=pass_)

    def provider() -> None:
        world.visits.restore(pass_, clinic=CLINIC)

    steps = {"guest": guest, "patient": patient, "provider": provider}
    for who in (first, *(who for who in steps if who != first)):
        steps[who]()
    back = present(world, visit, seat.id)
    assert (back.inside, back.curtain, back.name, back.present) == (True, False, "Maria", True)
    assert world.now(visit).state == "in_call"
    assert world.now(visit).name == "Grace"


def test_what_a_guest_brings_after_a_restart_lets_nobody_in(world: World) -> None:
    """Also not a pass that somebody gave to the guest."""
    visit, _ = in_call(world)
    seat, own, _ = seated(world, visit)
    pass_ = world.visits.pass_for(world.now(visit))
    world.restart()
    world.enter(own, "page", name="Maria", pass_=pass_)
    assert not present(world, visit, seat.id).inside
    assert world.now(visit).state == "waiting"


def test_a_guest_who_was_removed_before_a_restart_is_not_in_what_a_pass_restores(world: World) -> None:
    visit, ticket = in_call(world)
    seat, own, _ = seated(world, visit)
    world.visits.remove(visit.id, seat.id)
    pass_ = world.visits.pass_for(world.now(visit))
    world.restart()
    world.enter(own, "page", name="Maria")  # back first, and not let in
    world.enter(ticket, "patient-page", pass_=pass_)
    assert world.now(visit).seat(seat.id) is None
    with pytest.raises(Over):
        world.enter(own, "page")


def test_a_link_that_is_out_survives_a_restart(world: World) -> None:
    visit, ticket = in_call(world)
    link = world.link(visit)
    pass_ = world.visits.pass_for(world.now(visit))
    world.restart()
    with pytest.raises(Over):
        world.join(link)  # nobody has told this server of the visit yet
    world.enter(ticket, "patient-page", pass_=pass_)
    world.join(link)
    with pytest.raises(InUse):
        world.join(link)


def test_a_seat_that_was_taken_stays_taken_after_a_restart(world: World) -> None:
    visit, ticket = in_call(world)
    _, own, link = seated(world, visit)
    pass_ = world.visits.pass_for(world.now(visit))
    world.restart()
    world.enter(ticket, "patient-page", pass_=pass_)
    with pytest.raises(InUse):
        world.join(link)
    world.join(link, ticket=own)


def test_a_guests_name_is_on_cards_and_nowhere_else(world: World) -> None:
    visit, _ = in_call(world)
    _, own, link = seated(world, visit)
    now = world.now(visit)
    assert "Maria" in str(card(now))
    for text in (own, link, world.visits.pass_for(now), repr(world.visits.view(now))):
        assert "Maria" not in text


def test_plugins_are_told_of_guests_who_are_in(world: World) -> None:
    visit, _ = in_call(world)
    world.link(visit)
    assert [role for _, role, *_ in world.visits.view(world.now(visit)).seats] == ["patient", "provider"]
    seated(world, visit)
    assert [role for _, role, *_ in world.visits.view(world.now(visit)).seats] == ["patient", "provider", "guest"]
