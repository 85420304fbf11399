"""Our Stripe on loopback behaves as its official library expects, and takes nothing that the library's types do not."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import stripe

from housecall.testing.stripe_peer import DECLINED, Refused, Stripe, decode, parameters

CARD = "4242424242424242"
PAYMENT: dict[str, Any] = {
    "mode": "payment",
    "success_url": "http://127.0.0.1/done?id={CHECKOUT_SESSION_ID}",
    "line_items": [
        {
            "quantity": 1,
            "price_data": {"currency": "eur", "unit_amount": 5000, "product_data": {"name": "Consultation"}},
        }
    ],
}
CONTROLLER = {"fees": {"payer": "account"}, "losses": {"payments": "stripe"}, "stripe_dashboard": {"type": "full"}}


@pytest.fixture(scope="module")
def peer() -> Iterator[Stripe]:
    running = Stripe().start()
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def well(peer: Stripe) -> Iterator[None]:
    yield
    peer.ask("set", fail={}, silent=False)


@pytest.fixture
def client(peer: Stripe) -> Iterator[Any]:
    http = stripe.RequestsClient(timeout=20)
    yield stripe.StripeClient("sk_test_clinicAA1", base_addresses={"api": peer.url}, http_client=http)
    http.close()


def refused(doing: Any, *arguments: Any) -> stripe.InvalidRequestError:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        doing(*arguments)
    return caught.value


@pytest.mark.parametrize(
    ("change", "param", "code"),
    [
        ({"mod": "payment"}, "mod", "parameter_unknown"),
        ({"mode": "paymen"}, "mode", "parameter_invalid"),
        ({"line_items": [{"quanity": 1}]}, "line_items[0][quanity]", "parameter_unknown"),
        (
            {"line_items": [{"price_data": {"unit_amount": 5}}]},
            "line_items[0][price_data][currency]",
            "parameter_missing",
        ),
        ({"line_items": {"quantity": 1}}, "line_items", "parameter_invalid"),
        ({"expires_at": "soon"}, "expires_at", "parameter_invalid_integer"),
        ({"expires_at": int(time.time()) + 60}, "expires_at", None),
        ({"success_url": ""}, "success_url", "parameter_missing"),
        ({"success_url": "done"}, "success_url", "url_invalid"),
        ({"payment_intent_data": {"application_fee_amount": 5}}, "payment_intent_data[application_fee_amount]", None),
    ],
)
def test_what_the_types_do_not_know_is_refused_with_its_place(
    client: Any, change: dict[str, Any], param: str, code: str | None
) -> None:
    error = refused(client.v1.checkout.sessions.create, {**PAYMENT, **change})
    assert (error.http_status, error.param, error.code) == (400, param, code)


def test_forms_become_lists_and_hashes() -> None:
    assert decode("a[b][0][c]=1&d[]=x&d[]=y&e=") == {"a": {"b": [{"c": "1"}]}, "d": ["x", "y"], "e": ""}
    for broken in ("a[b=1", "a=1&a[b]=2", "[a]=1"):
        with pytest.raises(Refused):
            decode(broken)
    assert parameters("checkout/sessions", "Create").__name__ == "SessionCreateParams"
    assert parameters("billing_portal/sessions", "Create").__module__.startswith("stripe.params.billing_portal")


def test_the_same_key_has_the_same_answer_and_with_other_words_none(client: Any) -> None:
    first, again = (client.v1.checkout.sessions.create(PAYMENT, {"idempotency_key": "one"}) for _ in range(2))
    assert first.id == again.id
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    with pytest.raises(stripe.IdempotencyError):
        client.v1.checkout.sessions.create({**PAYMENT, "client_reference_id": "x"}, {"idempotency_key": "one"})


def test_a_card_pays_or_is_declined_once(peer: Stripe, client: Any) -> None:
    page = client.v1.checkout.sessions.create(PAYMENT)
    assert peer.fetch(page.url, card=DECLINED)[0] == 402
    declined = client.v1.checkout.sessions.retrieve(page.id, {"expand": ["payment_intent"]})
    assert (declined.status, declined.payment_intent.status) == ("open", "requires_payment_method")
    assert peer.fetch(page.url, card=CARD) == (303, f"http://127.0.0.1/done?id={page.id}")
    assert peer.fetch(page.url, card=CARD)[0] == 410
    paid = client.v1.checkout.sessions.retrieve(page.id, {"expand": ["payment_intent.latest_charge"]})
    assert (paid.status, paid.payment_status, paid.payment_intent.latest_charge.amount) == ("complete", "paid", 5000)
    refused(client.v1.checkout.sessions.expire, page.id)
    client.v1.refunds.create({"payment_intent": paid.payment_intent.id, "amount": 2000})
    assert "greater than unrefunded amount" in str(
        refused(client.v1.refunds.create, {"payment_intent": paid.payment_intent.id, "amount": 3001})
    )
    client.v1.refunds.create({"payment_intent": paid.payment_intent.id})
    assert (
        refused(client.v1.refunds.create, {"payment_intent": paid.payment_intent.id}).code == "charge_already_refunded"
    )


@pytest.mark.parametrize(("currency", "amount"), [("kwd", 5124), ("isk", 550), ("ugx", 5), ("eur", 20), ("eur", 10**8)])
def test_amounts_that_stripe_does_not_charge(client: Any, currency: str, amount: int) -> None:
    price = {"currency": currency, "unit_amount": amount, "product_data": {"name": "x"}}
    refused(client.v1.checkout.sessions.create, {**PAYMENT, "line_items": [{"quantity": 1, "price_data": price}]})


def test_accounts_see_their_own_alone(peer: Stripe, client: Any) -> None:
    """One below a platform takes payments once Stripe's questions are answered; its objects are not the platform's."""
    account = client.v1.accounts.create({"controller": CONTROLLER}).id
    below = {"stripe_account": account}
    assert refused(client.v1.checkout.sessions.create, PAYMENT, below).code == "account_invalid"
    link = {"account": account, "type": "account_onboarding", "return_url": "http://x/b", "refresh_url": "http://x/r"}
    assert peer.fetch(client.v1.account_links.create(link).url) == (303, "http://x/b")
    fee = {**PAYMENT, "payment_intent_data": {"application_fee_amount": 100}}
    page = client.v1.checkout.sessions.create(fee, below)
    assert refused(client.v1.checkout.sessions.retrieve, page.id).http_status == 404
    assert client.v1.checkout.sessions.retrieve(page.id, {}, below).id == page.id
    with pytest.raises(stripe.PermissionError):
        client.v1.checkout.sessions.retrieve(page.id, {}, {"stripe_account": "acct_nobody"})
    stranger = stripe.StripeClient("sk_test_clinicBB1", base_addresses={"api": peer.url})
    with pytest.raises(stripe.PermissionError):
        stranger.v1.checkout.sessions.retrieve(page.id, {}, below)


@pytest.mark.parametrize("key", ["sk_live_clinicAA1", "pk_test_clinicAA1", "sk_test_short", "nonsense"])
def test_keys_that_are_none(peer: Stripe, key: str) -> None:
    with pytest.raises(stripe.AuthenticationError):
        stripe.StripeClient(key, base_addresses={"api": peer.url}).v1.accounts.retrieve_current()


def test_subscriptions_from_trial_to_end(peer: Stripe, client: Any) -> None:
    price = client.v1.prices.create(
        {"currency": "eur", "unit_amount": 900, "recurring": {"interval": "month"}, "product_data": {"name": "Plan"}}
    )
    dearer = client.v1.prices.create(
        {"currency": "eur", "unit_amount": 1900, "recurring": {"interval": "month"}, "product": price.product}
    )
    page = client.v1.checkout.sessions.create(
        {
            "mode": "subscription",
            "success_url": "http://x/",
            "line_items": [{"price": price.id, "quantity": 1}],
            "subscription_data": {"trial_period_days": 14, "metadata": {"clinic": "main"}},
        }
    )
    assert peer.fetch(page.url, card=CARD, email="a@elm.example")[0] == 303
    page = client.v1.checkout.sessions.retrieve(page.id)
    assert page.payment_status == "no_payment_required"
    bought = lambda: client.v1.subscriptions.retrieve(page.subscription)  # noqa: E731
    assert (bought().status, bought().metadata["clinic"]) == ("trialing", "main")
    peer.ask("period", subscription=page.subscription, paid=False)
    assert bought().status == "past_due"
    peer.ask("period", subscription=page.subscription)
    assert bought().status == "active"
    portal = client.v1.billing_portal.sessions.create({"customer": page.customer, "return_url": "http://x/back"})
    assert peer.fetch(portal.url, do="price", price=dearer.id) == (303, "http://x/back")
    assert bought()["items"].data[0].price.id == dearer.id
    assert peer.fetch(portal.url, do="cancel")[0] == 303
    assert bought().cancel_at_period_end
    peer.ask("period", subscription=page.subscription)
    assert bought().status == "canceled"
    listed = client.v1.subscriptions.list({"customer": page.customer, "status": "all"}).data
    assert [each.id for each in listed] == [page.subscription]
    assert client.v1.invoices.list({"customer": page.customer, "limit": 1}).has_more


class Ear:
    """A server that hears webhooks; its first answers are `failing` times 500."""

    def __init__(self, failing: int = 0) -> None:
        heard: queue.Queue[tuple[bytes, str]] = queue.Queue()
        left = [500] * failing

        class Desk(BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None: ...

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                heard.put((body, self.headers["Stripe-Signature"]))
                self.send_response(left.pop() if left else 200)
                self.end_headers()

        self.heard, self.server = heard, ThreadingHTTPServer(("127.0.0.1", 0), Desk)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def test_webhooks_are_signed_as_the_library_expects_and_come_again_after_a_failure(peer: Stripe, client: Any) -> None:
    ear = Ear(failing=1)
    try:
        hook = client.v1.webhook_endpoints.create({"url": ear.url, "enabled_events": ["checkout.session.expired"]})
        assert not hasattr(client.v1.webhook_endpoints.retrieve(hook.id), "secret"), "it is told once"
        page = client.v1.checkout.sessions.create(PAYMENT)
        client.v1.checkout.sessions.expire(page.id)
        told = [ear.heard.get(timeout=20) for _ in range(2)]
        assert told[0][0] == told[1][0]
        event = stripe.Webhook.construct_event(*told[1], hook.secret)
        assert (event.type, event.data.object.id) == ("checkout.session.expired", page.id)
        assert "account" not in event
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(told[1][0] + b" ", told[1][1], hook.secret)
        again = peer.ask("deliver", events=[event.id])
        assert again == [[200]]
        assert json.loads(ear.heard.get(timeout=20)[0])["id"] == event.id
        client.v1.webhook_endpoints.delete(hook.id)
    finally:
        ear.close()


def test_it_fails_as_it_is_told_to(peer: Stripe, client: Any) -> None:
    """ "cut" does nothing; "lost" does it and does not say so; a status is an error of that status."""
    intent = client.v1.payment_intents.create(
        {"amount": 500, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True}
    ).id
    for how, kind, done in (
        ("cut", stripe.APIConnectionError, 0),
        (503, stripe.APIError, 0),
        ("lost", stripe.APIConnectionError, 500),
    ):
        peer.ask("set", fail={"POST /v1/refunds": how})
        with pytest.raises(kind):
            client.v1.refunds.create({"payment_intent": intent}, {"max_network_retries": 0})
        peer.ask("set", fail={})
        charge = client.v1.payment_intents.retrieve(intent, {"expand": ["latest_charge"]}).latest_charge
        assert charge.amount_refunded == done, how
