"""Texts on their way: limits, STOP, reports, patients who are called; and a crash at every step sends nothing twice."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import gateway as gateways
from gateway import Gateway, answer
from housecall import deliverable
from housecall.clinics import outbox
from housecall.clinics.database import db
from housecall.clinics.models import Outbox
from housecall.message import Message
from housecall.visits import Actor
from sms_world import NUMBER, SETTINGS, SHOWN, House, calls, carriers, in_process, limits, reports, sending, wire


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with gateways.running() as made:
        yield made


@pytest.fixture
def house(tmp_path: Path, gateway: Gateway) -> Iterator[House]:
    with in_process(tmp_path / "site", gateway) as made:
        yield made


def test_a_text_is_sent_with_what_the_settings_say(house: House) -> None:
    id_ = house.post("0470 11 22 33", "Grüße & Küsse: 50% {to}\n#")
    house.round()
    asked = house.gateway.asked[0]
    assert asked.form["to"] == NUMBER
    assert asked.form["text"] == "Grüße & Küsse: 50% {to}\n#"
    assert asked.form["ref"] == id_
    assert asked.form["report"].startswith(f"http://localhost:8000/-/sms/report/{id_}/")
    assert house.posted(id_).state == "sent"


@pytest.mark.parametrize(
    ("number", "text", "why"),
    [
        ("+33612345678", "hi", "allow no texts"),
        ("12", "hi", "short"),
        ("0470112233", "x" * 700, "has 5 parts"),
        ("0470112233", " \n", "empty|parts"),
    ],
)
def test_what_may_not_go_does_not(house: House, number: str, text: str, why: str) -> None:
    id_ = house.post(number, text)
    house.round()
    found = house.posted(id_)
    if text.strip():
        assert found.state == "failed"
        assert re.search(why, found.reason), found.reason
        assert house.gateway.asked == []


def test_later_comes_again_and_unsure_does_not(house: House) -> None:
    house.gateway.answers += [answer(503), answer(429), gateways.TAKEN]
    id_ = house.post()
    house.through()
    assert (house.posted(id_).state, house.posted(id_).tries) == ("sent", 3)
    house.gateway.answers += ["drop"]
    doubtful = house.post()
    house.through()
    assert len(house.gateway.asked) == 4
    assert house.posted(doubtful).state == "unsure"


def test_a_number_and_the_practice_have_their_limits_of_a_day(house: House) -> None:
    """What a gateway refuses does not count, what may have gone does; nobody can be named by what is kept."""
    house.gateway.answers += [answer(400), "drop"]
    ids = [house.post() for _ in range(6)]
    for _ in ids:
        house.round()
    states = [house.posted(id_).state for id_ in ids]
    assert sorted(states) == ["failed", "failed", "sent", "sent", "sent", "unsure"]
    assert any("this number" in house.posted(id_).reason.lower() for id_ in ids)
    others = [house.post(f"04701122{n}") for n in range(40, 44)]
    for _ in others:
        house.round()
    told = [house.posted(id_) for id_ in others]
    assert [each.state for each in told].count("sent") == 2, "the practice's own limit is six"
    assert any("The practice has sent" in each.reason for each in told)
    with house.app.app_context():
        rows = db.session.execute(db.text("select * from sms_sent")).all()
        assert NUMBER[1:] not in str(rows)
        first = limits._sent("main", limits.now() // limits.DAY, NUMBER)
        assert first in str(rows)
        assert first != limits._sent("main", limits.now() // limits.DAY + 1, NUMBER), "two days could be joined"


def test_the_counts_of_a_day_are_gone_when_it_is_over(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.post()
    house.round()
    with house.app.app_context():
        assert limits.today("main") == 1
        limits.stop("main", NUMBER)
        real = limits.now()
        monkeypatch.setattr(limits, "now", lambda: real + limits.DAY)
        limits.sweep("main")
        assert db.session.execute(db.text("select count(*) from sms_sent")).scalar() == 0
        assert limits.is_stopped("main", NUMBER)
        monkeypatch.setattr(limits, "now", lambda: real + limits.YEARS * 366 * limits.DAY)
        limits.sweep("main")
        assert not limits.is_stopped("main", NUMBER)


# -- STOP and START

WORDS = [
    ("STOP", "stop"),
    (" stop. ", "stop"),
    ("Arrêt!", "stop"),
    ("opt-out", "stop"),
    ("START", "start"),
    ("please stop", ""),
    ("stop it hurts", ""),
    ("", ""),
]


@pytest.mark.parametrize(("text", "word"), WORDS)
def test_only_the_word_alone_counts(text: str, word: str) -> None:
    assert limits.word(text) == word


def test_stop_holds_until_start(house: House) -> None:
    with house.app.app_context():
        inbound = reports.answers_address("main").removeprefix("http://localhost:8000")
        other = sending.own_mark("other")
    assert house.report(inbound[:-1] + ("0" if inbound[-1] != "0" else "1")) == 404
    assert house.report(f"/-/sms/in/{other}") == 404
    for said in ({"from": NUMBER[1:], "text": "STOP"}, {"from": NUMBER, "text": "my back hurts: stop"}):
        assert house.report(inbound, said) == 200
    stopped = house.post()
    house.round()
    assert (house.posted(stopped).state, "STOP" in house.posted(stopped).reason) == ("failed", True)
    assert house.gateway.asked == []
    asked = house.app.test_client().get(inbound, query_string={"From": "0032470112233", "Body": "start"})
    assert (asked.status_code, asked.data) == (200, b"")
    again = house.post()
    house.round()
    assert house.posted(again).state == "sent"
    answered = house.app.test_client().post(inbound, json={"msisdn": NUMBER[1:], "text": "Stop"})
    assert answered.status_code == 200
    with house.app.app_context():
        assert limits.is_stopped("main", NUMBER)
        rows = db.session.execute(db.text("select * from sms_stopped")).all()
        assert len(rows) == 1
        assert NUMBER[1:] not in str(rows)


def test_the_carriers_own_stop_is_heeded(tmp_path: Path, gateway: Gateway) -> None:
    twilio = (
        'way = "twilio"\nurl = "{url}"\nuser = "AC1"\nkey = "tok"\nsender = "+15551234567"\n'
        'country = "32"\ninside = "{inside}"\n'
    )
    with in_process(tmp_path / "site", gateway, twilio) as house:
        gateway.answers += [answer(400, '{"code": 21610}')]
        house.post()
        house.round()
        with house.app.app_context():
            assert limits.is_stopped("main", NUMBER)


# -- delivery reports


def test_a_report_counts_once_and_only_at_its_messages_own_address(house: House) -> None:
    """Forged, replayed, out of order: refused, or without effect."""
    id_, other = house.post(), house.post("0470112244")
    house.round()
    address = house.gateway.asked[0].form["report"].removeprefix("http://localhost:8000")
    first = id_ if id_ in address else other
    assert house.report(address, {"status": "accepted"}) == 200
    assert house.posted(first).state == "sent"
    wrong = address.replace(first, other if first == id_ else id_)
    assert house.report(wrong, {"status": "failed"}) == 404
    assert house.report("/-/sms/report/nothing/nothing", {"status": "failed"}) == 404
    assert house.report(address + "?status=DELIVRD") == 200
    assert house.posted(first).state == "delivered"
    assert house.report(address, {"status": "undelivered"}) == 200
    assert house.posted(first).state == "delivered", "a late report undid it"
    assert sorted(house.states()) == ["delivered", "sent"]


def test_a_report_ends_a_doubt(house: House) -> None:
    house.gateway.answers += ["drop"]
    id_ = house.post()
    house.round()
    assert house.posted(id_).state == "unsure"
    address = house.gateway.asked[0].form["report"].removeprefix("http://localhost:8000")
    assert house.report(address, {"status": "delivered"}) == 200
    assert house.posted(id_).state == "delivered"


def test_a_gateway_that_knows_one_address_names_its_own_id(tmp_path: Path, gateway: Gateway) -> None:
    with in_process(tmp_path / "site", gateway, SETTINGS + 'http_id = \'"id":"{{id}}"\'\n') as house:
        gateway.answers += [answer(200, '{"id":"m-17"}')]
        id_ = house.post()
        house.round()
        with house.app.app_context():
            address = reports.reports_address("main").removeprefix("http://localhost:8000")
        assert house.report(address[:-3] + "zzz", {"id": "m-17", "status": "failed"}) == 404
        assert house.report(address, {"id": "m-18", "status": "failed"}) == 200
        assert house.posted(id_).state == "sent"
        assert house.report(address, {"message-id": "m-17", "status": "failed"}) == 200
        assert house.posted(id_).state == "bounced"


def test_webhooks_sign_nobody_in_and_take_no_flood(house: House) -> None:
    with house.app.app_context():
        inbound = reports.answers_address("main").removeprefix("http://localhost:8000")
    assert house.report(inbound, {"text": "x" * 300_000}) == 413
    assert house.app.test_client().post("/-/sms/", data={"number": NUMBER}).status_code == 403, "a form needs its token"


# -- nothing is sent twice: a crash at every step, then a restart


class Crash(BaseException):
    """The process is gone."""


class Steps:
    """Counts the steps of what is watched, and crashes at one of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *watched: tuple[Any, str]):
        self.count, self.at = 0, -1
        for module, name in watched:
            monkeypatch.setattr(module, name, self.around(getattr(module, name)))

    def step(self) -> None:
        self.count += 1
        if self.count == self.at:
            raise Crash

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def stepped(*given: Any, **more: Any) -> Any:
            self.step()
            told = function(*given, **more)
            self.step()
            return told

        return stepped


