"""The ways a text takes: a gateway's HTTP address, one like Twilio's, or a service of apprise."""

import base64
import hmac
import json
import re
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode, urlsplit

from housecall import Delivery

from . import blanks, gsm, wire
from .blanks import Mistake

TWILIO = "https://api.twilio.com"
#: Kannel's sendsms, as an address with blanks.
KANNEL = "?username={user}&password={key}&from={from}&to={to}&text={text}&charset=UTF-8&coding={coding}"
#: Its reports come as GET: 1 delivered, 2 not, 16 refused by the centre.
KANNEL_REPORTS = "&dlr-mask=19&dlr-url={report}"
STOPPED = "21610"  #: Twilio's code for somebody who has answered STOP
HAS_STOPPED = "This number has answered STOP to the carrier."


@dataclass(frozen=True, kw_only=True)
class Text:
    """One text on its way."""

    number: str = field(repr=False)  #: E.164
    text: str = field(repr=False)
    ref: str  #: ours; the same when it is tried again
    report: str = ""  #: where its reports shall go; empty: none


def send(values, text):
    """Give a text to the carrier of the settings. What is surely not taken is `later` or `refused`, else `unsure`."""
    if values["way"] == "apprise":
        return _by_apprise(values, text)
    try:
        request, good = request_for(values, text), statuses(values)
    except Mistake as mistake:
        return Delivery(state="refused", reason=f"The settings of text messages are not right: {mistake.what}")
    try:
        answer = wire.ask(request, inside=inside(values))
    except wire.NotSent as why:
        return Delivery(state="later", reason=str(why))
    except wire.Lost as why:
        return Delivery(state="unsure", reason=str(why), reference=text.ref)
    return judged(values, answer, text, good)


def inside(values):
    """The hosts of our own network that the server's owner lets us ask."""
    return tuple(part.strip() for part in (values.get("inside") or "").split(",") if part.strip())


def near(values):
    """Whether the gateway is one of our own network, as the server's owner says."""
    parts = urlsplit(values.get("url") or (TWILIO if values.get("way") == "twilio" else ""))
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return wire.allowed(parts.hostname, port, inside(values))


def request_for(values, text):
    """The request of a way over HTTP. Raises Mistake."""
    way = values["way"]
    if way == "twilio":
        return _twilio(values, text)
    given = {
        "to": text.number,
        "digits": text.number[1:],
        "text": text.text,
        "from": values.get("sender") or "",
        "ref": text.ref,
        "report": text.report,
        "coding": "0" if gsm.size(text.text).encoding == "gsm7" else "2",
        "key": values.get("key") or "",
        "user": values.get("user") or "",
    }
    if way == "kannel":
        url = (values.get("url") or "") + KANNEL + (KANNEL_REPORTS if text.report else "")
        given["report"] += "?state=%d"
        return blanks.filled({"http_method": "GET", "url": url}, given, sign_in=False)
    return blanks.filled(values, given)


def _twilio(values, text):
    sid = values.get("user") or ""
    sender = values.get("sender") or ""
    form = {"To": text.number, "Body": text.text}
    form |= {"MessagingServiceSid": sender} if sender.startswith("MG") else {"From": sender}
    form |= {"StatusCallback": text.report} if text.report else {}
    base = (values.get("url") or TWILIO).rstrip("/")
    pair = base64.b64encode(f"{sid}:{values.get('key') or ''}".encode()).decode()
    return wire.Request(
        method="POST",
        url=f"{base}/2010-04-01/Accounts/{quote(sid, safe='')}/Messages.json",
        headers=(("Authorization", f"Basic {pair}"), ("Content-Type", blanks.KINDS["form"])),
        body=urlencode(form).encode(),
    )


def judged(values, answer, text, good):
    """What an answer means for the text; `good` are the statuses that mean: taken."""
    status, way = answer.status, values["way"]
    if status in (429, 503):
        return Delivery(state="later", reason=f"The gateway is busy (HTTP {status}).")
    if status >= 500 or status < 200:
        return Delivery(state="unsure", reason=f"The gateway failed (HTTP {status}).", reference=text.ref)
    if status not in good:
        return Delivery(state="refused", reason=_refusal(way, answer))
    wanted = (values.get("http_taken") or "") if way == "http" else ""
    if wanted and wanted not in answer.body:
        return Delivery(state="refused", reason="The gateway's answer does not say that it has taken the text.")
    own = _id_in(answer.body, values.get("http_id")) if way == "http" else ""
    return Delivery(state="sent", reference=own or text.ref)


