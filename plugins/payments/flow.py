"""A payment's way: asked for, made at Stripe, paid, taken back, given back. Each step may be repeated after a crash.

Whatever is to be done is written down first; Stripe knows each doing by a key made of what is written, so doing it
again does nothing twice; and how a payment stands is only ever what Stripe says when it is asked by id.
"""

import contextlib
import json
import secrets
import threading

from flask import current_app
from sqlalchemy import delete, or_, select

from housecall import address, db, erase, fingerprint, in_visit, queue, seal, settings, unseal, write

from . import currencies, states
from .accounts import PLUGIN, now, stripe, usable
from .gateway import LIFE, Trouble, is_page
from .models import Heard, Payment, Tie

STEP = "payment"  #: of the check-in
TICKET = 12 * 3_600_000  #: ms after which no page brings a visit back (contracts §6)
HEARD = 30 * 86_400_000  #: ms that Stripe's events are remembered; it repeats them for three days
YEARS = 10  #: that payments are kept, as plugin.toml says
SEALED = "payments_tie.sealed"


def beside(function, *arguments):
    """Do it without holding up whoever asks: Stripe may take seconds."""
    app = current_app._get_current_object()

    def run():
        with app.app_context():
            try:
                function(*arguments)
            except Exception:
                app.logger.exception(PLUGIN)  # its class and place; the job asks again

    threading.Thread(target=run, daemon=True).start()


# -- asking


def ask(clinic, visit, *, member, amount, currency, line, step=""):
    """Write a payment down, and have it made; its id. Raises Trouble: off, or open (one waits to be paid already)."""
    account, made, at = usable(clinic), f"p{secrets.token_urlsafe(16)}", now()
    with write() as session:
        open_ = select(Payment.id).join(Tie, Tie.payment_id == Payment.id)
        if session.scalar(open_.where(Tie.mark == _mark(visit), Payment.state.in_(states.WAITING)).limit(1)):
            raise Trouble("open")
        session.add(
            Payment(
                id=made,
                clinic_id=clinic,
                member_id=member or None,
                amount=amount,
                currency=currency,
                refunded=0,
                refunding=0,
                refunding_from=0,
                state=states.MAKING,
                cancelled=False,
                live=account.live,
                account=account.account,
                created=at,
                changed=at,
            )
        )
        session.flush()
        tie = Tie(payment_id=made, mark=_mark(visit), made=at)
        tie.sealed = _sealed(made, {"visit": visit, "line": line, "step": step, "url": ""})
        session.add(tie)
    return made


def make(payment):
    """Have Stripe make the payment page, or tell us again of the one that it has made. Raises Trouble."""
    row, tie = db.session.get(Payment, payment), tied(payment)
    if row is None or row.session or row.state != states.MAKING:
        return
    if tie is None or now() - row.created > (LIFE - 3600) * 1000:  # nobody has ever had its address: nobody can pay it
        return _set(payment, state=states.CANCELLED)
    base = f"{address(row.clinic_id)}/-/{PLUGIN}"
    wanted = {
        "amount": row.amount,
        "currency": row.currency,
        "line": tie["line"],
        "created": row.created // 1000,
        "success": f"{base}/done",
        "cancel": f"{base}/back",
        "fee": _fee(row),
    }
    try:
        with stripe(row.clinic_id) as at:
            seen = at.create(payment, **wanted)
    except Trouble as trouble:
        if trouble.sure and trouble.code in ("refused", "missing"):  # it never will
            _set(payment, state=states.CANCELLED)
        raise
    take(payment, seen)


def _fee(row):
    return row.amount * (settings(PLUGIN, clinic=row.clinic_id)["fee"] or 0) // 10_000


# -- what Stripe says


def look(payment):
    """Ask Stripe how a payment stands. Raises Trouble."""
    row = db.session.get(Payment, payment)
    if row is None:
        return
    if not row.session:
        return make(payment)
    session = row.session
    with stripe(row.clinic_id) as at:
        seen = at.session(session)
    take(payment, seen)


