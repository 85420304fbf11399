"""Plans of a server with many practices (R62): what each may have, and Stripe's subscriptions that pay for it.

Stripe is a peer on loopback that checks each request against the official library's own types (stripe_peer.py): live
Stripe was never reached from here.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from html import unescape
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Page, expect
from plugin_world import MAIN, problem, world

from housecall.clinics.database import db
from housecall.testing import Person, PluginContract, Practice, Visitor, open_dashboard
from housecall.testing.access import PHONE, audit
from housecall.testing.practice import free_port
from housecall.testing.stripe_peer import DECLINED, Stripe, signature

FOLDER = Path(__file__).resolve().parents[2] / "plugins/plans"
DAY = 86_400_000
KEY = "sk_test_PLANHOST0123456789"
CARD = "4242424242424242"
TOML = """\
[server]
plugins = ["plans"]

[server.plans]
key = "{key}"
webhook_secret = "{secret}"
grace = {grace}
base = "{base}"

[[server.plans.plan]]
id = "free"
name = "Free"
text = "To try it."
members = 2
rooms = 2
plugins = ["chat", "files"]
default = true

[[server.plans.plan]]
id = "team"
name = "Team"
cost = "29 € a month"
text = "For a practice of several providers."
price = "{team}"
trial = {trial}
members = 10
rooms = 10

[[server.plans.plan]]
id = "solo"
name = "Solo"
cost = "9 € a month"
price = "{solo}"
members = 3
rooms = 3
plugins = ["chat", "files", "whiteboard"]

[[server.plans.plan]]
id = "charity"
name = "Charity"
members = 2
rooms = 5
plugins = ["chat"]

