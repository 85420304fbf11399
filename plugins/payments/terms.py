"""What a clinic has set for its payments, read: amounts in minor units, presets, what is to be paid before a visit."""

from housecall import settings

from . import currencies, gateway
from .accounts import PLUGIN
from .currencies import Unclear

LINE = 120  #: characters of the line on Stripe's page
PRESETS = 12
AMOUNT = 60  #: characters of what is typed for an amount
HTTPS = "https://"


class Mistyped(Exception):
    """A line of the presets that is none; `text` is the line."""

    def __init__(self, text):
        super().__init__(text)
        self.text = text


def presets(text, currency):
    """[(label, minor units)] of lines such as "Consultation = 50". Raises Mistyped."""
    found = []
    for line in filter(None, map(str.strip, (text or "").splitlines())):
        label, mark, amount = line.rpartition("=")
        try:
            found.append((label.strip()[:LINE], currencies.parse(amount, currency)))
        except Unclear:
            raise Mistyped(line) from None
        if not mark or not label.strip():
            raise Mistyped(line)
    if len(found) > PRESETS:
        raise Mistyped(found[PRESETS][0])
    return found


def before(clinic, room):
    """The minor units to be paid before a visit in a room, or 0."""
    values = settings(PLUGIN, clinic=clinic, room=room)
    wanted = values["before"] if values["before_here"] == "practice" else values["before_here"] == "yes"
    text = values["amount_here"] or values["before_amount"]
    if not wanted or not text or link(clinic, room):
        return 0
    try:
        return currencies.parse(text, values["currency"])
    except Unclear:
        return 0


def link(clinic, room):
    """The practice's own payment page (of visits in a room, where one is named), in place of Stripe's; or ""."""
    values = settings(PLUGIN, clinic=clinic, room=room)
    text = values.get("link_here") or values["link"] or ""
    return text if text.startswith(HTTPS) else ""


def offered(clinic):
    """What a provider's page needs to ask for a payment."""
    values = settings(PLUGIN, clinic=clinic)
    currency = values["currency"]
    try:
        known = presets(values["presets"], currency)
    except Mistyped:  # the currency was changed in housecall.toml
        known = []
    return {
        "currency": currency,
        "line": values["line"],
        "presets": [[label, currencies.plain(amount, currency)] for label, amount in known],
    }


def mistakes(values):
    """What does not go together in the settings of a clinic: field to a sentence."""
    wrong = {}
    text = values["key"] or ""
    if text.startswith("pk_"):
        wrong["key"] = "This is a publishable key. The restricted key begins with rk_live_ or rk_test_."
    elif text and not gateway.KEY.fullmatch(text):
        wrong["key"] = "A key begins with rk_live_, rk_test_, sk_live_ or sk_test_. Copy it whole from Stripe."
    try:
        presets(values["presets"], values["currency"])
    except Mistyped as mistyped:
        wrong["presets"] = (
            f"Write each as: Consultation = 50. At most {PRESETS}. This one is not right: {mistyped.text}"
        )
    for name in ("before_amount", "amount_here"):
        if text := values.get(name):
            try:
                currencies.parse(text, values["currency"])
            except Unclear:
                wrong[name] = f"Write an amount in {values['currency'].upper()}, such as 50 or 12.50."
    if values["before"] and not values["before_amount"]:
        wrong["before_amount"] = "Say how much is to be paid before the visit."
    if values.get("before_here") == "yes" and not (values.get("amount_here") or values["before_amount"]):
        wrong["amount_here"] = "Say how much is to be paid before the visit."
    for name, before in (("link", values["before"]), ("link_here", values.get("before_here") == "yes")):
        if values.get(name) and not values[name].startswith(HTTPS):
            wrong[name] = "Write an address that begins with https://."
        elif values.get(name) and before:
            wrong[name] = "What is paid there is not known here, so it cannot be waited for before the visit."
    return wrong
