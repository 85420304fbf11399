"""The device check's server side: it gives credentials for one test, slowly, and makes nothing."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from housecall.config import load
from housecall.testing.practice import Practice, Room
from housecall.testing.visitor import Visitor
from housecall.web import relay_proof

TOML = '[clinic.main]\nname = "Elm"\n[[clinic.main.ice]]\nurls = ["turn:127.0.0.1:9"]\nsecret = "s3cret"\n'


@pytest.fixture
def own(serve: Callable[..., Practice]) -> Practice:
    return serve(TOML)


def test_credentials_of_a_test_live_two_minutes(own: Practice) -> None:
    room, visitor = own.room(), Visitor(own.url)
    answer = visitor.post_json(f"/{room.slug}/check", {}, token=visitor.token(f"/{room.slug}/check"))
    assert answer.status_code == 200
    [server] = answer.json()["servers"]
    assert server["urls"] == ["turn:127.0.0.1:9"]
    expiry = int(server["username"].partition(":")[0])
    assert answer.json()["until"] == expiry * 1000
    assert 0 < expiry - time.time() <= 120
    assert not visitor.http.cookies


def test_a_test_has_a_brake_and_needs_its_page(own: Practice) -> None:
    room, visitor = own.room(), Visitor(own.url)
    token = visitor.token(f"/{room.slug}/check")
    assert visitor.post_json(f"/{room.slug}/check", {}, token="forged").status_code == 403
    answers = [visitor.post_json(f"/{room.slug}/check", {}, token=token).status_code for _ in range(14)]
    assert answers[:12] == [200] * 12
    assert answers[-1] == 429
    assert Visitor(own.url).post_json(f"/{room.slug}/check", {}, token=token).status_code == 200, "another network"
    assert visitor.get("/no-such-room/check").status_code == 404


def test_the_relay_is_tested_by_a_link_of_the_server_only(own: Practice) -> None:
    visitor, site = Visitor(own.url), load(own.folder, environ={})
    page = visitor.token("/-/relay")
    right, foreign = relay_proof.token(site.secret, "main"), relay_proof.token(site.secret, "another")
    for wrong in ("", "forged", foreign, right[:-2], None, 7, [right]):
        assert visitor.post_json("/-/relay", {"token": wrong}, token=page).status_code == 403, wrong
    answer = visitor.post_json("/-/relay", {"token": right}, token=page)
    assert answer.status_code == 200
    assert answer.json()["servers"][0]["urls"] == ["turn:127.0.0.1:9"]


def test_a_link_of_the_server_grows_old(own: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor, site = Visitor(own.url), load(own.folder, environ={})
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - relay_proof.LIFETIME - 5)
    old = relay_proof.token(site.secret, "main")
    monkeypatch.undo()
    assert visitor.post_json("/-/relay", {"token": old}, token=visitor.token("/-/relay")).status_code == 403


def test_only_a_reason_of_the_set_reaches_the_board(practice: Practice, room: Room) -> None:
    visitor = Visitor(practice.url)
    visitor.check_in(room.slug, "Grace")
    with visitor.seat(room.id) as seat, Visitor(practice.url, login=room.login).dashboard() as board:
        board.hear("welcome")
        seat.hear("welcome")
        for reason in ("Grace Hopper is ill", "camera_stolen", "both", "_", "camera_denied "):
            assert seat.ask("ready", {"colour": "red", "reason": reason})["error"] == "invalid"
        assert seat.ask("ready", {"colour": "red", "reason": "both_denied"})["ok"]
        while not (ready := board.hear("delta")["put"]["ready"]):
            pass
        assert ready == {"colour": "red", "reason": "both_denied"}
