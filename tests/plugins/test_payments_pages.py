"""Payments as people see them (R58): asked for, paid in another tab, declined, taken back, given back; by keyboard."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from housecall.testing import (
    Person,
    PluginContract,
    Practice,
    Room,
    check_in,
    connected,
    end,
    open_dashboard,
    sign_in,
    start,
)
from housecall.testing.access import PHONE, audit
from housecall.testing.acts import more
from housecall.testing.stripe_peer import DECLINED, Stripe
from housecall.testing.visitor import Visitor

CARD = "4242424242424242"
DESK = {"width": 1280, "height": 800}
NUMBERS = itertools.count(1)
TOML = """\
[server.payments]
base = "{base}"
[clinic.main]
name = "Elm Street Practice"
plugins = ["payments"]
[clinic.main.payments]
key = "rk_test_{key}"
presets = "Consultation = 50\\nShort question = 20"
"""


class TestPayments(PluginContract):
    folder = Path(__file__).resolve().parents[2] / "plugins/payments"


def picture(page: Page, name: str) -> None:
    """With HOUSECALL_PICTURES=folder, pictures to look at."""
    if folder := os.environ.get("HOUSECALL_PICTURES"):
        page.screenshot(path=Path(folder) / f"payments-{name}.png")


@pytest.fixture(scope="module")
def stripe() -> Iterator[Stripe]:
    running = Stripe().start()
    yield running
    running.stop()


class Pair(NamedTuple):
    """A provider with an open dashboard and somebody who has not come yet."""

    practice: Practice
    room: Room
    provider: Page
    patient: Page
    owner: Visitor
    people: tuple[Person, Person]

    def side(self, page: Page) -> Locator:
        """The panel beside the call, opened."""
        if not page.locator("#side").is_visible():
            more(page)
            page.locator('hc-part[data-plugin="payments"] button.round').click()
        return page.locator("#side")

    def ask(self, place: Locator, amount: str, line: str = "") -> None:
        place.get_by_label("Amount").fill(amount)
        if line:
            place.get_by_label("For what").fill(line)
        place.get_by_role("button", name="Ask for this payment").click()


@pytest.fixture
def pair(
    serve: Callable[..., Practice], person: Callable[..., Person], stripe: Stripe
) -> Iterator[Callable[..., Pair]]:
    def make(
        toml: str = TOML, *, provider: Any = DESK, patient: Any = PHONE, connect: bool = True, **more: Any
    ) -> Pair:
        key = f"elm{next(NUMBERS):05}"
        practice = serve(toml.format(key=key, base=stripe.url))
        owner = Visitor(practice.url, login=practice.room(role="owner").login)
        if connect:
            assert owner.post("/-/payments/connect", {"do": "connect"}).status_code == 303
        room, own = practice.room(), f"localhost:{practice.port}"
        people = person("red", own=own, viewport=provider, **more), person("green", own=own, viewport=patient, **more)
        sign_in(people[0].context, practice.url, room.login)
        open_dashboard(people[0].page, practice.url)
        made.append(people[1])
        return Pair(practice, room, people[0].page, people[1].page, owner, people)

    made: list[Person] = []
    yield make
    stripe.ask("set", fail={}, silent=False)
    for each in made:
        each.expected.append("402 (Payment Required)")
        each.hosts.discard(urlsplit(stripe.url).netloc)  # Stripe's page, in a tab of its own


def offer(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Your provider asks for a payment")


def to_stripe(page: Page, link: Locator, press: str = "") -> Page:
    """The tab of Stripe's page that a link opens."""
    with page.context.expect_page() as opened:
        if press:
            link.focus()
            page.keyboard.press(press)
        else:
            link.click()
    tab = opened.value
    tab.wait_for_load_state()
    assert tab.evaluate("() => window.opener") is None
    return tab


def pay(tab: Page, card: str = CARD) -> None:
    tab.get_by_label("Card number").fill(card)
    tab.get_by_role("button", name="Pay").click()


def in_call(pair: Pair) -> None:
    check_in(pair.patient, pair.room.url, "Grace Hopper")
    start(pair.provider, "Grace Hopper")
    connected(pair.provider, pair.patient)


