"""Payments by Stripe: asked for in a visit or before it, paid on Stripe's own page, which alone sees cards.

Kept are amount, state and Stripe's ids, for the books; never a name, nor which visit it was once that has ended.
"""

from housecall import Event, Field, Job, Step, hookimpl, in_visit

from . import accounts, currencies, flow, states, terms
from .check import payments
from .currencies import Unclear
from .gateway import Trouble
from .pages import pages

PLUGIN = accounts.PLUGIN


def look(context, body):
    """How the payments of this visit stand; with `fresh`, Stripe is asked, too."""
    rows, patient = flow.of_visit(context.visit.id), context.role == "patient"
    if patient and body["fresh"] and _owes(context.visit, rows):
        flow.beside(_begin, context.visit)
    for row, tie in rows:
        flow.finish(context, row, tie)
        if body["fresh"] and row.state in states.UNSETTLED:
            flow.beside(_looked, row.id)
    told = [flow.told(row, tie, patient=patient) for row, tie in rows]
    answer = {"payments": told, "elsewhere": terms.link(context.clinic, context.visit.room)}
    if not patient:
        try:
            accounts.usable(context.clinic)
            answer |= {"ready": True, **terms.offered(context.clinic)}
        except Trouble:
            answer["ready"] = False
    return answer


def _looked(payment):
    try:
        flow.look(payment)
    except Trouble:
        return  # the page shows what is known; the job asks again


def ask(context, body):
    """A provider asks for a payment. {errors} by field, or {payment}; what Stripe says of it comes as an event."""
    currency, errors = body["currency"], {}
    line = body["line"] or terms.offered(context.clinic)["line"]
    if currency not in currencies.CODES:
        return {"errors": {"currency": "invalid"}}
    try:
        amount = currencies.parse(body["amount"], currency)
    except Unclear as unclear:
        errors["amount"] = unclear.code
    if errors:
        return {"errors": errors}
    try:
        made = flow.ask(
            context.clinic, context.visit.id, member=context.member, amount=amount, currency=currency, line=line
        )
    except Trouble as trouble:
        return {"errors": {"": trouble.code}}
    flow.tell(made)
    flow.beside(_told, flow.make, made)
    return {"payment": made}


def opened(context, body):
    if _here(context, body):
        flow.opened(body["payment"])


def cancel(context, body):
    """A provider takes a payment back."""
    if not _here(context, body):
        return {"errors": {"": "closed"}}
    flow.beside(_told, flow.cancel, body["payment"])
    return {}


def refund(context, body):
    """A provider gives back an amount. `seen`: what was given back already, as the page shows it."""
    row = _here(context, body)
    if row is None:
        return {"errors": {"": "closed"}}
    try:
        amount = currencies.parse(body["amount"], row.currency)
    except Unclear as unclear:
        return {"errors": {"amount": unclear.code}}
    if not 0 < amount <= row.amount - row.refunded:
        return {"errors": {"amount": "more"}}
    flow.beside(_told, flow.refund, row.id, amount, body["seen"])
    return {}


def _told(doing, payment, *rest):
    """Do it; what is against it comes to the pages as an event."""
    try:
        doing(payment, *rest)
    except Trouble as trouble:
        flow.tell_trouble(payment, trouble)


def _here(context, body):
    """The payment that a page speaks of, if it is one of this visit."""
    return next((row for row, _ in flow.of_visit(context.visit.id) if row.id == body["payment"]), None)


def deaf(context, body):
    """What only this server says: from a page it is not taken."""


@hookimpl
def configure(table):
    accounts.configure(table)


@hookimpl
def blueprints():
    return [pages]


@hookimpl
def commands():
    return [payments]


@hookimpl
def settings():
    codes = tuple((code, code.upper()) for code in currencies.CODES)
    return [Field(id="currency", type="choice", label="Currency", choices=codes, default="eur", required=True)]


