"""Guests against the real server: who may make a link, who may use it, and what a guest hears of a visit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from housecall.testing.practice import Practice, Room
from housecall.testing.visitor import Refused, Socket, Visitor

OFFER = {"life": 0, "round": 1, "description": {"type": "offer", "sdp": "v=0"}}


@dataclass
class Call:
    """A call by its sockets."""

    practice: Practice
    room: Room
    visit: str
    patient: Socket
    patient_seat: str
    board: Socket
    board_seat: str

    def link(self, kind: str = "interpreter") -> tuple[str, str]:
        """A new link, and its seat."""
        ack = self.board.ask("invite", {"visit": self.visit, "kind": kind})
        assert ack["ok"], ack
        return ack["link"], ack["seat"]

    def ask(self, event: str, seat: str, **more: Any) -> dict[str, Any]:
        return self.board.ask(event, {"visit": self.visit, "seat": seat, **more})


@contextmanager
def in_call(practice: Practice, room: Room, name: str = "Grace") -> Iterator[Call]:
    patient, member = Visitor(practice.url), Visitor(practice.url, login=room.login)
    assert patient.check_in(room.slug, name).status_code == 201
    with patient.seat(room.id, name=name) as seat, member.dashboard() as board:
        hello = seat.hear("welcome")
        visit = hello["visit"]["id"]
        ack = board.ask("move", {"visit": visit, "to": "in_call", "rev": None})
        assert ack["ok"], ack
        yield Call(practice, room, visit, seat, hello["me"]["id"], board, ack["seat"])


def join(visitor: Visitor, room: Room, link: str, name: str = "Maria") -> requests.Response:
    page = f"/{room.slug}/join"
    return visitor.post_json(page, {"name": name, "lang": "en", "link": link}, token=visitor.token(page))


@contextmanager
def guest(call: Call, kind: str = "interpreter", *, admitted: bool = True, name: str = "Maria") -> Iterator[Any]:
    """A guest's socket with its seat; let in, or at the door."""
    link, seat = call.link(kind)
    visitor = Visitor(call.practice.url)
    assert join(visitor, call.room, link, name).status_code == 201
    with visitor.socket(**{"as": "guest", "room": call.room.id}) as socket:
        socket.hear("welcome")
        if admitted:
            assert call.ask("admit", seat)["ok"]
        yield visitor, socket, seat


def rows(said: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["role"]: row for row in said["seats"]}


def until(socket: Socket, event: str, condition: Any) -> Any:
    """The next of this event that is as wanted."""
    while not condition(said := socket.hear(event)):
        pass
    return said


def test_looking_at_a_link_uses_nothing_up(practice: Practice, room: Room) -> None:
    """Mail scanners open links with HEAD and GET, and the token never reaches the server then."""
    with in_call(practice, room) as call:
        link, _ = call.link()
        scanner = Visitor(practice.url)
        for _ in range(3):
            assert scanner.http.head(f"{scanner.url}/{room.slug}/join", headers=scanner.headers()).status_code == 200
            assert scanner.get(f"/{room.slug}/join").status_code == 200
        assert not scanner.http.cookies
        answer = join(Visitor(practice.url), room, link)
        assert (answer.status_code, answer.json()["visit"]) == (201, call.visit)
        assert link not in practice.log.read_text()


def test_the_same_link_in_two_browsers(practice: Practice, room: Room) -> None:
    with in_call(practice, room) as call:
        link, _ = call.link()
        first, second = Visitor(practice.url), Visitor(practice.url)
        assert join(first, room, link).status_code == 201
        answer = join(second, room, link, "Mallory")
        assert (answer.status_code, answer.json()["error"]) == (409, "in_use")
        assert answer.json()["message"].startswith("This link is in use in another browser.")
        assert not second.http.cookies
        assert join(first, room, link).status_code == 201


def test_a_second_link_in_the_browser_of_a_guest_takes_no_seat_away(practice: Practice, room: Room) -> None:
    """Both would have one ticket's cookie. When the first page is closed, the browser may come by the other link."""
    with in_call(practice, room) as call:
        link, other = call.link("relative")
        with guest(call) as (visitor, socket, seat):
            answer = join(visitor, room, link, "Otto")
            assert (answer.status_code, answer.json()["error"]) == (409, "seated")
            assert answer.json()["message"].startswith("This browser is here already, as another guest.")
            with visitor.socket(**{"as": "guest", "room": room.id, "key": socket.key}) as again:
                assert again.hear("welcome")["me"]["id"] == seat
        until(call.board, "seats", lambda said: any(s["id"] == seat and not s["present"] for s in said["seats"]))
        assert join(visitor, room, link, "Otto").status_code == 201
        with visitor.socket(**{"as": "guest", "room": room.id}) as second:
            assert second.hear("welcome")["me"]["id"] == other