def _id_in(body, pattern):
    """The carrier's own id, from an answer and a piece of it such as `"id":"{id}"`; empty where it is not there."""
    before, _, after = (pattern or "").partition("{id}")
    found = body.find(before) + len(before) if before and before in body else len(body)
    own = re.match(r"[\w.:@+=-]{1,100}", body[found:])
    return own[0] if own and body.startswith(after, found + own.end()) else ""


def statuses(values):
    """The HTTP statuses that mean: taken. Raises Mistake."""
    if values["way"] == "kannel":
        return frozenset((202,))
    if values["way"] == "twilio":
        return frozenset((200, 201))
    found = set()
    for part in filter(None, re.split(r"[,\s]+", values.get("http_status") or "200-299")):
        match = re.fullmatch(r"(2\d\d)(?:-(2\d\d))?", part)
        if not match:
            raise Mistake("http_status", f"“{part}” is none: write statuses from 200 to 299, such as 200, 202.")
        found |= set(range(int(match[1]), int(match[2] or match[1]) + 1))
    return frozenset(found)


def _refusal(way, answer):
    """Why a gateway does not take a text, in our words: its own may hold the number."""
    if 300 <= answer.status < 400:
        return "The gateway sends us to another address, where we do not go. Write the final address in the settings."
    if answer.status in (401, 403):
        return f"The gateway refuses our name or key (HTTP {answer.status})."
    if way == "twilio" and (code := code_of(answer.body)):
        if code == STOPPED:
            return HAS_STOPPED
        known = {"21211": "it is no number", "21614": "it is no mobile number", "21408": "its country is not allowed"}
        return (
            f"The gateway refuses this number: {known[code]}."
            if code in known
            else (f"The gateway refuses the text (HTTP {answer.status}, code {code}).")
        )
    return f"The gateway refuses the text (HTTP {answer.status})."


def code_of(body):
    """The number of an error in an answer like Twilio's; empty where there is none."""
    try:
        code = json.loads(body).get("code")
    except (ValueError, AttributeError):
        return ""
    return str(code) if isinstance(code, int) else ""


def signature(key, url, form):
    """X-Twilio-Signature of a form that is sent to an address (pairs of name and value)."""
    told = url + "".join(name + value for name, value in sorted(form))
    return base64.b64encode(hmac.digest(key.encode(), told.encode(), "sha1")).decode()


def _by_apprise(values, text):
    """apprise says whether a service took it, and not why it did not: then nobody knows."""
    try:
        import apprise
    except ImportError:
        return Delivery(state="refused", reason=MISSING)
    service = apprise.Apprise(asset=apprise.AppriseAsset(secure_logging=True))
    if not service.add(apprise_url(values, text.number)):
        return Delivery(
            state="refused", reason="The settings of text messages are not right: apprise knows no such address."
        )
    try:
        taken = service.notify(body=text.text, body_format=apprise.NotifyFormat.TEXT)
    except Exception:  # a service's own; what it says may hold the number
        taken = False
    if taken:
        return Delivery(state="sent", reference=text.ref)
    return Delivery(state="unsure", reason="The service did not say that it has taken the text.", reference=text.ref)


MISSING = "This way needs more on the server: pip install 'housecall[apprise]'."


def apprise_url(values, number):
    """The service's address with the number in its place."""
    return (values.get("apprise_url") or "").replace("{to}", quote(number, safe="")).replace("{digits}", number[1:])


def host_of(values):
    """The host that texts are given to, for people."""
    if values["way"] == "twilio":
        return urlsplit(values.get("url") or TWILIO).netloc
    if values["way"] == "apprise":
        return (values.get("apprise_url") or "").partition(":")[0]
    return urlsplit(values.get("url") or "").netloc
