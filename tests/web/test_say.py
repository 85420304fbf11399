"""The one gate for events: each rule of `[[event]]`, against the real server, with what no page of ours would send."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from housecall.testing import Practice, Room, Socket, Visitor

MANIFEST = """
id = "probe"
name = "Probe"
version = "1"
api = "1.0"

[[event]]
name = "hint"
from = ["provider"]
to = "patient"
path = "server"
states = ["waiting"]
size = 200
rate = "2/s"
[event.fields.words]
required = true
max = 40
[event.fields.level]
type = "int"
min = 1
max = 3

[[event]]
name = "call"
from = ["patient"]
to = "provider"
path = "server"

[[event]]
name = "note"
from = ["provider", "patient"]
path = "best"
size = 1000

[[event]]
name = "near"
from = ["provider", "patient"]
path = "peer"

[[event]]
name = "aside"
from = ["provider", "patient"]
to = "one"
path = "server"

[[event]]
name = "count"
from = ["provider"]
path = "server"

[[event]]
name = "counted"
from = ["provider"]
to = "all"
path = "server"
[event.fields.n]
type = "int"

[[event]]
name = "wreck"
from = ["provider"]
path = "server"
"""
PYTHON = """
from housecall import Event, hookimpl


def ask(context, body):
    context.emit("told", {}, to="all")
    assert not hasattr(context.visit, "name")
    return {"role": context.role, "state": context.visit.state}


def undeclared(context, body):
    context.emit("nothing", {})


def strange(context, body):
    return "not a dict"


@hookimpl
def events():
    server = {"sources": ("provider",), "path": "server"}
    return [
        Event(name="ask", handler=ask, **server),
        Event(name="undeclared", handler=undeclared, **server),
        Event(name="strange", handler=strange, **server),
        Event(name="told", **server),
    ]
"""
SEALED = {"iv": "a", "data": "b", "keys": {}}


def plant(folder: Path, id: str, files: dict[str, str]) -> None:
    """A plugin in a site's own folder."""
    for name, text in files.items():
        path = folder / "plugins" / id / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


class Scene:
    """A patient who waits and a provider who watches, each by a socket."""

    def __init__(self, practice: Practice, room: Room):
        self.practice, self.room = practice, room
        self.patient = Visitor(practice.url)
        self.member = Visitor(practice.url, login=room.login)
        self.board = self.member.dashboard()
        self.board.hear("welcome")
        assert self.patient.check_in(room.slug, "Grace").status_code == 201
        self.seat = self.patient.seat(room.id, name="Grace")
        welcome = self.seat.hear("welcome")
        self.visit, self.me = welcome["visit"]["id"], welcome["me"]["id"]

    def say(self, who: Socket, event: str, **more: Any) -> Any:
        return who.ask("say", {"event": event, "visit": self.visit, "id": "1", **more})

    def start(self) -> None:
        assert self.board.ask("move", {"visit": self.visit, "to": "in_call", "rev": None})["ok"]

    def close(self) -> None:
        self.seat.close()
        self.board.close()


@pytest.fixture(scope="module")
def probed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    folder = tmp_path_factory.mktemp("probed") / "site"
    plant(folder, "probe", {"plugin.toml": MANIFEST})
    plant(
        folder,
        "spoken",
        {"plugin.toml": 'id = "spoken"\nname = "Spoken"\nversion = "1"\napi = "1.0"\n', "__init__.py": PYTHON},
    )
    running = Practice(folder, toml='[clinic.main]\nname = "Elm"\nplugins = ["probe", "spoken"]\n[server]\n').start()
    yield running
    running.stop()


@pytest.fixture
def scene(probed: Practice) -> Iterator[Scene]:
    made = Scene(probed, probed.room())
    yield made
    made.close()


def test_an_event_reaches_those_whom_it_is_for(scene: Scene) -> None:
    ack = scene.say(scene.board, "probe:hint", body={"words": "  soon ", "level": "2"})
    assert ack == {"ok": True, "reached": 1}
    said = scene.seat.hear("said")
    assert said["event"] == "probe:hint"
    assert said["body"] == {"words": "soon", "level": 2}, "cleaned by its fields"
    assert said["from"] == scene.room.member
    assert said["visit"] == scene.visit


