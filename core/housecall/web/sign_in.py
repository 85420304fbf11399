"""Signing in, signing up, signing out, and the one-time links that do it."""

from __future__ import annotations

from flask import Blueprint, abort, g, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from .. import clinics
from ..clinics.models import Invitation, Member
from . import by_mail
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
    mail = by_mail.possible()
    return render("sign_in.html", form=form, errors=errors, sign_up=_policy(), mail=mail, **page), status


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
    proven: str = "",
    role: str = "provider",
) -> str:
    """The form of a new account, which says what comes with it; or that there is none.

    Where mail can go, a stranger's begins with the address alone (`first`); its link opens the rest, with that
    address (`proven`).
    """
    return render(
        "sign_up.html",
        form=form or {},
        errors=errors or {},
        policy=_policy(),
        invitation=invitation,
        proven=proven,
        first=not invitation and _policy() == "open" and by_mail.possible(),
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


@pages.get("/sign-in/forgot")
def forgot() -> ResponseReturnValue:
    return _forgot({}, {})


def _forgot(form: dict[str, str], errors: dict[str, str]) -> ResponseReturnValue:
    return render("forgot.html", form=form, errors=errors, mail=by_mail.possible()), 422 if errors else 200


@pages.post("/sign-in/forgot")
def ask_new_password() -> ResponseReturnValue:
    """The same answer, as fast, for an address that is a member's and for one that is not."""
    try:
        email = _asked_by_mail()
    except clinics.Refused as refused:
        return _forgot({"email": request.form.get("email", "")}, field_errors(refused.fields, lang()))
    by_mail.new_password(email)
    return render("mailed.html", email=email, back="sign_in.forgot")


def _asked_by_mail() -> str:
    """The address to which a visitor wants something sent: not too much, and only where mail can go. Raises Refused."""
    _brake("")
    if not by_mail.possible():
        abort(404)
    email = clinics.members.address(request.form.get("email", ""))
    if not by_mail.TO_ADDRESS.take(f"{g.clinic.id} {email}"):
        abort(429)
    return email


@pages.get("/sign-up")
def sign_up_form() -> ResponseReturnValue:
    return _sign_up_page()


@pages.post("/sign-up")
def sign_up() -> ResponseReturnValue:
    _brake("")
    form = {name: value for name, value in request.form.items() if name not in ("token", "password")}
    link = form.pop("invitation", "")
    invitation, role = link, "provider"
    proven = clinics.invitations.sign_up_address(house().site.secret, link, g.clinic.id) if link else None
    if proven:
        if _policy() != "open":
            return _no_sign_up()
        invitation, form["email"] = "", proven
    elif invitation:
        invited = clinics.invitations.find(invitation)
        if invited is None or invited.clinic_id != g.clinic.id:
            return _used()
        if not _lets_in(invited):
            return _no_sign_up()
        role = invited.role
    elif _policy() != "open":
        return _no_sign_up()
    elif by_mail.possible():
        return _ask_account(form)
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
        return _sign_up_page(form, errors, invitation=link, proven=proven or "", role=role), 422
    return _signed_in(member, "password")


def _ask_account(form: dict[str, str]) -> ResponseReturnValue:
    """The same answer for an address that has an account and for one that has none: what comes by mail differs."""
    try:
        clinics.limits.check(g.clinic.id, "members", "email")
        email = _asked_by_mail()
    except clinics.Refused as refused:
        return _sign_up_page(form, field_errors(refused.fields, lang())), 422
    by_mail.first_address(email)
    return render("mailed.html", email=email, back="sign_in.sign_up_form")


@pages.get("/sign-in/link")
def link() -> ResponseReturnValue:
    """The token is in the fragment, which no server sees; the page's script posts it, so scanners use up nothing."""
    return render("sign_in_link.html")


@pages.post("/sign-in/link")
def use_link() -> ResponseReturnValue:
    """An invitation, or a link to a proven address, leads to the sign-up form, a reset link to a new password, a new
    address to its confirmation; a demo's link signs in."""
    _brake("")
    parts, token = house(), request.form.get("link", "")
    if parts.site.demo and (member := clinics.invitations.demo_member(parts.site.secret, token)):
        return _signed_in(member, "demo")
    if (member := clinics.invitations.reset_member(parts.site.secret, token)) and member.clinic_id == g.clinic.id:
        return _new_password(member, token)
    if (change := clinics.invitations.address_change(parts.site.secret, token)) and change[0].clinic_id == g.clinic.id:
        return _new_address(*change, token)
    if proven := clinics.invitations.sign_up_address(parts.site.secret, token, g.clinic.id):
        if _policy() != "open":
            return _no_sign_up()
        return _sign_up_page(invitation=token, proven=proven)
    invitation = clinics.invitations.find(token)
    if invitation is None or invitation.clinic_id != g.clinic.id:
        return _used()
    if not _lets_in(invitation):
        return _no_sign_up()
    return _sign_up_page(invitation=token, role=invitation.role)


def _new_address(member: Member, email: str, token: str) -> ResponseReturnValue:
    """The first post of the link shows the form, the second confirms. The old address is told."""
    wrong: dict[str, str] = {}
    if "confirm" in request.form:
        old = member.email
        try:
            _must_be(member, request.form.get("password", ""))
            clinics.members.change_address(member.id, email)
        except clinics.Refused as refused:
            wrong = {"password": next(iter(refused.fields.values()))}
        else:
            by_mail.changed_address(g.clinic.id, old)
            return render("new_address.html", link="", email=email)
    page = {"email": email, "has_password": member.password_hash is not None, "errors": field_errors(wrong, lang())}
    return render("new_address.html", link=token, **page), 422 if wrong else 200


def _must_be(member: Member, password: str) -> None:
    """Who reads the new mailbox may be a stranger, where it was mistyped: the password shows the member, or, of one
    who has none, the login. Raises Refused."""
    if member.password_hash is None:
        if not current_user.is_authenticated or current_user.member.id != member.id:
            raise clinics.Refused(password="sign_in_first")
        return
    _brake(member.email)
    if not clinics.passwords.check(member.password_hash, password, offload=house().runtime.offload):
        raise clinics.Refused(password="wrong_password")


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
