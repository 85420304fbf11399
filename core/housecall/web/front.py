"""The clinic's public pages: the front page with "find your room", help, contact, privacy, cookies."""

from __future__ import annotations

import re

from flask import Blueprint, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from .. import clinics
from .guard import cookie
from .house import house
from .language import _
from .look import render

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
    return render("contact.html", contact=house().site.clinics[g.clinic.id].core)


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
