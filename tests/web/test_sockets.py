"""The socket's events against the real server: who may say what, and what bad input gets."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from typing import Any

import pytest
import websocket

from housecall.logs import FIELDS
from housecall.testing.practice import Practice, Room
from housecall.testing.visitor import Refused, Socket, Visitor

OFFER = {"life": 0, "round": 1, "description": {"type": "offer", "sdp": "v=0"}}


def waiting(practice: Practice, room: Room, name: str = "Grace") -> Visitor:
    visitor = Visitor(practice.url)
    assert visitor.check_in(room.slug, name).status_code == 201
    return visitor


def provider(practice: Practice, room: Room) -> Visitor:
    return Visitor(practice.url, login=room.login)


def called(patient: Socket, board: Socket) -> tuple[dict[str, Any], str, str]:
    """Move the one visit of a board into the call: its id with revision, the patient's seat, the member's seat."""
    hello = patient.hear("welcome")
    visit = hello["visit"]
    ack = board.ask("move", {"visit": visit["id"], "to": "in_call", "rev": visit["rev"]})
    assert ack["ok"], ack
    return ack["visit"], hello["me"]["id"], ack["seat"]


def test_a_visit_by_its_messages(practice: Practice, room: Room) -> None:
    patient = waiting(practice, room)
    with provider(practice, room).dashboard() as board, patient.seat(room.id) as seat:
        hello = board.hear("welcome")
        assert [r["id"] for r in hello["rooms"]] == [room.id]
        assert hello["rooms"][0]["cards"][0]["name"] == "Grace"
        assert seat.hear("status") == {"provider": "online"}
        assert seat.hear("place") == {"ahead": 0}
        delta = board.hear("delta")
        assert delta["epoch"] == hello["epoch"]
        assert delta["rev"] == hello["rooms"][0]["rev"] + 1
        assert delta["put"]["seats"][0]["present"]
        visit = delta["put"]
        ack = board.ask("move", {"visit": visit["id"], "to": "in_call", "rev": visit["rev"]})
        assert ack["ok"]
        assert seat.hear("moved")["state"] == "in_call"
        relayed = seat.ask("signal", {"visit": visit["id"], "to": ack["seat"], **OFFER})
        assert relayed == {"ok": True, "reached": True}
        heard = board.hear("signal")
        assert heard == {"visit": visit["id"], "from": visit["seats"][0]["id"], "page": seat.key, **OFFER}
        assert seat.ask("move", {"visit": visit["id"], "to": "ended", "rev": None})["ok"]
        assert board.hear("moved")["reason"] == "completed"
        drops = [data["drop"] for event, data in board.past if event == "delta" and "drop" in data]
        assert drops == [visit["id"]]


def test_a_patient_never_hears_another_patients_name(practice: Practice, room: Room) -> None:
    one, two = waiting(practice, room, "Grace"), waiting(practice, room, "Katherine")
    with provider(practice, room).dashboard() as board, one.seat(room.id) as first, two.seat(room.id) as second:
        called(first, board)
        first.hear("moved")
        second.hear("status")
        second.hear("place")
        told = repr([*first.past, *first._drain(), *second.past, *second._drain()])
        assert "Katherine" not in repr([*first.past])
        assert "Dr Ada Smith" in told
        assert "Grace" not in repr(second.past)


@pytest.mark.parametrize(
    ("auth", "code"),
    [
        ({"as": "seat", "room": "nowhere"}, "no_ticket"),
        ({"as": "seat"}, "no_ticket"),
        ({"as": "seat", "room": 7}, "no_ticket"),
        ({"as": "dashboard"}, "sign_in"),
        ({"as": "king"}, "old_page"),
        ({"as": "seat", "v": 0}, "old_page"),
        ({"as": "seat", "key": "short"}, "old_page"),
        ({"as": "seat", "key": 7}, "old_page"),
    ],
)
def test_a_socket_without_a_right_is_refused_by_a_code(practice: Practice, auth: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused, match=rf"^{code}$"):
        Visitor(practice.url).socket(**auth)


@pytest.mark.parametrize("forwarded", [{}, {"X-Forwarded-Host": "evil.example"}])
def test_a_foreign_page_gets_no_socket(practice: Practice, room: Room, forwarded: dict[str, str]) -> None:
    patient = waiting(practice, room)
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    headers = {
        **upgrade,
        "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg==",
        "Origin": "https://evil.example",
        **forwarded,
    }
    answer = patient.http.get(f"{practice.url}/socket.io/?EIO=4&transport=websocket", headers=headers, timeout=10)
    assert answer.status_code == 400
    assert "origin" in answer.text


def test_a_strangers_ticket_is_refused(practice: Practice, room: Room) -> None:
    """A forged ticket, a ticket of another room under this room's name, and one of an ended visit."""
    other = practice.room()
    patient = waiting(practice, room)
    stranger = Visitor(practice.url)
    stranger.http.cookies.set(f"hc-ticket-{room.id}", "WyJtYWluIl0.forged")
    with pytest.raises(Refused, match=r"^no_ticket$"):
        stranger.seat(room.id)
    ticket = patient.http.cookies[f"hc-ticket-{room.id}"]
    stranger.http.cookies.set(f"hc-ticket-{other.id}", ticket)
    with pytest.raises(Refused, match=r"^not_here$"):
        stranger.seat(other.id)
    with patient.seat(room.id) as seat:
        visit = seat.hear("welcome")["visit"]
        assert seat.ask("move", {"visit": visit["id"], "to": "ended", "rev": None})["ok"]
    with pytest.raises(Refused, match=r"^over$"):
        patient.seat(room.id)


