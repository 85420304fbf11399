"""Passwords: which are good enough, and argon2id off the loop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from .refused import Refused

SHORTEST, LONGEST = 8, 256

#: OWASP's second choice for argon2id (Password Storage Cheat Sheet): 19 MiB, two passes, one lane.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=Type.ID)

#: What stands for the hash of somebody who is not there, so that the answer takes as long.
_NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

#: Patterns that head every published list of leaked passwords and satisfy the length rule.
_COMMON = frozenset(Path(__file__).with_name("common_passwords.txt").read_text().split())

Offload = Callable[..., Any]


def hash(password: str, *, offload: Offload) -> str:
    return str(offload(_HASHER.hash, password))


def check(stored: str | None, password: str, *, offload: Offload) -> bool:
    """Whether `password` is the one behind `stored`; takes its time for an unknown account too."""
    try:
        return bool(offload(_HASHER.verify, stored or _NOBODY, password[: LONGEST + 1])) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


def needs_rehash(stored: str) -> bool:
    """Whether the parameters have changed since this hash was made."""
    return _HASHER.check_needs_rehash(stored)


def accept(password: str, *context: str) -> None:
    """Raises Refused(password=...) for one that is too short, too long, common, or made of the person's own words."""
    if len(password) < SHORTEST:
        raise Refused(password="password_short")
    if len(password) > LONGEST:
        raise Refused(password="too_long")
    plain = password.casefold()
    words = [w.casefold() for c in context for w in (c, *c.replace("@", " ").split()) if len(w) >= 3]
    if plain in _COMMON or len(set(plain)) < 4 or any(plain.strip("0123456789!.?") == word for word in words):
        raise Refused(password="password_common")
