"""The server's side of what goes from page to page in pieces: who may give and fetch them, and what is left of them."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from housecall.testing import Practice, Room, Socket, Visitor

PLUGIN = """
id = "post"
name = "Post"
version = "1"
api = "1.0"

[[transfer]]
name = "parcel"
from = ["patient"]
to = "provider"
states = ["waiting"]

[[transfer]]
name = "any"
from = ["patient", "provider"]
"""
TOML = '[server]\n[clinic.main]\nname = "Elm"\nplugins = ["post"]\n'
SEALED = b"\x07 these bytes are sealed"
STUCK_DISK = str(Path(__file__).parent.parent / "stuck_disk_server.py")


@pytest.fixture(scope="module")
def postal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    """A practice that has a plugin with two transfers."""
    folder = tmp_path_factory.mktemp("plugins") / "post"
    folder.mkdir()
    (folder / "plugin.toml").write_text(PLUGIN, encoding="utf-8")
    running = Practice(tmp_path_factory.mktemp("postal") / "site", toml=TOML, plugins=(folder,)).start()
    yield running
    running.stop()
    running.check()


class Patient:
    """Somebody who waits, without a browser."""

    def __init__(self, practice: Practice, room: Room):
        self.practice, self.room = practice, room
        self.visitor = Visitor(practice.url, host=f"localhost:{practice.port}")
        self.visit = self.visitor.check_in(room.slug, "Grace").json()["visit"]
        self.token = self.visitor.token(f"/{room.slug}")

    def give(self, data: bytes = SEALED, transfer: str = "post:parcel", **more: Any) -> requests.Response:
        return give(self.visitor, self.token, more.pop("visit", self.visit), data, transfer)

    @property
    def files(self) -> list[Path]:
        return sorted((self.practice.folder / "data/passing").glob(f"{self.visit}.*"))


def give(visitor: Visitor, token: str, visit: str, data: bytes, transfer: str) -> requests.Response:
    return visitor.post_json(f"/-/blob?visit={visit}&transfer={transfer}", None, token=token, raw=data)


@pytest.fixture
def patient(postal: Practice) -> Patient:
    return Patient(postal, postal.room())


def member(practice: Practice, room: Room) -> Visitor:
    return Visitor(practice.url, host=f"localhost:{practice.port}", login=room.login)


def test_a_piece_is_given_and_fetched_and_nothing_of_it_is_ever_shown(postal: Practice, patient: Patient) -> None:
    given = patient.give()
    assert given.status_code == 201
    name = given.json()["id"]
    assert [path.name for path in patient.files] == [name]
    assert patient.files[0].read_bytes() == SEALED
    for asker in (patient.visitor, member(postal, patient.room)):
        got = asker.get(f"/-/blob/{name}")
        assert (got.status_code, got.content) == (200, SEALED)
        assert got.headers["Content-Type"] == "application/octet-stream"
        assert got.headers["Content-Disposition"] == "attachment"
        assert got.headers["X-Content-Type-Options"] == "nosniff"
        assert got.headers["Cache-Control"] == "no-store"
        assert "sandbox" in got.headers["Content-Security-Policy"]


def test_only_who_takes_part_gives_and_fetches(postal: Practice, patient: Patient) -> None:
    name = patient.give().json()["id"]
    other = Patient(postal, postal.room())
    nobody = Visitor(postal.url, host=f"localhost:{postal.port}")
    stranger = member(postal, other.room)
    for asker in (other.visitor, nobody, stranger):
        assert asker.get(f"/-/blob/{name}").status_code == 404
    assert other.give(visit=patient.visit).status_code == 404
    assert give(nobody, nobody.token(f"/{patient.room.slug}"), patient.visit, SEALED, "post:any").status_code == 404
    own = member(postal, patient.room)
    assert give(own, own.token("/dashboard"), patient.visit, SEALED, "post:any").status_code == 201
    assert give(own, own.token("/dashboard"), patient.visit, SEALED, "post:parcel").status_code == 403
    assert give(stranger, stranger.token("/dashboard"), patient.visit, SEALED, "post:any").status_code == 404
    bare = patient.visitor.http.post(
        f"{patient.visitor.url}/-/blob?visit={patient.visit}&transfer=post:any", data=SEALED
    )
    assert bare.status_code in (403, 404), "without the token of a page"


def test_what_is_not_declared_or_too_large_is_refused_and_leaves_nothing(patient: Patient) -> None:
    for transfer in ("post:nothing", "nothing:parcel", "", "post", "chat:message"):
        assert patient.give(transfer=transfer).status_code == 404
    large = patient.give(b"x" * (1024 * 1024 + 65))
    assert large.status_code == 413
    assert large.json()["error"] == "413"
    assert patient.give(b"").status_code == 413
    assert patient.files == []
    assert patient.give(b"x" * (1024 * 1024 + 64)).status_code == 201


def test_a_lying_length_leaves_nothing(postal: Practice, patient: Patient) -> None:
    """Somebody announces a thousand bytes, sends ten, and hangs up."""
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in patient.visitor.http.cookies)
    head = (
        f"POST /-/blob?visit={patient.visit}&transfer=post:parcel HTTP/1.1\r\nHost: localhost:{postal.port}\r\n"
        f"Origin: http://localhost:{postal.port}\r\nX-Form-Token: {patient.token}\r\nCookie: {cookies}\r\n"
        "Content-Length: 1000\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", postal.port)) as line:
        line.sendall(head.encode() + b"ten bytes.")
        wait_for(lambda: len(patient.files) == 1)
        assert patient.files[0].suffix == ".part"
        assert patient.visitor.get(f"/-/blob/{patient.files[0].name}").status_code == 404
    wait_for(lambda: patient.files == [])


def test_the_state_of_the_visit_counts_and_its_end_takes_everything(postal: Practice, patient: Patient) -> None:
    patient.give()
    with member(postal, patient.room).dashboard() as board, patient.visitor.seat(patient.room.id) as seat:
        seat.hear("welcome")
        started = move(board, patient.visit, "in_call")
        assert patient.give().status_code == 409
        name = patient.give(transfer="post:any").json()["id"]
        elsewhere = postal.room(role="owner")
        watching = member(postal, elsewhere)
        assert watching.get(f"/-/blob/{name}").status_code == 404, "in the call it belongs to those who sit in it"
        assert len(patient.files) == 2
        assert started["ok"]
        move(board, patient.visit, "ended")
    wait_for(lambda: patient.files == [])
    assert patient.visitor.get(f"/-/blob/{name}").status_code == 404
    assert patient.give().status_code == 404


def move(board: Socket, visit: str, to: str) -> dict[str, Any]:
    return board.ask("move", {"visit": visit, "to": to, "rev": None})


def test_killed_and_started_again_the_server_keeps_nothing_too_long(
    serve: Callable[..., Practice], postal: Practice
) -> None:
    """On the disk: what a crash left half is gone at the next start, and so is what is a quarter of an hour old."""
    practice = serve(TOML, plugins=postal.plugins)
    patient = Patient(practice, practice.room())
    old, fresh = (patient.give().json()["id"] for _ in range(2))
    practice.stop(signal.SIGKILL)
    folder = practice.folder / "data/passing"
    long_ago = (folder / old).stat().st_mtime - 15 * 60
    os.utime(folder / old, (long_ago, long_ago))
    (folder / f"{patient.visit}.half.part").write_bytes(b"sea")
    practice.start()
    wait_for(lambda: [path.name for path in patient.files] == [fresh])
    assert patient.visitor.get(f"/-/blob/{fresh}").status_code == 404, "nobody sits in the visit yet"
    with patient.visitor.seat(patient.room.id, name="Grace") as seat:
        seat.hear("welcome")
        assert patient.visitor.get(f"/-/blob/{fresh}").status_code == 200
        assert patient.visitor.get(f"/-/blob/{old}").status_code == 404


def test_what_is_large_holds_up_nobody_else(
    serve: Callable[..., Practice], postal: Practice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two pieces of 1 MiB are written, then read, by a disk that stands still: pages and sockets are answered."""
    monkeypatch.setenv("HOUSECALL_DISK", str(tmp_path))
    turns, waiting = tmp_path / "turns", tmp_path / "waiting"
    practice = serve(TOML, plugins=postal.plugins, command=(sys.executable, "-W", "error", STUCK_DISK, "run"))
    room, data = practice.room(), os.urandom(1024 * 1024)
    patients = [Patient(practice, room) for _ in range(2)]

    def others_are_answered() -> None:
        wait_for(lambda: waiting.exists() and waiting.stat().st_size == 2)
        assert board.ask("snapshot", {"room": room.id})["ok"]
        assert seat.ask("ice", {})["ok"]
        other = Visitor(practice.url, host=f"localhost:{practice.port}")
        assert other.check_in(room.slug, "Katherine").status_code == 201
        turns.touch()

    with (
        ThreadPoolExecutor(2) as hands,
        member(practice, room).dashboard() as board,
        patients[0].visitor.seat(room.id) as seat,
        closing(SimpleNamespace(close=turns.touch)),  # or a server that fails here would never end
    ):
        given = [hands.submit(patient.give, data) for patient in patients]
        others_are_answered()
        names = [each.result().json()["id"] for each in given]
        for flag in (turns, waiting):
            flag.unlink()
        pairs = list(zip(patients, names, strict=True))
        got = [hands.submit(patient.visitor.get, f"/-/blob/{name}") for patient, name in pairs]
        others_are_answered()
        assert [each.result().content for each in got] == [data] * 2


def wait_for(holds: Callable[[], bool]) -> None:
    """Until it holds, at most for half a minute."""
    import time

    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)  # the condition counts; this only paces the looking