def take(payment, seen, *, given=False):
    """Write down what Stripe says of a payment, and tell whoever takes part in its visit.

    `given`: what was being given back, is. Raises Trouble("other") for what is not this payment.
    """
    changed = close = False
    with write() as session:
        row = session.get(Payment, payment)
        if row is None or (row.session and row.session != seen.session):
            return
        if (seen.reference, seen.amount, seen.currency) != (row.id, row.amount, row.currency):
            raise Trouble("other")
        before = (row.state, row.refunded, row.session, row.refunding)
        row.refunding = 0 if given else row.refunding
        if not (row.state == states.CANCELLED and row.session is None and seen.payment == "unpaid"):
            row.state = states.follow(row.state, row.cancelled, row.refunded, seen)
        row.session, row.refunded = seen.session, max(row.refunded, seen.refunded)
        row.intent = seen.intent or row.intent
        if row.state in states.TAKEN and row.paid is None:
            row.paid = now()
        close = row.cancelled and seen.status == "open" and row.state not in states.TAKEN
        changed = before != (row.state, row.refunded, row.session, row.refunding)
        if changed:
            row.changed = now()
        tie = session.get(Tie, payment)
        known = _read(payment, tie.sealed) if tie else None
        if known is not None and seen.url and seen.url != known["url"] and is_page(seen.url, live=row.live):
            tie.sealed = _sealed(payment, {**known, "url": seen.url})
            changed = True
    if close:
        _close(payment)
    if changed:
        tell(payment)


def _set(payment, **values):
    with write() as session:
        row = session.get(Payment, payment)
        for name, value in values.items():
            setattr(row, name, value)
        row.changed = now()
    tell(payment)


# -- opened, taken back, given back


def opened(payment):
    """The patient has gone to Stripe's page."""
    with write() as session:
        row = session.get(Payment, payment)
        if row.state != states.REQUESTED:
            return
        row.state, row.changed = states.OPENED, now()
    tell(payment)


def cancel(payment):
    """Take a payment back. Raises Trouble: closed where it is over, or what Stripe says; then it is done later."""
    with write() as session:
        row = session.get(Payment, payment)
        if row.state not in states.WAITING:
            raise Trouble("closed")
        row.cancelled, row.changed = True, now()
        if not row.session:  # nobody has its address, and nobody will
            row.state = states.CANCELLED
    if row.session:
        _close(payment)
    else:
        tell(payment)


def _close(payment):
    """Close the payment page of one that was taken back, and look what has become of it: it may have been paid."""
    row = db.session.get(Payment, payment)
    session = row.session
    with stripe(row.clinic_id) as at:
        with contextlib.suppress(Trouble):  # it is not open any more; what it is, the next line asks
            at.expire(session)
        seen = at.session(session)
    if seen.status != "open":
        take(payment, seen)


def refund(payment, amount, seen):
    """Give back `amount`. `seen`: how much was given back already, as the person who asks has seen it.

    Raises Trouble: closed (there is nothing to give back), stale (more was given back meanwhile, or is just now),
    amount, or what Stripe says; where it is not sure, it is asked again by itself.
    """
    with write() as session:
        row = session.get(Payment, payment)
        if row.state != states.PAID or not row.intent:
            raise Trouble("closed")
        if row.refunding or row.refunded != seen:
            raise Trouble("stale")
        if not 0 < amount <= row.amount - row.refunded or amount % currencies.step(row.currency):
            raise Trouble("amount")
        row.refunding, row.refunding_from, row.changed = amount, row.refunded, now()
    give_back(payment)


def give_back(payment):
    """Do what `refund` has written down, or hear that it was done. Raises Trouble."""
    row = db.session.get(Payment, payment)
    if row is None or not row.refunding:
        return
    intent, amount, session = row.intent, row.refunding, row.session
    key = f"{payment}-refund-{row.refunding_from}-{amount}"
    try:
        with stripe(row.clinic_id) as at:
            at.refund(intent, amount, key=key)
            seen = at.session(session)
    except Trouble as trouble:
        if trouble.sure and trouble.code in ("refused", "missing"):
            _set(payment, refunding=0)
        raise
    take(payment, seen, given=True)


# -- the visit


def tied(payment):
    """{visit, line, step, url} of a payment whose visit goes on, or None."""
    tie = db.session.get(Tie, payment)
    return _read(payment, tie.sealed) if tie else None


def of_visit(visit):
    """[(payment, tie)] of a visit, the first asked first."""
    query = select(Payment, Tie).join(Tie, Tie.payment_id == Payment.id).where(Tie.mark == _mark(visit))
    return [(row, _read(row.id, tie.sealed) or {}) for row, tie in db.session.execute(query.order_by(Payment.created))]


def _mark(visit):
    return fingerprint("payments_tie.mark", visit)


def _sealed(payment, what):
    return seal(f"{SEALED} {payment}", json.dumps(what))


def _read(payment, sealed):
    text = unseal(f"{SEALED} {payment}", sealed)
    return json.loads(text) if text else None


def told(row, tie, *, patient):
    """A payment as pages of its visit know it; the address of Stripe's page is the patient's alone."""
    waits = row.state in states.WAITING and not row.cancelled
    return {
        "payment": row.id,
        "state": row.state,
        "amount": row.amount,
        "refunded": row.refunded,
        "refunding": row.refunding,
        "currency": row.currency,
        "digits": currencies.digits(row.currency),
        "line": tie.get("line", ""),
        "before": bool(tie.get("step")),
        "live": row.live,
        "at": row.created,
        "url": tie.get("url", "") if patient and waits else "",
    }


