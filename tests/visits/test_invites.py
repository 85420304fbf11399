"""A link that opens one visit: what makes it worth something, and what makes it worth nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from world import CLINIC, ROOM, World

from housecall.visits import Actor, Early, Expired, Invite, NotHere, NotWhole, Used, Visit

HOUR = 3_600_000


@pytest.fixture
def world() -> World:
    return World()


def invite(world: World, **more: object) -> Invite:
    made = Invite(c=CLINIC, r=ROOM, v="v" * 22, n=world.clock - HOUR, x=world.clock + HOUR)
    return replace(made, **more)  # type: ignore[arg-type]


def come(world: World, link: str, name: str = "Grace") -> tuple[Visit, str]:
    read = world.visits.read_invitation(link, clinic=CLINIC, room=ROOM)
    return world.visits.arrive(clinic=CLINIC, room=ROOM, name=name, invite=read)


def test_a_link_says_what_was_signed_and_reading_it_uses_nothing_up(world: World) -> None:
    made = invite(world, free=True)
    link = world.visits.invitation(made)
    for _ in range(100):
        assert world.visits.read_invitation(link, clinic=CLINIC, room=ROOM) == made
    visit, ticket = come(world, link)
    assert visit.id == made.v
    assert world.enter(ticket, "page").visit.name == "Grace"


@pytest.mark.parametrize("change", range(5))
def test_one_that_was_changed_anywhere_is_none(world: World, change: int) -> None:
    link = world.visits.invitation(invite(world))
    at = change * (len(link) - 1) // 4
    other = link[:at] + ("A" if link[at] != "A" else "B") + link[at + 1 :]
    with pytest.raises(NotWhole):
        world.visits.read_invitation(other, clinic=CLINIC, room=ROOM)


@pytest.mark.parametrize("text", ["", "x", "a.b", "A" * 500])
def test_anything_else_is_none(world: World, text: str) -> None:
    with pytest.raises(NotWhole):
        world.visits.read_invitation(text, clinic=CLINIC, room=ROOM)


def test_a_ticket_or_a_pass_is_no_link_and_a_link_is_no_ticket(world: World) -> None:
    visit, ticket = world.arrive("Grace")
    for text in (ticket, world.visits.pass_for(visit)):
        with pytest.raises(NotWhole):
            world.visits.read_invitation(text, clinic=CLINIC, room=ROOM)
    with pytest.raises(Exception, match=r"^$"):
        world.enter(world.visits.invitation(invite(world)), "page")


def test_it_opens_in_its_room_and_in_its_time_only(world: World) -> None:
    link = world.visits.invitation(invite(world, n=world.clock + 10, x=world.clock + 20))
    for clinic, room in ((CLINIC, "another"), ("another", ROOM)):
        with pytest.raises(NotHere):
            world.visits.read_invitation(link, clinic=clinic, room=room)
    with pytest.raises(Early) as early:
        world.visits.read_invitation(link, clinic=CLINIC, room=ROOM)
    assert early.value.opens == world.clock + 10
    world.clock += 10
    world.visits.read_invitation(link, clinic=CLINIC, room=ROOM)
    world.clock += 10
    with pytest.raises(Expired):
        world.visits.read_invitation(link, clinic=CLINIC, room=ROOM)


def test_two_check_ins_are_the_same_visit(world: World) -> None:
    """From a second device too: it hears that the place is held, and may take it. The name stays the first one's."""
    link = world.visits.invitation(invite(world))
    first, ticket = come(world, link, "Grace")
    world.enter(ticket, "phone")
    second, other = come(world, link, "Somebody else")
    assert second.id == first.id
    assert len(world.visits.room(ROOM)) == 1
    entry = world.enter(other, "laptop", name="Somebody else")
    assert entry.held
    assert entry.visit.name == "Grace"
    assert world.enter(other, "laptop", take=True).dismissed == "phone"


def test_after_the_call_it_is_used(world: World) -> None:
    link = world.visits.invitation(invite(world))
    visit, ticket = come(world, link)
    world.enter(ticket, "page")
    world.visits.move(visit.id, "in_call", actor=Actor(kind="member", id="ada"), name="Ada", page="board")
    assert come(world, link)[0].id == visit.id, "while it lasts, one may come back"
    world.visits.move(visit.id, "ended", actor=Actor(kind="member", id="ada"))
    with pytest.raises(Used):
        come(world, link)
    world.restart()
    with pytest.raises(Used):
        come(world, link)


def test_whoever_was_removed_does_not_come_back_by_it(world: World) -> None:
    link = world.visits.invitation(invite(world))
    visit, _ = come(world, link)
    world.visits.move(visit.id, "ended", actor=Actor(kind="member", id="ada"))
    with pytest.raises(Used):
        come(world, link)


def test_whoever_closed_the_page_before_the_call_comes_again(world: World) -> None:
    """A look in the morning does not cost the appointment: each time it is a visit of its own, the old one is over."""
    link = world.visits.invitation(invite(world, x=world.clock + 100 * HOUR))
    seen: list[str] = []
    for n in range(3):
        visit, ticket = come(world, link)
        world.enter(ticket, f"page-{n}")
        world.visits.leaving(ticket, clinic=CLINIC, room=ROOM, page=f"page-{n}")
        world.wait(31_000)
        assert world.over[visit.id] == "left"
        seen.append(visit.id)
    assert len(set(seen)) == 3
    visit, ticket = come(world, link)
    world.enter(ticket, "page")
    world.visits.move(visit.id, "in_call", actor=Actor(kind="member", id="ada"), name="Ada", page="board")
    world.visits.move(visit.id, "ended", actor=Actor(kind="seat", id=visit.patient.id))
    with pytest.raises(Used):
        come(world, link)


def test_not_for_ever(world: World) -> None:
    link = world.visits.invitation(invite(world, x=world.clock + 1000 * HOUR))
    for _ in range(20):
        visit, _ = come(world, link)
        world.visits.move(visit.id, "ended", actor=Actor(kind="seat", id=visit.patient.id))
    with pytest.raises(Used):
        come(world, link)


def test_after_a_restart_the_ticket_and_the_link_lead_to_one_seat(world: World) -> None:
    """The link is used on another device before the first page is back: it is still one visit, and one card."""
    link = world.visits.invitation(invite(world))
    visit, ticket = come(world, link)
    world.enter(ticket, "phone")
    world.restart()
    again, other = come(world, link)
    assert again.id == visit.id
    world.enter(other, "laptop")
    back = world.enter(ticket, "phone")
    assert back.held
    assert len(world.visits.room(ROOM)) == 1


def test_who_was_sent_on_is_found_by_the_link_too(world: World) -> None:
    link = world.visits.invitation(invite(world))
    visit, _ = come(world, link)
    world.visits.transfer(visit.id, "other", actor=Actor(kind="member", id="ada"), note="Ada")
    again, ticket = come(world, link)
    assert (again.id, again.room) == (visit.id, "other")
    assert world.enter(ticket, "page").visit.room == "other"


def test_an_end_that_could_not_be_written_yet_is_an_end(world: World) -> None:
    link = world.visits.invitation(invite(world))
    visit, _ = come(world, link)
    world.failing = True
    world.visits.move(visit.id, "ended", actor=Actor(kind="seat", id=visit.patient.id))
    with pytest.raises(Used):
        come(world, link)
