"""What every request passes: which clinic, who is it, may this form be taken; and the headers of every answer."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Collection
from functools import wraps
from typing import Any, ParamSpec
from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, g, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, UserMixin, current_user
from itsdangerous import BadData, URLSafeTimedSerializer

from .. import clinics
from ..clinics.models import Clinic, Login, Member
from ..config import Site
from ..extending.manifest import RESERVED
from .house import house

P = ParamSpec("P")

PLUGIN_PATH = re.compile(r"/+-/+([a-z0-9_]+)(?:/|$)")
FORM_AGE = 12 * 3600  #: seconds that a form may stay open before it must be reloaded
OUTSIDE_BYTES = 256 * 1024  #: of what another server may say to us at once
PERMISSIONS = (
    "camera=(self), microphone=(self), display-capture=(self), fullscreen=(self), autoplay=(self), "
    "screen-wake-lock=(self), picture-in-picture=(self), geolocation=(), payment=(), usb=(), serial=(), hid=(), "
    "midi=(), accelerometer=(), gyroscope=(), magnetometer=(), browsing-topics=()"
)


class SignedIn(UserMixin):  # type: ignore[misc]
    """The member behind a request, with the login that shows it: the hash of its token.

    A plain text, since the row may be deleted by the request itself.
    """

    def __init__(self, member: Member, login: Login):
        self.member, self.login = member, login.token_sha256

    def get_id(self) -> str:
        return str(self.member.id)


def secure() -> bool:
    """Whether people reach us by https."""
    return request.is_secure or (house().site.url or "").startswith("https:")


def cookie(name: str) -> str:
    """The name of one of our cookies: with the `__Host-` prefix where https makes it count."""
    return f"__Host-{name}" if secure() else name


def set_cookie(response: Response, name: str, value: str) -> None:
    """A cookie of the session: not for scripts, not for other sites, not for other hosts."""
    response.set_cookie(cookie(name), value, path="/", httponly=True, samesite="Lax", secure=secure())


def drop_cookie(response: Response, name: str) -> None:
    response.delete_cookie(cookie(name), path="/", httponly=True, samesite="Lax", secure=secure())


def members_only(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """A view for members: others are sent to sign in (GET) or refused."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        if not current_user.is_authenticated:
            if request.method == "GET":
                return redirect(url_for("sign_in.form"), 303)
            abort(403)
        return view(*args, **kwargs)

    return guarded