HANDED_OVER = (
    (outbox, "claim"),
    (outbox, "settle"),
    (limits, "take"),
    (limits, "give_back"),
    (carriers, "send"),
    (wire, "_connected"),
    (wire, "_asked"),
)


@pytest.mark.parametrize(
    "said",
    [[], [answer(503)], ["drop"], [answer(400)], [answer(503), "drop"], [answer(429), answer(503)], ["late"]],
    ids=["taken", "busy", "drop", "refused", "busy drop", "busy busy", "taken and hung up"],
)
def test_whenever_the_server_dies_a_text_is_taken_once_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gateway: Gateway, said: list[Any]
) -> None:
    """And what became of it is told: sent, failed, or that nobody knows."""
    taken: list[str] = []

    def take(asked: gateways.Asked) -> bytes:
        taken.append(asked.form["ref"])
        return gateways.TAKEN

    def take_and_hang_up(asked: gateways.Asked) -> str:
        taken.append(asked.form["ref"])
        return "drop"

    with in_process(tmp_path / "site", gateway) as house:
        steps, ends = Steps(monkeypatch, *HANDED_OVER), set()
        for at in range(1, 100):
            gateway.answers[:] = [take_and_hang_up if each == "late" else each for each in said]
            gateway.usual = take  # type: ignore[assignment]
            before, steps.count, steps.at = house.at, 0, -1
            id_ = house.post(f"04701{at:05}", f"number {at}")
            with house.app.app_context():
                db.session.execute(db.text("delete from sms_sent"))
                db.session.commit()
            steps.count, steps.at = 0, at
            crashed = False
            try:
                house.through()
            except Crash:
                crashed = True
            steps.at = -1
            house.restart()
            assert taken.count(id_) <= 1
            with house.app.app_context():
                state = db.session.get_one(Outbox, id_).state
            assert state in ("waiting", "sent", "failed", "unsure"), "a restart leaves it where nobody looks"
            ends.add(state)
            house.through()
            assert taken.count(id_) <= 1, f"sent twice after a crash at step {at}"
            house.at = before
            if not crashed:
                break
        assert not crashed, "this test never came to the end"
        assert at > 6, "no crash was tried"
        assert "unsure" in ends, ends


