"""The pages: list, one payment, connecting Stripe, what patients come back to, and the address that Stripe tells."""

import hmac

from flask import Blueprint, Response, abort, redirect, request

from housecall import admins_only, clinic_id, member, members_only, page, settings, webhook

from . import accounts, books, currencies, flow, gateway, states, terms
from .currencies import Unclear
from .gateway import Forged, Trouble

pages = Blueprint("payments_pages", __name__)


@pages.get("/")
@members_only
def overview():
    number = max(1, request.args.get("page", 1, type=int))
    rows, count = books.page(clinic_id(), member(), number)
    real, test = (books.totals(clinic_id(), member(), live=live) for live in (True, False))
    more = {"names": books.names(rows), "number": number, "pages": count, "real": real, "test": test}
    more |= {"account": accounts.of(clinic_id()), "link": terms.link(clinic_id(), "")}
    return page("payments_list.html", rows=rows, **more, **_words())


@pages.get("/payments.csv")
@members_only
def sheet():
    response = Response(books.sheet(clinic_id(), member()), mimetype="text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="payments.csv"'
    return response


@pages.get("/payment/<payment>")
@members_only
def one(payment):
    return _one(books.one(clinic_id(), member(), payment) or abort(404))


@pages.post("/payment/<payment>")
@members_only
def change(payment):
    """`do`: check (ask Stripe), cancel, refund (shows what would be given back) or give (does it)."""
    row, do = books.one(clinic_id(), member(), payment) or abort(404), request.form.get("do")
    try:
        if do == "check":
            flow.look(row.id)
        elif do == "cancel":
            flow.cancel(row.id)
        elif do in ("refund", "give"):
            amount = currencies.parse(request.form.get("amount", ""), row.currency)
            if not 0 < amount <= row.amount - row.refunded:
                raise Trouble("amount")
            if do == "refund":
                return _one(row, asked=amount)
            flow.refund(row.id, amount, request.form.get("seen", type=int, default=-1))
        else:
            abort(400)
    except Unclear as unclear:
        return _one(row, wrong=unclear.code), 422
    except Trouble as trouble:
        return _one(books.one(clinic_id(), member(), payment), trouble=trouble), 422
    return redirect(f"{payment}?done={do}", 303)


def _one(row, **more):
    given = {"asked": 0, "wrong": "", "trouble": None, "done": request.args.get("done", ""), **more}
    left = currencies.plain(row.amount - row.refunded, row.currency)
    typed = request.form.get("amount", left)
    return page("payments_one.html", row=row, names=books.names([row]), left=left, typed=typed, **given, **_words())


def _words():
    return {"shown": currencies.shown, "plain": currencies.plain, "day": books.day, "states": states}


# -- connecting


@pages.get("/connect")
@admins_only
def connection():
    if request.args.get("back"):  # from Stripe's own pages
        try:
            accounts.refresh(clinic_id())
        except Trouble as trouble:
            return _connection(trouble)
    return _connection()


@pages.post("/connect")
@admins_only
def connect():
    """`do`: connect or disconnect."""
    do = request.form.get("do")
    try:
        if do == "connect":
            accounts.connect(clinic_id())
        elif do == "disconnect":
            accounts.disconnect(clinic_id())
        else:
            abort(400)
    except Trouble as trouble:
        return _connection(trouble), 422
    return redirect("connect", 303)


@pages.get("/connect/go")
@admins_only
def go():
    """To Stripe's questions, for a clinic of a platform: a link, since no form of ours may lead elsewhere."""
    try:
        return redirect(accounts.onboarding(clinic_id()), 303)
    except Trouble as trouble:
        return _connection(trouble), 422


def _connection(trouble=None):
    (text, platform), account = accounts.key(clinic_id()), accounts.of(clinic_id())
    known = gateway.KEY.fullmatch(text)
    kind = {
        "has": bool(text),
        "restricted": bool(known) and known[1] == "rk",
        "live": bool(known) and known[2] == "live",
    }
    try:
        usable = bool(accounts.usable(clinic_id()))
    except Trouble:
        usable = False
    values = settings(accounts.PLUGIN)
    more = {"currency": values["currency"].upper(), "platform": platform, "trouble": trouble, "usable": usable}
    return page("payments_connect.html", account=account, kind=kind, day=books.day, **more)


# -- what patients come back to


@pages.get("/done")
def done():
    return page("payments_back.html", paid=True)


@pages.get("/back")
def back():
    return page("payments_back.html", paid=False)


# -- what Stripe tells


@pages.post("/hook/<part>")
@webhook
def hook(part):
    """Stripe tells that something has happened. 2xx: heard, or none of ours; 4xx: not from Stripe; 503: tell again."""
    account = accounts.of(clinic_id())
    if account is None or not account.endpoint or not hmac.compare_digest(account.hook.encode(), part.encode()):
        abort(404)
    secret, (_, platform) = accounts.signing(clinic_id()), accounts.key(clinic_id())
    try:
        event, kind, live, whose, about = gateway.event(
            request.get_data(), request.headers.get("Stripe-Signature", ""), secret
        )
    except Forged:
        abort(400)
    if platform and whose not in ("", account.account):
        return "", 204  # of another clinic of the platform, which hears of it at its own address
    if live != account.live or whose != (account.account if platform else ""):
        abort(400)
    try:
        if kind in gateway.ACCOUNT_EVENTS:
            accounts.refresh(clinic_id())
        elif kind in gateway.EVENTS:
            flow.hear(clinic_id(), event, kind, about)
    except Trouble as trouble:
        abort(400 if trouble.code == "other" else 503)
    return "", 204
