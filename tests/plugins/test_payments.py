"""Payments (R58-R61, R20): asked for in a visit, paid on Stripe's page, seen by both sides; kept without a name."""

from __future__ import annotations

import csv
import datetime as dt
import io
import itertools
import json
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from housecall.testing import Practice, Room
from housecall.testing.stripe_peer import DECLINED, Stripe, signature
from housecall.testing.visitor import Socket, Visitor

CARD = "4242424242424242"
NUMBERS = itertools.count(1)
LINE = "Zanzibar quince consultation"  #: words that a member types
TOML = """\
[server]
[server.payments]
base = "{base}"
[clinic.main]
name = "Elm Street Practice"
plugins = ["payments"]
[clinic.main.payments]
key = "rk_test_{key}"
"""


@pytest.fixture(scope="module")
def stripe() -> Iterator[Stripe]:
    running = Stripe().start()
    yield running
    running.stop()


@dataclass
class Desk:
    """A practice that has connected Stripe, and a visit in it, by socket."""

    practice: Practice
    stripe: Stripe
    account: str
    room: Room
    owner: Visitor
    patient: Visitor = field(init=False)
    visit: str = ""
    seat: Socket | None = None
    board: Socket | None = None
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.patient = Visitor(self.practice.url)

    def come(self, name: str = "Grace Hopper") -> None:
        """Somebody checks in, and the provider's dashboard is open."""
        self.open_board()
        assert self.patient.check_in(self.room.slug, name).status_code == 201
        self.sit(name=name)

    def open_board(self) -> None:
        self.board = Visitor(self.practice.url, login=self.room.login).dashboard()
        self.board.hear("welcome")

    def sit(self, **more: Any) -> dict[str, Any]:
        self.seat = self.patient.seat(self.room.id, **more)
        hello: dict[str, Any] = self.seat.hear("welcome")
        self.visit = hello["visit"]["id"]
        return hello

    def say(self, who: Socket | None, event: str, **body: Any) -> dict[str, Any]:
        assert who is not None
        said = {"event": f"payments:{event}", "visit": self.visit, "id": str(next(self.numbers)), "body": body}
        return who.ask("say", said)

    def ask(self, amount: str = "50", currency: str = "eur", line: str = LINE) -> str:
        ack = self.say(self.board, "ask", amount=amount, currency=currency, line=line)
        assert ack["ok"], ack
        assert "payment" in ack["answer"], ack
        return str(ack["answer"]["payment"])

    def heard(self, who: Socket | None, state: str, **wanted: Any) -> dict[str, Any]:
        """The next word that a page hears of a payment in this state."""
        assert who is not None
        while True:
            said = who.hear("said", timeout=30)
            body: dict[str, Any] = said["body"]
            meant = {"state": state, **wanted}.items()
            if said["event"] == "payments:stands" and all(body[name] == value for name, value in meant):
                return body

    def asked(self, amount: str = "50", **more: str) -> dict[str, Any]:
        """Asked for, and on the patient's page."""
        self.ask(amount, **more)
        return self.heard(self.seat, "requested")

    def look(self, who: Socket | None, *, fresh: bool = False) -> dict[str, Any]:
        answer: dict[str, Any] = self.say(who, "look", fresh=fresh)["answer"]
        return answer

    def state(self) -> str:
        return str(self.look(self.board)["payments"][-1]["state"])

    def stands(self, state: str) -> None:
        """Wait until the server knows the latest payment in this state."""
        until(lambda: self.state() == state, lambda: self.state())

    def rows(self, query: str) -> list[Any]:
        with closing(sqlite3.connect(self.practice.folder / "data/housecall.db")) as database:
            return database.execute(query).fetchall()

    def hook(self) -> tuple[str, str]:
        """Our address at Stripe, and its secret, as only a thief would know it."""
        [(part,)] = self.rows("select hook from payments_account")
        with self.practice.lasting():
            from housecall import config
            from housecall.clinics import sealing

            [(sealed,)] = self.rows("select sealed from payments_account")
            key = config.load(self.practice.folder, environ={}).secret
            return f"{self.practice.url}/-/payments/hook/{part}", sealing.unseal(
                key, "payments_account.sealed main", sealed
            )

    def asks(self) -> int:
        """How often this practice has asked Stripe anything."""
        return len([each for each in self.stripe.ask("requests") if each["account"] == self.account])

    def events(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.stripe.ask("objects", kind="event", account=self.account)
        return found

    def close(self) -> None:
        for each in (self.seat, self.board):
            if each is not None:
                each.close()


def until(condition: Callable[[], bool], told: Callable[[], Any] = lambda: "", *, patience: float = 30) -> None:
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, told()
        time.sleep(0.05)  # the condition is the answer; this only paces the asking


@pytest.fixture
def desk(serve: Callable[..., Practice], stripe: Stripe) -> Iterator[Callable[..., Desk]]:
    made: list[Desk] = []

    def make(toml: str = TOML, *, connect: bool = True, room: dict[str, Any] | None = None) -> Desk:
        key = f"elm{next(NUMBERS):05}"
        practice = serve(toml.format(key=key, base=stripe.url))
        owner = Visitor(practice.url, login=practice.room(role="owner").login)
        desk = Desk(practice, stripe, f"acct_{key}", practice.room(**(room or {})), owner)
        made.append(desk)
        if connect:
            assert owner.post("/-/payments/connect", {"do": "connect"}).status_code == 303
        return desk

    yield make
    for each in made:
        each.close()
    stripe.ask("set", fail={}, silent=False)


def test_asked_paid_and_both_sides_see_each_state(desk: Callable[..., Desk], stripe: Stripe) -> None:
    """The whole way by Stripe's own word: requested, opened, declined, paid, part given back, all given back."""
    here = desk()
    here.come()
    payment = here.ask("12,50 €")
    due = here.heard(here.seat, "requested")
    assert (due["amount"], due["currency"], due["digits"], due["line"], due["live"]) == (1250, "eur", 2, LINE, False)
    assert due["url"].startswith(stripe.url)
    assert here.heard(here.board, "requested")["url"] is None, "the address is the patient's alone"
    assert here.look(here.board)["payments"][0]["url"] == ""
    assert here.say(here.seat, "opened", payment=payment)["ok"]
    here.heard(here.board, "opened")
    assert stripe.fetch(due["url"], card=DECLINED)[0] == 402
    for side in (here.seat, here.board):
        here.heard(side, "failed")
    status, back = stripe.fetch(due["url"], card=CARD)
    assert (status, back) == (303, f"{here.practice.url}/-/payments/done")
    assert "You can close this tab" in here.patient.get("/-/payments/done").text
    for side in (here.seat, here.board):
        here.heard(side, "paid", refunded=0)
    assert here.say(here.board, "refund", payment=payment, amount="2.50", seen=0)["ok"]
    for side in (here.seat, here.board):
        here.heard(side, "paid", refunded=250, refunding=0)
    assert here.say(here.board, "refund", payment=payment, amount="20", seen=250)["answer"] == {
        "errors": {"amount": "more"}
    }
    assert here.say(here.board, "refund", payment=payment, amount="10", seen=250)["ok"]
    for side in (here.seat, here.board):
        here.heard(side, "refunded", refunded=1250)


def test_taken_back_and_expired(desk: Callable[..., Desk], stripe: Stripe) -> None:
    here = desk()
    here.come()
    due = here.asked()
    assert here.say(here.board, "cancel", payment=due["payment"])["ok"]
    for side in (here.seat, here.board):
        assert here.heard(side, "cancelled")["url"] in (None, "")
    assert stripe.fetch(due["url"], card=CARD)[0] == 410
    here.asked()
    session = here.rows("select session from payments_payment where state = 'requested'")[0][0]
    stripe.ask("expire", session=session)
    for side in (here.seat, here.board):
        here.heard(side, "expired")


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({"amount": "", "currency": "eur"}, None),
        ({"amount": "1.234", "currency": "eur"}, {"amount": "ambiguous"}),
        ({"amount": "12 $", "currency": "eur"}, {"amount": "currency"}),
        ({"amount": "12.5", "currency": "jpy"}, {"amount": "decimals"}),
        ({"amount": "12", "currency": "xxx"}, {"currency": "invalid"}),
    ],
)
def test_what_is_mistyped_is_named_and_nothing_is_made(
    desk: Callable[..., Desk], body: dict[str, str], errors: dict[str, str] | None
) -> None:
    here = desk()
    here.come()
    ack = here.say(here.board, "ask", **body)
    if errors is None:
        assert (ack["error"], ack["fields"]) == ("invalid", {"amount": "required"})
    else:
        assert ack["answer"] == {"errors": errors}
    assert here.rows("select count(*) from payments_payment") == [(0,)]