def tell(payment):
    """Both sides of the visit hear how a payment stands, if it goes on; a paid step of the check-in is done."""
    row, tie = db.session.get(Payment, payment), tied(payment)
    context = in_visit(PLUGIN, tie["visit"]) if row and tie else None
    if context is None:
        return
    for role in ("patient", "provider"):
        context.emit("stands", told(row, tie, patient=role == "patient"), role)
    finish(context, row, tie)


def finish(context, row, tie):
    """A step of the check-in is done when it is paid."""
    open_ = context.visit.steps.get(f"{PLUGIN}:{STEP}") == "open"
    if tie.get("step") and row.state in states.TAKEN and open_:
        context.step_done(STEP)


def tell_trouble(payment, trouble):
    if tie := tied(payment):
        said(tie["visit"], trouble, payment)


def said(visit, trouble, payment=""):
    """Both sides of a visit hear what went wrong; Stripe's own words are for members."""
    context = in_visit(PLUGIN, visit)
    if context is not None:
        what = {"payment": payment, "code": trouble.code}
        context.emit("trouble", {**what, "said": trouble.said[:300]}, "provider")
        context.emit("trouble", {**what, "said": ""}, "patient")


def forget(visit):
    """The visit has ended: what ties payments to it is gone, from the disk too. A payment of a step is taken back."""
    rows = of_visit(visit)
    if not rows:
        return
    steps = [row.id for row, tie in rows if tie.get("step") and row.state in states.WAITING]
    with write() as session:
        session.execute(delete(Tie).where(Tie.mark == _mark(visit)))
    erase(db.engine)
    for payment in steps:
        with contextlib.suppress(Trouble):  # the job does it later
            cancel(payment)


# -- by itself


def repair(clinic):
    """Ask Stripe after every payment that is not settled: what it told us may have been lost, or we were away."""
    at = now()
    unsettled = or_(Payment.state.in_(states.UNSETTLED), Payment.refunding > 0)
    rows = db.session.execute(
        select(Payment.id, Payment.created, Payment.refunding, Payment.cancelled, Payment.session).where(
            Payment.clinic_id == clinic, unsettled
        )
    ).all()
    for payment, created, refunding, cancelled, session in rows:
        if at - created > 3_600_000 and (at // 60_000) % 15:  # an old one: every quarter of an hour
            continue
        with contextlib.suppress(Trouble):  # the next minute tries again
            if refunding:
                give_back(payment)
            elif cancelled and session:
                _close(payment)
            else:
                look(payment)


def sweep(clinic):
    """Forget what has reached the end of its time, and ties of visits that this server has never heard of again."""
    at, known = now(), {_mark(view.id) for view in queue(clinic)}
    mine = select(Payment.id).where(Payment.clinic_id == clinic)
    lost = Tie.payment_id.in_(mine) & (Tie.made < at - TICKET) & Tie.mark.not_in(known)
    with write() as session:
        session.execute(delete(Tie).where(lost))
        session.execute(delete(Heard).where(Heard.clinic_id == clinic, Heard.at < at - HEARD))
        old = at - YEARS * 365 * 86_400_000
        session.execute(delete(Payment).where(Payment.clinic_id == clinic, Payment.created < old))
    erase(db.engine)


# -- what Stripe tells us unasked


def hear(clinic, event, kind, about):
    """Something has happened at Stripe: ask how the payment stands now. Whether it was news. Raises Trouble."""
    if db.session.get(Heard, (clinic, event)) is not None:
        return False
    payment = _meant(clinic, kind, about)
    if payment is None:
        return False  # something else that this account sells
    row = db.session.get(Payment, payment)
    if row.session is None and about.get("object") == "checkout.session":
        with stripe(clinic) as at:
            take(payment, at.session(str(about.get("id", ""))))
    else:
        look(payment)
    with write() as session:
        if session.get(Heard, (clinic, event)) is None:
            session.add(Heard(clinic_id=clinic, event=event, at=now()))
    return True


def _meant(clinic, kind, about):
    """Which payment of the clinic an object of Stripe's is about, or None."""
    if kind.startswith("checkout.session."):
        name, where = about.get("client_reference_id"), None
    else:
        name = (about.get("metadata") or {}).get("payment")
        intent = about.get("id") if about.get("object") == "payment_intent" else about.get("payment_intent")
        where = Payment.intent == str(intent) if intent else None
    found = db.session.get(Payment, str(name)) if name else None
    if found is None and where is not None:
        found = db.session.scalar(select(Payment).where(where))
    return found.id if found is not None and found.clinic_id == clinic else None