def test_it_is_the_restart_that_keeps_a_text_from_going_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gateway: Gateway
) -> None:
    """The test above is no idle one: with a row that is taken up again after a crash, the gateway has it twice."""
    with in_process(tmp_path / "site", gateway) as house:
        steps = Steps(monkeypatch, (outbox, "settle"))
        steps.at = 1
        house.post()
        with pytest.raises(Crash):
            house.round()
        with house.app.app_context():
            db.session.execute(db.text("update outbox set state = 'waiting'"))
            db.session.commit()
        house.restart()
        house.round()
        assert len(gateway.asked) == 2


# -- patients who want to be called


class Context:
    """What a handler is given, of a visit in this house."""

    def __init__(self, house: House, visit: str, role: str = "patient"):
        visits = house.house.visits
        self.clinic, self.role, self.seat, self.told = "main", role, "", []
        self.visit = visits.view(visits.get(visit))

    def emit(self, name: str, body: dict[str, Any], to: str = "") -> int:
        self.told.append((name, to))
        return 1


def arrive(house: House, name: str = "Grace", room: str = "room-1") -> str:
    visit, _ = house.house.visits.arrive(clinic="main", room=room, name=name)
    while house.house.now() <= visit.arrived:
        pass  # who comes in the same ms has a place by chance
    return str(visit.id)


