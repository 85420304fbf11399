"""`housecall payments check`: tries a clinic's key at Stripe, step by step, and says what to do where it fails."""

import secrets
import time

import click

from housecall import address, clinic_name, settings

from . import accounts, currencies
from .accounts import PLUGIN
from .gateway import KEY, Trouble

DO = {
    "down": "Stripe did not answer. Look at this server's network and at status.stripe.com, then try again.",
    "busy": "Stripe has been asked too often. Wait a minute, then try again.",
    "key": "Stripe does not know this key. Make a new restricted key in its dashboard, and put it into the settings.",
    "permission": "The key may not do this. Give it the permission in Stripe's dashboard: Developers, API keys.",
    "missing": "Stripe does not know this any more. Connect again on the page of the payments.",
    "refused": "Stripe refuses. What it says is above.",
    "off": "Connect on the page of the payments.",
}


@click.group("payments")
def payments():
    """Payments by Stripe."""


@payments.command("check")
@click.option("--clinic", default="main", show_default=True, help="Whose key is tried.")
def check(clinic):
    """Try a clinic's key: with a test key the whole way of a payment, with a live one nothing that costs money."""
    try:
        clinic_name(clinic)
    except KeyError:
        raise click.ClickException(f"There is no clinic {clinic!r}.") from None
    text, platform = accounts.key(clinic)
    found = KEY.fullmatch(text)
    if not found:
        raise click.ClickException("There is no key yet: put it into the settings of the payments.")
    kind = "restricted" if found[1] == "rk" else "secret: a restricted one (rk_) would be safer"
    click.echo(f"The key is {kind}; it is for {'REAL money' if found[2] == 'live' else 'Stripe’s test mode'}.")
    account = accounts.of(clinic)
    with accounts.opened(clinic, account.account if platform and account else "") as stripe:
        good = all(list(_steps(clinic, stripe, live=found[2] == "live")))
    click.echo("Everything works." if good else "Not everything works.")
    if not good:
        raise click.exceptions.Exit(1)


def _steps(clinic, stripe, *, live):
    yield _try("Stripe knows the key, and it may read payment pages, refunds and addresses", stripe.look_around)
    account = accounts.of(clinic)
    told = account is not None and account.endpoint
    click.echo(
        f"{'ok    ' if told else 'note  '}Stripe {'tells' if told else 'does not tell'} this server what happens"
    )
    if not told:
        click.echo("      Payments are asked after every minute instead. Connect on the page of the payments.")
    if live:
        return
    currency = settings(PLUGIN, clinic=clinic)["currency"]
    amount = 10 * 10 ** currencies.digits(currency)
    made = {}
    yield _try("It may make a payment page", lambda: made.update(page=_page(clinic, stripe, amount, currency)))
    if "page" in made:
        yield _try("It may read that page", lambda: stripe.session(made["page"]))
        yield _try("It may close that page", lambda: stripe.expire(made["page"]))
    try:
        intent = stripe.try_card(amount, currency)
    except Trouble as trouble:
        click.echo(
            "note  Not tried: to give money back. The key may not charge cards by itself, which is as it should be."
        )
        yield trouble.code == "permission"
        return
    key = f"check-{secrets.token_urlsafe(16)}"
    yield _try("It may give money back", lambda: stripe.refund(intent, amount, key=key))


def _page(clinic, stripe, amount, currency):
    base = f"{address(clinic)}/-/{PLUGIN}"
    payment = f"check-{secrets.token_urlsafe(16)}"
    more = {"success": f"{base}/done", "cancel": f"{base}/back", "created": int(time.time())}
    return stripe.create(payment, amount=amount, currency=currency, line="Test", **more).session


def _try(what, doing):
    """Say whether it could be done."""
    try:
        doing()
    except Trouble as trouble:
        click.echo(f"fails {what}: {trouble.said or trouble.code}")
        click.echo(f"      {DO[trouble.code]}")
        return False
    click.echo(f"ok    {what}")
    return True