def test_before_stripe_is_connected_nobody_is_asked(desk: Callable[..., Desk]) -> None:
    here = desk(connect=False)
    here.come()
    assert here.look(here.board)["ready"] is False
    assert here.say(here.board, "ask", amount="5", currency="eur")["answer"] == {"errors": {"": "off"}}
    page = here.owner.get("/-/payments/").text
    assert "Stripe is not connected yet" in page
    assert "Connect Stripe" in page


def test_two_members_who_press_at_once_ask_once(desk: Callable[..., Desk]) -> None:
    here = desk()
    here.come()
    first, second = (here.say(here.board, "ask", amount="50", currency="eur")["answer"] for _ in range(2))
    assert "payment" in first
    assert second == {"errors": {"": "open"}}


# -- Stripe's own word


def test_nobody_but_stripe_is_believed(desk: Callable[..., Desk], stripe: Stripe) -> None:
    """Forged, altered, old, of another account or mode, at a wrong address: nothing is asked, nothing changes."""
    here = desk()
    here.come()
    due = here.asked()
    stripe.ask("set", silent=True)
    stripe.fetch(due["url"], card=CARD)
    event = next(each for each in here.events() if each["type"] == "checkout.session.completed")
    url, secret = here.hook()
    body, asks = json.dumps(event), here.asks()
    other = json.dumps({**event, "account": "acct_somebody"})
    live = json.dumps({**event, "livemode": True})
    tries = {
        "unsigned": (url, body, None),
        "signed by another": (url, body, signature(body, "whsec_guess")),
        "altered": (url, body + " ", signature(body, secret)),
        "of ten minutes ago": (url, body, signature(body, secret, int(time.time()) - 600)),
        "garbled": (url, body, "t=now,v1=x"),
        "of another account": (url, other, signature(other, secret)),
        "of the other mode": (url, live, signature(live, secret)),
        "no JSON": (url, "hello", signature("hello", secret)),
        "at a wrong address": (url[:-3] + "abc", body, signature(body, secret)),
        "too long": (url, "x" * 300_000, signature("x" * 300_000, secret)),
    }
    for what, (where, said, signed) in tries.items():
        headers = {"Stripe-Signature": signed} if signed else {}
        status = requests.post(where, data=said, headers=headers, timeout=30).status_code
        assert status == {"at a wrong address": 404, "too long": 413}.get(what, 400), what
    assert here.asks() == asks
    assert here.state() == "requested"
    good = {"Stripe-Signature": signature(body, secret)}
    assert requests.post(url, data=body, headers=good, timeout=30).status_code == 204
    assert here.state() == "paid"
    asks = here.asks()
    assert requests.post(url, data=body, headers=good, timeout=30).status_code == 204
    assert here.asks() == asks, "what was heard is not asked after again"


