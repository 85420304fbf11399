"""A member's own pages: profile, photo, room address, and where the account is signed in."""

from __future__ import annotations

import io

from flask import Blueprint, abort, g, redirect, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from .. import clinics
from . import by_mail, settings
from .guard import me, members_only
from .house import house
from .language import lang
from .look import render
from .messages import field_errors
from .pages import shown_member, still
from .waiting import reserved

PROFILE = (
    "email",
    "first_name",
    "last_name",
    "display_name",
    "title",
    "specialty",
    "position",
    "provider_number",
    "states_licensed",
    "mobile",
)

pages = Blueprint("account", __name__)


@pages.get("/account")
@members_only
def account() -> ResponseReturnValue:
    return _page({name: getattr(me(), name) or "" for name in PROFILE}, {})


def _page(form: dict[str, str], errors: dict[str, str], *, saved: bool = False) -> ResponseReturnValue:
    own = [room for room in clinics.members.rooms_of(me()) if room.owner_id == me().id]
    return (
        render(
            "account.html",
            form=form,
            errors=errors,
            saved=saved or request.args.get("saved") == "1",
            rooms=own,
            mail=by_mail.possible(),
            asked=request.args.get("asked", ""),
            number=clinics.provider_numbers.describe(me().provider_number),
            countries=clinics.provider_numbers.RULES,
            sections=settings.sections(("member", me().id), errors),
            shown={"role": "provider", "scopes": [("member", me().id)], "member": shown_member()},
            **still("account.home"),
        ),
        422 if errors else 200,
    )


@pages.post("/account")
@members_only
def save() -> ResponseReturnValue:
    """Saves the profile, photo, rooms' addresses and what plugins ask; nothing at all when one of them is wrong.

    Where mail can go, another address counts once the link that is sent there was opened.
    """
    form = {name: request.form.get(name, "").strip() for name in PROFILE}
    values: dict[str, object] = {**form, "service_mail": request.form.get("service_mail") == "yes"}
    member, wanted, asked = me(), "", ""
    slugs = {key.removeprefix("slug-"): value for key, value in request.form.items() if key.startswith("slug-")}
    photo = request.files.get("photo")
    data = photo.read() if photo and photo.filename else None
    drafts, wrong = settings.drafts(("member", member.id))
    if form["email"].lower() != member.email and by_mail.possible():
        try:
            wanted = _free_address(form["email"])
        except clinics.Refused as refused:
            wrong |= field_errors(refused.fields, lang())
        values["email"] = member.email
    try:
        clinics.members.save_profile(
            member.id,
            values,
            slugs=slugs,
            photo=data,
            drop_photo=request.form.get("drop_photo") == "yes",
            reserved=reserved(),
            offload=house().runtime.offload,
            besides=dict.fromkeys(wrong, "invalid"),
        )
        if wanted:
            asked = by_mail.next_address(member, wanted)
    except clinics.Refused as refused:
        return _page(form | {f"slug-{k}": v for k, v in slugs.items()}, field_errors(refused.fields, lang()) | wrong)
    settings.keep(drafts)
    return redirect(url_for("account.account", saved=1, asked=asked or None), 303)


def _free_address(typed: str) -> str:
    """An address that the member may have next. Raises Refused."""
    email = clinics.members.address(typed)
    clinics.members.is_free(me().clinic_id, email)
    if not by_mail.TO_ADDRESS.take(f"{me().clinic_id} {email}"):
        abort(429)
    return email


@pages.get("/account/logins")
@members_only
def logins() -> ResponseReturnValue:
    rows = clinics.logins.listing(me().id)
    return render("logins.html", logins=rows, current=current_user.login)


@pages.post("/account/logins")
@members_only
def end_logins() -> ResponseReturnValue:
    """Ends one login (`login`), or all others (`others`)."""
    rows = clinics.logins.listing(me().id)
    if request.form.get("others") == "yes":
        chosen = [row.token_sha256 for row in rows if row.token_sha256 != current_user.login]
    else:
        chosen = [row.token_sha256 for row in rows if row.token_sha256 == request.form.get("login")]
    for token in chosen:
        clinics.logins.revoke(token)
    if current_user.login in chosen:
        return redirect(url_for("sign_in.form"), 303)
    return redirect(url_for("account.logins"), 303)


@pages.get("/-/image/<image_id>")
def image(image_id: str) -> ResponseReturnValue:
    """A picture or a video of this clinic, as it was re-encoded when it came. Videos are asked for in ranges."""
    found = clinics.images.find(g.clinic.id, image_id)
    if found is None:
        abort(404)
    response = send_file(io.BytesIO(found.bytes), mimetype=found.type, conditional=True, etag=found.sha256)
    response.headers["Cache-Control"] = "private, max-age=86400, immutable"
    return response