def test_a_link_that_opens_nothing_says_so(practice: Practice, room: Room) -> None:
    with in_call(practice, room) as call:
        link, seat = call.link()
        visitor = Visitor(practice.url)
        assert join(visitor, practice.room(), link).status_code == 410, "it is of another room"
        assert join(visitor, room, link, " ").status_code == 422
        assert call.ask("remove", seat)["ok"]
        for text in (link, "nonsense", ""):
            answer = join(visitor, room, text)
            assert (answer.status_code, answer.json()["error"]) == (410, "withdrawn")


def test_a_guest_in_the_patients_own_browser_takes_nothing_from_it(practice: Practice, room: Room) -> None:
    visitor, member = Visitor(practice.url), Visitor(practice.url, login=room.login)
    assert visitor.check_in(room.slug, "Grace").status_code == 201
    with visitor.seat(room.id) as seat, member.dashboard() as board:
        visit = seat.hear("welcome")["visit"]["id"]
        link = board.ask("invite", {"visit": visit, "kind": "relative"})["link"]
        assert join(visitor, room, link).status_code == 201
        with visitor.socket(**{"as": "guest", "room": room.id}) as other:
            assert other.hear("welcome")["me"]["role"] == "guest"
    with visitor.seat(room.id) as seat:
        assert seat.hear("welcome")["me"]["role"] == "patient"
    names = sorted(cookie.name.rpartition("-")[0] for cookie in visitor.http.cookies)
    assert {name.partition(room.id)[0] for name in (c.name for c in visitor.http.cookies)} == {
        "hc-ticket-",
        "hc-guest-",
    }, names


def test_a_guest_at_the_door_hears_nothing_of_the_visit(practice: Practice, room: Room) -> None:
    with in_call(practice, room) as call, guest(call, admitted=False) as (visitor, socket, seat):
        with visitor.socket(**{"as": "guest", "room": room.id, "key": "k" * 20}) as second:
            assert second.hear("taken") == {"visit": call.visit}
        hello = next(data for event, data in socket.past if event == "welcome")
        assert [row["id"] for row in hello["visit"]["seats"]] == [seat]
        assert (hello["pass"], hello["watchers"], hello["visit"]["name"]) == (None, [], "")
        for to in (call.patient_seat, call.board_seat):
            assert socket.ask("signal", {"visit": call.visit, "to": to, **OFFER})["error"] == "unknown"
        assert call.board.ask("signal", {"visit": call.visit, "to": seat, **OFFER}) == {"ok": False, "reached": False}
        assert socket.ask("admit", {"visit": call.visit, "seat": seat})["error"] == "unknown"
        heard = until(
            call.board,
            "delta",
            lambda said: said["put"]["seats"][-1]["id"] == seat and said["put"]["seats"][-1]["present"],
        )
        assert heard["put"]["seats"][-1] | {"key": ""} == {
            "id": seat,
            "role": "guest",
            "member": None,
            "present": True,
            "key": "",
            "kind": "interpreter",
            "name": "Maria",
            "taken": True,
            "admitted": None,
            "curtain": False,
        }
        assert not any(
            row["role"] == "guest" for event, d in call.patient.past if event == "seats" for row in d["seats"]
        )
        assert not {event for event, _ in socket.past} & {"place", "status", "watchers"}


def test_an_admitted_guest_takes_part(practice: Practice, room: Room) -> None:
    with in_call(practice, room) as call, guest(call) as (_, socket, seat):
        seen = rows(until(socket, "seats", lambda said: len(said["seats"]) == 3))
        assert set(seen) == {"patient", "provider", "guest"}
        assert seen["patient"]["name"] == "", "a patient's name goes to members and to the patient only"
        assert seen["provider"]["name"]
        told = rows(until(call.patient, "seats", lambda said: len(said["seats"]) == 3))
        assert (told["guest"]["name"], told["guest"]["kind"]) == ("Maria", "interpreter")
        assert socket.ask("signal", {"visit": call.visit, "to": call.patient_seat, **OFFER})["reached"]
        assert call.patient.hear("signal")["from"] == seat
        assert socket.ask("move", {"visit": call.visit, "to": "ended", "rev": None})["error"] == "forbidden"
        assert socket.ask("move", {"visit": call.visit, "to": "paused", "rev": None})["error"] == "forbidden"
        assert socket.ask("step", {"id": "x:y", "done": True})["error"] == "unknown"