def test_a_message_is_never_taken_at_its_word(desk: Callable[..., Desk], stripe: Stripe) -> None:
    """Even with Stripe's secret, a thief who says that something is paid makes us ask Stripe, which knows better."""
    here = desk()
    here.come()
    here.asked()
    url, secret = here.hook()
    session = here.rows("select session from payments_payment")[0][0]
    lie = {"id": session, "object": "checkout.session", "payment_status": "paid", "status": "complete"}
    [payment] = here.rows("select id from payments_payment")[0]
    stripe.ask("set", silent=True)
    told = stripe.ask(
        "tell", type="checkout.session.completed", account=here.account, object={**lie, "client_reference_id": payment}
    )
    event = next(each for each in here.events() if each["id"] == told)
    body = json.dumps(event)
    answer = requests.post(url, data=body, headers={"Stripe-Signature": signature(body, secret)}, timeout=30)
    assert answer.status_code == 204
    assert here.state() == "requested"


def test_in_any_order_and_twice_it_comes_to_the_same(desk: Callable[..., Desk], stripe: Stripe) -> None:
    here = desk()
    here.come()
    due = here.asked()
    stripe.ask("set", silent=True)
    stripe.fetch(due["url"], card=DECLINED)
    stripe.fetch(due["url"], card=CARD)
    intent = stripe.ask("objects", kind="payment_intent", account=here.account)[-1]["id"]
    asked = requests.post(
        f"{stripe.url}/v1/refunds",
        data={"payment_intent": intent, "amount": 1000},
        headers={"Authorization": f"Bearer sk_test_{here.account.removeprefix('acct_')}"},
        timeout=30,
    )
    assert asked.status_code == 200, "given back by somebody in Stripe's dashboard"
    events = [each["id"] for each in here.events()]
    for order in (events[::-1], events, events[::2] + events[1::2]):
        assert all(status in (204,) for statuses in stripe.ask("deliver", events=order) for status in statuses)
        [row] = here.rows("select state, refunded from payments_payment")
        assert row == ("paid", 1000)


