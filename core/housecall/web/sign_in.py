"""Signing in, signing up, signing out, and the one-time links that do it."""

from __future__ import annotations

from flask import Blueprint, abort, g, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from .. import clinics
from ..clinics.models import Invitation, Member
from .guard import drop_cookie, set_cookie
from .house import house
from .language import lang
from .look import render
from .messages import field_errors
from .pages import still
from .rates import Buckets
from .waiting import reserved

BY_ADDRESS = Buckets(rate=1 / 6, burst=20)  #: tries a minute by network: ten, after a burst
BY_ACCOUNT = Buckets(rate=1 / 12, burst=8)  #: tries a minute by account: five

pages = Blueprint("sign_in", __name__)


@pages.get("/sign-in")
def form() -> ResponseReturnValue:
    if current_user.is_authenticated:
        return redirect(url_for("dashboard.dashboard"), 303)
    return _form({}, {})


def _form(form: dict[str, str], errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    page = still("sign_in.methods")
    return render("sign_in.html", form=form, errors=errors, sign_up=_policy(), **page), status


def _policy() -> str:
    return house().site.clinics[g.clinic.id].sign_up


def _no_sign_up() -> ResponseReturnValue:
    """Why there is no account to be had here: by invitation only, or not at all."""
    return _sign_up_page(), 403


def _sign_up_page(
    form: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
    *,
    invitation: str = "",
    role: str = "provider",
) -> str:
    """The form of a new account, which says what comes with it; or that there is none."""
    return render(
        "sign_up.html",
        form=form or {},
        errors=errors or {},
        policy=_policy(),
        invitation=invitation,
        own_room=clinics.members.has_own_room(g.clinic.id, role),
    )


def _lets_in(invitation: Invitation) -> bool:
    """Where sign-up is closed, only a link that was made on the server itself (`member add`) still makes an account."""
    return _policy() != "closed" or invitation.made_by is None


@pages.post("/sign-in")
def sign_in() -> ResponseReturnValue:
    email, password = request.form.get("email", "").strip(), request.form.get("password", "")
    _brake(email)
    member = clinics.members.check_password(g.clinic.id, email, password, offload=house().runtime.offload)
    if member is None:
        return _form({"email": email}, field_errors({"password": "wrong"}, lang()), 422)
    return _signed_in(member, "password")


def _brake(account: str) -> None:
    """Slows down who guesses: by network, and by account. Asked before any hash is computed."""
    network = clinics.logins.network(request.remote_addr or "")
    if not BY_ADDRESS.take(f"{g.clinic.id} {network}"):
        abort(429)
    if account and not BY_ACCOUNT.take(f"{g.clinic.id} {account.lower()[:200]}"):
        abort(429)


def _signed_in(member: Member, method: str) -> ResponseReturnValue:
    """A new login and its cookie; one that this browser had is ended."""
    if current_user.is_authenticated:
        clinics.logins.revoke(current_user.login)
    token = clinics.logins.start(
        member.id, method, agent=request.headers.get("User-Agent", ""), address=request.remote_addr or ""
    )
    response = make_response(redirect(url_for("dashboard.dashboard"), 303))
    set_cookie(response, "hc-login", token)
    return response


@pages.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    if current_user.is_authenticated:
        clinics.logins.revoke(current_user.login)
    response = make_response(redirect(url_for("front.front"), 303))
    drop_cookie(response, "hc-login")
    return response


@pages.get("/sign-up")
def sign_up_form() -> ResponseReturnValue:
    return _sign_up_page()


@pages.post("/sign-up")
def sign_up() -> ResponseReturnValue:
    _brake("")
    form = {name: value for name, value in request.form.items() if name not in ("token", "password")}
    invitation, role = form.pop("invitation", ""), "provider"
    if invitation:
        invited = clinics.invitations.find(invitation)
        if invited is None or invited.clinic_id != g.clinic.id:
            return _used()
        if not _lets_in(invited):
            return _no_sign_up()
        role = invited.role
    elif _policy() != "open":
        return _no_sign_up()
    try:
        member = clinics.members.join(
            g.clinic.id,
            role=role,
            email=form.get("email", ""),
            first_name=form.get("first_name", ""),
            last_name=form.get("last_name", ""),
            password=request.form.get("password", ""),
            adult=form.get("adult") == "yes",
            invitation=invitation or None,
            reserved=reserved(),
            offload=house().runtime.offload,
        )
    except clinics.Refused as refused:
        errors = field_errors(refused.fields, lang())
        return _sign_up_page(form, errors, invitation=invitation, role=role), 422
    return _signed_in(member, "password")


@pages.get("/sign-in/link")
def link() -> ResponseReturnValue:
    """The token is in the fragment, which no server sees; the page's script posts it, so scanners use up nothing."""
    return render("sign_in_link.html")


@pages.post("/sign-in/link")
def use_link() -> ResponseReturnValue:
    """An invitation leads to the sign-up form, a reset link to a new password, a demo's link signs in."""
    _brake("")
    parts, token = house(), request.form.get("link", "")
    if parts.site.demo and (member := clinics.invitations.demo_member(parts.site.secret, token)):
        return _signed_in(member, "demo")
    if (member := clinics.invitations.reset_member(parts.site.secret, token)) and member.clinic_id == g.clinic.id:
        return _new_password(member, token)
    invitation = clinics.invitations.find(token)
    if invitation is None or invitation.clinic_id != g.clinic.id:
        return _used()
    if not _lets_in(invitation):
        return _no_sign_up()
    return _sign_up_page(invitation=token, role=invitation.role)


def _new_password(member: Member, token: str) -> ResponseReturnValue:
    """The first post of a reset link shows the form, the second brings the password."""
    errors: dict[str, str] = {}
    if "password" in request.form:
        try:
            clinics.members.set_password(member.id, request.form["password"], offload=house().runtime.offload)
        except clinics.Refused as refused:
            errors = field_errors(refused.fields, lang())
        else:
            clinics.logins.revoke_all(member.id)
            return _signed_in(member, "reset")
    return render("set_password.html", link=token, email=member.email, errors=errors), 422 if errors else 200


def _used() -> ResponseReturnValue:
    from .messages import FIELDS, say

    message = say(FIELDS["used"], lang())
    return render("error.html", status=410, what=message.what, next=message.next), 410
