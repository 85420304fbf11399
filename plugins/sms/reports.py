"""What carriers tell us: how a text has fared, and what people answer. An address that nobody can guess proves them."""

import hmac

from flask import request

from housecall import address, clinic_id, report

from . import carriers, limits, numbers, sending

#: Under which names gateways say these things.
STATES = ("state", "status", "MessageStatus", "SmsStatus", "dlr", "type")
IDS = ("id", "MessageSid", "SmsSid", "message-id", "messageId", "message_id", "ref", "client-ref")
FROM = ("from", "From", "sender", "msisdn", "number", "phone")
TEXTS = ("text", "Body", "body", "message", "content")

#: What they say; everything else is on the way and changes nothing. Numbers are Kannel's.
DELIVERED = frozenset(("delivered", "delivrd", "read", "1"))
FAILED = frozenset(
    (
        *("failed", "undelivered", "undeliv", "undeliverable", "rejected", "rejectd", "expired", "deleted", "bounced"),
        *("canceled", "2", "16"),
    )
)
NOT_DELIVERED = "The carrier could not deliver it."


def answers_address(clinic):
    """Where a gateway is to send what people answer."""
    return f"{address(clinic)}/-/{sending.PLUGIN}/in/{sending.own_mark(clinic)}"


def reports_address(clinic):
    """Where a gateway that knows one address only is to send its reports."""
    return f"{address(clinic)}/-/{sending.PLUGIN}/reports/{sending.own_mark(clinic)}"


def right(mark, own):
    return hmac.compare_digest(mark.encode(), own.encode())


def signed(values, path):
    """Whether a call of Twilio bears its signature; other ways have none. The address is the one that we gave out."""
    if values["way"] != "twilio":
        return True
    url = address(clinic_id()) + path + (f"?{request.query_string.decode()}" if request.query_string else "")
    form = [(name, value) for name, given in request.form.lists() for value in given]
    told = request.headers.get("X-Twilio-Signature", "")
    return hmac.compare_digest(told.encode(), carriers.signature(values["key"] or "", url, form).encode())


def said(asked):
    """What a call says, by name: of its address, its form and its JSON."""
    tree = asked.get_json(silent=True) if asked.is_json else None
    flat = {k: str(v) for k, v in tree.items() if isinstance(v, (str, int))} if isinstance(tree, dict) else {}
    return {**asked.args.to_dict(), **asked.form.to_dict(), **flat}


def first(told, names):
    """The first of these names that says something."""
    return next((told[name] for name in names if told.get(name)), "")


def take(clinic, reference, told):
    """Tell the outbox how a message has fared. What comes twice, late or in another order changes nothing there."""
    state = first(told, STATES).strip().lower()
    if state in DELIVERED:
        report(clinic, reference, "delivered")
    elif state in FAILED:
        report(clinic, reference, "bounced", NOT_DELIVERED)


def heard(clinic, told):
    """Somebody has answered."""
    word, typed = limits.word(first(told, TEXTS)), first(told, FROM).strip()
    if not word:
        return
    values = sending.of(clinic)
    try:  # carriers write the country, with or without a +
        number = numbers.read(typed if typed.startswith("+") else f"+{typed.removeprefix('00')}", "")
    except numbers.Unreadable:
        try:
            number = numbers.read(typed, sending.country(values))
        except numbers.Unreadable:
            return
    if word == "stop":
        limits.stop(clinic, number)
    else:
        limits.start(clinic, number)