def test_nobody_acts_on_a_visit_that_is_not_theirs(practice: Practice, room: Room) -> None:
    other = practice.room()
    patient, stranger = waiting(practice, room), waiting(practice, other)
    with (
        patient.seat(room.id) as seat,
        stranger.seat(other.id) as outside,
        provider(practice, room).dashboard() as board,
        provider(practice, other).dashboard() as foreign,
    ):
        visit, mine, theirs = called(seat, board)
        for intruder in (outside, foreign):
            for event, body in (
                ("move", {"visit": visit["id"], "to": "ended", "rev": None}),
                ("signal", {"visit": visit["id"], "to": mine, **OFFER}),
                ("signal", {"visit": visit["id"], "to": theirs, **OFFER}),
            ):
                assert intruder.ask(event, body)["error"] == "unknown"
        assert foreign.ask("take", {"visit": visit["id"]})["error"] == "unknown"
        assert foreign.ask("snapshot", {"room": room.id})["error"] == "unknown"
        assert seat.ask("snapshot", {"room": room.id})["error"] == "unknown"
        assert seat.ask("move", {"visit": visit["id"], "to": "paused", "rev": None})["error"] == "forbidden"
        assert seat.ask("signal", {"visit": visit["id"], "to": theirs, **OFFER})["reached"]


def test_a_copied_page_key_steals_nothing(practice: Practice, room: Room) -> None:
    """Keys are told to the other side; who holds a seat is decided by ticket or login as well."""
    patient = waiting(practice, room)
    thief = waiting(practice, room, "Thief")
    with patient.seat(room.id) as seat, provider(practice, room).dashboard() as board:
        visit, _, theirs = called(seat, board)
        with thief.seat(room.id, key=board.key) as stolen:
            stolen.hear("welcome")
            assert seat.ask("signal", {"visit": visit["id"], "to": theirs, **OFFER})["reached"]
            assert board.hear("signal")["page"] == seat.key
            assert "signal" not in [event for event, _ in stolen._drain()]