[clinic.main]
name = "Elm Street Practice"
"""


class TestPlans(PluginContract):
    folder = FOLDER


# -- the plans of housecall.toml


def toml(**more: Any) -> str:
    """A housecall.toml with three plans."""
    given = {"key": KEY, "secret": "whsec_x", "grace": 7, "base": "http://127.0.0.1:9", "trial": 14}
    return TOML.format(**{**given, "team": "price_team", "solo": "price_solo", **more})


@pytest.fixture
def module(tmp_path: Path) -> Iterator[ModuleType]:
    """The plugin as a server with these plans has loaded it."""
    with world(tmp_path, toml()) as registry:
        registry.prepare(registry.by_id["plans"])
        db.session.rollback()  # what was read before knows no table that is new
        yield registry.by_id["plans"].module  # type: ignore[misc]


def test_its_plans_are_those_of_housecall_toml(module: ModuleType) -> None:
    book = module.BOOK
    assert [plan.id for plan in book.plans] == ["free", "team", "solo", "charity"]
    assert book.default.id == "free"
    assert book.by_price("price_team").members == 10
    assert book.by_price("price_team").plugins is None
    assert book.by_price("") is None
    assert KEY not in repr(book)
    assert not book.live


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ('text = "To try it."', "txt = 'x'", "line 13: server.plans.plan[1].txt: this name is not known; did you mean"),
        ('id = "solo"', 'id = "team"', "line 30: server.plans.plan[3].id: 'team' is that of plan[2] already"),
        ('"price_solo"', '"price_team"', "server.plans.plan[3].price: 'price_team' is that of plan[2] already"),
        ('"price_solo"', '"29.00"', "server.plans.plan[3].price: this must be Stripe's id of a recurring price"),
        ("default = true", "", "server.plans.plan: one plan, and only one, is the one without a subscription"),
        ("trial = 14", "default = true", "server.plans.plan: one plan, and only one"),
        (
            '"whiteboard"]',
            '"witeboard"]',
            "server.plans.plan[3].plugins: 'witeboard' is not known; did you mean 'w",
        ),
        ('"whiteboard"]', "3]", "server.plans.plan[3].plugins: this must be a list of plugins"),
        ("members = 10", "members = 0", "server.plans.plan[2].members: this must be 1 or more"),
        ("members = 10", 'members = "10"', "server.plans.plan[2].members: this must be a whole number"),
        ('name = "Solo"', "", "server.plans.plan[3].name: each plan needs a name"),
        ("trial = 14", "trial = 1000", "server.plans.plan[2].trial: this must be from 0 to 730 days"),
        ('name = "Charity"', 'name = "Charity"\ntrial = 3', "server.plans.plan[4].trial: what is free needs no trial"),
        ("grace = 7", "grace = 200", "line 7: server.plans.grace: this must be from 0 to 90 days"),
        ("grace = 7", "grase = 7", "line 7: server.plans.grase: this name is not known; did you mean 'grace'?"),
        (f'key = "{KEY}"', "", "server.plans.key: this is needed where a plan has a price"),
        (KEY, "pk_test_x", "server.plans.key: this must be a secret or restricted key of Stripe"),
        ('webhook_secret = "whsec_x"', "", "server.plans.webhook_secret: this is needed where a plan has a price"),
        ("http://127.0.0.1:9", "elsewhere", "server.plans.base: this must be an address"),
        (KEY, "rk_live_x", "server.plans.base: a live key goes to Stripe and to nobody else"),
    ],
)
def test_what_is_wrong_with_a_plan_is_told_with_its_place(tmp_path: Path, before: str, after: str, told: str) -> None:
    whole = toml()
    assert before in whole
    with world(tmp_path, whole.replace(before, after, 1)) as registry:
        assert told in problem(registry, "plans", "bundled")


def test_a_default_that_costs_something_is_a_mistake(tmp_path: Path) -> None:
    whole = toml().replace("default = true", "").replace("trial = 14", "default = true")
    with world(tmp_path, whole) as registry:
        assert "plan[2].price: the default plan is what a practice has" in problem(registry, "plans", "bundled")


def test_a_plan_without_a_price_needs_neither_key_nor_stripe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "stripe", None)
    whole = (
        '[server]\nplugins = ["plans"]\n[[server.plans.plan]]\nid = "all"\nname = "All"\ndefault = true\nrooms = 1\n'
    )
    with world(tmp_path, whole + MAIN) as registry:
        registry.prepare(registry.by_id["plans"])
        assert registry.allow("main", "rooms", 1) == ""
        assert registry.allow("main", "rooms", 2).startswith("The plan All has one waiting room")


def test_without_plans_everything_is_allowed(tmp_path: Path) -> None:
    with world(tmp_path, '[server]\nplugins = ["plans"]\n' + MAIN) as registry:
        registry.prepare(registry.by_id["plans"])
        for what, amount in (("members", 10**6), ("rooms", 10**6), ("plugin:chat", 1)):
            assert registry.allow("main", what, amount) == ""
        assert "No plans are set up" in registry.by_id["plans"].module.health("main")


# -- what holds when: pure


@dataclass
class Row:
    """What a row of the table has."""

    plan: str = ""
    price: str = ""
    state: str = "none"
    since: int = 0
    until: int = 0
    ends: bool = False
    subscription: str = ""
    live: int = 0
    trialed: bool = False


def parts(module: ModuleType) -> tuple[Any, ModuleType]:
    return module.BOOK, module.standing


NOW = 1_000 * DAY


@pytest.mark.parametrize(
    ("row", "plan", "state", "days"),
    [
        (None, "free", "none", 0),
        (Row(), "free", "none", 0),
        (Row(state="chosen", plan="charity"), "charity", "chosen", 0),
        (Row(state="chosen", plan="gone"), "free", "none", 0),
        (Row(state="chosen", plan="team"), "free", "none", 0),  # it has got a price since
        (Row(state="incomplete", price="price_team"), "free", "incomplete", 0),
        (Row(state="trialing", price="price_team", until=NOW + 3 * DAY), "team", "trialing", 3),
        (Row(state="trialing", price="price_team", until=NOW + 3 * DAY + 1), "team", "trialing", 4),
        (Row(state="trialing", price="price_team", until=NOW - DAY), "team", "trialing", 0),  # until Stripe says else
        (Row(state="active", price="price_solo", until=NOW + DAY), "solo", "active", 1),
        (Row(state="active", price="price_gone", until=NOW + DAY), "", "unknown", 1),
        (Row(state="past_due", price="price_team", since=NOW), "team", "past_due", 7),
        (Row(state="past_due", price="price_team", since=NOW - 7 * DAY + 1), "team", "past_due", 1),
        (Row(state="past_due", price="price_team", since=NOW - 7 * DAY), "free", "lapsed", 0),
        (Row(state="past_due", price="price_gone", since=NOW - 70 * DAY), "", "unknown", 0),
        (Row(state="ended", price="price_team"), "free", "ended", 0),
    ],
)
def test_what_a_practice_has_at_a_time(module: ModuleType, row: Row | None, plan: str, state: str, days: int) -> None:
    book, standing = parts(module)
    has = standing.at(book, row, NOW)
    assert (has.plan.id, has.state, has.days(NOW)) == (plan, state, days)
    assert has.live == (row is not None and row.state in standing.LIVE)


STATUSES = ("trialing", "active", "past_due", "incomplete", "incomplete_expired", "canceled", "unpaid", "paused")


def subscribed(number: int, status: str, price: str = "price_team", *, trial: bool = False, cancel: int = 0) -> Any:
    """A subscription as Stripe has it; times are seconds."""
    end = (NOW + 30 * DAY) // 1000
    return {
        "id": f"sub_{number}",
        "status": status,
        "created": number,
        "trial_end": (NOW + 14 * DAY) // 1000 if trial or status == "trialing" else None,
        "cancel_at": cancel or None,
        "cancel_at_period_end": bool(cancel),
        "items": {"data": [{"price": {"id": price}, "current_period_end": end}]},
    }


def test_of_what_stripe_says_we_keep(module: ModuleType) -> None:
    standing = module.standing
    kept = standing.heard([subscribed(1, "trialing")], Row(), NOW)
    assert (kept["state"], kept["price"], kept["until"]) == ("trialing", "price_team", NOW + 14 * DAY)
    assert (kept["since"], kept["live"], kept["trialed"], kept["ends"]) == (NOW, 1, True, False)
    kept = standing.heard([subscribed(1, "active", cancel=NOW // 1000 + 60)], Row(), NOW)
    assert (kept["ends"], kept["until"]) == (True, NOW + 60_000)
    for status in ("canceled", "unpaid", "paused", "incomplete_expired", "a word that is new"):
        assert standing.heard([subscribed(1, status)], Row(state="active"), NOW)["state"] == "ended"
    assert standing.heard([], Row(state="active"), NOW) == {"asked": NOW}
    past = Row(state="past_due", since=NOW - DAY, subscription="sub_1")
    assert standing.heard([subscribed(1, "past_due")], past, NOW)["since"] == NOW - DAY  # the grace runs on
    assert standing.heard([subscribed(2, "past_due")], past, NOW)["since"] == NOW  # that is another one
    again = standing.heard([subscribed(1, "canceled", trial=True), subscribed(2, "active")], Row(), NOW)
    assert (again["subscription"], again["trialed"], again["live"]) == ("sub_2", True, 1)
    twice = standing.heard([subscribed(1, "active", "price_solo"), subscribed(2, "active")], Row(), NOW)
    assert (twice["price"], twice["live"]) == ("price_team", 2)
    chosen = standing.heard([subscribed(1, "canceled")], Row(state="chosen", plan="charity"), NOW)
    assert (chosen["state"], "plan" in chosen) == ("chosen", False)  # what was chosen since stays chosen
    assert standing.heard([subscribed(1, "active")], Row(state="chosen", plan="charity"), NOW)["plan"] == ""


@given(
    st.lists(st.sampled_from(STATUSES), min_size=1, max_size=5),
    st.sampled_from(["none", "chosen", "incomplete", "trialing", "active", "past_due", "ended"]),
    st.randoms(use_true_random=False),
    st.integers(0, 40),
)
def test_the_order_in_which_it_is_told_does_not_matter(
    pure: tuple[Any, ModuleType], statuses: list[str], before: str, random: Any, later: int
) -> None:
    """By any way to the same subscriptions a practice has the same; and never more than one of them pays for."""
    book, standing = pure
    listed = [subscribed(number, status) for number, status in enumerate(statuses)]
    row = Row(state=before, price="price_solo", plan="charity" if before == "chosen" else "")
    once = standing.heard(listed, row, NOW)
    random.shuffle(listed)
    assert standing.heard(listed, row, NOW) == once
    once.pop("asked")
    then = replace(row, **once)
    again = standing.heard(listed, then, NOW)  # told twice, it is the same
    again.pop("asked")
    assert again["state"] == then.state
    has = standing.at(book, then, NOW + later * DAY)
    pays = any(status in standing.LIVE for status in statuses)
    assert (has.plan.id == "team") <= pays
    assert has.live == pays
    if not pays:
        assert has.plan.id in ("free", "charity")


@pytest.fixture(scope="module")
def pure(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, ModuleType]:
    with world(tmp_path_factory.mktemp("pure"), toml()) as registry:
        return parts(registry.by_id["plans"].module)  # type: ignore[arg-type]


def test_what_is_allowed_is_what_the_plan_has(module: ModuleType) -> None:
    assert module.allow("main", "plugin:chat", 1) is None
    told = "This is not in the plan Free. An owner of the practice can choose another plan under Practice, Plan."
    assert module.allow("main", "plugin:whiteboard", 1) == told
    assert module.allow("main", "members", 2) is None
    assert module.allow("main", "members", 3).startswith("The plan Free has 2 accounts, and all are in use.")
    assert module.allow("main", "rooms", 3).startswith("The plan Free has 2 waiting rooms, and all are in use.")
    assert module.allow("main", "something new", 99) is None
    module.ledger.change("main", state="active", price="price_team")
    assert module.allow("main", "plugin:whiteboard", 1) is None
    assert module.allow("main", "members", 11)


# -- against the peer


def until(condition: Callable[[], Any], what: str = "") -> Any:
    """The condition's answer, once it has one."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.05)  # the condition is the answer; this only paces the asking
    raise AssertionError(f"it never came: {what}")


