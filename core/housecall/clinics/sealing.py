"""Secrets at rest: AES-256-GCM under a key made of the server's own, bound to the place where they are kept; and
fingerprints, which tell that something is the same without telling what it is."""

from __future__ import annotations

import base64
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE = 12  #: bytes (NIST SP 800-38D, 96 bits)


class Unsealable(Exception):
    """Sealed under another key, for another place, or changed."""


def seal(key: bytes, place: str, plain: str) -> str:
    """`place` is table, column and id; the same text may be opened there and nowhere else."""
    nonce = secrets.token_bytes(NONCE)
    return base64.urlsafe_b64encode(nonce + _cipher(key).encrypt(nonce, plain.encode(), place.encode())).decode()


def unseal(key: bytes, place: str, sealed: str) -> str:
    """Raises Unsealable."""
    try:
        raw = base64.urlsafe_b64decode(sealed)
        return _cipher(key).decrypt(raw[:NONCE], raw[NONCE:], place.encode()).decode()
    except (ValueError, InvalidTag):
        raise Unsealable(place) from None


def fingerprint(key: bytes, place: str, plain: str) -> str:
    """64 hex digits (HMAC-SHA-256): the same text has another one in another place, and under another key."""
    own = _derived(key, b"housecall fingerprint 1")
    return hmac.digest(own, len(place).to_bytes(4, "big") + place.encode() + plain.encode(), "sha256").hex()


def _cipher(key: bytes) -> AESGCM:
    return AESGCM(_derived(key, b"housecall sealing 1"))


def _derived(key: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=purpose).derive(key)