@hookimpl
def events():
    payment = Field(id="payment", label="Payment", required=True, max=32)
    amount = Field(id="amount", label="Amount", required=True, max=terms.AMOUNT)
    code = Field(id="currency", label="Currency", required=True, max=3)
    line = Field(id="line", label="Line", max=terms.LINE)
    number = {
        name: Field(id=name, type="int", label=name) for name in ("seen", "refunded", "refunding", "digits", "at")
    }
    flag = {name: Field(id=name, type="bool", label=name) for name in ("fresh", "before", "live")}
    stands = (
        payment,
        Field(id="state", type="choice", label="State", choices=tuple((s, s) for s in states.STATES)),
        Field(id="amount", type="int", label="Amount"),
        Field(id="url", label="Address", max=4000),
        *(number[name] for name in ("refunded", "refunding", "digits", "at")),
        *(flag[name] for name in ("before", "live")),
        *(code, line),
    )
    trouble = (
        Field(id="payment", label="Payment", max=32),
        Field(id="code", label="Code", max=20),
        Field(id="said", label="Said", max=300),
    )
    member, patient = {"sources": ("provider",), "path": "server"}, {"sources": ("patient",), "path": "server"}
    both = {"sources": ("provider", "patient"), "path": "server"}
    return [
        Event(name="look", fields=(flag["fresh"],), handler=look, **both),
        Event(name="ask", fields=(amount, code, line), handler=ask, rate=2, **member),
        Event(name="opened", fields=(payment,), handler=opened, rate=2, **patient),
        Event(name="cancel", fields=(payment,), handler=cancel, rate=2, **member),
        Event(name="refund", fields=(payment, amount, number["seen"]), handler=refund, rate=2, **member),
        Event(name="stands", to="all", fields=stands, handler=deaf, **member),
        Event(name="trouble", to="all", fields=trouble, handler=deaf, **member),
    ]


@hookimpl
def jobs():
    return [Job(name="ask", every=60, run=flow.repair), Job(name="sweep", every=3600, run=flow.sweep)]


@hookimpl
def checkin_steps(view):
    """The payment before the visit; one that has begun stays, whatever is set meanwhile."""
    if not terms.before(view.clinic, view.room) and f"{PLUGIN}:{flow.STEP}" not in view.steps:
        return []
    return [
        Step(
            id=flow.STEP,
            title="Payment",
            template="payments_step.html",
            module="payments.js",
            required=True,
            confirmed=True,
        )
    ]


@hookimpl
def visit_changed(view, old, new):
    if new == "ended":
        return flow.forget(view.id)
    if old is None and _owes(view, flow.of_visit(view.id)):
        _begin(view)


def _owes(view, rows):
    """Whether the step of the check-in is open, and no payment for it is on its way."""
    on_its_way = (*states.UNSETTLED, *states.TAKEN)
    open_ = view.steps.get(f"{PLUGIN}:{flow.STEP}") == "open"
    return open_ and not any(tie.get("step") and row.state in on_its_way for row, tie in rows)


def _begin(view):
    """Somebody has checked in who pays first."""
    values, amount = terms.offered(view.clinic), terms.before(view.clinic, view.room)
    if not amount:  # nothing is asked any more
        context = in_visit(PLUGIN, view.id)
        return context.step_done(flow.STEP) if context else None
    try:
        made = flow.ask(
            view.clinic,
            view.id,
            member="",
            amount=amount,
            currency=values["currency"],
            line=values["line"],
            step=flow.STEP,
        )
    except Trouble as trouble:
        return flow.said(view.id, trouble)  # the patient's page asks again; a member may admit without it
    _told(flow.make, made)


@hookimpl
def check_settings(values):
    return terms.mistakes(values)


@hookimpl
def health(clinic):
    if terms.link(clinic, ""):
        return None
    text, _ = accounts.key(clinic)
    if not text:
        return "Stripe is not connected yet: put the key into the settings, then connect on the page of the payments."
    try:
        accounts.usable(clinic)
    except Trouble:
        return "Stripe is not connected with the present key: connect on the page of the payments."
    return None