@pytest.mark.parametrize(
    ("who", "event", "more", "code"),
    [
        ("seat", "probe:hint", {"body": {"words": "x"}}, "forbidden"),
        ("board", "probe:call", {"body": {}}, "forbidden"),
        ("board", "probe:nothing", {"body": {}}, "unknown"),
        ("board", "other:hint", {"body": {"words": "x"}}, "unknown"),
        ("board", "hint", {"body": {"words": "x"}}, "unknown"),
        ("board", "core:answers", {"to": "x", "sealed": SEALED}, "forbidden"),
        ("board", "probe:near", {"body": {}}, "forbidden"),
        ("board", "probe:hint", {"body": {"words": "x" * 41}}, "invalid"),
        ("board", "probe:hint", {"body": {"words": "x", "level": 4}}, "invalid"),
        ("board", "probe:hint", {"body": {"words": "x", "more": 1}}, "invalid"),
        ("board", "probe:hint", {"body": {}}, "invalid"),
        ("board", "probe:hint", {"body": "x"}, "invalid"),
        ("board", "probe:hint", {"body": {"words": "x"}, "planted": 1}, "invalid"),
        ("board", "probe:hint", {"body": {"words": "x", "more": "y" * 300}}, "too_big"),
        ("board", "probe:hint", {"body": {"words": "x"}, "to": 7}, "invalid"),
        ("board", "probe:hint", {"sealed": SEALED}, "invalid"),
        ("board", "probe:aside", {"body": {}}, "invalid"),
        ("board", "probe:note", {"to": "x", "body": {"plain": "words"}}, "invalid"),
        ("board", "probe:note", {"to": "x", "sealed": {**SEALED, "keys": {"k": "w"}}, "body": {"a": 1}}, "invalid"),
        ("board", "probe:note", {"to": "x", "sealed": {"iv": "a"}}, "invalid"),
        ("board", "probe:note", {"to": "x", "sealed": {**SEALED, "keys": {}}}, "invalid"),
        ("board", "probe:note", {"to": "x", "sealed": {**SEALED, "keys": {"k": 1}}}, "invalid"),
        ("board", "probe:note", {"sealed": {**SEALED, "keys": {"k": "w"}}}, "invalid"),
        ("board", "probe:note", {"to": "x", "sealed": {"iv": "a", "data": "b" * 4000, "keys": {"k": "w"}}}, "too_big"),
        ("seat", "spoken:ask", {"body": {}}, "forbidden"),
        ("board", "spoken:undeclared", {"body": {}}, "failed"),
        ("board", "spoken:strange", {"body": {}}, "failed"),
    ],
)
def test_what_breaks_a_rule_is_refused(scene: Scene, who: str, event: str, more: dict[str, Any], code: str) -> None:
    ack = scene.say(getattr(scene, who), event, **more)
    assert ack.get("error") == code, ack
    assert ack["message"]
    assert scene.say(scene.seat, "probe:call", body={}) == {"ok": True, "reached": 1}, "and the visit goes on"
    assert scene.board.hear("said")["event"] == "probe:call"


def test_an_event_has_its_states(scene: Scene) -> None:
    scene.start()
    ack = scene.say(scene.board, "probe:hint", body={"words": "x"})
    assert ack["error"] == "closed"


def test_an_event_has_its_rate(scene: Scene) -> None:
    acks = [scene.say(scene.board, "probe:hint", body={"words": "x"}) for _ in range(30)]
    assert acks[0]["ok"]
    assert {ack.get("error") for ack in acks} == {None, "slow_down"}
    assert scene.say(scene.board, "spoken:ask", body={})["ok"], "each event has its own"


def test_one_event_reaches_one_seat_of_this_visit_only(scene: Scene) -> None:
    other = Scene(scene.practice, scene.practice.room())
    assert scene.say(scene.board, "probe:aside", to=scene.me, body={}) == {"ok": True, "reached": 1}
    assert scene.say(scene.board, "probe:aside", to=other.me, body={}) == {"ok": True, "reached": 0}
    other.close()


def test_nobody_speaks_into_a_visit_of_others(scene: Scene) -> None:
    other = Scene(scene.practice, scene.practice.room())
    for mine in (scene.seat, scene.board):
        for event, body in (("probe:call", {}), ("probe:hint", {"words": "x"})):
            ack = mine.ask("say", {"event": event, "visit": other.visit, "id": "1", "body": body})
            assert ack["error"] == "unknown"
    other.close()


def test_who_watches_is_out_of_it_when_the_call_begins(scene: Scene) -> None:
    with scene.practice.lasting():
        from housecall import clinics

        login = clinics.logins.start(scene.room.member, "test", agent="", address="127.0.0.1")
    second = Visitor(scene.practice.url, login=login).dashboard()
    second.hear("welcome")
    assert scene.say(scene.seat, "probe:call", body={})["reached"] == 2
    scene.start()
    assert scene.say(scene.seat, "probe:call", body={})["reached"] == 1
    second.close()


def test_sealed_words_reach_the_named_page_only(scene: Scene) -> None:
    sealed = {"iv": "a", "data": "b", "keys": {scene.seat.key: "w"}}
    assert scene.say(scene.board, "probe:note", to=scene.me, sealed=sealed)["reached"] == 1
    said = scene.seat.hear("said")
    assert said["sealed"] == sealed
    assert said["page"] == scene.board.key
    foreign = {**sealed, "keys": {"some-other-page": "w"}}
    assert scene.say(scene.board, "probe:note", to=scene.me, sealed=foreign)["reached"] == 0
    assert scene.say(scene.seat, "probe:note", to=scene.room.member, ack=True)["reached"] == 1
    assert scene.board.hear("said")["ack"] is True


def test_a_handler_answers_and_tells_others(scene: Scene) -> None:
    ack = scene.say(scene.board, "spoken:ask", body={})
    assert ack == {"ok": True, "answer": {"role": "provider", "state": "waiting"}}
    for socket in (scene.seat, scene.board):
        said = socket.hear("said")
        assert said["event"] == "spoken:told"


def test_switched_off_is_as_never_known(serve: Callable[..., Practice], tmp_path: Path) -> None:
    plant(tmp_path / "off", "probe", {"plugin.toml": MANIFEST})
    has_it = serve('[clinic.main]\nname = "Elm"\nplugins = []\n', folder=tmp_path / "off")
    never = serve('[clinic.main]\nname = "Elm"\nplugins = []\n', folder=tmp_path / "never")
    said = []
    for practice in (has_it, never):
        scene = Scene(practice, practice.room())
        said.append(
            [
                scene.say(scene.board, "probe:hint", body={"words": "x"}),
                scene.say(scene.board, "probe:hint", body="x"),
                scene.say(scene.seat, "probe:note", to="x", sealed=SEALED),
                scene.seat.ask("step", {"id": "probe:any", "done": True}),
            ]
        )
        scene.close()
    assert said[0] == said[1]
    assert {ack["error"] for ack in said[0]} == {"unknown"}
