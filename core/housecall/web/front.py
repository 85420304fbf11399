"""The clinic's public pages: the front page with "find your room", help, contact, privacy, cookies."""

from __future__ import annotations

import re

from flask import Blueprint, abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from .. import clinics
from . import by_mail
from .guard import cookie
from .house import house
from .language import _, lang
from .look import render
from .messages import HTTP, field_errors, say

pages = Blueprint("front", __name__)


@pages.get("/")
def front() -> ResponseReturnValue:
    """`?room=` takes a room's short name or a whole link that was pasted."""
    asked = request.args.get("room", "").strip()[:200]
    if asked:
        slug = re.sub(r"[#?].*", "", asked).rstrip("/").rpartition("/")[2].strip().lower()
        if clinics.rooms.find(g.clinic.id, slug):
            return redirect(url_for("waiting.patient", slug=slug), 303)
    return render("front.html", asked=asked, unknown=bool(asked), sign_up=_sign_up())


def _sign_up() -> str:
    return house().site.clinics[g.clinic.id].sign_up


@pages.get("/help")
def help() -> ResponseReturnValue:
    return render("help.html")


@pages.get("/contact")
def contact() -> ResponseReturnValue:
    return _contact({}, {})


def _contact(form: dict[str, str], errors: dict[str, str], *, status: int = 200) -> ResponseReturnValue:
    """The practice's addresses and, where it has one for mail and mail can go, a form; `?message=` has been posted."""
    known = house().site.clinics[g.clinic.id].core
    page = render(
        "contact.html",
        contact=known,
        writes=bool(known.get("email")) and by_mail.possible(),
        longest=by_mail.WRITTEN,
        form=form,
        errors=errors,
        message=request.args.get("message", "")[:40],
    )
    return page, status


@pages.post("/contact")
def write() -> ResponseReturnValue:
    """What a visitor writes goes to the practice; what was typed stays in the form when something is wrong (R72)."""
    to = house().site.clinics[g.clinic.id].core.get("email")
    if not to or not by_mail.possible():
        abort(404)
    form = {name: request.form.get(name, "").strip() for name in ("name", "email", "message")}
    wrong = {name: "too_long" for name, most in (("name", 80), ("message", by_mail.WRITTEN)) if len(form[name]) > most}
    if not form["message"]:
        wrong["message"] = "required"
    try:
        email = clinics.members.address(form["email"])
    except clinics.Refused as refused:
        wrong = {**refused.fields, **wrong}
    if wrong:
        return _contact(form, field_errors(wrong, lang()), status=422)
    if not by_mail.BY_NETWORK.take(f"{g.clinic.id} {clinics.logins.network(request.remote_addr or '')}"):
        return _contact(form, {"message": " ".join(say(HTTP["429"], lang()))}, status=429)
    if request.form.get("website"):  # no person sees this field
        return redirect(url_for("front.contact", message="none"), 303)
    name = " ".join(form["name"].split())
    message = by_mail.written(to, name=name, email=email, text=form["message"])
    return redirect(url_for("front.contact", message=message), 303)


@pages.get("/privacy")
def privacy() -> ResponseReturnValue:
    return render("privacy.html", kept=_kept())


def _kept() -> list[dict[str, str]]:
    """What the core stores, why and for how long (contracts §18)."""
    rows = [
        (_("The name that a patient types"), _("So that the provider knows who is waiting"), _("Until the visit ends")),
        (
            _("The name that a guest types"),
            _("So that everybody in the visit knows who is there"),
            _("Until the guest leaves or the visit ends"),
        ),
        (
            _("When a visit began and ended, in which room, with whom of the staff, and how it ended"),
            _("So that the practice can see its work. No patient's name is in it"),
            _("24 months"),
        ),
        (
            _("A member's account: name, e-mail, a scrambled password, and what the member adds to the profile"),
            _("To sign in, and to show patients whom they meet"),
            _("Until the account is deleted"),
        ),
        (
            _("A member's sign-ins: kind of browser, shortened address"),
            _("So that members see and end them"),
            _("12 hours"),
        ),
        (
            _("A message that this service sends for the practice: to whom, and what it says, sealed"),
            _("So that it arrives when the mail server is busy for a while"),
            _("Until it is sent, at most as long as it is of use; that it was sent, an hour more"),
        ),
        (_("Invitations to staff"), _("To let new members make an account"), _("7 days")),
        (_("What staff changed in the clinic's settings"), _("To be able to account for changes"), _("24 months")),
    ]
    return [{"what": what, "why": why, "how_long": how_long} for what, why, how_long in rows]


@pages.get("/cookies")
def cookies() -> ResponseReturnValue:
    rows = [
        {
            "name": cookie("hc-ticket-…"),
            "what": _("Your place in line. It holds no name. It is set when you check in."),
            "how_long": _("Until the browser is closed, at most 12 hours"),
        },
        {
            "name": cookie("hc-guest-…"),
            "what": _("A guest's seat in one visit. It holds no name. It is set when a guest asks to join."),
            "how_long": _("Until the browser is closed, at most 12 hours"),
        },
        {
            "name": cookie("hc-login"),
            "what": _("Keeps a member of the practice signed in. Patients never get it."),
            "how_long": _("Until the browser is closed, at most 12 hours"),
        },
    ]
    return render("cookies.html", cookies=rows)
