"""Check-in by a one-visit link and by a passcode, against a real server: nothing but a check-in uses a link up."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from housecall import clinics, config
from housecall.testing import Practice, Room, Visitor
from housecall.visits import Invite
from housecall.visits.tickets import Signer

HOUR = 3_600_000
PASSCODE = "winter rain"


def now() -> int:
    return time.time_ns() // 1_000_000


def link(practice: Practice, room: Room, **more: object) -> str:
    """A link's text, signed as the server does."""
    site = config.load(practice.folder, environ={})
    made = {"c": "main", "r": room.id, "v": clinics.models.new_id(), "n": 0, "x": now() + HOUR, **more}
    return Signer(site.secret).invite(Invite(**made))  # type: ignore[arg-type]


def check_in(visitor: Visitor, room: Room, **more: object) -> requests.Response:
    path = f"/{room.slug}"
    body = {"name": "Grace", "lang": "en", **more}
    return visitor.post_json(f"{path}/check-in", body, token=visitor.token(path))


@pytest.fixture
def locked(practice: Practice) -> Room:
    """A room with a passcode."""
    room = practice.room()
    with practice.lasting():
        hashed = clinics.rooms.hash_passcode(PASSCODE, offload=lambda function, *args: function(*args))
        clinics.rooms.update(
            "main",
            room.id,
            slug=room.slug,
            name="Locked",
            owner_id=room.member,
            media="video",
            reserved=(),
            actor=None,
            passcode_hash=hashed,
        )
    return room


def test_opening_it_uses_nothing_up(practice: Practice, room: Room) -> None:
    """What link scanners do: HEAD, GET, GET with the token as a query or a path, prefetch; then the patient comes."""
    text = link(practice, room)
    scanner = Visitor(practice.url)
    for path in (f"/{room.slug}", f"/{room.slug}?i={text}", f"/{room.slug}/{text}", f"/{room.slug}/check-in"):
        for agent in ("Mozilla/5.0", "Barracuda Sentinel", "bingbot/2.0"):
            headers = scanner.headers(User_Agent=agent, Purpose="prefetch", Sec_Purpose="prefetch;prerender")
            for method in ("HEAD", "GET", "OPTIONS"):
                answer = scanner.http.request(method, scanner.url + path, headers=headers, timeout=30)
                assert answer.status_code < 500
                assert "hc-ticket" not in str(answer.headers.get("Set-Cookie"))
    with Visitor(practice.url, login=room.login).dashboard() as board:
        assert board.hear("welcome")["rooms"][0]["cards"] == []
    assert check_in(Visitor(practice.url), room, invite=text).status_code == 201


def test_a_form_from_elsewhere_does_not_use_it_up_either(practice: Practice, room: Room) -> None:
    text, visitor = link(practice, room), Visitor(practice.url)
    url = f"{visitor.url}/{room.slug}/check-in"
    for headers in ({}, {"Origin": "https://scanner.example"}, {"Origin": visitor.origin}):
        body = {"name": "Robot", "lang": "en", "invite": text}
        answer = visitor.http.post(url, json=body, headers={**visitor.headers(), **headers}, timeout=30)
        assert answer.status_code == 403
    assert check_in(visitor, room, invite=text).status_code == 201


def test_two_check_ins_are_one_card(practice: Practice, room: Room) -> None:
    text = link(practice, room)
    with Visitor(practice.url, login=room.login).dashboard() as board:
        board.hear("welcome")
        answers = [check_in(Visitor(practice.url), room, invite=text, name=name) for name in ("Grace", "Mallory")]
        assert [answer.status_code for answer in answers] == [201, 201]
        assert answers[0].json() == answers[1].json()
        [card] = board.ask("snapshot", {"room": room.id})["cards"]
        assert card["name"] == "Grace"


def test_after_its_visit_it_is_used(practice: Practice, room: Room) -> None:
    text, patient = link(practice, room), Visitor(practice.url)
    visit = check_in(patient, room, invite=text).json()["visit"]
    with Visitor(practice.url, login=room.login).dashboard() as board, patient.seat(room.id, name="Grace") as seat:
        board.hear("welcome")
        seat.hear("welcome")
        assert board.ask("move", {"visit": visit, "to": "in_call", "rev": None})["ok"]
        assert board.ask("move", {"visit": visit, "to": "ended", "rev": None})["ok"]
        seat.hear("moved")
    answer = check_in(Visitor(practice.url), room, invite=text)
    assert (answer.status_code, answer.json()["error"]) == (410, "used")
    assert "This link was for one visit, which has been." in answer.json()["message"]
    assert "Set-Cookie" not in answer.headers


