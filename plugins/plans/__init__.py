"""Plans of a server with many practices: what each may have, and Stripe's subscriptions that pay for it.

Stripe's word counts, and is asked for again whenever it says that something has changed, when somebody looks, and by
the clock: so it does not matter in which order its messages come, how often, or whether.
"""

import contextlib
import json

from flask import Blueprint, abort, redirect, request

from housecall import (
    Job,
    address,
    admins_only,
    clinic_id,
    hookimpl,
    member,
    members_only,
    page,
    reconsider,
    usage,
    webhook,
)

from . import counter, ledger, standing, tariffs, till

PLUGIN = "plans"
SOON = 3  #: days before the end of a trial from which on the dashboard says so
HOUR = 3_600_000  #: ms
AGE = 300  #: seconds after which a message is too old
ASKED_AGAIN = 12 * HOUR  #: after which Stripe is asked by itself
BOOK = tariffs.Book()

pages = Blueprint("plans_pages", __name__)


@hookimpl
def configure(table):
    global BOOK
    BOOK = tariffs.read(table)


@hookimpl
def allow(clinic, what, amount):
    plan = stands(clinic).plan
    kind, _, name = what.partition(":")
    if kind == "plugin":
        if plan.plugins is None or name in plan.plugins:
            return None
        return f"This is not in the plan {plan.name}. {NEXT}"
    most = {"members": plan.members, "rooms": plan.rooms}.get(what)
    if most is None or amount <= most:
        return None
    many = {"members": ("one account", f"{most} accounts"), "rooms": ("one waiting room", f"{most} waiting rooms")}
    return f"The plan {plan.name} has {many[what][most > 1]}, and all are in use. {NEXT}"


NEXT = "An owner of the practice can choose another plan under Practice, Plan."


def stands(clinic):
    return standing.at(BOOK, ledger.of(clinic), ledger.now())


@pages.get("/")
@admins_only
def plan():
    """What the practice has, and what else there is. Who comes back from Stripe sees what Stripe says now."""
    came = next((name for name in ("paid", "back") if name in request.args), "")
    if came and BOOK.key:
        try:
            heed(clinic_id())
        except till.NotDone as why:
            return overview(problem=why.code), 503
    return overview(done=request.args.get("done", ""), cancelled=request.args.get("paid") == "0")


def overview(*, problem="", done="", cancelled=False, way=None):
    """The page. `way` leads on to a page of Stripe's: (what it is for, its address)."""
    clinic, now = clinic_id(), ledger.now()
    has, row = standing.at(BOOK, ledger.of(clinic), now), ledger.of(clinic)
    used = usage(clinic)
    offers = {each.id: [used.plugins[id] for id in each.plugins or () if id in used.plugins] for each in BOOK.plans}
    return page(
        "plans.html",
        plans=BOOK.plans,
        default=BOOK.default,
        paid=BOOK.paid,
        has=has,
        days=has.days(now),
        used=used,
        held={each.id: held_back(each, used) for each in (*BOOK.plans, has.plan)},
        offers=offers,
        twice=bool(row and row.live > 1),
        trial=not (row and row.trialed),
        problem=problem,
        done=done,
        cancelled=cancelled,
        way=way,
        owner=member().role == "owner",
    )


def held_back(plan, used):
    """The names of plugins that are on and that a plan does not have."""
    missing = () if plan.plugins is None else used.on - set(plan.plugins)
    return sorted(used.plugins[name] for name in missing)


@pages.post("/")
@admins_only
def change():
    """`do` is look (ask Stripe), and of owners: choose (`plan`), portal."""
    do, clinic = request.form.get("do", ""), clinic_id()
    if do != "look" and member().role != "owner":
        abort(404)
    back = f"{address(clinic)}/-/{PLUGIN}/"
    try:
        if do == "look":
            heed(clinic)
            return redirect(f"/-/{PLUGIN}/?done=look", 303)
        if do == "portal":
            row = ledger.of(clinic)
            if row is None or not row.customer:
                abort(404)
            return overview(way=("portal", till.portal(BOOK, row.customer, back=back)))
        if do == "choose":
            chosen = BOOK.by_id(request.form.get("plan", "")) or abort(404)
            return choose(clinic, chosen, back)
    except till.NotDone as why:
        return overview(problem=why.code), 409 if why.code == "live" else 503
    abort(400)


