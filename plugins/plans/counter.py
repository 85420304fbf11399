"""`housecall plans check`: tries the server's key on all that the plans need, and says what to do about what fails."""

import sys

import click

from . import till

HOOK = "/-/plans/hook"


def command(book):
    """The commands about the plans of a book."""

    @click.group("plans")
    def plans():
        """What this server's plans need at Stripe."""

    @plans.command("check")
    def check():
        """Try the key, each price and the webhook; with a test key also a page of payment, which is closed again."""
        found = list(_lines(book))
        for good, line in found:
            click.echo(f"{'ok   ' if good else 'WRONG'}  {line}")
        sys.exit(not all(good for good, _ in found))

    return plans


def _lines(book):
    """What was tried: whether it is good, and a sentence."""
    if not book.paid:
        yield True, "No plan has a price, so nothing is asked of Stripe."
        return
    yield True, f"The key is a {'live' if book.live else 'test'} key."
    try:
        client = till.client(book).v1
        for plan in book.plans:
            if plan.price:
                yield from _price(client, plan)
        yield from _hook(client, book)
        if not book.live:
            yield from _page(client, book)
    except till.NotDone as why:
        yield False, WHY[why.code]


WHY = {
    "away": "Stripe does not answer. Try again in a minute, and look whether this server may reach api.stripe.com.",
    "key": "Stripe does not take the key, or it lacks a right. See docs/plans.md for those that it needs.",
    "refused": "Stripe refused this, though it took the key.",
}


def _price(client, plan):
    try:
        price = till.ask(client.prices.retrieve, plan.price)
    except till.NotDone as why:
        if why.code != "refused":
            raise
        yield (
            False,
            f"{plan.name}: Stripe knows no {plan.price} under this key. Test and live have their own prices.",
        )
        return
    every = price["recurring"]["interval"] if price["recurring"] else ""
    if not price["active"] or not every:
        yield (
            False,
            f"{plan.name}: {plan.price} is {'not recurring' if not every else 'archived'} at Stripe. Make another.",
        )
        return
    amount = f"{price['unit_amount']} {price['currency'].upper()} (in its smallest unit) each {every}"
    yield True, f"{plan.name}: {amount}; people read: {plan.cost or 'nothing, since the plan has no cost'}"


def _hook(client, book):
    try:
        known = till.ask(client.webhook_endpoints.list, {"limit": 100})["data"]
    except till.NotDone as why:
        if why.code != "key":
            raise
        yield True, "This key may not read webhook endpoints, so look for yourself whether there is one for " + HOOK
        return
    good = [each["url"] for each in known if each["url"].endswith(HOOK) and each["status"] == "enabled"]
    if good:
        yield True, f"Stripe tells {', '.join(good)}."
    else:
        yield False, f"No endpoint at Stripe ends in {HOOK}. Make one there: https://<a clinic of this server>{HOOK}"


def _page(client, book):
    """A customer and a page of payment, made and taken away again."""
    plan = next(plan for plan in book.plans if plan.price)
    who = till.ask(client.customers.create, {"name": "housecall plans check"})["id"]
    asked = {
        "mode": "subscription",
        "customer": who,
        "line_items": [{"price": plan.price, "quantity": 1}],
        "success_url": "https://housecall.invalid/",
    }
    made = till.ask(client.checkout.sessions.create, asked)["id"]
    till.ask(client.checkout.sessions.expire, made)
    till.ask(client.billing_portal.sessions.create, {"customer": who, "return_url": "https://housecall.invalid/"})
    till.ask(client.subscriptions.list, {"customer": who, "status": "all", "limit": 1})
    till.ask(client.customers.delete, who)
    yield True, "A page of payment and the customer portal can be opened."