@pytest.mark.parametrize(
    ("body", "error", "field"),
    [
        ("text", "invalid", None),
        ([1], "invalid", None),
        ({}, "invalid", "visit"),
        ({"visit": 1, "to": 2, "life": 0}, "invalid", "visit"),
        ({"visit": "V", "to": "S", "life": "x"}, "invalid", "life"),
        ({"visit": "V", "to": "S", "life": 0, "evil": 1}, "invalid", "evil"),
        ({"visit": "V", "to": "S", "life": 0, "description": "sdp"}, "invalid", "description"),
        ({"visit": "V", "to": "S", "life": 0, "description": {"sdp": "x" * 33_000}}, "too_big", "description"),
        ({"visit": "V", "to": "S", "life": 0, "candidate": {}}, "unknown", None),
    ],
)
def test_a_malformed_signal_is_answered_and_the_visit_goes_on(
    practice: Practice, room: Room, body: Any, error: str, field: str | None
) -> None:
    patient = waiting(practice, room)
    with patient.seat(room.id) as seat, provider(practice, room).dashboard() as board:
        visit, _, theirs = called(seat, board)
        ack = seat.ask("signal", body)
        assert ack["error"] == error
        assert ack["message"]
        assert field is None or field in ack["fields"]
        assert seat.ask("signal", {"visit": visit["id"], "to": theirs, **OFFER})["reached"]


@pytest.mark.parametrize(
    ("event", "body"),
    [
        ("ready", {"colour": ["green"]}),
        ("ready", {"colour": "green", "reason": {}}),
        ("ready", {"colour": "green", "reason": "x" * 41}),
        ("step", {"id": [], "done": True}),
        ("step", {"id": "a:b", "done": "yes"}),
        ("snapshot", {"room": {}}),
        ("transfer", {"visit": 7, "room": []}),
        ("snapshot", {"room": ["x"]}),
        ("move", {"visit": [], "to": {}, "rev": "x"}),
        ("say", {"event": [], "visit": {}}),
        ("ice", "text"),
        ("take", [1]),
        ("ready", 7),
    ],
)
def test_a_wrong_type_is_answered_and_logs_nothing(practice: Practice, room: Room, event: str, body: Any) -> None:
    patient = waiting(practice, room)
    before = practice.log.read_text()
    with patient.seat(room.id) as seat, provider(practice, room).dashboard() as board:
        for page in (seat, board):
            ack = page.ask(event, body)
            assert ack["error"] in ("invalid", "unknown", "forbidden")
            assert ack["message"]
            assert page.ask("ice", {})["ok"]
        assert board.ask("take", {"visit": {}})["error"] == "unknown"
        assert seat.ask("take", {"name": {}})["ok"]
    assert practice.log.read_text() == before


def test_unknown_events_are_answered_unknown(practice: Practice, room: Room) -> None:
    patient = waiting(practice, room)
    with patient.seat(room.id) as seat:
        for event in ("welcome", "said", "admin", "chat:message"):
            assert seat.ask(event, {})["error"] == "unknown"


def test_a_stale_move_says_how_it_stands(practice: Practice, room: Room) -> None:
    patient = waiting(practice, room)
    with patient.seat(room.id) as seat, provider(practice, room).dashboard() as board:
        visit = seat.hear("welcome")["visit"]
        ack = board.ask("move", {"visit": visit["id"], "to": "in_call", "rev": visit["rev"] - 1})
        assert (ack["error"], ack["state"], ack["rev"]) == ("stale", "waiting", visit["rev"])
        assert board.ask("move", {"visit": visit["id"], "to": "paused", "rev": visit["rev"]})["error"] == "invalid"
        assert board.ask("move", {"visit": visit["id"], "to": 7, "rev": "x"})["fields"].keys() >= {"to", "rev"}