@pytest.mark.parametrize(("provider", "patient"), [(DESK, PHONE), (PHONE, DESK)], ids=["desk-phone", "phone-desk"])
def test_asked_for_in_the_call_declined_paid_and_given_back(
    pair: Callable[..., Pair], provider: dict[str, int], patient: dict[str, int]
) -> None:
    """The whole way at both sizes; the patient does it by keyboard alone."""
    here = pair(provider=provider, patient=patient)
    in_call(here)
    size = "phone" if provider == PHONE else "desk"
    side = here.side(here.provider)
    expect(side.get_by_label("Currency")).to_have_value("EUR")
    picture(here.provider, f"ask-{size}")
    audit(here.provider, "asking", only="#side")
    here.ask(side, "1.234")
    expect(side.locator(".error")).to_contain_text("may mean two amounts")
    expect(side.get_by_label("Amount")).to_be_focused()
    picture(here.provider, f"ask-wrong-{size}")
    side.get_by_role("button", name="Consultation: 50.00").click()
    expect(side.get_by_label("For what")).to_have_value("Consultation")
    side.get_by_role("button", name="Ask for this payment").click()
    dialog = offer(here.patient)
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("€50")
    link = dialog.get_by_role("link", name="Pay")
    expect(link).to_be_focused()
    assert set((link.get_attribute("rel") or "").split()) == {"noopener", "noreferrer"}
    picture(here.patient, f"offer-{size}")
    audit(here.patient, "the offer", only="dialog[open]")
    tab = to_stripe(here.patient, link, "Enter")
    expect(side.locator(".payments-state")).to_have_text("Stripe's page is open")
    picture(here.provider, f"opened-{size}")
    pay(tab, DECLINED)
    expect(side.locator(".payments-state")).to_have_text("Declined")
    picture(here.provider, f"declined-{size}")
    pay(tab)
    expect(tab.get_by_role("heading", level=1)).to_have_text("Thank you")
    picture(tab, f"thanks-{size}")
    tab.close()
    expect(side.locator(".payments-state")).to_have_text("Paid")
    expect(here.patient.locator("#said")).to_contain_text("Paid: €50.00. Thank you.")
    picture(here.provider, f"paid-{size}")

    side.get_by_role("button", name="Give back …").click()
    asked = here.provider.get_by_role("dialog", name="Give money back?")
    asked.get_by_label("Amount, in EUR").fill("12,50")
    picture(here.provider, f"give-back-{size}")
    audit(here.provider, "giving back", only="dialog[open]")
    asked.get_by_role("button", name="Give it back").click()
    expect(side.locator("li")).to_contain_text("€12.50 given back")
    panel = here.side(here.patient)
    expect(panel.locator("li")).to_contain_text("€12.50 given back")
    picture(here.patient, f"given-back-{size}")
    audit(here.patient, "the patient's list", only="#side")
    for page in (here.patient, here.provider):
        page.locator("#side-close").click()
    end(here.provider)
    expect(here.patient.locator(".after .payments li")).to_contain_text("€50")
    expect(here.provider.locator("#after .payments li")).to_contain_text("Paid")
    picture(here.patient, f"after-{size}")
    picture(here.provider, f"after-provider-{size}")


def test_from_the_queue_put_off_reloaded_taken_back_and_expired(pair: Callable[..., Pair], stripe: Stripe) -> None:
    here = pair()
    check_in(here.patient, here.room.url, "Grace Hopper")
    card = here.provider.locator(".card", has_text="Grace Hopper")
    card.locator("summary", has_text="Payment").click()
    here.ask(card, "20")
    expect(offer(here.patient)).to_be_visible()
    picture(here.provider, "card")
    audit(here.provider, "the card", only=".card .payments")
    offer(here.patient).get_by_role("button", name="Not now").click()
    listed = here.patient.locator('[data-slot="waiting.main"] .payments')
    expect(listed.get_by_role("link", name="Pay")).to_be_visible()
    picture(here.patient, "waiting")
    audit(here.patient, "waiting", only='[data-slot="waiting.main"] .payments')
    here.patient.reload()
    expect(offer(here.patient).get_by_role("link", name="Pay")).to_be_visible()
    card.get_by_role("button", name="Take back").click()
    expect(offer(here.patient)).to_have_count(0)
    expect(listed.locator(".payments-state")).to_have_text("Taken back")
    expect(here.patient.locator("#said")).to_contain_text("taken the request for a payment back")
    here.ask(card, "30")
    expect(offer(here.patient)).to_contain_text("€30")
    session = next(
        s for s in stripe.ask("objects", kind="checkout.session") if s["status"] == "open" and s["amount_total"] == 3000
    )
    stripe.ask("expire", session=session["id"])
    expect(offer(here.patient)).to_have_count(0)
    expect(card.locator(".payments-state").last).to_have_text("Expired")