def admins_only(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """A view for owners and admins; to other members it does not exist."""

    @wraps(view)
    @members_only
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        if me().role not in ("owner", "admin"):
            abort(404)
        return view(*args, **kwargs)

    return guarded


def takes(size: int) -> Callable[[Callable[P, ResponseReturnValue]], Callable[P, ResponseReturnValue]]:
    """A view to which members may send more than others may anywhere: `size` bytes."""

    def mark(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
        view.takes = size  # type: ignore[attr-defined]
        return view

    return mark


def webhook(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """A view that other servers call: no form, no origin, and nobody is signed in there, whatever cookie comes.

    The view itself proves who calls, by a signature or by an address that nobody can guess. At most 256 KiB.
    """
    view.from_outside = True  # type: ignore[attr-defined]
    return view


def _from_outside() -> bool:
    return getattr(current_app.view_functions.get(request.endpoint or ""), "from_outside", False)


def me() -> Member:
    """The member who is signed in."""
    member: Member = current_user.member
    return member


def login_token() -> str | None:
    return request.cookies.get(cookie("hc-login"))


def clinic_of(host: str) -> Clinic | None:
    """The clinic that answers for a host, with or without its port."""
    found: Clinic | None = clinics.clinic.find(host)
    return found


def origin_is_ours(site: Site, origin: str | None, host: str) -> bool:
    """Whether a page of `origin` is one of the clinic at `host`: same host and port, and https where we are https."""
    parts = urlsplit(origin or "")
    if parts.netloc != host or parts.scheme not in ("http", "https"):
        return False
    return parts.scheme == "https" or not (site.url or "").startswith("https:")


def form_token() -> str:
    """The token that a form of this page must send back: signed, dated, and bound to the login."""
    return str(_forms().dumps(_bound_to()))


def _forms() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(house().site.secret, salt="form")


def _bound_to() -> str:
    return current_user.login[:16] if current_user.is_authenticated else ""


def _allow_size() -> None:
    size = getattr(current_app.view_functions.get(request.endpoint or ""), "takes", None)
    if size and current_user.is_authenticated:
        request.max_content_length = size


def _check_form() -> None:
    if not origin_is_ours(house().site, request.headers.get("Origin"), request.host):
        abort(403)
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        abort(403)
    token = request.headers.get("X-Form-Token") or request.form.get("token", "")
    try:
        bound = _forms().loads(token, max_age=FORM_AGE)
    except BadData:
        abort(403)
    if bound != _bound_to():
        abort(403)


def policy(nonce: str, plugins: Collection[str] = ()) -> str:
    """The Content-Security-Policy of a page (its scripts carry `nonce`), with what `plugins` ask for."""
    host = request.host
    wasm = " 'wasm-unsafe-eval'" if "wasm" in plugins else ""
    made = {"scripts": "default", "worker": "worker"}  # by trusted.js, for files of these plugins only
    trusted = " ".join(name for need, name in made.items() if need in plugins) or "'none'"
    rules = [
        "default-src 'none'",
        f"script-src 'nonce-{nonce}' 'strict-dynamic'{wasm}",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "font-src 'self'",
        f"connect-src 'self' {'wss' if secure() else 'ws'}://{host}",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "object-src 'none'",
        "require-trusted-types-for 'script'",
        f"trusted-types {trusted}",
    ]
    if "worker" in plugins:
        rules.append("worker-src 'self'")
    if secure():
        rules.append("upgrade-insecure-requests")
    return "; ".join(rules)


def init_app(app: Flask) -> None:
    """Put the gate before every route, and the headers on every answer."""
    logins = LoginManager(app)
    logins.session_protection = None
    logins.request_loader(_who)

    @app.before_request
    def enter() -> Response | None:
        g.nonce = secrets.token_urlsafe(16)
        found = clinic_of(request.host)
        if found is None and request.endpoint != "health.health":
            response = make_response("There is no clinic at this address.\n", 404)
            response.mimetype = "text/plain"
            return response
        g.clinic = found
        match = PLUGIN_PATH.match(request.path)
        plugin = match[1] if match and match[1] not in RESERVED else None
        if found is not None and plugin is not None and not house().registry.is_on(found.id, plugin):
            abort(404)  # before the method or the form is looked at: off is as unknown
        if _from_outside():
            request.max_content_length = OUTSIDE_BYTES
        elif request.method == "POST":
            _allow_size()
            _check_form()
        return None

    @app.after_request
    def headers(response: Response) -> Response:
        put = response.headers.setdefault
        if response.mimetype == "text/html":
            clinic = g.get("clinic")
            plugins = house().registry.csp(clinic.id) if clinic else ()
            put("Content-Security-Policy", policy(g.get("nonce", ""), plugins))
            put("Permissions-Policy", PERMISSIONS)
        else:
            put("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
        put("X-Content-Type-Options", "nosniff")
        put("Referrer-Policy", "same-origin")
        put("X-Frame-Options", "DENY")
        put("Cross-Origin-Opener-Policy", "same-origin")
        put("Cross-Origin-Resource-Policy", "same-origin")
        put("Cache-Control", "no-store")
        if secure():
            put("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
        return response


def _who(request_: Any) -> SignedIn | None:
    token = login_token()
    clinic = g.get("clinic")
    if not token or clinic is None or _from_outside():
        return None
    login = clinics.logins.find(token, in_call=house().in_call(token))
    if login is None:
        return None
    member = clinics.members.by_id(login.member_id)
    if member is None or member.clinic_id != clinic.id or member.disabled_at is not None:
        return None
    return SignedIn(member, login)
