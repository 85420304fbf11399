"""Which account of Stripe a clinic has connected, and how: by a key of its own, or under the key of a platform."""

import contextlib
import secrets
import time

from housecall import address, db, fingerprint, seal, settings, unseal, write

from .gateway import KEY, Stripe, Trouble
from .models import Account

PLUGIN = "payments"
SEALED = "payments_account.sealed"

_base = ""  #: another address than Stripe's, for tests


def configure(table):
    """`[server.payments]` of housecall.toml, which holds what is for tests alone."""
    global _base
    _base = table.read({"base": str}).get("base", "")
    if _base and not _base.startswith(("http://", "https://")):
        table.wrong("base", "this must be an address; it is for tests, and left out everywhere else")


def now():
    """ms since 1970."""
    return time.time_ns() // 1_000_000


def of(clinic):
    """The account that a clinic has connected, or None."""
    return db.session.get(Account, clinic)


def key(clinic):
    """(key, whether it is a platform's)."""
    values = settings(PLUGIN, clinic=clinic)
    return (values["platform"], True) if values["platform"] else (values["key"] or "", False)


def is_live(text):
    """Whether a key moves real money."""
    found = KEY.fullmatch(text)
    return found is not None and found[2] == "live"


def usable(clinic):
    """The account, if payments can be asked for now. Raises Trouble("off")."""
    account, (text, _) = of(clinic), key(clinic)
    if account is None or not account.ready or account.key != _print(text):
        raise Trouble("off")
    return account


def stripe(clinic):
    """Stripe, for the account of a clinic; read nothing of the database until it has answered. Raises Trouble."""
    account, (text, platform) = usable(clinic), key(clinic)
    made = _stripe(text, account.account if platform else "")
    db.session.rollback()  # nothing is held open while Stripe is asked
    return made


def opened(clinic, account=""):
    """Stripe by the clinic's key, connected or not."""
    return _stripe(key(clinic)[0], account)


def _stripe(text, account=""):
    return Stripe(text, account=account, base="" if is_live(text) else _base)  # a live key goes to Stripe alone


def _print(text):
    return fingerprint("payments_account.key", text)


def connect(clinic):
    """Look whether the key works, and make our address known to Stripe; the account. Raises Trouble."""
    text, platform = key(clinic)
    if not KEY.fullmatch(text):
        raise Trouble("off")
    before = of(clinic)
    same = before is not None and before.key == _print(text)
    with _stripe(text) as ours:
        if platform:
            name = before.account if same else ours.open_account()
            with _stripe(text, name) as theirs:
                _, ready = theirs.account()
        else:
            ours.look_around()
            name, ready = ours.account()
        hook, endpoint, secret = _hook(clinic, ours, before if same else None, platform)
    with write() as session:
        account = session.get(Account, clinic) or Account(clinic_id=clinic)
        account.account, account.ready, account.live, account.key = name, ready, is_live(text), _print(text)
        account.hook, account.endpoint, account.checked = hook, endpoint, now()
        account.sealed = seal(f"{SEALED} {clinic}", secret)
        session.add(account)
    return of(clinic)


def _hook(clinic, ours, before, platform):
    """(secret part, Stripe's id, secret) of our address; where Stripe cannot reach it, payments are asked after."""
    if before is not None and before.endpoint:
        return before.hook, before.endpoint, unseal(f"{SEALED} {clinic}", before.sealed) or ""
    part = secrets.token_urlsafe(18)
    try:
        return part, *ours.hook(f"{address(clinic)}/-/{PLUGIN}/hook/{part}", connect=platform)
    except Trouble as trouble:
        if trouble.code != "refused":
            raise
        return part, "", ""


def onboarding(clinic):
    """Where Stripe asks a clinic of a platform what it must know. Raises Trouble."""
    account, (text, _) = of(clinic), key(clinic)
    if account is None:
        raise Trouble("off")
    page = f"{address(clinic)}/-/{PLUGIN}/connect"
    with _stripe(text) as ours:
        return ours.onboarding(account.account, back=f"{page}?back=1", again=page)


def refresh(clinic):
    """Ask Stripe again whether the account may take payments. Raises Trouble."""
    account, (text, platform) = of(clinic), key(clinic)
    if account is None:
        raise Trouble("off")
    with _stripe(text, account.account if platform else "") as theirs:
        _, ready = theirs.account()
    with write() as session:
        found = session.get(Account, clinic)
        found.ready, found.checked = ready, now()


def disconnect(clinic):
    """Take our address back from Stripe and forget the account. The payments stay."""
    account, (text, _) = of(clinic), key(clinic)
    if account is None:
        return
    if account.endpoint and account.key == _print(text):
        with contextlib.suppress(Trouble), _stripe(text) as ours:
            ours.unhook(account.endpoint)
    with write() as session:
        session.delete(session.get(Account, clinic))


def signing(clinic):
    """The secret with which Stripe signs what it tells this clinic; empty where there is none."""
    account = of(clinic)
    return unseal(f"{SEALED} {clinic}", account.sealed) or "" if account and account.sealed else ""