def test_what_waits_when_the_call_begins_is_offered_again(pair: Callable[..., Pair]) -> None:
    """The pop-up of the waiting room goes with it; the call's page shows it anew, and the patient can pay there."""
    here = pair()
    check_in(here.patient, here.room.url, "Grace Hopper")
    card = here.provider.locator(".card", has_text="Grace Hopper")
    card.locator("summary", has_text="Payment").click()
    here.ask(card, "20")
    expect(offer(here.patient)).to_be_visible()
    start(here.provider, "Grace Hopper")
    connected(here.provider, here.patient)
    tab = to_stripe(here.patient, offer(here.patient).get_by_role("link", name="Pay"))
    pay(tab)
    expect(here.side(here.provider).locator(".payments-state")).to_have_text("Paid")


def test_every_webhook_is_lost_and_the_patient_comes_back(pair: Callable[..., Pair], stripe: Stripe) -> None:
    here = pair()
    in_call(here)
    here.ask(here.side(here.provider), "20")
    tab = to_stripe(here.patient, offer(here.patient).get_by_role("link", name="Pay"))
    stripe.ask("set", silent=True)
    pay(tab)
    tab.close()
    here.provider.locator("#side").get_by_role("button", name="Ask Stripe").click()
    expect(here.provider.locator("#side .payments-state")).to_have_text("Paid")


def test_without_stripe_the_practices_own_payment_page_is_a_button(pair: Callable[..., Pair]) -> None:
    """While waiting, in the call and after it; the provider reads that nothing of it is known here."""
    own = "https://pay.elm.example/visit"
    here = pair(TOML.replace('key = "rk_test_{key}"', f'link = "{own}"'), connect=False)
    check_in(here.patient, here.room.url, "Grace Hopper")
    link = here.patient.locator(".payments-elsewhere").get_by_role("link", name="Pay (opens a new tab)")
    expect(link).to_be_visible()
    assert [link.get_attribute(name) for name in ("href", "target", "rel")] == [own, "_blank", "noopener noreferrer"]
    picture(here.patient, "elsewhere")
    audit(here.patient, "a page elsewhere", only='[data-slot="waiting.main"] .payments')
    card = here.provider.locator(".card", has_text="Grace Hopper")
    card.locator("summary", has_text="Payment").click()
    expect(card.locator(".payments")).to_contain_text("own payment page")
    expect(card.get_by_role("button", name="Ask for this payment")).to_be_hidden()
    picture(here.provider, "elsewhere-card")
    start(here.provider, "Grace Hopper")
    connected(here.provider, here.patient)
    expect(here.side(here.patient).get_by_role("link", name="Pay")).to_be_visible()
    picture(here.patient, "elsewhere-call")
    here.patient.locator("#side-close").click()
    end(here.provider)
    expect(here.patient.locator(".after .payments").get_by_role("link", name="Pay")).to_be_visible()


def test_stripe_is_down_and_the_visit_goes_on(pair: Callable[..., Pair], stripe: Stripe) -> None:
    here = pair()
    in_call(here)
    stripe.ask("set", fail={"/v1/": "cut"})
    side = here.side(here.provider)
    here.ask(side, "20")
    expect(side.locator(".payments-trouble")).to_contain_text("Stripe does not answer")
    picture(here.provider, "down")
    expect(here.side(here.patient).locator(".payments-trouble")).to_contain_text("your visit goes on")
    picture(here.patient, "down-patient")
    connected(here.provider, here.patient)
    stripe.ask("set", fail={})
    side.get_by_role("button", name="Ask Stripe").click()
    expect(here.patient.get_by_role("link", name="Pay").first).to_be_visible()
    expect(side.locator(".payments-trouble")).to_have_count(0)


