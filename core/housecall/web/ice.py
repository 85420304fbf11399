"""STUN and TURN servers for one browser, with credentials that live an hour."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from ..config import IceServer

LIFETIME = 3600  #: seconds of a TURN credential (contracts §19)
CHECK = 120  #: of one that only tests the relay


def apart(configured: Iterable[IceServer]) -> list[IceServer]:
    """Each address by itself, to be tested with credentials of its own: a relay bounds what one user may have."""
    return [replace(server, urls=(url,)) for server in configured for url in server.urls]


def servers(configured: Iterable[IceServer], now: int, *, lifetime: int | None = None) -> dict[str, Any]:
    """`{servers, until}` for RTCPeerConnection; `now` and `until` in ms.

    The user name is `<expiry>:<random id>` and the password `base64(HMAC-SHA1(secret, user name))`, as coturn's
    `use-auth-secret` wants it. The id is random, so a relay's log says nothing about the visit.
    """
    until = now // 1000 + (lifetime or LIFETIME)
    made: list[dict[str, Any]] = []
    for server in configured:
        entry: dict[str, Any] = {"urls": list(server.urls)}
        if server.secret:
            user = f"{until}:{secrets.token_urlsafe(12)}"
            digest = hmac.new(server.secret.encode(), user.encode(), hashlib.sha1).digest()
            entry |= {"username": user, "credential": base64.b64encode(digest).decode()}
        elif server.credential:
            entry |= {"username": server.username or "", "credential": server.credential}
        made.append(entry)
    return {"servers": made, "until": until * 1000}