def test_each_refusal_is_in_words(practice: Practice, room: Room) -> None:
    other, visitor = practice.room(), Visitor(practice.url)
    opens = now() + HOUR
    for text, status, error, words in (
        (link(practice, room, x=now() - 1), 410, "expired", "This link is too old."),
        (link(practice, room, n=opens, x=opens + 1), 409, "early", "It is too early for this link."),
        (link(practice, other), 409, "not_here", "This visit belongs to another waiting room."),
        (link(practice, room, c="elsewhere"), 409, "not_here", "another waiting room"),
        (link(practice, room)[:-3], 409, "not_whole", "This link is not whole."),
        ("nonsense", 409, "not_whole", "This link is not whole."),
    ):
        answer = check_in(visitor, room, invite=text)
        assert (answer.status_code, answer.json()["error"]) == (status, error)
        assert words in answer.json()["message"]
        assert answer.json().get("opens") == (opens if error == "early" else None)


def test_a_room_with_a_passcode_asks_for_it(practice: Practice, locked: Room) -> None:
    visitor = Visitor(practice.url)
    for typed, words in (({}, "This is empty."), ({"passcode": "wrong one"}, "not the passcode of this waiting room")):
        answer = check_in(visitor, locked, **typed)
        assert (answer.status_code, list(answer.json()["fields"])) == (422, ["passcode"])
        assert words in answer.json()["message"]
    assert 'id="passcode"' in visitor.get(f"/{locked.slug}").text
    assert check_in(visitor, locked, passcode=PASSCODE).status_code == 201


def test_a_link_carries_the_passcode_where_it_says_so(practice: Practice, locked: Room) -> None:
    assert check_in(Visitor(practice.url), locked, invite=link(practice, locked)).status_code == 422
    with_it = check_in(Visitor(practice.url), locked, invite=link(practice, locked), passcode=PASSCODE)
    assert with_it.status_code == 201
    assert check_in(Visitor(practice.url), locked, invite=link(practice, locked, free=True)).status_code == 201
    foreign = link(practice, practice.room(), free=True)
    assert check_in(Visitor(practice.url), locked, invite=foreign).json()["error"] == "not_here"


def test_a_passcode_cannot_be_guessed_by_trying(practice: Practice, locked: Room) -> None:
    """Twenty tries of one network, then one in twenty seconds; the right one is not told apart meanwhile."""
    visitor = Visitor(practice.url)
    token = visitor.token(f"/{locked.slug}")

    def tried(typed: str) -> int:
        body = {"name": "Grace", "lang": "en", "passcode": typed}
        return visitor.post_json(f"/{locked.slug}/check-in", body, token=token).status_code

    assert [tried(f"guess {n}") for n in range(20)] == [422] * 20
    assert tried(PASSCODE) == 429
    assert check_in(Visitor(practice.url), locked, passcode=PASSCODE).status_code == 201, "of another network"


def test_an_owner_sets_and_removes_it(practice: Practice) -> None:
    room = practice.room(role="owner")
    owner = Visitor(practice.url, login=room.login)
    form = {"room": room.id, "name": "Dr Ada Smith", "slug": room.slug, "media": "video", "owner": room.member}
    for bad in ("short", "111111", "x" * 65):
        answer = owner.post("/admin/rooms", {**form, "passcode": bad})
        assert answer.status_code == 422
        assert "This passcode is easy to guess." in answer.text
        assert bad not in answer.text
    assert owner.post("/admin/rooms", {**form, "passcode": PASSCODE}).status_code == 303
    assert check_in(Visitor(practice.url), room).status_code == 422
    assert owner.post("/admin/rooms", form).status_code == 303, "an empty field leaves it"
    assert "There is one, which cannot be shown." in owner.get("/admin/rooms").text
    assert check_in(Visitor(practice.url), room, passcode=PASSCODE).status_code == 201
    assert owner.post("/admin/rooms", {**form, "drop_passcode": "yes"}).status_code == 303
    assert check_in(Visitor(practice.url), room).status_code == 201
    assert PASSCODE.encode() not in (practice.folder / "data/housecall.db").read_bytes()


DOORMAN = """
from housecall import hookimpl


@hookimpl
def refuse_check_in(clinic, room, invite):
    if invite == "raise" * 4 + "xx":
        raise RuntimeError("not today")
    return f"Nobody comes in by {invite}." if invite else None
"""


@pytest.fixture
def guarded(serve: Callable[..., Practice], tmp_path: Path) -> Practice:
    folder = tmp_path / "doorman"
    folder.mkdir()
    (folder / "plugin.toml").write_text(
        'id = "doorman"\nname = "Doorman"\nversion = "1.0"\napi = "1.0"\nsummary = "S."\n'
    )
    (folder / "__init__.py").write_text(DOORMAN)
    return serve('[clinic.main]\nname = "Elm"\nplugins = ["doorman"]\n', plugins=(folder,))


def test_a_plugin_may_refuse_a_check_in_in_its_words(guarded: Practice) -> None:
    """And one that raises keeps nobody out."""
    room = guarded.room()
    assert check_in(Visitor(guarded.url), room).status_code == 201
    refused = check_in(Visitor(guarded.url), room, invite=link(guarded, room, v="a" * 22))
    assert (refused.status_code, refused.json()["error"]) == (409, "closed")
    assert refused.json()["message"] == f"Nobody comes in by {'a' * 22}."
    passed = check_in(Visitor(guarded.url), room, invite=link(guarded, room, v="raise" * 4 + "xx"))
    assert passed.status_code == 201