def words(page: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page.partition("<main")[2])))


@dataclass
class Host:
    """A server with plans, a Stripe of its own, and the owner of its practice."""

    practice: Practice
    stripe: Stripe
    secret: str
    prices: dict[str, str]
    login: str
    owner: Visitor

    @property
    def hook(self) -> str:
        return f"http://127.0.0.1:{self.practice.port}/-/plans/hook"

    def api(self, path: str, **form: str) -> Any:
        """What the host does at Stripe by hand."""
        return call(self.stripe, path, form)

    def page(self, path: str = "") -> str:
        return words(self.owner.get(f"/-/plans/{path}").text)

    def do(self, do: str, **form: str) -> Any:
        return self.owner.post("/-/plans/", {"do": do, **form})

    def way(self, do: str, **form: str) -> str:
        """The address of Stripe's page to which a form leads."""
        answer = self.do(do, **form)
        assert answer.status_code == 200, words(answer.text)
        found = re.search(
            r'<a class="button primary" href="([^"]+)" target="_blank" rel="noopener noreferrer">', answer.text
        )
        assert found, words(answer.text)
        return unescape(found[1])

    def pay(self, plan: str = "team", card: str = CARD) -> int:
        return self.stripe.submit(self.way("choose", plan=plan), card=card)

    def has(self, plan: str) -> bool:
        """Whether the page says that this is the plan, without Stripe being asked."""
        page = self.owner.get("/-/plans/").text
        return f'<h2 id="now">{plan}</h2>' in page

    def subscriptions(self) -> list[Any]:
        found: list[Any] = self.stripe.ask("objects", kind="subscription")
        return found

    def turn(self, plugin: str, on: bool = True) -> Any:
        return self.owner.post("/admin/plugins", {"plugin": plugin, "on": "yes" if on else "no"})

    def on(self, plugin: str) -> bool:
        page = self.owner.get("/admin/plugins").text
        card = re.search(rf'<article class="plugin" id="plugin-{plugin}".*?</article>', page, flags=re.S)
        assert card
        return 'aria-checked="true"' in card[0]

    def asked(self, path: str = "") -> list[Any]:
        """The requests that Stripe has had from the server."""
        return [each for each in self.stripe.ask("requests") if path in each["path"]]

    def events(self) -> list[str]:
        """What Stripe has to say about subscriptions, oldest first."""
        told = self.stripe.ask("objects", kind="event")
        return [each["id"] for each in told if each["type"].startswith("customer.subscription.")]

    def rows(self, table: str) -> list[Any]:
        with closing(sqlite3.connect(self.practice.folder / "data/housecall.db")) as database:
            return database.execute(f"select * from {table}").fetchall()  # noqa: S608  our own names