def test_what_stripe_said_in_vain_is_asked_after(desk: Callable[..., Desk], stripe: Stripe) -> None:
    """Every webhook is lost: the page asks when the patient comes back, and so does a member who wants to know."""
    here = desk()
    here.come()
    due = here.asked()
    stripe.ask("set", silent=True)
    stripe.fetch(due["url"], card=CARD)
    here.look(here.seat, fresh=True)
    for side in (here.seat, here.board):
        here.heard(side, "paid")
    intent = here.rows("select intent from payments_payment")[0][0]
    requests.post(
        f"{stripe.url}/v1/refunds",
        data={"payment_intent": intent},
        headers={"Authorization": f"Bearer sk_test_{here.account.removeprefix('acct_')}"},
        timeout=30,
    )
    member = Visitor(here.practice.url, login=here.room.login)
    assert member.post(f"/-/payments/payment/{due['payment']}", {"do": "check"}).status_code == 303
    assert here.state() == "refunded"


def test_stripe_is_down_and_the_visit_goes_on(desk: Callable[..., Desk], stripe: Stripe) -> None:
    here = desk()
    here.come()
    stripe.ask("set", fail={"/v1/": "cut"})
    here.ask()
    said = here.board.hear("said", timeout=30)  # type: ignore[union-attr]
    while said["event"] != "payments:trouble":
        said = here.board.hear("said", timeout=30)  # type: ignore[union-attr]
    assert said["body"]["code"] == "down"
    moved = here.board.ask("move", {"visit": here.visit, "to": "in_call", "rev": None})  # type: ignore[union-attr]
    assert moved["ok"], "nothing waits for Stripe"
    stripe.ask("set", fail={})
    here.look(here.seat, fresh=True)
    here.heard(here.seat, "requested")


# -- before the visit


BEFORE = TOML + 'before = true\nbefore_amount = "20"\n'


def test_paid_before_the_visit_the_patient_is_in_line(desk: Callable[..., Desk], stripe: Stripe) -> None:
    here = desk(BEFORE)
    here.come()
    due = here.look(here.seat)["payments"] or [here.heard(here.seat, "requested")]
    if not due[0]["url"]:
        due = [here.heard(here.seat, "requested")]
    assert (due[0]["amount"], due[0]["before"]) == (2000, True)
    refused = here.seat.ask("step", {"id": "payments:payment", "done": True})  # type: ignore[union-attr]
    assert refused["error"] == "forbidden", "a page cannot say that it is paid"
    stripe.fetch(due[0]["url"], card=CARD)
    moved = here.seat.hear("moved", timeout=30)  # type: ignore[union-attr]
    assert moved["state"] == "waiting"
    assert here.rows("select member_id, amount, state from payments_payment") == [(None, 2000, "paid")]


