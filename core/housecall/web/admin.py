"""The pages of owners and admins: people and rooms."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from .. import clinics
from .guard import me, members_only
from .language import lang
from .messages import field_errors
from .waiting import reserved

P = ParamSpec("P")

pages = Blueprint("admin", __name__)


def admins_only(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """A view for owners and admins; to other members it does not exist."""

    @wraps(view)
    @members_only
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        if me().role not in ("owner", "admin"):
            abort(404)
        return view(*args, **kwargs)

    return guarded


@pages.get("/admin")
@admins_only
def admin() -> ResponseReturnValue:
    return render_template(
        "admin.html", people=len(clinics.members.of(g.clinic.id)), rooms=len(clinics.rooms.of(g.clinic.id))
    )


@pages.get("/admin/people")
@admins_only
def people() -> ResponseReturnValue:
    return _people()


def _people(invited: str = "", role: str = "", errors: dict[str, str] | None = None) -> ResponseReturnValue:
    return (
        render_template(
            "admin_people.html",
            people=clinics.members.of(g.clinic.id),
            invitations=clinics.invitations.open(g.clinic.id),
            roles=clinics.members.ROLES,
            invited=invited,
            invited_role=role,
            errors=errors or {},
        ),
        422 if errors else 200,
    )


@pages.post("/admin/people")
@admins_only
def change_people() -> ResponseReturnValue:
    """`do` is invite, role, disable or enable. The link of an invitation is shown this once."""
    do, member_id, role = (request.form.get(name, "") for name in ("do", "member", "role"))
    try:
        if do == "invite":
            token = clinics.invitations.make(g.clinic.id, role, made_by=me().id)
            return _people(f"{request.url_root}sign-in/link#{token}", role)
        if do == "role":
            clinics.members.set_role(g.clinic.id, member_id, role, actor=me().id)
        elif do in ("disable", "enable"):
            clinics.members.set_disabled(g.clinic.id, member_id, do == "disable", actor=me().id)
        else:
            abort(400)
    except clinics.Refused as refused:
        return _people(errors=field_errors(refused.fields, lang()))
    return redirect(url_for("admin.people"), 303)


@pages.get("/admin/rooms")
@admins_only
def rooms() -> ResponseReturnValue:
    return _rooms({}, {})


def _rooms(form: dict[str, str], errors: dict[str, str]) -> ResponseReturnValue:
    return (
        render_template(
            "admin_rooms.html",
            rooms=clinics.rooms.of(g.clinic.id),
            people=clinics.members.of(g.clinic.id),
            form=form,
            errors=errors,
        ),
        422 if errors else 200,
    )


@pages.post("/admin/rooms")
@admins_only
def change_rooms() -> ResponseReturnValue:
    """Makes a room, or with `room` changes one: its name, slug, media and owner (empty = shared by all)."""
    form = {name: request.form.get(name, "").strip() for name in ("room", "name", "slug", "media", "owner")}
    values: dict[str, Any] = {
        "name": form["name"],
        "slug": form["slug"],
        "media": form["media"] or "video",
        "owner_id": form["owner"] or None,
    }
    try:
        if form["room"]:
            clinics.rooms.update(g.clinic.id, form["room"], **values, reserved=reserved(), actor=me().id)
        else:
            clinics.rooms.create(g.clinic.id, **values, reserved=reserved(), actor=me().id)
    except clinics.Refused as refused:
        return _rooms(form, field_errors(refused.fields, lang()))
    return redirect(url_for("admin.rooms"), 303)