def test_a_flood_is_slowed_then_cut_and_others_do_not_notice(practice: Practice, room: Room) -> None:
    patient, flooder = waiting(practice, room), waiting(practice, room, "Flood")
    with patient.seat(room.id) as seat, provider(practice, room).dashboard() as board:
        visit, _, theirs = called(seat, board)
        flood = flooder.seat(room.id)
        answers: list[Any] = []
        for _ in range(800):
            try:
                flood.io.emit("signal", {"visit": "x", "to": "y", "life": 0}, callback=answers.append)
            except Exception:  # the line is cut
                break
        assert flood.hear("cut") == {"reason": "flood"}
        flood.hear("disconnect")
        assert any(a["error"] == "slow_down" for a in answers)
        assert seat.ask("signal", {"visit": visit["id"], "to": theirs, **OFFER})["reached"]
        flood.close()


#: What no page of ours sends: not JSON, not Socket.IO, not of this namespace, bytes, half surrogates, huge numbers.
FRAMES = [
    "garbage",
    "4",
    "42",
    "42{not json",
    '42["signal"',
    '4299999999999999999999["signal",{}]',
    "421[]",
    "421[7,{}]",
    "421[null]",
    '421{"a":1}',
    '42["signal",{"visit":"\\ud800"}]',
    '451-["signal",{"description":{"_placeholder":true,"num":0}}]',
    '4599999-["x"]',
    '43["x"]',
    "431[]",
    "40",
    '40{"v":1}',
    "49",
    "6",
    "5",
    "1",
    "",
    '42/other,["x"]',
    "40/other,",
    "44{}",
    '461-["x"]',
    b"\x00\x01",
    "42" + "[" * 5000,
]


def raw(visitor: Visitor, room: Room) -> websocket.WebSocket:
    """A seat's socket without a client library."""
    cookies = "; ".join(f"{c.name}={c.value}" for c in visitor.http.cookies)
    line = websocket.create_connection(
        visitor.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket",
        origin=visitor.origin,
        host=visitor.host,
        cookie=cookies,
        timeout=10,
    )
    auth = {"v": 1, "as": "seat", "room": room.id, "key": secrets.token_urlsafe(24)}
    line.send("40" + json.dumps(auth))
    while not line.recv().startswith("40"):
        pass
    return line


def answered_or_closed(line: websocket.WebSocket, frame: str | bytes) -> None:
    """The server still answers on this line, or it has closed it; it does not leave it hanging."""
    try:
        line.send('4277["ice",{}]')
        while heard := line.recv():
            if heard.startswith("4377"):
                return
    except websocket.WebSocketTimeoutException:
        raise AssertionError(f"neither answered nor closed after {frame!r}") from None
    except (websocket.WebSocketException, OSError):
        return


def test_a_frame_that_no_page_sends_is_survived_or_ends_its_own_socket(practice: Practice, room: Room) -> None:
    patient, other = waiting(practice, room), waiting(practice, room, "Raw")
    practice.expected += ['"logger": "engineio.server"', '"logger": "socketio.server"']
    before = len(practice.log.read_text())
    with patient.seat(room.id) as seat, provider(practice, room).dashboard() as board:
        visit, _, theirs = called(seat, board)
        for frame in FRAMES:
            line = raw(other, room)
            if isinstance(frame, bytes):
                line.send_binary(frame)
            else:
                line.send(frame)
            answered_or_closed(line, frame)
            line.close()
            assert seat.ask("signal", {"visit": visit["id"], "to": theirs, **OFFER})["reached"], frame
    for entry in practice.log.read_text()[before:].splitlines():
        assert json.loads(entry).keys() <= {"ts", "level", "logger", "exception", "at", *FIELDS}


def test_an_oversized_frame_ends_only_its_own_socket(practice: Practice, room: Room) -> None:
    patient, big = waiting(practice, room), waiting(practice, room, "Big")
    with patient.seat(room.id) as seat, provider(practice, room).dashboard() as board:
        visit, _, theirs = called(seat, board)
        large = big.seat(room.id)
        large.io.emit("signal", {"visit": "x" * 70_000})
        large.hear("disconnect")
        assert seat.ask("signal", {"visit": visit["id"], "to": theirs, **OFFER})["reached"]