def call(stripe: Stripe, path: str, form: dict[str, str]) -> Any:
    body = urllib.parse.urlencode(form).encode()
    request = urllib.request.Request(f"{stripe.url}/v1/{path}", body, {"Authorization": f"Bearer {KEY}"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


@pytest.fixture
def host(serve: Callable[..., Practice]) -> Iterator[Callable[..., Host]]:
    """Makes a server with plans over a Stripe of its own."""
    running: list[Stripe] = []

    def make(**more: Any) -> Host:
        stripe = Stripe().start()
        running.append(stripe)
        port = free_port()
        prices = {
            name: call(
                stripe,
                "prices",
                {
                    "currency": "eur",
                    "unit_amount": str(amount),
                    "recurring[interval]": "month",
                    "product_data[name]": name,
                },
            )["id"]
            for name, amount in (("team", 2900), ("solo", 900))
        }
        hook = f"http://127.0.0.1:{port}/-/plans/hook"
        endpoint = call(stripe, "webhook_endpoints", {"url": hook, "enabled_events[0]": "*"})
        written = toml(secret=endpoint["secret"], base=stripe.url, **prices, **more)
        practice = serve(written, port=port)
        room = practice.room(role="owner")
        return Host(
            practice=practice,
            stripe=stripe,
            secret=endpoint["secret"],
            prices=prices,
            login=room.login,
            owner=Visitor(practice.url, login=room.login),
        )

    yield make
    for stripe in running:
        stripe.stop()


def test_an_owner_subscribes_and_the_practice_has_what_it_pays_for(host: Callable[..., Host]) -> None:
    own = host()
    assert "You have" not in own.page()
    assert own.has("Free")
    assert "1 of 2" in own.page()
    refused = own.turn("whiteboard")
    assert refused.status_code == 422
    assert "This is not in the plan Free. An owner of the practice can choose another plan" in words(refused.text)
    assert own.turn("chat").status_code == 303
    assert own.asked("/v1/customers") == []  # nothing goes to Stripe before somebody wants something
    assert own.pay("team") == 303
    until(lambda: own.has("Team"), "the webhook")
    page = own.page()
    assert "14 days of the trial are left. The first payment is on" in page
    assert "1 of 10" in page
    assert own.turn("whiteboard").status_code == 303
    assert own.on("whiteboard")
    (session,) = own.stripe.ask("objects", kind="checkout.session")
    assert session["mode"] == "subscription"
    sent = [each["params"] for each in own.asked("/v1/checkout/sessions") if each["method"] == "POST"]
    assert sent[0]["success_url"] == f"http://localhost:{own.practice.port}/-/plans/?paid=1"
    text = json.dumps(own.asked())
    for private in ("Ada", "Smith", "@elm.example", "Elm Street"):
        assert private not in text  # neither a person nor an address goes to Stripe from here


def test_a_declined_card_changes_nothing(host: Callable[..., Host]) -> None:
    own = host(trial=0)
    assert own.pay("team", DECLINED) == 402
    assert "Nothing was paid, and your plan is what it was." in own.page("?paid=0")
    assert own.has("Free")


def test_a_downgrade_loses_nothing(host: Callable[..., Host]) -> None:
    """Cancelled at Stripe, it goes on until its end; then what is more than the plan is held back or stays, and no more
    is made; paid again, all is as it was."""
    own = host(trial=0)
    own.pay("team")
    until(lambda: own.has("Team"))
    for plugin in ("chat", "teleconsent", "whiteboard"):
        assert own.turn(plugin).status_code == 303
    form = {"set-teleconsent": "1", "set-teleconsent-before": "telehealth"}
    assert own.owner.post("/admin/settings/teleconsent", form).status_code == 303
    assert 'before = "telehealth"' in own.owner.get("/admin/settings/teleconsent.toml").text
    for _ in range(4):
        own.practice.room(role="staff")  # by the command line of the server, as it were
    assert own.stripe.submit(own.way("portal"), do="cancel") == 303
    until(lambda: "It is cancelled and goes on until" in own.page())
    assert own.on("whiteboard")
    (subscription,) = own.subscriptions()
    own.stripe.ask("period", subscription=subscription["id"])
    until(lambda: own.has("Free"))
    page = own.page()
    assert "The plan Team has ended. Nothing was deleted: what is held back comes back with it." in page
    assert "Held back, with their settings: Board, Consent." in page
    assert "You have more than this plan allows. All of it stays; no more can be made." in page
    assert (own.on("chat"), own.on("whiteboard"), own.on("teleconsent")) == (True, False, False)
    assert own.owner.get("/-/teleconsent/").status_code == 404
    assert "This is not in the plan Free." in words(own.owner.get("/admin/plugins").text)
    people = own.owner.post("/admin/people", {"do": "invite", "role": "staff"})
    assert people.status_code == 422
    assert "The plan Free has 2 accounts, and all are in use." in words(people.text)
    room = own.owner.post("/admin/rooms", {"name": "Second", "slug": "second", "media": "video"})
    assert room.status_code == 422
    assert "The plan Free has 2 waiting rooms, and all are in use." in words(room.text)
    assert 'value="Second"' in room.text  # what was typed is still there
    assert own.pay("team") == 303
    until(lambda: own.has("Team"))
    assert (own.on("whiteboard"), own.on("teleconsent")) == (True, True)
    assert 'before = "telehealth"' in own.owner.get("/admin/settings/teleconsent.toml").text
    assert own.owner.post("/admin/people", {"do": "invite", "role": "staff"}).status_code == 200


def test_a_payment_that_fails_has_days_of_grace_then_it_lapses(host: Callable[..., Host]) -> None:
    own = host(trial=0)
    own.pay("team")
    until(lambda: own.has("Team"))
    own.turn("whiteboard")
    assert own.owner.get("/-/plans/word").json()["urgent"] is False
    (subscription,) = own.subscriptions()
    own.stripe.ask("period", subscription=subscription["id"], paid=False)
    until(lambda: "The last payment did not go through. You keep the plan for 7 more days" in own.page())
    assert own.owner.get("/-/plans/word").json() == {
        "plan": "Team",
        "paid": "Team",
        "state": "past_due",
        "days": 7,
        "urgent": True,
    }
    assert own.on("whiteboard")
    own.practice.stop()
    with closing(sqlite3.connect(own.practice.folder / "data/housecall.db")) as database, database:
        database.execute("update plans_subscription set since = since - ?", (8 * DAY,))
    own.practice.start()
    assert own.has("Free")
    assert "The plan Team was not paid in time. Nothing was deleted" in own.page()
    assert not own.on("whiteboard")
    assert own.owner.get("/-/plans/word").json()["state"] == "lapsed"
    own.stripe.ask("status", subscription=subscription["id"], status="active")
    until(lambda: own.has("Team"))
    assert own.on("whiteboard")


def test_only_owners_choose_admins_look_and_others_see_nothing(host: Callable[..., Host]) -> None:
    own = host()
    admin = Visitor(own.practice.url, login=own.practice.room(role="admin").login)
    page = words(admin.get("/-/plans/").text)
    assert "An owner of the practice can choose another one." in page
    assert "Choose" not in page
    for form in ({"do": "choose", "plan": "charity"}, {"do": "portal"}):
        assert admin.post("/-/plans/", form).status_code == 404
    assert own.has("Free")
    for role in ("provider", "staff"):
        other = Visitor(own.practice.url, login=own.practice.room(role=role).login)
        assert other.get("/-/plans/").status_code == 404
        assert other.post("/-/plans/", {"do": "choose", "plan": "charity"}, at="/account").status_code == 404
        assert other.get("/-/plans/word").json() == {}
    assert Visitor(own.practice.url).get("/-/plans/").status_code == 303
    assert own.do("choose", plan="nothing").status_code == 404
    assert own.do("something").status_code == 400
    assert own.do("portal").status_code == 404  # there is nothing at Stripe yet


def test_a_free_plan_counts_at_once_and_not_beside_a_subscription(host: Callable[..., Host]) -> None:
    own = host()
    assert own.turn("files").status_code == 303
    assert own.do("choose", plan="charity").headers["Location"] == "/-/plans/?done=chosen"
    assert own.has("Charity")
    assert "Held back, with their settings: Files." in own.page()
    assert own.asked("/v1/customers") == []
    own.pay("team")
    until(lambda: own.has("Team"))
    answer = own.do("choose", plan="charity")
    assert answer.status_code == 409
    assert "You have a subscription already. Change or cancel it at Stripe" in words(answer.text)
    assert own.has("Team")


def test_the_trial_is_had_once(host: Callable[..., Host]) -> None:
    own = host()
    assert "The first 14 days are free." in own.page()
    own.pay("team")
    until(lambda: own.has("Team"))
    own.stripe.ask("status", subscription=own.subscriptions()[0]["id"], status="canceled")
    until(lambda: own.has("Free"))
    assert "The first 14 days are free." not in own.page()
    own.pay("team")
    until(lambda: own.has("Team"))
    assert "It is paid until" in own.page()
    assert sorted(each["status"] for each in own.subscriptions()) == ["active", "canceled"]


def test_of_two_tabs_only_one_can_be_paid(host: Callable[..., Host]) -> None:
    own = host()
    first, second = own.way("choose", plan="team"), own.way("choose", plan="solo")
    assert own.stripe.submit(first, card=CARD) == 410
    assert own.stripe.submit(second, card=CARD) == 303
    until(lambda: own.has("Solo"))
    answer = own.do("choose", plan="team")
    assert answer.status_code == 409
    assert len(own.subscriptions()) == 1


def test_a_plan_is_changed_at_stripe(host: Callable[..., Host]) -> None:
    own = host(trial=0)
    own.pay("team")
    until(lambda: own.has("Team"))
    own.turn("whiteboard")
    own.turn("captions")
    own.stripe.submit(own.way("portal"), do="price", price=own.prices["solo"])
    until(lambda: own.has("Solo"))
    assert (own.on("whiteboard"), own.on("captions")) == (True, False)


def test_what_was_not_told_is_found_by_asking(host: Callable[..., Host]) -> None:
    """No webhook comes: who returns from Stripe's page sees what was paid, and so does who presses the button."""
    own = host(trial=0)
    own.stripe.ask("set", silent=True)
    own.pay("team")
    assert own.has("Free")
    assert "It is paid until" in own.page("?paid=1")
    assert own.has("Team")
    own.stripe.ask("status", subscription=own.subscriptions()[0]["id"], status="canceled")
    assert own.has("Team")
    assert own.do("look").headers["Location"] == "/-/plans/?done=look"
    assert own.has("Free")


def test_messages_in_any_order_and_twice_come_to_the_same(host: Callable[..., Host]) -> None:
    own = host(trial=0)
    own.stripe.ask("set", silent=True)
    own.pay("team")
    subscription = own.subscriptions()[0]["id"]
    own.stripe.ask("period", subscription=subscription, paid=False)
    own.stripe.ask("period", subscription=subscription)
    own.stripe.ask("set", silent=False)
    events = own.events()
    assert len(events) == 3
    for order in itertools.permutations(events):
        statuses = own.stripe.ask("deliver", events=[*order, order[0]])
        assert statuses == [[204]] * (len(order) + 1)
        assert own.has("Team")
        assert "It is paid until" in own.page()
    assert sorted(row[0] for row in own.rows("plans_event")) == sorted(events)
    before = len(own.asked("/v1/subscriptions"))
    own.stripe.ask("deliver", events=events)
    assert len(own.asked("/v1/subscriptions")) == before  # what was heeded is not heeded again


def post(own: Host, body: str, signed: str | None, **headers: str) -> int:
    request = urllib.request.Request(own.hook, body.encode(), {"Content-Type": "application/json", **headers})
    if signed is not None:
        request.add_header("Stripe-Signature", signed)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_what_is_forged_or_old_is_refused(host: Callable[..., Host]) -> None:
    own = host(trial=0)
    own.stripe.ask("set", silent=True)
    own.pay("team")
    (event,) = [e for e in own.stripe.ask("objects", kind="event") if e["type"] == "customer.subscription.created"]
    body, now = json.dumps(event), int(time.time())
    good = signature(body, own.secret)
    before = len(own.asked("/v1/subscriptions"))
    for signed in (
        None,
        "",
        "t=1,v1=00",
        signature(body, "whsec_another"),
        signature(body, own.secret, now - 601),  # a replay after ten minutes
        good.replace("t=", "t=1"),
    ):
        assert post(own, body, signed) == 400, signed
    assert post(own, body.replace("sub_", "sub_x"), good) == 400
    for changed in ({"account": "acct_other"}, {"livemode": True}):
        text = json.dumps({**event, **changed})
        assert post(own, text, signature(text, own.secret)) == 400, changed
    for text in ("[]", "{}", "no JSON", '{"livemode": false, "data": {"object": []}}'):
        assert post(own, text, signature(text, own.secret)) == 400, text
    assert len(own.asked("/v1/subscriptions")) == before
    assert own.rows("plans_event") == []
    assert own.has("Free")
    other = json.dumps(
        {**event, "id": "evt_other", "data": {"object": {**event["data"]["object"], "customer": "cus_x"}}}
    )
    assert post(own, other, signature(other, own.secret)) == 204  # a customer of something else that this host sells
    assert own.has("Free")
    assert post(own, body, good) == 204
    assert own.has("Team")
    lie = json.dumps({**event, "id": "evt_lie", "data": {"object": {**event["data"]["object"], "status": "canceled"}}})
    assert post(own, lie, signature(lie, own.secret)) == 204
    assert own.has("Team"), "what a message says is asked for again, not believed"


def test_when_stripe_is_away_it_is_said_and_the_plan_stays(host: Callable[..., Host]) -> None:
    own = host(trial=0)
    own.pay("team")
    until(lambda: own.has("Team"))
    own.turn("whiteboard")
    for fault in (500, "cut"):
        own.stripe.ask("set", fail={"GET /v1/subscriptions": fault, "POST /v1/billing_portal": fault})
        for form in ({"do": "look"}, {"do": "portal"}):
            answer = own.owner.post("/-/plans/", form)
            assert answer.status_code == 503
            assert "Stripe does not answer at the moment. Nothing was charged and your plan stays" in words(answer.text)
        assert own.owner.get("/-/plans/?paid=1").status_code == 503
        events = own.events()
        assert own.stripe.ask("deliver", events=events[-1:]) == [[204]]  # heeded before
    own.stripe.ask("set", silent=True, fail={})
    own.stripe.ask("status", subscription=own.subscriptions()[0]["id"], status="canceled")
    own.stripe.ask("set", silent=False, fail={"GET /v1/subscriptions": 500})
    assert own.stripe.ask("deliver", events=own.events()[-1:]) == [[503]]  # so that Stripe says it again
    assert own.has("Team")
    assert own.on("whiteboard")
    own.stripe.ask("set", fail={})
    assert own.stripe.ask("deliver", events=own.events()[-1:]) == [[204]]
    assert own.has("Free")
    own.stripe.ask("set", fail={"GET /v1/subscriptions": 401})
    assert "Stripe does not take this server's key." in words(own.owner.post("/-/plans/", {"do": "look"}).text)


CRASHES = ("POST /v1/customers", "GET /v1/checkout/sessions", "GET /v1/subscriptions", "POST /v1/checkout/sessions")


@pytest.mark.parametrize("crash", CRASHES)
def test_a_break_in_the_middle_leaves_nothing_double(host: Callable[..., Host], crash: str) -> None:
    """Stripe does what was asked and the answer is lost, then the server is killed: one customer, one subscription."""
    own = host(trial=0)
    own.stripe.ask("set", fail={crash: "lost"})
    answer = own.do("choose", plan="team")
    assert answer.status_code == 503
    own.practice.stop(9)
    own.stripe.ask("set", fail={})
    own.practice.start()
    assert own.pay("team") == 303
    until(lambda: own.has("Team"))
    assert len(own.stripe.ask("objects", kind="customer")) == 1
    assert len(own.subscriptions()) == 1
    left = [each for each in own.stripe.ask("objects", kind="checkout.session") if each["status"] == "open"]
    assert left == [], "a page that could be paid once more is still open"


def test_a_server_that_was_away_hears_it_afterwards(host: Callable[..., Host]) -> None:
    """Paid while the server was down, and every message lost."""
    own = host(trial=0)
    way = own.way("choose", plan="team")
    own.practice.stop(9)
    own.stripe.submit(way, card=CARD)
    own.practice.start()
    assert own.has("Free")
    assert "It is paid until" in own.page("?paid=1")
    assert own.has("Team")


def test_each_practice_has_its_own_plan(serve: Callable[..., Practice], host: Callable[..., Host]) -> None:
    own = host(trial=0)
    own.practice.stop()
    more = '[clinic.oak]\nname = "Oak Lane Practice"\nhost = "oak.example"\n'
    own.practice.toml = (
        own.practice.toml.replace('name = "Elm Street Practice"\n', 'name = "Elm"\nhost = "127.0.0.1"\n') + more
    )
    own.practice.start()
    room = own.practice.room(clinic="oak", role="owner")
    oak = Visitor(own.practice.url, host="oak.example", login=room.login)
    elm = Visitor(own.practice.url, host=f"127.0.0.1:{own.practice.port}", login=own.login)
    answer = oak.post("/-/plans/", {"do": "choose", "plan": "team"})
    way = re.search(r'class="button primary" href="([^"]+)"', answer.text)
    assert way
    own.stripe.submit(unescape(way[1]), card=CARD)
    until(lambda: '<h2 id="now">Team</h2>' in oak.get("/-/plans/").text)  # told at the address of the other practice
    assert '<h2 id="now">Free</h2>' in elm.get("/-/plans/").text
    sent = [each["params"] for each in own.asked("/v1/checkout/sessions") if each["method"] == "POST"]
    assert sent[0]["success_url"] == "https://oak.example/-/plans/?paid=1"


def test_without_plans_the_page_says_that_everything_is_allowed(serve: Callable[..., Practice]) -> None:
    practice = serve('[server]\nplugins = ["plans"]\n' + MAIN)
    owner = Visitor(practice.url, login=practice.room(role="owner").login)
    page = words(owner.get("/-/plans/").text)
    assert "There are no plans on this server: everything is allowed, for nothing and without limits." in page
    assert owner.get("/-/plans/word").json() == {}
    assert owner.post("/admin/plugins", {"plugin": "whiteboard", "on": "yes"}).status_code == 303
    assert "housecall.toml has it on in every clinic: server.plugins" in words(owner.get("/admin/plugins").text)
    request = urllib.request.Request(f"{practice.url}/-/plans/hook", b"{}")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(request, timeout=10)


def test_a_practice_pays_for_a_plan_that_is_gone(host: Callable[..., Host]) -> None:
    """The person who runs the server took it out of housecall.toml: nobody loses anything by that, and it is said."""
    own = host(trial=0)
    own.pay("team")
    until(lambda: own.has("Team"))
    own.turn("whiteboard")
    own.practice.stop()
    own.practice.toml = own.practice.toml.replace(own.prices["team"], "price_another")
    own.practice.start()
    assert "You pay for a plan that this server does not list any more. Nothing is limited" in own.page()
    assert own.on("whiteboard")
    assert own.prices["team"] in words(own.owner.get("/admin/plugins").text)


def check(own: Host) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-m", "housecall", "plans", "check", "--dir", str(own.practice.folder)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_a_command_tries_all_that_the_plans_need(host: Callable[..., Host]) -> None:
    own = host()
    done = check(own)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ok     Team: 2900 EUR (in its smallest unit) each month; people read: 29 € a month" in done.stdout
    assert f"ok     Stripe tells {own.hook}." in done.stdout
    assert "ok     A page of payment and the customer portal can be opened." in done.stdout
    assert own.stripe.ask("objects", kind="customer") == []
    for fault, told in ((401, "Stripe does not take the key"), (500, "Stripe does not answer")):
        own.stripe.ask("set", fail={"GET /v1/prices": fault})
        done = check(own)
        assert (done.returncode, f"WRONG  {told}" in done.stdout) == (1, True), done.stdout + done.stderr
    own.stripe.ask("set", fail={})
    toml = own.practice.folder / "housecall.toml"
    toml.write_text(toml.read_text().replace(own.prices["solo"], "price_unknown"))
    done = check(own)
    assert done.returncode == 1
    assert "WRONG  Solo: Stripe knows no price_unknown under this key." in done.stdout


# -- in a browser


def picture(page: Page, name: str) -> None:
    """With HOUSECALL_PICTURES=folder, pictures to look at."""
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{name}: the page is wider than the screen"
    if folder := os.environ.get("HOUSECALL_PICTURES"):
        page.screenshot(path=Path(folder) / f"plans-{name}.png", full_page=True)


@pytest.mark.parametrize("size", ["desk", "phone"])
def test_an_owner_upgrades_looks_and_cancels(
    host: Callable[..., Host], person: Callable[..., Person], size: str
) -> None:
    own = host()
    options = {"viewport": PHONE if size == "phone" else {"width": 1280, "height": 800}}
    owner = person(own=f"localhost:{own.practice.port}", login=own.login, **options)
    page = owner.page
    stripe = own.stripe.url.removeprefix("http://")
    page.goto(f"{own.practice.url}/admin")
    tile = page.locator("hc-part[data-plugin=plans]")
    expect(tile.get_by_text("Free")).to_be_visible()
    picture(page, f"tile-{size}")
    tile.get_by_role("link", name="Plan").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Plan")
    picture(page, f"free-{size}")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        audit(page, f"plans, {scheme}")
    choose = page.get_by_role("button", name="Choose Team")
    choose.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Stripe's page of payment is ready")).to_be_focused()
    picture(page, f"pay-{size}")
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Pay at Stripe").click()
    pay = opened.value
    assert stripe in pay.url
    assert pay.evaluate("window.opener") is None
    pay.get_by_label("Card number").fill(CARD)
    pay.get_by_role("button", name="Pay").click()
    expect(pay.get_by_role("heading", name="Team", level=2)).to_be_visible()
    expect(pay.get_by_text("14 days of the trial are left.")).to_be_visible()
    picture(pay, f"trial-{size}")
    for scheme in ("light", "dark"):
        pay.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        audit(pay, f"plans with a trial, {scheme}")
    own.turn("whiteboard")
    pay.get_by_role("button", name="Card, bills, change or cancel").click()
    with pay.expect_popup() as opened:
        pay.get_by_role("link", name="Open it").click()
    portal = opened.value
    portal.get_by_role("button", name="Cancel plan").click()
    expect(portal.get_by_text("and nothing is charged.")).to_be_visible()
    own.stripe.ask("period", subscription=own.subscriptions()[0]["id"])
    until(lambda: own.has("Free"))
    portal.goto(f"{own.practice.url}/-/plans/")
    expect(portal.get_by_text("Held back, with their settings: Board.")).to_be_visible()
    picture(portal, f"ended-{size}")
    portal.goto(f"{own.practice.url}/admin/plugins#plugin-whiteboard")
    expect(portal.get_by_role("switch", name="Board")).to_have_attribute("aria-checked", "false")
    picture(portal, f"held-{size}")
    assert owner.hosts == {f"localhost:{own.practice.port}", stripe}
    owner.hosts.discard(stripe)  # where somebody goes who presses a link that says so


def test_the_dashboard_tells_owners_when_a_payment_failed(
    host: Callable[..., Host], person: Callable[..., Person]
) -> None:
    own = host(trial=0)
    own.pay("team")
    until(lambda: own.has("Team"))
    own.stripe.ask("period", subscription=own.subscriptions()[0]["id"], paid=False)
    until(lambda: own.owner.get("/-/plans/word").json()["urgent"])
    page = person(own=f"localhost:{own.practice.port}", login=own.login).page
    open_dashboard(page, own.practice.url)
    banner = page.locator("hc-part[data-plugin=plans]")
    expect(banner).to_contain_text(
        "The payment for the plan Team did not go through. It ends in 7 days unless it is paid."
    )
    picture(page, "banner-desk")
    page.set_viewport_size(PHONE)
    picture(page, "banner-phone")
    audit(page, "the banner of a payment that failed", only="hc-part[data-plugin=plans]")
    banner.get_by_role("link", name="See the plan").click()
    expect(page.get_by_text("You keep the plan for 7 more days")).to_be_visible()
    picture(page, "past-due-phone")
    other = person(own=f"localhost:{own.practice.port}", login=own.practice.room(role="provider").login).page
    open_dashboard(other, own.practice.url)
    expect(other.locator("hc-part[data-plugin=plans][data-mounted]")).to_be_attached()
    expect(other.locator("hc-part[data-plugin=plans] p")).to_be_hidden()
