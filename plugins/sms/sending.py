"""One text of the outbox: is it right, may it go, and what its carrier says."""

from urllib.parse import urlsplit

from housecall import Delivery, address, fingerprint, settings

from . import blanks, carriers, gsm, limits, numbers

PLUGIN = "sms"
STOPPED = "This number has answered STOP. Its owner can text START to hear from the practice again."
NAMED = {"kannel": "Kannel", "http": "a gateway", "twilio": "Twilio's way", "apprise": "apprise"}

trouble = {}  #: clinic -> what the last text failed of, for the plugin's card; a text that goes ends it


def carry(values, message):
    """What became of one try."""
    clinic = message.clinic
    if wrong := problems(values):
        return Delivery(state="refused", reason=f"The settings of text messages: {next(iter(wrong.values()))}")
    try:
        number = understood(values, message.to)
    except numbers.Unreadable as why:
        return Delivery(state="refused", reason=str(why))
    if limits.is_stopped(clinic, number):
        return Delivery(state="refused", reason=STOPPED)
    parts = gsm.size(message.text).parts
    if not 0 < parts <= values["parts"]:
        long = f"It has {parts} parts, and the practice's settings allow {values['parts']}."
        return Delivery(state="refused", reason=long if parts else "It is empty.")
    if why := limits.take(clinic, number, values["daily_number"], values["daily"]):
        return Delivery(state="refused", reason=why)
    text = carriers.Text(
        number=number, text=message.text, ref=message.id, report=report_address(values, clinic, message.id)
    )
    delivery = carriers.send(values, text)
    if delivery.state in ("later", "refused"):
        limits.give_back(clinic, number)
    if delivery.reason == carriers.HAS_STOPPED:
        limits.stop(clinic, number)
    if delivery.state == "sent":
        trouble.pop(clinic, None)
    elif delivery.state != "refused" or "number" not in delivery.reason:
        trouble[clinic] = delivery.reason
    return delivery


def understood(values, typed):
    """The number that was typed, if the practice may text it. Raises Unreadable."""
    number = numbers.read(typed, country(values))
    if not numbers.may(number, numbers.prefixes(values.get("allowed"), country(values))):
        raise numbers.Unreadable("The practice's settings allow no texts to numbers that begin like this.")
    return number


def country(values):
    return (values.get("country") or "").lstrip("+")


# -- addresses that carriers call


def mark(clinic, message):
    """What the address for a message's reports ends in: nobody else can make it."""
    return fingerprint(f"sms report {clinic}", message)[:32]


def own_mark(clinic):
    """What the addresses for what people answer, and for reports of all messages, end in."""
    return fingerprint("sms in", clinic)[:32]


def report_address(values, clinic, message):
    """Where a carrier reports on one message; empty where it could not reach us, as on a developer's machine."""
    own = urlsplit(address(clinic))
    far = not carriers.near(values)
    if far and (own.hostname == "localhost" or own.scheme != "https"):
        return ""
    return f"{address(clinic)}/-/{PLUGIN}/report/{message}/{mark(clinic, message)}"


# -- settings


def problems(values):
    """What is wrong with the settings: field to a sentence. None where no way is chosen."""
    way, wrong = values.get("way") or "off", {}
    if way == "off":
        return wrong
    if not numbers.code_of(country(values)) == country(values) != "":
        wrong["country"] = "Write the country code of the practice's own numbers, such as +32."
    try:
        numbers.prefixes(values.get("allowed"), country(values))
    except numbers.Unreadable as why:
        wrong["allowed"] = str(why)
    if way == "apprise":
        return wrong | _apprise_problems(values)
    needed = {"kannel": ("url", "user", "key"), "twilio": ("user", "key", "sender"), "http": ("url",)}[way]
    wrong |= {name: f"{NAMED[way][0].upper()}{NAMED[way][1:]} needs this." for name in needed if not values.get(name)}
    url = urlsplit(values.get("url") or "")
    if not _has_port(url):
        return wrong | {"url": "The port of an address is a number up to 65535."}
    if url.scheme == "http" and not carriers.near(values):
        wrong["url"] = "Use https://. Only a gateway that housecall.toml names under inside may be asked without."
    if not wrong:
        try:
            carriers.statuses(values)
            sample = carriers.Text(number="+3247000001", text="text", ref="ref", report="https://localhost/")
            request = carriers.request_for(values, sample)
            if way == "http" and not _says(values):
                wrong["http_body"] = "The number ({to} or {digits}) and {text} must stand in the address or the body."
            elif request.method == "GET" and values.get("http_body") and way == "http":
                wrong["http_body"] = "A request by GET has no body: write what is to be said into the address."
        except blanks.Mistake as mistake:
            wrong[mistake.field] = mistake.what
    return wrong


def _has_port(url):
    try:
        return url.port != 0
    except ValueError:
        return False


def _says(values):
    written = (values.get("url") or "") + (values.get("http_body") or "")
    return "{text}" in written and ("{to}" in written or "{digits}" in written)


def _apprise_problems(values):
    url = values.get("apprise_url") or ""
    if not url:
        return {"way": "Write apprise_url into housecall.toml: it may lead anywhere, so only there."}
    if "verify=no" in url.lower():
        return {"way": "apprise_url says verify=no: certificates are always checked."}
    if "{to}" not in url and "{digits}" not in url:
        return {"way": "The number ({to} or {digits}) must stand in apprise_url."}
    return {}


def of(clinic):
    """The settings of a practice, secrets included."""
    return settings(PLUGIN, clinic=clinic)


def ready(clinic):
    """Whether a practice can send texts now."""
    values = of(clinic)
    return values["way"] != "off" and not problems(values)
