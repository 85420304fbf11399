"""Web Push: a message is encrypted for one browser (RFC 8291), signed by this server (RFC 8292), and given to the
browser's push service (RFC 8030), which can read nothing of it."""

import base64
import http.client
import ipaddress
import json
import os
import socket
import ssl
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from housecall import Delivery, address, db, members_of, seal, settings, unseal, write

from . import browsers
from .models import Browser, Key
from .times import now

TTL = 600  #: seconds that a push service keeps a message for a browser that is not there
SECONDS = 10  #: that a push service may take for anything
SIGNED = 12 * 3600  #: seconds that a signature is good; RFC 8292 allows a day
RECORD = 4096  #: bytes of a record: all that push services must take
P256 = ec.SECP256R1()


class Elsewhere(Exception):
    """A host that is not on the public network."""


# -- the server's own keys


def key():
    """The server's private key, made when it is first needed; a new one where the old cannot be opened any more."""
    row = db.session.get(Key, "vapid")
    opened = unseal("notify_key sealed vapid", row.sealed) if row else None
    if opened:
        return serialization.load_pem_private_key(opened.encode(), None)
    with write() as session:
        row = session.get(Key, "vapid")
        if row is None or unseal("notify_key sealed vapid", row.sealed) is None:
            pem = ec.generate_private_key(P256).private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            session.merge(Key(name="vapid", sealed=seal("notify_key sealed vapid", pem.decode())))
    return key()


def public():
    """The server's public key as browsers want it: base64url of the uncompressed point."""
    return encoded(point(key().public_key()))


def point(public_key):
    return public_key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def encoded(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


# -- RFC 8291 and 8292


def encrypt(plain, p256dh, auth, *, ours=None, salt=None):
    """A message as only the browser with these keys reads it: one record of aes128gcm (RFC 8188).

    `ours` and `salt` are fresh for each message; tests give those of the RFC's own example.
    """
    ours, salt = ours or ec.generate_private_key(P256), salt or os.urandom(16)
    theirs, sender = ec.EllipticCurvePublicKey.from_encoded_point(P256, p256dh), point(ours.public_key())
    secret = HKDF(SHA256(), 32, salt=auth, info=b"WebPush: info\0" + p256dh + sender).derive(
        ours.exchange(ec.ECDH(), theirs)
    )
    content = HKDF(SHA256(), 16, salt=salt, info=b"Content-Encoding: aes128gcm\0").derive(secret)
    nonce = HKDF(SHA256(), 12, salt=salt, info=b"Content-Encoding: nonce\0").derive(secret)
    head = salt + RECORD.to_bytes(4, "big") + bytes([len(sender)]) + sender
    return head + AESGCM(content).encrypt(nonce, plain + b"\2", None)


def signed(origin, contact, own, at):
    """The Authorization of a request to a push service: a JWT for this origin, good for twelve hours (`at` in ms)."""
    claims = {"aud": origin, "exp": at // 1000 + SIGNED, "sub": contact}
    parts = [{"typ": "JWT", "alg": "ES256"}, claims]
    text = ".".join(encoded(json.dumps(part, separators=(",", ":")).encode()) for part in parts)
    r, s = utils.decode_dss_signature(own.sign(text.encode(), ec.ECDSA(SHA256())))
    token = f"{text}.{encoded(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"
    return f"vapid t={token}, k={encoded(point(own.public_key()))}"


def contact(clinic):
    """How a push service reaches who sends: the practice's address, or its mail where it has no https."""
    home, mail = address(clinic), settings("core", clinic=clinic).get("email", "nobody@localhost")
    return home if home.startswith("https:") else f"mailto:{mail}"


# -- on its way


def deliver(message):
    """Give a message to the browser that `message.to` names."""
    row = browsers.find(message.to)
    if row is None or row.until <= now() or not any(each.id == row.member_id for each in members_of(row.clinic_id)):
        return Delivery(state="refused", reason="This browser takes no notifications any more.")
    given = browsers.subscription(row)
    if given is None or not browsers.known(row.clinic_id, given["endpoint"]):
        _drop(row)
        return Delivery(state="refused", reason="This browser has to be switched on again.")
    url = urlsplit(given["endpoint"])
    body = encrypt(message.text.encode(), decoded(given["p256dh"]), decoded(given["auth"]))
    headers = {
        "Authorization": signed(f"https://{url.netloc}", contact(row.clinic_id), key(), now()),
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(TTL),
        "Urgency": "high",
        "Topic": "waiting",  # one that was not fetched yet is replaced by the next
    }
    path = f"{url.path or '/'}{'?' + url.query if url.query else ''}"
    line = Line(url.hostname, url.port or 443, private=url.netloc in browsers.own_services(row.clinic_id))
    try:
        line.connect()
    except Elsewhere:
        return Delivery(state="refused", reason="The push service is not on the public network.")
    except OSError as error:
        return Delivery(state="later", reason=f"The push service cannot be reached ({type(error).__name__}).")
    try:
        line.request("POST", path, body, headers)
        status = line.getresponse().status
    except (OSError, http.client.HTTPException):
        return Delivery(state="unsure", reason="The push service did not say whether it has taken it.")
    finally:
        line.close()
    return _judged(row, status)


def _judged(row, status):
    """What an answer of a push service means."""
    if 200 <= status < 300:
        return Delivery(state="sent")
    if status in (404, 410):
        _drop(row)
        return Delivery(state="refused", reason="This browser takes no notifications any more.")
    if status == 429 or status >= 500:
        return Delivery(state="later", reason=f"The push service is busy ({status}).")
    return Delivery(state="refused", reason=f"The push service has refused it ({status}).")


def _drop(row):
    with write() as session:
        if found := session.get(Browser, row.id):
            session.delete(found)


class Line(http.client.HTTPSConnection):
    """A line to the very address that was looked at, whatever the name means a moment later."""

    def __init__(self, host, port, *, private):
        super().__init__(host, port, timeout=SECONDS, context=ssl.create_default_context())
        self.private = private

    def connect(self):
        """Raises Elsewhere, or OSError."""
        found = list(dict.fromkeys(each[4][0] for each in socket.getaddrinfo(self.host, self.port)))
        if not self.private and not all(everywhere(each) for each in found):
            raise Elsewhere(self.host)
        plain = self._reached(found)
        try:
            self.sock = self._context.wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise

    def _reached(self, addresses):
        """A socket to the first address that answers."""
        for last in (False,) * (len(addresses) - 1) + (True,):
            try:
                return socket.create_connection((addresses.pop(0), self.port), SECONDS)
            except OSError:
                if last:
                    raise


def everywhere(text):
    """Whether an address is one of the public network."""
    found = ipaddress.ip_address(text.partition("%")[0])
    return found.is_global and not found.is_multicast