def test_a_member_lets_somebody_in_without_it_and_the_audit_says_who(desk: Callable[..., Desk]) -> None:
    here = desk(BEFORE)
    here.come()
    assert here.board.ask("move", {"visit": here.visit, "to": "in_call", "rev": None})["error"] == "invalid"  # type: ignore[union-attr]
    assert here.board.ask("move", {"visit": here.visit, "to": "waiting", "rev": None})["ok"]  # type: ignore[union-attr]
    until(lambda: here.rows("select actor_id from audit where action = 'step.waive'") == [(here.room.member,)])


def test_who_leaves_owes_nothing(desk: Callable[..., Desk], stripe: Stripe) -> None:
    here = desk(BEFORE)
    here.come()
    until(lambda: here.rows("select state from payments_payment") == [("requested",)])
    url = here.look(here.seat)["payments"][0]["url"]
    here.seat.ask("move", {"visit": here.visit, "to": "ended", "rev": None})  # type: ignore[union-attr]
    until(lambda: here.rows("select state from payments_payment") == [("cancelled",)])
    assert stripe.fetch(url, card=CARD)[0] == 410


def test_a_room_may_have_its_own_rule(desk: Callable[..., Desk]) -> None:
    """The server holds to it: who has not paid what this room asks for is not in line, whatever their page says."""
    here = desk()

    def owed(*, practice: bool, **rule: str) -> int:
        """What is asked of somebody who checks in, in minor units; 0: in line at once, and nothing asked."""
        from housecall import clinics

        room = here.practice.room()
        with here.practice.lasting():
            whole = {"before": practice, "before_amount": "20"}
            clinics.settings.save("main", "payments", "clinic", "main", whole, actor=None)
            clinics.settings.save("main", "payments", "room", room.id, rule, actor=None)
        other = Desk(here.practice, here.stripe, here.account, room, here.owner)
        try:
            assert other.patient.check_in(room.slug, "Grace Hopper").status_code == 201
            state = other.sit(name="Grace Hopper")["visit"]["state"]
            if state == "waiting":
                assert other.look(other.seat)["payments"] == []
                return 0
            assert state == "arriving"
            for event, body in (
                ("step", {"id": "payments:payment", "done": True}),
                ("move", {"visit": other.visit, "to": "waiting", "rev": None}),
            ):
                assert "error" in other.seat.ask(event, body), event  # type: ignore[union-attr]
            until(lambda: bool(other.look(other.seat)["payments"]))
            moved = [said for said in other.seat._drain() if said[0] == "moved"]  # type: ignore[union-attr]
            assert moved == []
            return int(other.look(other.seat)["payments"][0]["amount"])
        finally:
            other.close()

    assert owed(practice=False) == 0
    assert owed(practice=True) == 2000
    assert owed(practice=True, before_here="no") == 0
    assert owed(practice=False, before_here="yes") == 2000
    assert owed(practice=False, before_here="yes", amount_here="7.50") == 750
    assert owed(practice=True, amount_here="12") == 1200
    elsewhere = "https://pay.elm.example/visit"
    assert owed(practice=True, link_here=elsewhere) == 0, "what is paid elsewhere is not known here"


# -- what breaks in between


def test_the_server_is_killed_while_the_patient_pays(desk: Callable[..., Desk], stripe: Stripe) -> None:
    """Stripe tells us while we are away: the pages come back, and see the same payment, paid once."""
    here = desk()
    here.come()
    due = here.asked()
    here.practice.stop(signal.SIGKILL)
    here.close()
    assert stripe.fetch(due["url"], card=CARD)[0] == 303
    until(lambda: any(row["status"] == 0 for row in stripe.ask("deliveries") if str(here.practice.port) in row["url"]))
    here.practice.start()
    here.open_board()
    hello = here.sit(name="Grace Hopper")
    assert hello["visit"]["state"] == "waiting"
    known = here.look(here.seat, fresh=True)["payments"]
    assert [each["payment"] for each in known] == [due["payment"]]
    here.stands("paid")
    sessions = [each for each in stripe.ask("objects", kind="checkout.session", account=here.account)]
    assert len(sessions) == 1


# -- who may