def choose(clinic, plan, back):
    """A free plan counts at once; for one with a price Stripe has a page."""
    if plan.price:
        heed(clinic)
        row = ledger.of(clinic)
        trial = not (row and row.trialed)
        return overview(way=("pay", till.checkout(BOOK, clinic, plan, trial=trial, back=back)))
    row = heed(clinic) if BOOK.key else ledger.of(clinic)
    if row and row.state in standing.LIVE:
        return overview(problem="live"), 409
    ledger.change(clinic, state="chosen", plan=plan.id, since=ledger.now())
    reconsider(clinic)
    return redirect(f"/-/{PLUGIN}/?done=chosen", 303)


def heed(clinic):
    """Ask Stripe what a practice pays for, and let it have that; its row, or None. Raises NotDone."""
    row = till.refresh(BOOK, clinic)
    reconsider(clinic)
    return row


@pages.get("/word")
@members_only
def word():
    """What the dashboard and the practice's page say of it, to owners and admins."""
    if member().role not in ("owner", "admin") or not BOOK.plans:
        return {}
    now, has = ledger.now(), stands(clinic_id())
    days = has.days(now)
    urgent = has.state in ("past_due", "lapsed") or (has.state == "trialing" and days <= SOON)
    return {"plan": has.plan.name, "paid": has.paid.name if has.paid else "", "state": has.state, "days": days} | {
        "urgent": urgent
    }


@pages.post("/hook")
@webhook
def heard():
    """Stripe says that something has changed: proven by its signature, then read again by id, never believed."""
    if not BOOK.paid:
        abort(404)
    import stripe

    signed = request.headers.get("Stripe-Signature", "")
    try:
        body = request.get_data().decode()
        stripe.WebhookSignature.verify_header(body, signed, BOOK.webhook_secret, tolerance=AGE)
        event = json.loads(body)
        foreign = bool(event.get("account")) or event["livemode"] != BOOK.live
        about = event["data"]["object"].get("customer")
    except (ValueError, KeyError, TypeError, AttributeError, stripe.SignatureVerificationError):
        abort(400)
    if foreign:
        abort(400)
    clinic = ledger.clinic_of(about) if isinstance(about, str) else None
    if clinic is None or ledger.is_seen(event["id"]):
        return "", 204
    try:
        heed(clinic)
    except till.NotDone:
        return "", 503  # it says so again
    ledger.see(event["id"])
    return "", 204


def keep(clinic):
    """By the clock: what time has ended, what was not told, and ids of events that are old."""
    row, now = ledger.of(clinic), ledger.now()
    if row and row.customer and BOOK.key:
        over = row.state in ("trialing", "active") and row.until < now
        open_ = row.state in ("incomplete", "past_due") and row.asked < now - HOUR
        if over or open_ or row.asked < now - ASKED_AGAIN:
            with contextlib.suppress(till.NotDone):  # the plan stays what it is, and the next time asks again
                till.refresh(BOOK, clinic)
    ledger.sweep()
    reconsider(clinic)


@hookimpl
def blueprints():
    return [pages]


@hookimpl
def jobs():
    return [Job(name="keep", every=600, run=keep)]


@hookimpl
def commands():
    return [counter.command(BOOK)]


@hookimpl
def health(clinic):
    if not BOOK.plans:
        return "No plans are set up on this server, so everything is allowed. The person who runs it can write some."
    row = ledger.of(clinic)
    if stands(clinic).state == "unknown":
        return f"It pays for {row.price}, which no plan in housecall.toml has. Until it has one, nothing is limited."
    if row and row.live > 1:
        return "It pays for more than one subscription. An owner can cancel one under Practice, Plan."
    return None