def test_paid_before_the_visit_or_let_in_without_it(pair: Callable[..., Pair], person: Callable[..., Person]) -> None:
    here = pair(TOML + 'before = true\nbefore_amount = "20"\n')
    own = f"localhost:{here.practice.port}"
    other = person("blue", own=own, viewport=PHONE).page
    for page, name in ((here.patient, "Grace Hopper"), (other, "Katherine Johnson")):
        page.goto(here.room.url)
        expect(page.locator("main[data-ready]")).to_be_attached()
        page.get_by_label("Your name").fill(name)
        page.get_by_role("button", name="Check in").first.click()
        expect(page.locator("main[data-state=arriving]")).to_be_visible()
    step = here.patient.locator("#steps")
    expect(step).to_contain_text("to be paid before the visit")
    picture(here.patient, "before")
    audit(here.patient, "before the visit", only="#steps")
    tab = to_stripe(here.patient, step.get_by_role("link", name="Pay"))
    pay(tab)
    tab.close()
    expect(here.patient.locator("main[data-state=waiting]")).to_be_visible()
    card = here.provider.locator(".card", has_text="Katherine")
    card.get_by_role("button", name="Admit Katherine Johnson anyway").click()
    expect(other.locator("main[data-state=waiting]")).to_be_visible()
    picture(here.provider, "before-cards")


def test_the_pages_of_members(pair: Callable[..., Pair], person: Callable[..., Person], stripe: Stripe) -> None:
    """Connecting, the empty list, the list, one payment and giving back, in light and dark and on a phone."""
    here = pair(connect=False)
    own = f"localhost:{here.practice.port}"
    owner = here.practice.room(role="owner")
    for viewport, size in ((DESK, "desk"), (PHONE, "phone")):
        somebody = person(own=own, viewport=viewport)
        somebody.expected.append("422 (UNPROCESSABLE ENTITY)")  # a form that is shown again with what is wrong
        page = somebody.page
        sign_in(page.context, here.practice.url, owner.login)
        page.goto(f"{here.practice.url}/-/payments/connect")
        if size == "desk":
            picture(page, "connect")
            audit(page, "connect")
            page.get_by_role("button", name="Connect", exact=True).click()
            expect(page.get_by_role("status")).to_contain_text("Connected, in Stripe's test mode")
            page.goto(f"{here.practice.url}/-/payments/")
            expect(page.locator(".empty")).to_contain_text("Nobody has been asked")
            picture(page, "list-empty")
            check_in(here.patient, here.room.url, "Grace Hopper")
            card = here.provider.locator(".card", has_text="Grace Hopper")
            here.provider.reload()
            card.locator("summary", has_text="Payment").click()
            for amount in ("50", "12.50"):
                here.ask(card, amount)
                tab = to_stripe(here.patient, offer(here.patient).get_by_role("link", name="Pay"))
                pay(tab)
                tab.close()
                expect(card.locator(".payments-state").last).to_have_text("Paid")
        picture(page, f"connected-{size}")
        audit(page, f"connected, {size}")
        page.goto(f"{here.practice.url}/-/payments/")
        expect(page.locator(".payments-rows tbody tr")).to_have_count(2)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            audit(page, f"the list, {size}, {scheme}")
            picture(page, f"list-{size}-{scheme}")
        page.emulate_media(color_scheme="light")
        page.locator(".payments-rows a").last.click()
        picture(page, f"one-{size}")
        audit(page, f"one payment, {size}")
        page.get_by_label("Give back, in EUR").fill("10" if size == "desk" else "x")
        page.get_by_role("button", name="Give back …").click()
        if size == "phone":
            expect(page.locator(".error")).to_contain_text("This is no amount")
            picture(page, "one-wrong")
            continue
        expect(page.get_by_role("heading", name="Give back 10.00 EUR?")).to_be_focused()
        picture(page, "one-really")
        audit(page, "really?")
        page.get_by_role("button", name="Give it back").click()
        expect(page.get_by_role("status")).to_contain_text("Given back.")
