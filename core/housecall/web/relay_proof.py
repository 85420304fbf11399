"""The test of a relay from outside: for whoever runs the server, on a phone, by the link of `housecall check`."""

from __future__ import annotations

from flask import Blueprint, abort, g, jsonify, request
from flask.typing import ResponseReturnValue
from itsdangerous import BadData, URLSafeTimedSerializer

from .. import clinics
from . import ice
from .house import house
from .look import render
from .pages import page_data
from .rates import Buckets

LIFETIME = 1800  #: seconds of a link
BY_NETWORK = Buckets(rate=1 / 10, burst=12)

pages = Blueprint("relay_proof", __name__)


def token(secret: bytes, clinic: str) -> str:
    """What lets a page test the relay of a clinic for half an hour."""
    return str(_signer(secret).dumps(clinic))


def _signer(secret: bytes) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(secret, salt="relay test")


@pages.get("/-/relay")
def page() -> ResponseReturnValue:
    """The token is in the fragment; the page's script posts it."""
    return render("relay.html", page=page_data())


@pages.post("/-/relay")
def servers() -> ResponseReturnValue:
    """The practice's relays, with credentials for one test: `{servers, until}`."""
    if not BY_NETWORK.take(f"{g.clinic.id} {clinics.logins.network(request.remote_addr or '')}"):
        abort(429)
    parts, body = house(), request.get_json(silent=True)
    given = body.get("token") if isinstance(body, dict) else None
    try:
        allowed = isinstance(given, str) and _signer(parts.site.secret).loads(given, max_age=LIFETIME) == g.clinic.id
    except BadData:
        allowed = False
    if not allowed:
        abort(403)
    return jsonify(ice.servers(ice.apart(parts.site.clinics[g.clinic.id].ice), parts.now(), lifetime=ice.CHECK))
