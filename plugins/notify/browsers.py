"""The browsers in which members have switched notifications on: what their push services need, sealed."""

import base64
import binascii
import json
import secrets
from urllib.parse import urlsplit

from sqlalchemy import delete, or_, select

from housecall import db, fingerprint, seal, settings, unseal, write

from .models import Browser
from .times import now

PLUGIN = "notify"
LIFE = 90 * 86_400_000  #: ms after a browser was last here with its member signed in
MOST = 10  #: browsers of a member
LONGEST = 2000  #: characters of an endpoint
#: Push services of the browsers' makers, as plugin.toml names them.
SERVICES = (
    "fcm.googleapis.com",
    "updates.push.services.mozilla.com",
    "*.push.apple.com",
    "*.notify.windows.com",
)


class Refused(Exception):
    """A subscription that is not taken; the text is a code: "invalid" or "service"."""


def own_services(clinic):
    """The push services that the operator has named, as host or host:port: these may be on a private network."""
    return (settings(PLUGIN, clinic=clinic)["services"] or "").split()


def known(clinic, endpoint):
    """Whether an endpoint is one of a push service that we speak with: https, and nothing in it that hides the host."""
    try:
        parts = urlsplit(endpoint)
        port = parts.port
    except ValueError:
        return False
    host = parts.hostname or ""
    if parts.scheme != "https" or "@" in parts.netloc or "\\" in endpoint or not endpoint.isascii():
        return False
    if parts.netloc in own_services(clinic):
        return True
    return port in (None, 443) and any(host == each or _below(host, each) for each in SERVICES)


def _below(host, pattern):
    return pattern.startswith("*.") and host.endswith(pattern[1:])


def keep(clinic, member, given):
    """Take a browser's subscription (PushSubscription.toJSON()), or take it anew. Raises Refused."""
    keys = given.get("keys") if isinstance(given.get("keys"), dict) else {}
    endpoint, p256dh, auth = given.get("endpoint"), keys.get("p256dh"), keys.get("auth")
    if not isinstance(endpoint, str) or len(endpoint) > LONGEST or not _is_key(p256dh, 65) or not _is_key(auth, 16):
        raise Refused("invalid")
    if not known(clinic, endpoint):
        raise Refused("service")
    mark, at, id = _mark(endpoint), now(), secrets.token_urlsafe(12)
    with write() as session:
        session.execute(delete(Browser).where(Browser.fingerprint == mark))  # whoever is signed in there now
        rows = session.scalars(select(Browser).where(Browser.member_id == member.id).order_by(Browser.made.desc()))
        for row in list(rows)[MOST - 1 :]:
            session.delete(row)
        sealed = seal(_place(id), json.dumps({"endpoint": endpoint, "p256dh": p256dh, "auth": auth}))
        kept = {"id": id, "clinic_id": clinic, "member_id": member.id, "login": member.login, "fingerprint": mark}
        session.add(Browser(**kept, sealed=sealed, browser=member.browser, made=at, until=at + LIFE))


def seen(member, endpoint):
    """A browser is here again: its notifications go on for as long again. The id of its row, or nothing."""
    mark = _mark(endpoint)
    with write() as session:
        row = session.scalar(select(Browser).where(Browser.fingerprint == mark, Browser.member_id == member.id))
        if row is None:
            return ""
        row.login, row.until = member.login, now() + LIFE
        return row.id


def of(member):
    """A member's browsers, the latest first."""
    query = select(Browser).where(Browser.member_id == member, Browser.until > now())
    return list(db.session.scalars(query.order_by(Browser.made.desc())))


def find(id):
    return db.session.get(Browser, id)


def subscription(row):
    """`{endpoint, p256dh, auth}`, or nothing where the server's key has changed since."""
    plain = unseal(_place(row.id), row.sealed)
    return json.loads(plain) if plain else None


def forget(*, member, id="", login=""):
    """Drop one browser of a member, those of one login, or all."""
    gone = delete(Browser).where(Browser.member_id == member)
    gone = gone.where(Browser.id == id) if id else gone
    gone = gone.where(Browser.login == login) if login else gone
    with write() as session:
        session.execute(gone)


def sweep(clinic, members, at):
    """Drop what is too old at `at` (ms), and what belongs to nobody who may sign in."""
    old = or_(Browser.until <= at, Browser.member_id.not_in(members))
    with write() as session:
        session.execute(delete(Browser).where(Browser.clinic_id == clinic, old))


def _is_key(text, size):
    """Whether a text is so many bytes in base64url; a point of P-256 begins with 4 (uncompressed)."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)) if isinstance(text, str) else b""
    except (ValueError, binascii.Error):
        return False
    return len(raw) == size and (size != 65 or raw[0] == 4)


def _mark(endpoint):
    return fingerprint("notify_browser endpoint", endpoint)


def _place(id):
    return f"notify_browser sealed {id}"
