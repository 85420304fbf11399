"""The pages of owners and admins: people and rooms."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from .. import clinics
from . import by_mail, settings, switches
from .guard import admins_only, me
from .house import house
from .language import lang
from .letters import address
from .look import render
from .messages import field_errors
from .pages import shown_member, still
from .waiting import reserved

pages = Blueprint("admin", __name__)


@pages.get("/admin")
@admins_only
def admin() -> ResponseReturnValue:
    on, found = switches.counts()
    return render(
        "admin.html",
        people=len(clinics.members.of(g.clinic.id)),
        rooms=len(clinics.rooms.of(g.clinic.id)),
        plugins_on=on,
        plugins_found=found,
        unsure=clinics.outbox.unsure(g.clinic.id),
        **still("admin.home"),
        shown={"role": "provider", "scopes": [("member", me().id)], "member": shown_member()},
    )


@pages.get("/admin/people")
@admins_only
def people() -> ResponseReturnValue:
    return _people()


def _people(
    invited: str = "", role: str = "", errors: dict[str, str] | None = None, *, email: str = "", message: str = ""
) -> ResponseReturnValue:
    """`email` is what was typed; `message` the id of the mail that is on its way there."""
    return (
        render(
            "admin_people.html",
            people=clinics.members.of(g.clinic.id),
            invitations=clinics.invitations.open(g.clinic.id),
            roles=clinics.members.ROLES,
            invited=invited,
            invited_role=role,
            errors=errors or {},
            closed=_closed(),
            mail=by_mail.possible(),
            email=email,
            message=message,
        ),
        422 if errors else 200,
    )


def _closed() -> bool:
    return house().site.clinics[g.clinic.id].sign_up == "closed"


@pages.post("/admin/people")
@admins_only
def change_people() -> ResponseReturnValue:
    """`do` is invite, role, disable or enable. The link of an invitation is shown this once, and mailed if wanted."""
    do, member_id, role = (request.form.get(name, "") for name in ("do", "member", "role"))
    email = request.form.get("email", "").strip()
    try:
        if do == "invite":
            if _closed():
                raise clinics.Refused(role="closed")
            clinics.limits.check(g.clinic.id, "members", "role")
            to = clinics.members.address(email) if email and by_mail.possible() else ""
            if to:
                clinics.members.is_free(g.clinic.id, to)
            token = clinics.invitations.make(g.clinic.id, role, made_by=me().id)
            link = f"{request.url_root}sign-in/link#{token}"
            if to:
                mailed = f"{address(g.clinic.id)}/sign-in/link#{token}"
                message = by_mail.invitation(to, mailed, clinics.members.shown_name(me()))
                return _people(link, role, email=to, message=message)
            return _people(link, role)
        if do == "role":
            clinics.members.set_role(g.clinic.id, member_id, role, actor=me().id)
        elif do in ("disable", "enable"):
            clinics.members.set_disabled(g.clinic.id, member_id, do == "disable", actor=me().id)
        else:
            abort(400)
    except clinics.Refused as refused:
        return _people(errors=field_errors(refused.fields, lang()), role=role if do == "invite" else "", email=email)
    return redirect(url_for("admin.people"), 303)


@pages.get("/admin/rooms")
@admins_only
def rooms() -> ResponseReturnValue:
    return _rooms({}, {})


def _rooms(form: dict[str, str], errors: dict[str, str]) -> ResponseReturnValue:
    """`form` is what was typed: of the room that it names, or of a new one."""
    rooms, changed = clinics.rooms.of(g.clinic.id), form.get("room", "")
    return (
        render(
            "admin_rooms.html",
            rooms=rooms,
            people=clinics.members.of(g.clinic.id),
            form=form,
            # those of the room itself stand in its own form, whose inputs begin with its id
            errors={name if name.startswith("set-") else changed + name: what for name, what in errors.items()},
            sections={room.id: settings.sections(("room", room.id), errors) for room in rooms},
            saved=not errors and request.args.get("saved") == "1",
            member_shown=shown_member(),
            **still("room.settings", rooms=[room.id for room in rooms]),
        ),
        422 if errors else 200,
    )


@pages.post("/admin/rooms")
@admins_only
def change_rooms() -> ResponseReturnValue:
    """Makes a room, or with `room` changes one: name, slug, media, owner (empty = shared), and what plugins ask.

    `passcode` is a new one, empty leaves it; `drop_passcode` = yes takes it away.
    """
    form = {name: request.form.get(name, "").strip() for name in ("room", "name", "slug", "media", "owner")}
    values: dict[str, Any] = {
        "name": form["name"],
        "slug": form["slug"],
        "media": form["media"] or "video",
        "owner_id": form["owner"] or None,
    }
    typed, drop = request.form.get("passcode", "").strip(), request.form.get("drop_passcode") == "yes"
    drafts, wrong = settings.drafts(("room", form["room"])) if form["room"] else ([], {})
    try:
        if typed or drop:
            offload = house().runtime.offload
            values["passcode_hash"] = None if drop else clinics.rooms.hash_passcode(typed, offload=offload)
        if form["room"]:
            besides = dict.fromkeys(wrong, "invalid")
            clinics.rooms.update(
                g.clinic.id, form["room"], **values, reserved=reserved(), actor=me().id, besides=besides
            )
        else:
            clinics.rooms.create(g.clinic.id, **values, reserved=reserved(), actor=me().id)
    except clinics.Refused as refused:
        return _rooms(form, field_errors(refused.fields, lang()) | wrong)
    settings.keep(drafts)
    return redirect(url_for("admin.rooms", saved=1) if drafts else url_for("admin.rooms"), 303)