def test_a_patient_is_sent_on_by_who_serves_the_room_and_to_rooms_of_the_clinic(practice: Practice, room: Room) -> None:
    south, stranger = practice.room(), practice.room()
    patient = waiting(practice, room)
    with (
        provider(practice, room).dashboard() as board,
        provider(practice, south).dashboard() as theirs,
        provider(practice, stranger).dashboard() as foreign,
        patient.seat(room.id) as seat,
    ):
        assert theirs.hear("welcome")["rooms"][0]["cards"] == []
        visit = seat.hear("welcome")["visit"]
        assert visit["sent_to"] == ""
        send = {"visit": visit["id"], "room": south.id, "rev": visit["rev"]}
        assert seat.ask("transfer", send)["error"] == "unknown"
        assert foreign.ask("transfer", send)["error"] == "unknown"
        assert board.ask("transfer", {**send, "room": "nowhere"})["fields"] == {"room": "unknown"}
        assert board.ask("transfer", {**send, "room": room.id})["fields"] == {"room": "invalid"}
        assert board.ask("transfer", {**send, "rev": 0})["error"] == "stale"
        assert board.ask("transfer", send)["ok"]
        while not (gone := board.hear("delta").get("drop")):
            pass
        card = theirs.hear("delta")["put"]
        assert gone == card["id"] == visit["id"]
        assert (card["name"], card["note"], card["arrived"]) == ("Grace", "Dr Ada Smith", visit["arrived"])
        again = seat.hear("welcome")
        assert again["visit"]["sent_to"] == "Dr Ada Smith"
        assert [each["id"] for each in again["watchers"]] == [south.member]
        assert seat.hear("status") == {"provider": "online"}
        assert board.ask("move", {"visit": visit["id"], "to": "ended", "rev": None})["error"] == "unknown"
        assert theirs.ask("move", {"visit": visit["id"], "to": "in_call", "rev": card["rev"]})["ok"]
        assert seat.hear("moved")["state"] == "in_call"


def test_signing_out_cuts_the_dashboard(practice: Practice, room: Room) -> None:
    member = provider(practice, room)
    with member.dashboard() as board:
        board.hear("welcome")
        assert member.post("/sign-out", at="/account").status_code == 303
        assert board.hear("cut") == {"reason": "signed_out"}
        board.hear("disconnect")
    with pytest.raises(Refused, match=r"^sign_in$"):
        Visitor(practice.url, login=room.login).dashboard()


def test_a_snapshot_is_the_room_as_it_stands(practice: Practice, room: Room) -> None:
    with provider(practice, room).dashboard() as board:
        hello = board.hear("welcome")
        waiting(practice, room, "Grace")
        delta = board.hear("delta")
        ack = board.ask("snapshot", {"room": room.id})
        assert ack["ok"] is True
        assert (ack["epoch"], ack["rev"]) == (hello["epoch"], delta["rev"])
        assert ack["cards"] == [delta["put"]]


def test_a_demoted_member_hears_no_more_names(practice: Practice) -> None:
    owner, admin, other = practice.room(role="owner"), practice.room(role="admin"), practice.room()
    with provider(practice, admin).dashboard() as board:
        assert other.id in {room["id"] for room in board.hear("welcome")["rooms"]}
        form = {"do": "role", "member": admin.member, "role": "provider"}
        assert provider(practice, owner).post("/admin/people", form).status_code == 303
        assert [room["id"] for room in board.hear("welcome")["rooms"]] == [admin.id]
        waiting(practice, other, "Not for you")
        assert board.ask("snapshot", {"room": other.id})["error"] == "unknown"
        waiting(practice, admin, "For you")
        assert board.hear("delta")["put"]["name"] == "For you"
        assert "Not for you" not in repr(board.past)


