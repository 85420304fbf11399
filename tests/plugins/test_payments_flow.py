"""A payment's way against a Stripe on loopback: made, paid, taken back, given back; and whatever breaks in between."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from flask import Flask

from housecall import clinics, config
from housecall.app import create_app
from housecall.testing.beginning import prepare
from housecall.testing.stripe_peer import DECLINED, Stripe
from payments_parts import accounts, flow, gateway, states

CARD = "4242424242424242"
TOML = """\
[clinic.main]
name = "Elm"
plugins = ["payments"]
[clinic.main.payments]
key = "rk_test_{key}"
base = "{base}"
"""
KEYS = (f"elm{number:05}" for number in range(10**5))
LINE = "Quetzal consultation"


@pytest.fixture(scope="module")
def peer() -> Iterator[Stripe]:
    running = Stripe().start()
    yield running
    running.stop()


class House(NamedTuple):
    """A practice in this process, with Stripe connected."""

    app: Flask
    peer: Stripe
    folder: Path

    def visit(self) -> str:
        visits = self.app.extensions["housecall"].visits
        return str(visits.arrive(clinic="main", room="r", name="Grace")[0].id)

    def ask(self, visit: str = "", amount: int = 5000, **more: Any) -> str:
        about = {"member": "", "currency": "eur", "line": LINE, **more}
        return str(flow.ask("main", visit or self.visit(), amount=amount, **about))

    def made(self, visit: str = "", **more: Any) -> str:
        payment = self.ask(visit, **more)
        flow.make(payment)
        return payment

    def row(self, payment: str) -> Any:
        clinics.database.db.session.rollback()
        return clinics.database.db.session.get(flow.Payment, payment)

    def url(self, payment: str) -> str:
        clinics.database.db.session.rollback()
        tie = flow.tied(payment)
        return str(tie["url"]) if tie else ""

    def pay(self, payment: str, card: str = CARD, **more: str) -> int:
        status, _ = self.peer.fetch(self.url(payment), card=card, **more)
        return status

    def at_stripe(self, payment: str) -> list[dict[str, Any]]:
        """The payment pages that Stripe has for a payment."""
        return [
            each for each in self.peer.ask("objects", kind="checkout.session") if each["client_reference_id"] == payment
        ]

    def charged(self, payment: str) -> tuple[int, int]:
        """What Stripe has taken for it, and what it has given back."""
        charges = [
            c for c in self.peer.ask("objects", kind="charge") if c["metadata"].get("payment") == payment and c["paid"]
        ]
        return sum(c["amount"] for c in charges), sum(c["amount_refunded"] for c in charges)


@pytest.fixture
def house(peer: Stripe, tmp_path: Path) -> Iterator[House]:
    (tmp_path / "housecall.toml").write_text(TOML.format(key=next(KEYS), base=peer.url), encoding="utf-8")
    site = config.load(tmp_path, environ={})
    prepare(site.database)
    app = create_app(site)
    with app.app_context():
        accounts.connect("main")
        yield House(app, peer, tmp_path)
        peer.ask("set", fail={}, silent=False)
        clinics.database.db.session.remove()
        clinics.database.db.engine.dispose()


def test_paid_and_given_back_in_parts(house: House) -> None:
    payment = house.made()
    assert house.row(payment).state == states.REQUESTED
    assert house.pay(payment, DECLINED) == 402
    flow.look(payment)
    assert house.row(payment).state == states.FAILED
    assert house.pay(payment) == 303
    flow.look(payment)
    row = house.row(payment)
    assert (row.state, row.refunded, row.paid is not None, row.live) == (states.PAID, 0, True, False)
    flow.refund(payment, 1999, 0)
    assert (house.row(payment).state, house.row(payment).refunded) == (states.PAID, 1999)
    for amount, seen, code in ((1, 0, "stale"), (3002, 1999, "amount"), (0, 1999, "amount"), (-1, 1999, "amount")):
        with pytest.raises(gateway.Trouble) as caught:
            flow.refund(payment, amount, seen)
        assert caught.value.code == code
    flow.refund(payment, 3001, 1999)
    assert (house.row(payment).state, house.row(payment).refunded) == (states.REFUNDED, 5000)
    assert house.charged(payment) == (5000, 5000)
    with pytest.raises(gateway.Trouble, match="closed"):
        flow.refund(payment, 1, 5000)


def test_what_stripe_is_told_of_a_payment(house: House) -> None:
    """An opaque id, the amount, the line, where to come back: no visit, no name, no member; and the same key always."""
    visit = house.visit()
    payment = house.made(visit)
    [made] = [each for each in house.peer.ask("requests") if each["params"].get("client_reference_id") == payment]
    assert made["key"] == payment
    assert set(made["params"]) == {
        *("mode", "client_reference_id", "line_items", "payment_intent_data", "success_url", "cancel_url", "expires_at")
    }
    assert visit not in str(made)
    assert "Grace" not in str(made)


def test_taken_back_before_during_and_after(house: House) -> None:
    first = house.ask()
    flow.cancel(first)
    assert house.row(first).state == states.CANCELLED
    flow.make(first)
    assert house.at_stripe(first) == [], "nothing is made of what was taken back"
    second = house.made()
    url = house.url(second)
    flow.cancel(second)
    assert house.row(second).state == states.CANCELLED
    assert house.peer.fetch(url, card=CARD)[0] == 410, "nobody can pay it any more"
    third = house.made()
    house.pay(third)
    flow.cancel(third)  # nobody had heard yet that it is paid
    assert house.row(third).state == states.PAID
    with pytest.raises(gateway.Trouble, match="closed"):
        flow.cancel(third)


def test_taken_back_while_it_is_being_made(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    real, payment = gateway.Stripe.create, house.ask()

    def slow(self: Any, *given: Any, **more: Any) -> Any:
        seen = real(self, *given, **more)
        flow.cancel(payment)
        return seen

    monkeypatch.setattr(gateway.Stripe, "create", slow)
    flow.make(payment)
    assert house.row(payment).state == states.CANCELLED
    assert [each["status"] for each in house.at_stripe(payment)] == ["expired"]
    assert not flow.told(house.row(payment), flow.tied(payment), patient=True)["url"]


def test_a_bank_that_takes_days(house: House) -> None:
    yes, no = house.made(), house.made()
    for payment in (yes, no):
        house.pay(payment, method="bank")
        flow.look(payment)
        assert house.row(payment).state == states.PENDING
    house.peer.ask("settle", session=house.row(yes).session, paid=True)
    house.peer.ask("settle", session=house.row(no).session, paid=False)
    flow.repair("main")
    assert [house.row(payment).state for payment in (yes, no)] == [states.PAID, states.FAILED]


def test_one_payment_of_a_visit_waits_at_a_time(house: House) -> None:
    visit = house.visit()
    first = house.made(visit)
    with pytest.raises(gateway.Trouble, match="open"):
        house.ask(visit)
    house.pay(first)
    flow.look(first)
    house.ask(visit)
    assert len(flow.of_visit(visit)) == 2


@pytest.mark.parametrize("how", ["cut", "lost", 503, 429])
def test_stripe_is_down_for_a_while(house: House, how: Any) -> None:
    """Whatever is asked for is done when it is back, once; a payment that is being made is one payment."""
    house.peer.ask("set", fail={"/v1/checkout": how, "POST /v1/refunds": how})
    visit = house.visit()
    payment = house.ask(visit)
    with pytest.raises(gateway.Trouble) as caught:
        flow.make(payment)
    assert caught.value.code == ("busy" if how == 429 else "down")
    flow.repair("main")
    assert house.row(payment).state == states.MAKING
    house.peer.ask("set", fail={})
    flow.repair("main")
    assert house.row(payment).state == states.REQUESTED
    assert len(house.at_stripe(payment)) == 1
    house.pay(payment)
    flow.look(payment)
    house.peer.ask("set", fail={"POST /v1/refunds": how})
    with pytest.raises(gateway.Trouble):
        flow.refund(payment, 700, 0)
    assert house.row(payment).refunding == 700
    with pytest.raises(gateway.Trouble, match="stale"):
        flow.refund(payment, 700, 0)
    house.peer.ask("set", fail={})
    flow.repair("main")
    assert (house.row(payment).refunding, house.row(payment).refunded) == (0, 700)
    assert house.charged(payment) == (5000, 700)


def test_what_stripe_refuses_for_good_is_over(house: House) -> None:
    payment = house.ask(amount=20)  # less than it charges
    with pytest.raises(gateway.Trouble) as caught:
        flow.make(payment)
    assert (caught.value.code, "at least" in caught.value.said) == ("refused", True)
    assert house.row(payment).state == states.CANCELLED


def test_without_a_connection_nobody_is_asked(house: House) -> None:
    accounts.disconnect("main")
    with pytest.raises(gateway.Trouble, match="off"):
        house.ask()
    assert house.peer.ask("objects", kind="webhook_endpoint", account=f"acct_{_key(house)}") == []


def _key(house: House) -> str:
    return str(accounts.key("main")[0]).rpartition("_")[2]


def test_another_payments_page_is_not_taken_for_ours(house: House) -> None:
    """What Stripe says must be of this payment: its reference, its amount, its currency."""
    mine, other = house.made(), house.made(amount=7000)
    with gateway.Stripe(accounts.key("main")[0], base=house.peer.url) as stripe:
        seen = stripe.session(house.row(other).session)
        flow.take(mine, seen)  # another page than that of this payment: nothing
        fresh = house.ask()
        with pytest.raises(gateway.Trouble, match="other"):
            flow.take(fresh, seen)
    assert house.row(mine).session != house.row(other).session
    assert (house.row(fresh).state, house.row(fresh).session) == (states.MAKING, None)


# -- crash points


class Crash(BaseException):
    """The server is killed here."""


class Killer:
    """Kills at the n-th point: before or after a transaction is written, before or after Stripe is asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
        self.at, self.passed = at, 0
        real = flow.write

        @contextmanager
        def write() -> Iterator[Any]:
            self.point()
            with real() as session:
                yield session
            self.point()

        monkeypatch.setattr(flow, "write", write)
        for name in ("create", "session", "expire", "refund"):
            monkeypatch.setattr(gateway.Stripe, name, self.around(getattr(gateway.Stripe, name)))

    def point(self) -> None:
        self.passed += 1
        if self.passed == self.at:
            raise Crash

    def around(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def asked(*given: Any, **more: Any) -> Any:
            self.point()
            answer = real(*given, **more)
            self.point()
            return answer

        return asked


def paid_and_part_given_back(house: House, visit: str) -> None:
    payment = house.made(visit)
    house.pay(payment)
    flow.look(payment)
    flow.refund(payment, 1500, 0)


def taken_back(house: House, visit: str) -> None:
    flow.cancel(house.made(visit))


def paid_while_it_is_taken_back(house: House, visit: str) -> None:
    payment = house.made(visit)
    house.pay(payment)
    flow.cancel(payment)


@pytest.mark.parametrize("way", [paid_and_part_given_back, taken_back, paid_while_it_is_taken_back])
@pytest.mark.parametrize("ended", [False, True], ids=["the visit goes on", "the visit ends meanwhile"])
def test_killed_anywhere_nothing_is_done_twice_and_nothing_is_lost(
    house: House, way: Callable[[House, str], None], ended: bool
) -> None:
    """Every point of the way, one after another; then a new start, which asks Stripe, and what we know is what is."""
    points = 0
    for at in range(1, 100):
        visit = house.visit()
        with pytest.MonkeyPatch.context() as patch:
            killer = Killer(patch, at)
            try:
                way(house, visit)
            except Crash:
                pass
            else:
                points = killer.passed
                break
        clinics.database.db.session.remove()
        rows = [row.id for row, _ in flow.of_visit(visit)]
        if ended:
            flow.forget(visit)
        for _ in range(2):
            flow.repair("main")
        assert len(rows) <= 1
        for payment in rows:
            holds(house, payment, ended, f"killed at point {at}")
        if not rows:
            assert at <= 1, "a payment is written down before anything else happens"
    assert points >= 6, "the way was cut short"


def holds(house: House, payment: str, ended: bool, told: str) -> None:
    row, pages = house.row(payment), house.at_stripe(payment)
    taken, back = house.charged(payment)
    assert len(pages) <= 1, told
    assert taken in (0, row.amount), told
    assert back in (0, 1500), told
    assert row.refunding == 0, told
    if taken:
        assert (row.state, row.refunded) == (states.PAID, back), told
    elif row.state == states.CANCELLED:
        assert not pages or pages[0]["status"] == "expired" or not row.session, f"{told}: an open page with no owner"
    else:
        assert (row.state, pages[0]["status"]) == (states.REQUESTED, "open"), told
        assert not ended or row.session, told


# -- what is kept


def test_with_the_visit_everything_that_ties_is_gone(house: House) -> None:
    """Neither the visit nor the words of the payment are in the database or its journal, and the books go on."""
    visit = house.visit()
    payment = house.made(visit)
    files = [house.folder / "data" / f"housecall.db{more}" for more in ("", "-wal")]
    found = lambda text: [path.name for path in files if path.exists() and text.encode() in path.read_bytes()]  # noqa: E731
    assert found(payment)
    for text in (visit, LINE, "Quetzal", house.url(payment)):
        assert found(text) == [], f"{text} is to be read while the visit goes on"
    mark = flow._mark(visit)
    assert found(mark)
    flow.forget(visit)
    assert found(mark) == []
    assert flow.of_visit(visit) == []
    assert house.row(payment).state == states.REQUESTED
    with closing(sqlite3.connect(files[0])) as database:
        assert database.execute("select count(*) from payments_tie").fetchone() == (0,)


def test_a_tie_that_nobody_comes_back_to_is_swept(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    lost, here = house.made("a-visit-of-before"), house.made()
    now = flow.now()
    monkeypatch.setattr(flow, "now", lambda: now + flow.TICKET + 1)
    flow.sweep("main")
    assert (flow.tied(lost), flow.tied(here) is not None) == (None, True)
    monkeypatch.setattr(flow, "now", lambda: now + (flow.YEARS * 365 + 1) * 86_400_000)
    flow.sweep("main")
    assert house.row(lost) is None


def test_old_payments_are_asked_after_less_often(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.made()
    minute = flow.now() // 60_000
    asked = lambda: len([r for r in house.peer.ask("requests") if r["account"] == f"acct_{_key(house)}"])  # noqa: E731
    counts = []
    for later in (1, 2, *range(120, 135)):
        before = asked()
        monkeypatch.setattr(flow, "now", lambda later=later: (minute + later) * 60_000)
        flow.repair("main")
        counts.append(asked() - before)
    assert counts[:2] == [1, 1]
    assert sum(counts[2:]) == 1


def test_a_payment_that_could_not_be_made_for_a_day_is_given_up(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    payment = house.ask()
    at = time.time_ns() // 1_000_000 + gateway.LIFE * 1000
    monkeypatch.setattr(flow, "now", lambda: at - at % 900_000)
    flow.repair("main")
    assert house.row(payment).state == states.CANCELLED
    assert house.at_stripe(payment) == []


@pytest.mark.parametrize(
    ("url", "live", "shown"),
    [
        ("https://checkout.stripe.com/c/pay/cs_live_1#x", True, True),
        ("https://checkout.stripe.com.evil.example/c/pay", True, False),
        ("http://checkout.stripe.com/c/pay", True, False),
        ("javascript:alert(1)", True, False),
        ("javascript:alert(1)", False, False),
        ("http://127.0.0.1:1/c/pay", False, True),
    ],
)
def test_of_real_money_only_stripes_own_page_is_shown(url: str, live: bool, shown: bool) -> None:
    assert gateway.is_page(url, live=live) is shown


def test_an_address_that_is_not_stripes_never_reaches_a_page(house: House) -> None:
    payment = house.ask()
    seen = states.Seen(
        session="cs_1",
        status="open",
        payment="unpaid",
        url="javascript:alert(1)",
        reference=payment,
        amount=5000,
        currency="eur",
    )
    flow.take(payment, seen)
    assert (house.row(payment).state, house.url(payment)) == (states.REQUESTED, "")