def test_only_members_of_the_room_have_a_say_in_guests(practice: Practice, room: Room) -> None:
    stranger = Visitor(practice.url, login=practice.room().login)
    with in_call(practice, room) as call, guest(call) as (_, socket, seat), stranger.dashboard() as foreign:
        for who in (foreign, socket, call.patient):
            for event, more in (("invite", {"kind": "relative"}), ("admit", {}), ("curtain", {"on": True})):
                ack = who.ask(event, {"visit": call.visit, "seat": seat, **more})
                assert ack["error"] == "unknown", (event, ack)
        assert call.patient.ask("remove", {"visit": call.visit, "seat": seat})["error"] == "unknown"
        assert foreign.ask("remove", {"visit": call.visit, "seat": seat})["error"] == "unknown"
        assert socket.ask("remove", {"visit": call.visit, "seat": call.patient_seat})["error"] == "unknown"
        assert call.ask("remove", call.patient_seat)["error"] == "unknown"
        assert call.ask("curtain", call.patient_seat, on=True)["error"] == "unknown"
        assert call.board.ask("invite", {"visit": call.visit, "kind": "spy"})["error"] == "invalid"


def test_the_fifth_is_refused_with_words(practice: Practice, room: Room) -> None:
    with in_call(practice, room) as call:
        call.link("relative")
        call.link("captioner")
        ack = call.board.ask("invite", {"visit": call.visit, "kind": "colleague"})
        assert ack["error"] == "full"
        assert ack["message"].startswith("Four people are as many as fit into a visit.")


@pytest.mark.parametrize("admitted", [True, False], ids=["removed", "turned away"])
def test_who_is_let_go_hears_so_and_nothing_more(practice: Practice, room: Room, admitted: bool) -> None:
    with in_call(practice, room) as call, ExitStack() as stack:
        visitor, socket, seat = stack.enter_context(guest(call, admitted=admitted))
        second = stack.enter_context(visitor.socket(**{"as": "guest", "room": room.id}))
        assert second.hear("taken")
        assert call.ask("remove", seat)["ok"]
        for each in (socket, second):
            assert each.hear("cut") == {"reason": "removed" if admitted else "turned_away"}
            each.hear("disconnect")
        with pytest.raises(Refused, match=r"^over$"):
            visitor.socket(**{"as": "guest", "room": room.id})
        assert call.ask("remove", seat)["error"] == "unknown"


def test_a_guest_leaves_and_the_visit_goes_on(practice: Practice, room: Room) -> None:
    with in_call(practice, room) as call, guest(call) as (_, socket, seat):
        until(call.patient, "seats", lambda said: len(said["seats"]) == 3)
        assert socket.ask("remove", {"visit": call.visit, "seat": seat})["ok"]
        assert len(until(call.patient, "seats", lambda said: len(said["seats"]) == 2)["seats"]) == 2
        assert call.board.ask("signal", {"visit": call.visit, "to": call.patient_seat, **OFFER})["reached"]


def test_every_sender_hears_of_a_curtain(practice: Practice, room: Room) -> None:
    with in_call(practice, room) as call, guest(call, "chaperone") as (_, socket, seat):
        for each in (call.patient, call.board, socket):
            assert rows(until(each, "seats", lambda said: "guest" in rows(said)))["guest"]["curtain"] is True
        assert call.ask("curtain", seat, on=False)["ok"]
        for each in (call.patient, call.board, socket):
            assert until(each, "seats", lambda said: rows(said)["guest"]["curtain"] is False)
        assert call.ask("curtain", seat, on="yes")["error"] == "invalid"


def test_patient_and_provider_keep_who_is_in_and_guests_keep_nothing(practice: Practice, room: Room) -> None:
    with in_call(practice, room) as call, guest(call) as (_, socket, _seat):
        for each in (call.patient, call.board):
            said = until(each, "seats", lambda said: "guest" in rows(said))
            assert said["pass"]
        until(socket, "seats", lambda said: "patient" in rows(said))
        call.board.ask("move", {"visit": call.visit, "to": "paused", "rev": None})
        assert socket.hear("moved")["pass"] is None
        assert not any(data.get("pass") for event, data in socket.past if isinstance(data, dict))


def test_a_closed_page_of_a_guest_frees_its_seat_for_the_next_one(practice: Practice, room: Room) -> None:
    with in_call(practice, room) as call, guest(call) as (visitor, socket, seat):
        form = {"page": socket.key, "guest": "yes"}
        assert visitor.post(f"/{room.slug}/leaving", form, at=f"/{room.slug}/join").status_code == 204
        with visitor.socket(**{"as": "guest", "room": room.id}) as again:
            hello = again.hear("welcome")
            assert (hello["me"]["id"], len(hello["visit"]["seats"])) == (seat, 3)


def test_history_counts_who_was_in(practice: Practice, room: Room) -> None:
    with in_call(practice, room) as call, guest(call):
        call.link("relative")
        assert call.board.ask("move", {"visit": call.visit, "to": "ended", "rev": None})["ok"]
        call.board.hear("moved")
    from housecall import clinics

    with practice.lasting():
        row = clinics.database.db.session.get(clinics.models.History, call.visit)
        assert row is not None
        assert row.seats == 3