def move(house: House, visit: str, to: str) -> None:
    house.house.visits.move(visit, to, actor=Actor(kind="member", id="ada"), rev=None, name="Ada", page="p" * 20)


def ask(house: House, visit: str, number: str = NUMBER) -> dict[str, Any]:
    with house.app.app_context():
        told: dict[str, Any] = calls.ask(Context(house, visit), {"number": number})
        return told


def standing(house: House, visit: str) -> dict[str, Any]:
    with house.app.app_context():
        told: dict[str, Any] = calls.standing("main", visit)
        return told


def held(house: House) -> str:
    """All that the plugin and the outbox keep, as text."""
    with house.app.app_context():
        rows = [db.session.execute(db.text(f"select * from {table}")).all() for table in ("sms_call", "outbox")]  # noqa: S608
        return str(rows)


def test_whoever_is_next_is_called_once_and_the_number_is_gone(house: House) -> None:
    first, second, third = arrive(house), arrive(house), arrive(house)
    told = ask(house, second, "0470 11 22 33")
    assert told == {"state": "kept", "number": SHOWN, "waits": True}
    assert ask(house, first)["waits"] is False, "nobody is before the first"
    assert ask(house, third, "0470112244")["waits"] is True
    assert standing(house, second) == {"state": "kept", "ends": "33", "waits": True}
    assert NUMBER[1:] not in held(house)
    with house.app.app_context():
        calls.turns("main")
    assert house.states() == [], "nobody has become next"
    move(house, first, "in_call")
    assert standing(house, first)["state"] == "none", "who has begun is not called"
    house.round()
    assert [each.form["to"] for each in house.gateway.asked] == [NUMBER]
    assert house.gateway.asked[0].form["text"].startswith("Elm Street Practice: it is your turn")
    assert standing(house, second)["state"] == "sent"
    with house.app.app_context():
        calls.turns("main")
        calls.turn("main", "room-1")
    house.round()
    assert len(house.gateway.asked) == 1
    move(house, second, "ended")
    move(house, third, "ended")
    house.round()
    assert len(house.gateway.asked) == 1, "who has gone is not called"
    assert "sms_call" not in held(house)
    with house.app.app_context():
        assert db.session.execute(db.text("select count(*) from sms_call")).scalar() == 0


def test_a_member_calls_at_any_time(house: House) -> None:
    visit = arrive(house)
    ask(house, visit)
    with house.app.app_context():
        context = Context(house, visit, "provider")
        told = calls.call(context, {})
    assert told["state"] in ("waiting", "sent")
    assert context.told == [("changed", "all")]
    with house.app.app_context():
        calls.call(Context(house, visit, "provider"), {})
    house.round()
    house.round()
    assert len(house.gateway.asked) == 1, "pressed twice, sent once"


def test_two_presses_at_once_are_one_call(house: House) -> None:
    visit = arrive(house)
    ask(house, visit)
    with house.app.app_context():
        db.session.execute(db.text("update sms_call set message = :mine"), {"mine": calls.MINE})  # the first is at it
        db.session.commit()
        assert calls.call(Context(house, visit, "provider"), {}) == {"state": "sending"}
    assert house.states() == []


def test_what_cannot_be_a_number_is_said_to_whoever_typed_it(house: House) -> None:
    visit = arrive(house)
    assert "short" in ask(house, visit, "12")["problem"]
    assert "allow no texts" in ask(house, visit, "+33612345678")["problem"]
    with house.app.app_context():
        limits.stop("main", NUMBER)
    assert "STOP" in ask(house, visit)["problem"]
    for number in ("0470112241", "0470112242", "0470112243"):
        assert ask(house, visit, number)["state"] == "kept"
    assert "Three numbers" in ask(house, visit, "0470112244")["problem"]