def test_a_payment_of_another_visit_is_out_of_reach(desk: Callable[..., Desk]) -> None:
    here = desk()
    here.come()
    due = here.asked()
    other = Desk(here.practice, here.stripe, here.account, here.practice.room(), here.owner)
    try:
        other.come("Katherine Johnson")
        for event, more in (("cancel", {}), ("refund", {"amount": "5", "seen": 0})):
            ack = other.say(other.board, event, payment=due["payment"], **more)
            assert ack["answer"] == {"errors": {"": "closed"}}
        assert other.say(other.seat, "opened", payment=due["payment"])["ok"]
        assert other.look(other.seat)["payments"] == []
    finally:
        other.close()
    assert here.state() == "requested"
    for event in ("ask", "cancel", "refund", "stands"):
        said = here.say(here.seat, event, payment=due["payment"], amount="5", currency="eur", seen=0)
        assert said["error"] == "forbidden"
    forged = {**due, "state": "paid", "url": "https://evil.example/"}
    assert here.say(here.board, "stands", **forged)["ok"]
    assert here.look(here.seat)["payments"][0]["state"] == "requested"
    heard = here.seat._drain()  # type: ignore[union-attr]
    assert not [said for said in heard if "evil" in str(said)], "a member's page has put an address under the pop-up"


def test_members_see_their_own_payments_and_admins_all(desk: Callable[..., Desk]) -> None:
    here = desk()
    here.come()
    payment = here.asked()["payment"]
    mine, admin = Visitor(here.practice.url, login=here.room.login), here.owner
    other = Visitor(here.practice.url, login=here.practice.room().login)
    for who, sees in ((mine, True), (admin, True), (other, False)):
        assert (payment in who.get("/-/payments/").text) is sees
        assert who.get(f"/-/payments/payment/{payment}").status_code == (200 if sees else 404)
        assert (payment in who.get("/-/payments/payments.csv").text) is sees
    assert other.post(f"/-/payments/payment/{payment}", {"do": "cancel"}, at="/account").status_code == 404
    assert mine.get("/-/payments/connect").status_code == 404
    stranger = Visitor(here.practice.url)
    for path in ("/-/payments/", f"/-/payments/payment/{payment}", "/-/payments/payments.csv", "/-/payments/connect"):
        assert stranger.get(path).status_code == 303
    assert here.state() == "requested"


# -- of somebody else


def test_a_payment_page_of_the_practices_own_is_a_link_and_nothing_more(desk: Callable[..., Desk]) -> None:
    """Without Stripe: both sides know the link, nothing is written down, and an address without https is none."""
    from housecall import clinics

    own = "https://pay.elm.example/visit"
    here = desk(TOML.replace('key = "rk_test_{key}"', f'link = "{own}"'), connect=False)
    here.come()
    assert here.look(here.seat) == {"payments": [], "elsewhere": own}
    told = here.look(here.board)
    assert (told["elsewhere"], told["ready"]) == (own, False)
    page = here.owner.get("/-/payments/").text
    assert "own payment page" in page
    assert "Stripe is not connected" not in page
    room = "https://pay.elm.example/room"
    for link, shown in ((room, room), (room.replace("https", "http"), "")):
        with here.practice.lasting():
            clinics.settings.save("main", "payments", "room", here.room.id, {"link_here": link}, actor=None)
        assert here.look(here.seat)["elsewhere"] == shown
    assert here.rows("select count(*) from payments_payment") == [(0,)]


# -- the books


