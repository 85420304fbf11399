"""What we ask of Stripe. No card comes here: people pay on its own pages."""

import threading
from collections import defaultdict

from housecall import fingerprint

from . import ledger, standing

PATIENCE = 15  #: seconds for an answer
_one_at_a_time = defaultdict(threading.Lock)  #: by practice: of two answers the later one must be written last


class NotDone(Exception):
    """Stripe did not do it; `code` says why: away, key, refused or live."""

    def __init__(self, code):
        self.code = code
        super().__init__(code)


def client(book):
    """Raises NotDone where no plan of this server is paid for."""
    import stripe  # 26 MB that a server without subscribers does without

    if not book.key:
        raise NotDone("key")
    base = {"base_addresses": {"api": book.base}} if book.base else {}
    return stripe.StripeClient(
        book.key, http_client=stripe.RequestsClient(timeout=PATIENCE), max_network_retries=1, **base
    )


def ask(call, *about):
    """What a call answers. Raises NotDone."""
    import stripe

    try:
        return call(*about)
    except (stripe.APIConnectionError, stripe.RateLimitError):
        raise NotDone("away") from None
    except (stripe.AuthenticationError, stripe.PermissionError):
        raise NotDone("key") from None
    except stripe.StripeError as error:
        status = error.http_status or 500
        raise NotDone("away" if status >= 500 else "refused") from None


def subscriptions(book, customer):
    """All that a customer has subscribed to, what has ended too, as plain data."""
    listed = ask(client(book).v1.subscriptions.list, {"customer": customer, "status": "all", "limit": 100})
    return [_plain(each) for each in listed["data"]]


def _plain(given):
    """What we read of a subscription."""
    item = given["items"]["data"][0]
    of = {name: getattr(given, name, None) for name in ("trial_end", "cancel_at", "cancel_at_period_end")}
    items = {"data": [{"price": {"id": item["price"]["id"]}, "current_period_end": item["current_period_end"]}]}
    return {"id": given["id"], "status": given["status"], "created": given["created"], "items": items, **of}


def refresh(book, clinic):
    """Read again what a practice has subscribed to, and keep that; its row, or None. Raises NotDone."""
    with _one_at_a_time[clinic]:
        row = ledger.of(clinic)
        if row is None or not row.customer:
            return row
        return ledger.change(clinic, **standing.heard(subscriptions(book, row.customer), row, ledger.now()))


def customer(book, clinic):
    """Stripe's id of a practice, made at its first payment. Asked twice, it is the same one. Raises NotDone."""
    with _one_at_a_time[clinic]:
        row = ledger.of(clinic)
        if row and row.customer:
            return row.customer
        once = {"idempotency_key": fingerprint("plans_subscription.customer", clinic)}
        about = {"name": clinic, "metadata": {"clinic": clinic}}
        made = ask(client(book).v1.customers.create, about, once)["id"]
        ledger.change(clinic, customer=made)
        return made


def checkout(book, clinic, plan, *, trial, back):
    """The address of Stripe's page on which a plan is paid for. Raises NotDone, also where one is paid for already.

    What was begun before is closed first: of two pages in two tabs only one can be paid.
    """
    stripe, who = client(book), customer(book, clinic)
    sessions = stripe.v1.checkout.sessions
    with _one_at_a_time[clinic]:
        for begun in ask(sessions.list, {"customer": who, "status": "open", "limit": 100})["data"]:
            ask(sessions.expire, begun["id"])
        if standing.live(subscriptions(book, who)):
            raise NotDone("live")
        more = {"trial_period_days": plan.trial} if trial and plan.trial else {}
        asked = {
            "mode": "subscription",
            "customer": who,
            "client_reference_id": clinic,
            "line_items": [{"price": plan.price, "quantity": 1}],
            "subscription_data": {"metadata": {"clinic": clinic}, **more},
            "success_url": f"{back}?paid=1",
            "cancel_url": f"{back}?paid=0",
        }
        return _checked(book, ask(sessions.create, asked)["url"])


def portal(book, who, *, back):
    """The address of Stripe's page on which a subscription is changed, paid or cancelled. Raises NotDone."""
    made = ask(client(book).v1.billing_portal.sessions.create, {"customer": who, "return_url": f"{back}?back=1"})
    return _checked(book, made["url"])


def _checked(book, url):
    """An address that a browser may be sent to. Raises NotDone."""
    if not url.startswith(book.base or "https://"):
        raise NotDone("refused")
    return url