def test_a_number_can_be_taken_back(house: House) -> None:
    arrive(house)
    visit = arrive(house)
    ask(house, visit)
    with house.app.app_context():
        sealed = calls._row("main", visit).sealed.encode()
        db.session.rollback()
        files = list((house.house.site.folder / "data").glob("housecall.db*"))
        assert any(sealed in file.read_bytes() for file in files)
        assert calls.forget(Context(house, visit), {}) == {"state": "none"}
        assert not [file for file in files if file.exists() and sealed in file.read_bytes()]
    assert standing(house, visit)["state"] == "none"
    move(house, house.house.visits.room("room-1")[0].id, "ended")
    assert house.states() == []


def test_a_text_that_has_not_gone_is_taken_back_when_the_visit_begins(house: House) -> None:
    visit = arrive(house)
    ask(house, visit)
    with house.app.app_context():
        calls.call(Context(house, visit, "provider"), {})
    move(house, visit, "in_call")
    house.through()
    assert house.gateway.asked == []


def test_nobody_is_taken_for_next_while_patients_come_back_after_a_restart(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, visit = arrive(house), arrive(house)
    ask(house, visit)
    house.house.visits.store.drop(first)  # the other one is not back yet
    real = limits.now()
    monkeypatch.setattr(calls, "STARTED", real + 1000)
    monkeypatch.setattr(limits, "now", lambda: real + 2000)
    with house.app.app_context():
        calls.turns("main")
        assert house.states() == []
        monkeypatch.setattr(limits, "now", lambda: real + 1000 + calls.SETTLED)
        calls.turns("main")
    assert len(house.states()) == 1


def test_numbers_of_visits_that_never_come_back_are_forgotten(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    visit = arrive(house)
    ask(house, visit)
    real = limits.now()
    house.house.visits.store.drop(visit)  # as after a restart
    with house.app.app_context():
        calls.turns("main")
        assert calls._row("main", visit) is not None, "it may still come back"
        monkeypatch.setattr(limits, "now", lambda: real + calls.FORGOTTEN + 2000)
        calls.turns("main")
        assert calls._row("main", visit) is None


def test_whenever_the_server_dies_a_patient_is_called_once_at_most(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By itself never twice; after a crash in between, a member is told that nobody knows."""
    steps = Steps(monkeypatch, (calls, "write"), (calls, "post"), (calls, "erase"), (calls, "unseal"))
    ends = set()
    monkeypatch.setattr(calls, "SETTLED", 0)
    for at in range(1, 30):
        first, visit = arrive(house, room=f"room-{at}"), arrive(house, room=f"room-{at}")
        steps.at, steps.count = -1, 0
        ask(house, visit, f"04702{at:05}")
        house.house.visits.store.drop(first)
        steps.count, steps.at, crashed = 0, at, False
        try:
            with house.app.app_context():
                calls.turn("main", f"room-{at}")
        except Crash:
            crashed = True
        steps.at = -1
        house.restart()
        for _ in range(3):
            with house.app.app_context():
                calls.turns("main")
        with house.app.app_context():
            count = db.session.execute(db.text("select count(*) from outbox")).scalar()
            db.session.execute(db.text("delete from outbox"))
            db.session.commit()
        state = standing(house, visit)["state"]
        assert count <= 1, f"posted twice after a crash at step {at}"
        assert count == 1 or state == "unsure", f"lost, and nobody is told: {state} after a crash at step {at}"
        ends.add((count, state == "unsure"))
        house.house.visits.store.drop(visit)
        if not crashed:
            break
    assert not crashed
    assert (1, False) in ends
    assert (0, True) in ends or (1, True) in ends, ends


def test_a_member_may_call_again_where_nobody_knows(house: House) -> None:
    visit = arrive(house)
    ask(house, visit)
    with house.app.app_context():
        db.session.execute(db.text("update sms_call set message = 'posting of a process that is gone'"))
        db.session.commit()
    assert standing(house, visit)["state"] == "unsure"
    with house.app.app_context():
        told = calls.call(Context(house, visit, "provider"), {})
    assert told["state"] in ("waiting", "sent")
    assert NUMBER[1:] not in held(house)


def test_a_text_is_taken_by_the_plugin_and_by_no_other(house: House) -> None:
    with house.app.app_context():
        assert deliverable("main", "text")
        assert not deliverable("main", "push")
        push = Message(id="x", clinic="main", kind="push", owner="sms", to="x", text="x")
        assert house.postroom.carry(push).state == "refused"
    assert house.gateway.asked == []