def test_the_books(desk: Callable[..., Desk], stripe: Stripe) -> None:
    """List, totals by currency and month, the picture and its table, a file; and money is given back from here, too."""
    here = desk()
    here.come()
    for amount, currency in (("50", "eur"), ("12.50", "eur"), ("5000", "jpy"), ("1.23", "kwd")):
        due = here.asked(amount, currency=currency)
        stripe.fetch(due["url"], card=CARD)
        here.stands("paid")
    payment, member = (
        here.rows("select id from payments_payment where amount = 5000 and currency = 'eur'")[0][0],
        here.owner,
    )
    with here.practice.lasting():
        from housecall import clinics

        clinics.members.update(here.room.member, {"display_name": "=1+1"})
    path = f"/-/payments/payment/{payment}"
    asked = member.post(path, {"do": "refund", "amount": "10"})
    assert "Give back 10.00 EUR?" in asked.text
    seen = re.search(r'name="seen" value="(\d+)"', asked.text)
    assert seen
    assert member.post(path, {"do": "give", "amount": "10.00", "seen": seen[1]}).status_code == 303
    again = member.post(path, {"do": "give", "amount": "10.00", "seen": seen[1]})
    assert (again.status_code, "Somebody else was faster" in again.text) == (422, True)
    for amount, words in (("1.234", "may mean two amounts"), ("99", "more than what is left"), ("", "Write an amount")):
        answer = member.post(path, {"do": "refund", "amount": amount})
        assert (answer.status_code, words in answer.text) == (422, True), amount
    page = member.get("/-/payments/").text
    for text in ("62.50 EUR", "52.50 EUR", "10.00 EUR", "5,000 JPY", "1.230 KWD", "no real money", "Grace"):
        assert (text in page) is (text != "Grace"), text
    assert page.count("<svg viewBox") == 3
    assert page.count('<rect class="bar"') == 3 * 12
    month = dt.datetime.now(dt.UTC).strftime("%Y-%m")
    for left in ("52.50 EUR", "5,000 JPY", "1.230 KWD"):
        assert f'<td>{month}</td><td class="payments-number">{left}</td>' in page
    text = member.get("/-/payments/payments.csv").text
    for marker in ("Grace", "Hopper", *LINE.split()):
        assert marker not in text, "a patient is in it, or what for"
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["amount"], row["given back"], row["currency"], row["state"], row["mode"]) for row in rows] == [
        ("50.00", "10.00", "EUR", "paid", "test"),
        ("12.50", "0.00", "EUR", "paid", "test"),
        ("5000", "0", "JPY", "paid", "test"),
        ("1.23", "0.00", "KWD", "paid", "test"),
    ]
    assert {row["asked by"] for row in rows} == {"'=1+1"}, "a spreadsheet takes it for a formula"


# -- connecting


def test_connecting_makes_our_address_known_and_takes_it_back(desk: Callable[..., Desk], stripe: Stripe) -> None:
    here = desk(connect=False)
    page = here.owner.get("/-/payments/connect").text
    assert "There is a key: of the test mode" in page
    assert here.owner.post("/-/payments/connect", {"do": "connect"}).status_code == 303
    [hook] = stripe.ask("objects", kind="webhook_endpoint", account=here.account)
    assert hook["url"] == here.hook()[0]
    assert here.hook()[1].startswith("whsec_")
    assert here.hook()[1].encode() not in (here.practice.folder / "data/housecall.db").read_bytes()
    page = here.owner.get("/-/payments/connect").text
    assert "Connected, in Stripe&#39;s test mode" in page or "Connected, in Stripe's test mode" in page
    here.owner.post("/-/payments/connect", {"do": "connect"})
    assert len(stripe.ask("objects", kind="webhook_endpoint", account=here.account)) == 1
    assert here.owner.post("/-/payments/connect", {"do": "disconnect"}).status_code == 303
    assert stripe.ask("objects", kind="webhook_endpoint", account=here.account) == []
    assert "Not connected yet" in here.owner.get("/-/payments/connect").text


@pytest.mark.parametrize(
    ("fail", "words"),
    [
        ({"/v1/": 401}, "does not take the key"),
        ({"GET /v1/refunds": 403}, "may not do this"),
        ({"/v1/": 503}, "does not answer"),
    ],
)
def test_what_keeps_stripe_from_being_connected_is_said(
    desk: Callable[..., Desk], stripe: Stripe, fail: dict[str, int], words: str
) -> None:
    here = desk(connect=False)
    stripe.ask("set", fail=fail)
    answer = here.owner.post("/-/payments/connect", {"do": "connect"})
    assert (answer.status_code, words in answer.text) == (422, True)
    assert here.rows("select count(*) from payments_account") == [(0,)]