def test_a_room_that_is_given_to_another_member_moves_to_that_members_dashboard(practice: Practice) -> None:
    owner, first, second = practice.room(role="owner"), practice.room(), practice.room()
    waiting(practice, first, "Grace")
    with provider(practice, first).dashboard() as before, provider(practice, second).dashboard() as after:
        before.hear("welcome")
        after.hear("welcome")
        form = {"room": first.id, "name": "Blue", "slug": first.slug, "media": "video", "owner": second.member}
        assert provider(practice, owner).post("/admin/rooms", form).status_code == 303
        assert before.hear("welcome")["rooms"] == []
        rooms = {room["id"]: room for room in after.hear("welcome")["rooms"]}
        assert (rooms[first.id]["name"], rooms[first.id]["slug"]) == ("Blue", first.slug)
        assert rooms[first.id]["cards"][0]["name"] == "Grace"


def test_who_is_in_a_call_may_finish_it_whatever_becomes_of_the_room(practice: Practice) -> None:
    owner, room = practice.room(role="owner"), practice.room()
    patient = waiting(practice, room)
    with patient.seat(room.id) as seat, provider(practice, room).dashboard() as board:
        visit, mine, _ = called(seat, board)
        board.hear("welcome")
        form = {"room": room.id, "name": "Room", "slug": room.slug, "media": "video", "owner": owner.member}
        assert provider(practice, owner).post("/admin/rooms", form).status_code == 303
        assert board.hear("welcome")["visit"]["id"] == visit["id"]
        assert board.ask("signal", {"visit": visit["id"], "to": mine, **OFFER})["reached"]
        assert board.ask("move", {"visit": visit["id"], "to": "ended", "rev": None})["ok"]


def test_turn_credentials_are_for_seats_and_members_and_say_nothing(serve: Callable[..., Practice]) -> None:
    toml = (
        '[server]\n[clinic.main]\nname = "Elm"\n[[clinic.main.ice]]\n'
        'urls = ["turn:turn.example.org:3478"]\nsecret = "s3cret"\n'
    )
    own = serve(toml)
    room = own.room()
    patient = waiting(own, room, "Grace")
    with patient.seat(room.id) as seat:
        ack = seat.ask("ice", {})
        (server,) = ack["servers"]
        assert server["urls"] == ["turn:turn.example.org:3478"]
        expiry, opaque = server["username"].split(":")
        assert int(expiry) * 1000 == ack["until"]
        assert "Grace" not in opaque
        assert server["credential"] == turn_password("s3cret", server["username"])


def turn_password(secret: str, user: str) -> str:
    """As coturn computes it (use-auth-secret)."""
    import base64
    import hashlib
    import hmac

    return base64.b64encode(hmac.digest(secret.encode(), user.encode(), hashlib.sha1)).decode()


def test_the_beacon_of_a_closing_page_frees_its_seat_at_once(practice: Practice, room: Room) -> None:
    patient = waiting(practice, room)
    with provider(practice, room).dashboard() as board, patient.seat(room.id) as seat:
        seat.hear("welcome")
        board.hear("welcome")
        assert board.hear("delta")["put"]["present"]
        headers = patient.headers(Origin=patient.origin, Sec_Fetch_Site="same-origin")
        url, token = f"{patient.url}/{room.slug}/leaving", patient.token(f"/{room.slug}")
        for page in ("another page", ""):  # the beacon of a page that does not hold the seat changes nothing
            answer = patient.http.post(url, data={"token": token, "page": page}, headers=headers, timeout=10)
            assert answer.status_code == 204
        patient.http.post(url, data={"token": token, "page": seat.key}, headers=headers, timeout=10)
        card = board.hear("delta")["put"]
        assert not card["present"]
        assert card["lost"] is None  # not yet: a reload comes back
        with patient.seat(room.id) as again:
            assert again.hear("welcome")["visit"]["id"] == card["id"]
