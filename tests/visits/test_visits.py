"""The rules of a visit, one by one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from itsdangerous import URLSafeSerializer
from world import CLINIC, KEY, ROOM, World

from housecall.visits import (
    Actor,
    Closed,
    Forbidden,
    Invalid,
    NotHere,
    NoTicket,
    Over,
    Refusal,
    Stale,
    Unknown,
    Visit,
    card,
)

ADA = Actor(kind="member", id="ada")
BOB = Actor(kind="member", id="bob")


@pytest.fixture
def world() -> World:
    return World()


def test_check_in_gives_a_place_and_a_ticket_without_the_name(world: World) -> None:
    visit, ticket = world.arrive("Grace Hopper")
    assert visit.state == "waiting"
    assert "Grace" not in ticket
    assert "Grace" not in world.visits.pass_for(visit)
    assert card(visit)["name"] == "Grace Hopper"


@pytest.mark.parametrize(
    ("typed", "code"),
    [("", "required"), ("   ", "required"), ("\u202e\u0007", "required"), ("x" * 81, "too_long"), (7, "invalid")],
)
def test_a_name_that_cannot_be_used_is_refused(world: World, typed: object, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        world.arrive(typed)  # type: ignore[arg-type]
    assert refused.value.fields == {"name": code}
    assert world.visits.room(ROOM) == []


def test_a_name_is_shown_in_one_line_without_tricks(world: World) -> None:
    visit, _ = world.arrive("  Grace\n\u202eHopper \x00 ")
    assert visit.name == "Grace Hopper"


def test_first_come_first_served(world: World) -> None:
    first, _ = world.arrive("A")
    world.wait(1000)
    second, _ = world.arrive("B")
    assert [v.id for v in world.visits.room(ROOM)] == [first.id, second.id]
    assert world.visits.ahead(first) == 0
    assert world.visits.ahead(second) == 1


def test_a_patient_who_is_sent_on_waits_there_in_the_place_of_the_arrival(world: World) -> None:
    visit, ticket = world.arrive("A", "north")
    world.wait(1000)
    later, _ = world.arrive("B", "south")
    called = world.visits.move(visit.id, "in_call", actor=ADA, name="Ada", page="p" * 20)
    sent = world.visits.transfer(visit.id, "south", actor=ADA, note="Dr Ada", rev=called.rev)
    assert (sent.state, sent.note, [s.role for s in sent.seats]) == ("waiting", "Dr Ada", ["patient"])
    assert [v.id for v in world.visits.room("south")] == [visit.id, later.id]
    assert (world.visits.ahead(sent), world.visits.ahead(later)) == (0, 1)
    assert world.visits.room("north") == []
    assert world.visits.of_member("ada") == []
    assert world.enter(ticket, "page", "north").visit.room == "south"
    pass_ = world.visits.pass_for(sent)
    world.restart()
    again = world.enter(ticket, "page", "north", name="A", pass_=pass_).visit
    assert (again.room, again.state, again.note, again.arrived) == ("south", "waiting", "Dr Ada", visit.arrived)


def test_only_members_send_on_and_not_to_where_somebody_is(world: World) -> None:
    visit, _ = world.arrive("A")
    with pytest.raises(Forbidden):
        world.visits.transfer(visit.id, "south", actor=Actor(kind="seat", id=visit.patient.id), note="")
    with pytest.raises(Invalid):
        world.visits.transfer(visit.id, ROOM, actor=ADA, note="")
    with pytest.raises(Stale):
        world.visits.transfer(visit.id, "south", actor=ADA, note="", rev=visit.rev - 1)
    world.refusals = [Refusal(reason="No.", source="x")]
    with pytest.raises(Closed):
        world.visits.transfer(visit.id, "south", actor=ADA, note="")


def test_two_members_cannot_take_the_same_patient(world: World) -> None:
    visit, _ = world.arrive("A")
    world.visits.move(visit.id, "in_call", actor=ADA, rev=visit.rev, name="Ada", page="p" * 20)
    with pytest.raises(Stale) as stale:
        world.visits.move(visit.id, "in_call", actor=BOB, rev=visit.rev, name="Bob", page="q" * 20)
    assert [s.member for s in stale.value.visit.seats] == [None, "ada"]


def test_a_seat_may_only_end_its_own_visit(world: World) -> None:
    visit, _ = world.arrive("A")
    other, _ = world.arrive("B")
    seat = Actor(kind="seat", id=visit.patient.id)
    with pytest.raises(Forbidden):
        world.visits.move(visit.id, "in_call", actor=seat)
    with pytest.raises(Forbidden):
        world.visits.move(other.id, "ended", actor=seat)
    world.visits.move(visit.id, "ended", actor=seat)
    assert world.over == {visit.id: "left"}


def test_a_plugin_may_refuse_a_move_but_never_an_end(world: World) -> None:
    visit, _ = world.arrive("A")
    world.refusals = [Refusal(reason="The consent is not signed.", source="teleconsent")]
    with pytest.raises(Closed) as closed:
        world.visits.move(visit.id, "in_call", actor=ADA)
    assert closed.value.reasons == ["The consent is not signed."]
    world.visits.move(visit.id, "ended", actor=ADA)
    assert world.over == {visit.id: "removed"}


def test_a_move_that_no_state_allows_is_refused(world: World) -> None:
    visit, _ = world.arrive("A")
    for to in ("paused", "arriving", "waiting", "nonsense"):
        with pytest.raises(Invalid):
            world.visits.move(visit.id, to, actor=ADA)


def test_a_reload_gets_its_seat_and_a_second_tab_does_not(world: World) -> None:
    _, ticket = world.arrive("A")
    assert not world.enter(ticket, "page-one").held
    assert world.enter(ticket, "page-two").held
    taken = world.enter(ticket, "page-two", take=True)
    assert (taken.held, taken.dismissed) == (False, "page-one")
    world.visits.away(taken.visit.id, taken.seat, "page-two")
    assert not world.enter(ticket, "page-three").held


def test_the_dismissed_pages_socket_closing_changes_nothing(world: World) -> None:
    _, ticket = world.arrive("A")
    entry = world.enter(ticket, "page-one")
    world.enter(ticket, "page-two", take=True)
    world.visits.away(entry.visit.id, entry.seat, "page-one")
    present = world.visits.get(entry.visit.id)
    assert present is not None
    assert present.patient.present


def test_a_locked_phone_keeps_its_place_for_ten_minutes(world: World) -> None:
    visit, ticket = world.arrive("A")
    entry = world.enter(ticket, "page")
    world.visits.away(visit.id, entry.seat, "page")
    world.wait(29_000)
    assert world.now(visit).patient.lost_at is None
    world.wait(2_000)
    assert world.now(visit).patient.lost_at is not None
    world.wait(9 * 60_000)
    assert world.enter(ticket, "page").visit.patient.lost_at is None
    world.visits.away(visit.id, entry.seat, "page")
    world.wait(30_000)
    world.wait(10 * 60_000)
    assert world.over == {visit.id: "silent"}


def test_a_closed_page_leaves_after_thirty_seconds_unless_it_returns(world: World) -> None:
    visit, ticket = world.arrive("A")
    world.enter(ticket, "page")
    world.visits.leaving(ticket, clinic=CLINIC, room=ROOM, page="page")
    world.wait(20_000)
    world.enter(ticket, "reloaded")
    world.wait(60_000)
    assert world.over == {}
    world.visits.leaving(ticket, clinic=CLINIC, room=ROOM, page="page")  # the beacon of the page before: too late
    world.wait(60_000)
    assert world.over == {}
    world.visits.leaving(ticket, clinic=CLINIC, room=ROOM, page="reloaded")
    world.wait(31_000)
    assert world.over == {visit.id: "left"}


def test_a_call_goes_on_while_anybody_is_there(world: World) -> None:
    visit, ticket = world.arrive("A")
    entry = world.enter(ticket, "page")
    called = world.visits.move(visit.id, "in_call", actor=ADA, name="Ada", page="board")
    world.visits.away(visit.id, entry.seat, "page")
    world.wait(31_000)
    world.wait(20 * 60_000)
    assert world.now(visit).state == "in_call"
    ada = called.seat_of("ada")
    assert ada is not None
    world.visits.away(visit.id, ada.id, "board")
    world.wait(31_000)
    world.wait(10 * 60_000)
    assert world.over == {visit.id: "silent"}


def test_an_ended_visits_ticket_opens_nothing(world: World) -> None:
    visit, ticket = world.arrive("A")
    world.visits.move(visit.id, "ended", actor=ADA)
    with pytest.raises(Over):
        world.enter(ticket, "page")
    world.restart()
    with pytest.raises(Over):
        world.enter(ticket, "page")


def test_a_ticket_opens_its_own_room_in_its_own_clinic_only(world: World) -> None:
    _, ticket = world.arrive("A")
    for clinic, room in ((CLINIC, "other"), ("other", ROOM)):
        with pytest.raises(NotHere):
            world.visits.enter(ticket, clinic=clinic, room=room, page="page")
    for forged in (ticket[:-2] + "xx", "", "a.b", world.visits.pass_for(world.visits.room(ROOM)[0])):
        with pytest.raises(NoTicket):
            world.enter(forged, "page")


def test_a_ticket_expires_after_twelve_hours(world: World) -> None:
    _, ticket = world.arrive("A")
    world.clock += 12 * 3600 * 1000
    with pytest.raises(NoTicket):
        world.enter(ticket, "page")


def test_a_restart_loses_nobody_and_keeps_the_order(world: World) -> None:
    first, ticket_one = world.arrive("A")
    world.wait(1000)
    second, ticket_two = world.arrive("B")
    world.restart()
    world.enter(ticket_two, "two", name="B")
    world.enter(ticket_one, "one", name="A")
    assert [(v.id, v.name) for v in world.visits.room(ROOM)] == [(first.id, "A"), (second.id, "B")]


def test_a_call_is_rebuilt_from_any_seats_pass(world: World) -> None:
    visit, ticket = world.arrive("A")
    world.enter(ticket, "page")
    called = world.visits.move(visit.id, "in_call", actor=ADA, name="Ada", page="board")
    pass_ = world.visits.pass_for(called)
    world.wait(1000)
    world.restart()
    back = world.enter(ticket, "page", name="A").visit  # without a pass: only waiting
    assert back.state == "waiting"
    upgraded = world.visits.restore(pass_, clinic=CLINIC)
    assert upgraded is not None
    assert (upgraded.state, upgraded.started) == ("in_call", called.started)
    entry = world.visits.sit(visit.id, member="ada", name="Ada", page="board")
    assert entry.seat == called.seat_of("ada").id  # type: ignore[union-attr]
    with pytest.raises(Unknown):
        world.visits.sit(visit.id, member="bob", name="Bob", page="b")


def forms(world: World, **steps: bool) -> tuple[Visit, str]:
    """A patient who has something to do before the place in line: each step, and whether it is required."""
    asked = {f"consent:{step}": required for step, required in steps.items()}
    return world.visits.arrive(clinic=CLINIC, room=ROOM, name="A", steps=asked)


def test_what_must_be_done_first_is_still_to_be_done_after_a_restart(world: World) -> None:
    """A reload while the server restarts brings no pass; the ticket says what holds the patient up."""
    visit, ticket = forms(world, signed=True, asked=False)
    world.restart()
    back = world.enter(ticket, "page", name="A").visit
    assert (back.state, back.steps) == ("arriving", {"consent:signed": "open"})
    with pytest.raises(Invalid):
        world.visits.move(visit.id, "in_call", actor=ADA)
    assert world.visits.step(visit.id, "consent:signed", "done").state == "waiting"


def test_what_must_be_done_again_is_done_before_the_line(world: World) -> None:
    visit, _ = forms(world, signed=True)
    assert world.visits.step(visit.id, "consent:signed", "done").state == "waiting"
    back = world.visits.step(visit.id, "consent:signed", "open")
    assert (back.state, back.arrived) == ("arriving", visit.arrived)
    world.visits.step(visit.id, "consent:signed", "done")
    world.visits.move(visit.id, "in_call", actor=ADA, name="Ada", page="board")
    assert world.visits.step(visit.id, "consent:signed", "open").state == "in_call"


def test_a_guest_who_is_back_first_does_not_spare_the_patient_the_form(world: World) -> None:
    visit, _ = forms(world, signed=True)
    _, _, joined = world.join(world.link(visit))
    world.restart()
    assert world.enter(joined, "guest").visit.state == "arriving"


def test_a_pass_tells_of_steps_and_undoes_none_that_was_done_since(world: World) -> None:
    visit, ticket = forms(world, signed=True, asked=True)
    begun = world.visits.pass_for(world.visits.step(visit.id, "consent:asked", "done"))
    world.restart()
    world.enter(ticket, "page", name="A")
    world.visits.step(visit.id, "consent:signed", "done")
    back = world.enter(ticket, "page", pass_=begun).visit
    assert (back.state, dict(back.steps)) == ("waiting", {"consent:signed": "done", "consent:asked": "done"})


def test_a_call_is_rebuilt_also_where_the_patient_was_first_and_had_something_to_sign(world: World) -> None:
    visit, ticket = forms(world, signed=True)
    world.visits.step(visit.id, "consent:signed", "done")
    called = world.visits.pass_for(world.visits.move(visit.id, "in_call", actor=ADA, name="Ada", page="board"))
    world.restart()
    assert world.enter(ticket, "page", name="A").visit.state == "arriving"
    upgraded = world.visits.restore(called, clinic=CLINIC)
    assert upgraded is not None
    assert (upgraded.state, upgraded.steps) == ("in_call", {"consent:signed": "done"})


def test_a_ticket_is_a_cookie_however_many_steps_there_are_and_an_older_one_still_opens(world: World) -> None:
    steps = {f"plugin_{n:024}:{'s' * 41}": True for n in range(99)}
    _, ticket = world.visits.arrive(clinic=CLINIC, room=ROOM, name="A", steps=steps)
    assert len(ticket) < 3500
    assert 10 < len(world.visits.read_ticket(ticket, clinic=CLINIC, room=ROOM).steps) < 99
    _, plain = world.arrive("B")  # without steps it is what it was before there were any
    assert isinstance(body := URLSafeSerializer(KEY, salt="ticket").loads(plain), list)
    assert len(body) == 9
    world.restart()
    assert world.enter(plain, "page", name="B").visit.state == "waiting"


def test_a_pass_says_whether_its_visit_is_over(world: World) -> None:
    visit, ticket = world.arrive("A")
    pass_ = world.visits.pass_for(visit)
    assert not world.visits.is_over(pass_)
    world.wait(1000)
    world.restart()
    assert not world.visits.is_over(pass_)  # nobody has come back yet: not over for sure
    world.enter(ticket, "page", name="A")
    assert not world.visits.is_over(pass_)
    world.visits.move(visit.id, "ended", actor=ADA)
    assert world.visits.is_over(pass_)
    assert not world.visits.is_over("forged")


def test_a_pass_opens_nothing_by_itself(world: World) -> None:
    visit, _ = world.arrive("A")
    pass_ = world.visits.pass_for(visit)
    world.wait(1000)
    world.restart()
    assert world.visits.restore(pass_, clinic=CLINIC) is None
    assert world.visits.room(ROOM) == []


def test_an_old_pass_cannot_undo_what_happened_since(world: World) -> None:
    visit, ticket = world.arrive("A")
    called = world.visits.move(visit.id, "in_call", actor=ADA, name="Ada", page="board")
    pass_ = world.visits.pass_for(called)
    world.visits.move(visit.id, "paused", actor=ADA)
    world.enter(ticket, "page", pass_=pass_)
    assert world.now(visit).state == "paused"


def test_an_end_that_could_not_be_written_is_tried_again_and_lets_nobody_in(world: World) -> None:
    visit, ticket = world.arrive("A")
    world.failing = True
    world.visits.move(visit.id, "ended", actor=ADA)
    assert world.over == {}
    with pytest.raises(Over):
        world.enter(ticket, "page")
    with pytest.raises(Unknown):
        world.visits.move(visit.id, "in_call", actor=ADA)
    world.failing = False
    world.visits.sweep()
    assert world.over == {visit.id: "removed"}
    assert world.visits.store.get(visit.id) is None


def test_plugins_are_told_no_name(world: World) -> None:
    visit, _ = world.arrive("Grace Hopper")
    assert "Grace" not in repr(world.visits.view(visit))


def test_each_change_has_the_next_revision_of_its_room(world: World) -> None:
    visit, ticket = world.arrive("A")
    world.enter(ticket, "page")
    world.visits.ready(visit.id, visit.patient.id, "green", "")
    world.visits.move(visit.id, "ended", actor=ADA)
    assert [change.rev for change in world.changes] == list(range(1, len(world.changes) + 1))


def test_only_a_visit_from_before_the_start_is_rebuilt(world: World) -> None:
    """One that this server made and no longer knows has ended, whatever became of its history row."""
    visit, ticket = world.arrive("A")
    world.visits.store.drop(visit.id)
    with pytest.raises(Over):
        world.enter(ticket, "page")


def test_only_a_pass_from_before_the_start_changes_a_rebuilt_visit(world: World) -> None:
    visit, ticket = world.arrive("A")
    world.restart()
    rebuilt = world.enter(ticket, "page", name="A").visit
    invented = replace(rebuilt, state="in_call", started=world.clock)
    assert world.visits.restore(world.visits.pass_for(invented), clinic=CLINIC) is None
    assert world.now(visit).state == "waiting"
