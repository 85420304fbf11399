"""Secrets at rest: AES-256-GCM under a key made of the server's own, bound to the place where they are kept."""

from __future__ import annotations

import base64
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


def _cipher(key: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt=None, info=b"housecall sealing 1").derive(key))