def test_where_stripe_cannot_reach_us_it_is_asked(desk: Callable[..., Desk], stripe: Stripe) -> None:
    here = desk(connect=False)
    stripe.ask("set", fail={"POST /v1/webhook_endpoints": 400})
    assert here.owner.post("/-/payments/connect", {"do": "connect"}).status_code == 303
    assert "it is asked every minute" in here.owner.get("/-/payments/connect").text
    here.come()
    due = here.asked()
    stripe.fetch(due["url"], card=CARD)
    here.look(here.seat, fresh=True)
    here.heard(here.board, "paid")


PLATFORM = TOML.replace('key = "rk_test_{key}"', 'platform = "sk_test_{key}"\nfee = 250')


def test_below_a_platform_each_clinic_has_an_account_of_its_own(desk: Callable[..., Desk], stripe: Stripe) -> None:
    """Stripe asks what it must know; then payments are the clinic's, and the platform's share is kept."""
    here = desk(PLATFORM)
    page = here.owner.get("/-/payments/connect").text
    assert "Stripe wants to know more" in page
    here.come()
    assert here.look(here.board)["ready"] is False
    link = here.owner.get("/-/payments/connect/go")
    assert link.status_code == 303
    status, back = stripe.fetch(link.headers["Location"])
    assert (status, back) == (303, f"{here.practice.url}/-/payments/connect?back=1")
    assert "Connected" in here.owner.get("/-/payments/connect?back=1").text
    due = here.asked("100")
    stripe.fetch(due["url"], card=CARD)
    here.heard(here.board, "paid")
    [account] = here.rows("select account from payments_account")[0]
    assert account != here.account
    [intent] = stripe.ask("objects", kind="payment_intent", account=account)
    assert intent["application_fee_amount"] == 250
    url, secret = here.hook()
    event = next(each for each in stripe.ask("objects", kind="event", account=account))
    for whose, status in (("acct_other", 204), ("", 400), (account, 204)):
        body = json.dumps({**event, "account": whose} if whose else event)
        asks = len(stripe.ask("requests"))
        signed = {"Stripe-Signature": signature(body, secret)}
        assert requests.post(url, data=body, headers=signed, timeout=30).status_code == status
        if whose != account:
            assert len(stripe.ask("requests")) == asks, "of others nothing is asked"


# -- the command


def check(desk: Desk) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-W",
        "error",
        "-m",
        "housecall",
        "payments",
        "check",
        "--dir",
        str(desk.practice.folder),
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_the_command_tries_a_key_step_by_step(desk: Callable[..., Desk], stripe: Stripe) -> None:
    here = desk()
    done = check(here)
    assert (done.returncode, done.stderr) == (0, "")
    for words in (
        "test mode",
        "payment page",
        "read that page",
        "close that page",
        "give money back",
        "Everything works.",
    ):
        assert words in done.stdout
    stripe.ask("set", fail={"POST /v1/checkout": 403, "POST /v1/payment_intents": 403})
    done = check(here)
    assert done.returncode == 1
    assert "fails It may make a payment page" in done.stdout
    assert "Give it the permission in Stripe's dashboard" in done.stdout
    assert "which is as it should be" in done.stdout


# -- what is kept


def test_nothing_of_a_visit_is_left(desk: Callable[..., Desk], stripe: Stripe) -> None:
    """The words of the payment, the patient's name and the visit are nowhere: database, journal, log, backup."""
    here = desk()
    here.come("Wilhelmina Marker")
    due = here.asked()
    stripe.fetch(due["url"], card=CARD, email="wilhelmina@marker.example")
    here.heard(here.board, "paid")
    here.seat.ask("move", {"visit": here.visit, "to": "ended", "rev": None})  # type: ignore[union-attr]
    until(lambda: here.rows("select count(*) from payments_tie") == [(0,)])
    here.practice.stop()
    found = []
    for path in [*(p for p in here.practice.folder.rglob("*") if p.is_file()), here.practice.log]:
        content = path.read_bytes()
        for text in (LINE, "Zanzibar", "Wilhelmina", "marker.example", due["url"]):
            if text.encode() in content:
                found.append((path.name, text))
    assert found == []
    assert here.rows("select state, amount from payments_payment") == [("paid", 5000)]
    history = here.rows("select visit_id from history")[0][0]
    kept = here.rows("select * from payments_payment") + here.rows("select * from payments_heard")
    assert history not in str(kept)
