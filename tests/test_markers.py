"""R40, R8, R38: a patient's name lives for the visit only. It is looked for everywhere after the visit has ended."""

from __future__ import annotations

import os
import secrets
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from housecall.testing.practice import Practice
from housecall.testing.visitor import Socket, Visitor

LEAKY = str(Path(__file__).parent / "leaky_server.py")
TOML = '[clinic.main]\nname = "Elm"\n[[clinic.main.ice]]\nurls = ["turn:turn.example.org"]\nsecret = "s3cret"\n'


@pytest.fixture
def watched(serve: Callable[..., Practice], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Practice]:
    def start(leak: str = "") -> Practice:
        monkeypatch.setenv("HOUSECALL_FOUND", str(tmp_path / "found.txt"))
        monkeypatch.setenv("HOUSECALL_LEAK", leak)
        return serve(TOML, folder=tmp_path / "site", command=(sys.executable, "-W", "error", LEAKY, "run"))

    return start


def a_visit_with(practice: Practice, name: str) -> list[str]:
    """A whole visit of somebody with this name, with mistakes on the way; the texts that the server said to others."""
    room = practice.room()
    patient, member, stranger = Visitor(practice.url), Visitor(practice.url, login=room.login), Visitor(practice.url)
    said: list[str] = []
    with member.dashboard() as board:
        board.hear("welcome")
        assert patient.check_in(room.slug, name).status_code == 201
        said.append(str(dict(patient.http.cookies)))
        with patient.seat(room.id, name=name) as seat:
            visit = seat.hear("welcome")["visit"]
            delta = board.hear("delta")
            assert delta["put"]["name"] == name, "the provider must see the name"
            # mistakes that carry the name; `fields` give unknown keys back to whoever sent them, the words never do
            bad = patient.post_json(
                f"/{room.slug}/check-in", {"name": name, name: name}, token=patient.token(f"/{room.slug}")
            )
            assert bad.status_code == 422
            said.append(bad.json()["message"])
            for body in (
                {"visit": name, "to": name, "life": name},
                {"visit": visit["id"], "to": name, "life": 0},
                name,
            ):
                said.append(seat.ask("signal", body)["message"])
            said.append(seat.ask(name, {name: name})["message"])
            said.append(seat.ask("ready", {"colour": name, "reason": name})["message"])
            said.append(seat.ask("move", {"visit": name, "to": name, "rev": None})["message"])
            said.append(seat.ask("step", {"id": name, "done": True})["message"])
            said.append(seat.ask("say", {"event": name, "visit": visit["id"], "id": name})["message"])
            said.append(str(seat.ask("ice", {})))
            said.append(stranger.get(f"/{room.slug}").text)
            ack = board.ask("move", {"visit": visit["id"], "to": "in_call", "rev": None})
            offer = {"life": 0, "round": 1, "description": {"type": "offer", "sdp": f"s={name}"}}
            assert seat.ask("signal", {"visit": visit["id"], "to": ack["seat"], **offer})["reached"]
            board.hear("signal")
            said += a_guest_with(practice, room.id, room.slug, board, visit["id"], name)
            assert board.ask("move", {"visit": visit["id"], "to": "ended", "rev": None})["ok"]
            seat.hear("moved")
        said.append(member.get("/dashboard/history").text)
        said.append(member.get("/dashboard").text)
    return said


def a_guest_with(practice: Practice, room: str, slug: str, board: Socket, visit: str, name: str) -> list[str]:
    """A guest of this name joins, with mistakes on the way, and is let in; the texts that the server said to others."""
    guest, page = Visitor(practice.url), f"/{slug}/join"
    ack = board.ask("invite", {"visit": visit, "kind": "relative"})
    called = f"Guest {name}"
    said = [str(board.ask("invite", {"visit": visit, "kind": name})), str(ack)]
    for link in (name, ack["link"], ack["link"]):
        answer = guest.post_json(page, {"name": called, "lang": "en", "link": link}, token=guest.token(page))
        said.append(answer.text)
    assert answer.status_code == 201
    said += [str(dict(guest.http.cookies)), guest.get(page).text]
    with guest.socket(**{"as": "guest", "room": room, "name": called}) as seat:
        hello = seat.hear("welcome")
        assert hello["visit"]["seats"][0]["name"] == called
        assert board.ask("admit", {"visit": visit, "seat": ack["seat"]})["ok"]
        said.append(str(seat.ask("admit", {"visit": visit, "seat": name})))
        said.append(str(board.ask("remove", {"visit": visit, "seat": name})))
    return said


def found(practice: Practice, name: str, said: list[str]) -> set[str]:
    """The kinds of place that still know a name: database, file, log, memory, said."""
    places: set[str] = set()
    for path in practice.folder.rglob("*"):
        if path.is_file() and name.encode() in path.read_bytes():
            places.add("database" if path.name.startswith("housecall.db") else "file")
    if name in practice.log.read_text():
        places.add("log")
    if any(name in text for text in said):
        places.add("said")
    out = Path(os.environ["HOUSECALL_FOUND"])
    out.unlink(missing_ok=True)
    assert practice.process is not None
    practice.process.send_signal(signal.SIGUSR1)
    end = time.monotonic() + 30
    while not out.exists():
        assert time.monotonic() < end, "the server did not answer"
        time.sleep(0.05)
    if name in out.read_text():
        places.add("memory")
    return places


def test_after_a_visit_nothing_knows_the_name(watched: Callable[..., Practice]) -> None:
    practice, name = watched(), f"Zq{secrets.token_hex(8)}"
    said = a_visit_with(practice, name)
    assert found(practice, name, said) == set(), Path(os.environ["HOUSECALL_FOUND"]).read_text()


@pytest.mark.parametrize("leak", ["database", "file", "log", "memory", "dict", "tuple", "greenlet", "said"])
def test_a_line_that_keeps_the_name_would_be_seen(watched: Callable[..., Practice], leak: str) -> None:
    practice, name = watched(leak), f"Zq{secrets.token_hex(8)}"
    said = a_visit_with(practice, name)
    assert ("memory" if leak in ("dict", "tuple", "greenlet") else leak) in found(practice, name, said)
