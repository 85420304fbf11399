"""A waiting room's own content: words, a picture, links and a theme, edited by those who serve it, with a preview."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from .. import clinics
from ..clinics.models import Room
from . import content
from .guard import me, members_only
from .house import house
from .language import lang
from .look import render
from .messages import field_errors

WORDS = 5000  #: characters of the text
LINKS = 8
LINK = re.compile(r"(https?://[^\s/]+\S*|mailto:\S+@\S+|tel:[+\d][\d ()-]+)", re.IGNORECASE)

pages = Blueprint("room", __name__)


def _mine(room_id: str) -> Room:
    """A room that the member serves; any other does not exist."""
    room = next((room for room in clinics.members.rooms_of(me()) if room.id == room_id), None)
    if room is None:
        abort(404)
    return room


@pages.get("/dashboard/room/<room_id>")
@members_only
def edit(room_id: str) -> ResponseReturnValue:
    room = _mine(room_id)
    return _page(room, dict(room.content or {}), {})


def _page(room: Room, form: dict[str, Any], errors: dict[str, str], *, preview: bool = False) -> ResponseReturnValue:
    themes = house().themes
    made = render(
        "room.html",
        room=room,
        form=form,
        errors=errors,
        preview=content.shown(form) if preview else None,
        themes=sorted(themes.good.values(), key=lambda each: each.name),
        saved=request.args.get("saved") == "1",
        most_links=LINKS,
        words=WORDS,
    )
    return made, 422 if errors else 200


@pages.post("/dashboard/room/<room_id>")
@members_only
def save(room_id: str) -> ResponseReturnValue:
    """`do` is preview (nothing is kept) or save (all of it, or nothing when something is wrong)."""
    room = _mine(room_id)
    before = dict(room.content or {})
    form: dict[str, Any] = {
        "text": request.form.get("text", "").replace("\r\n", "\n").strip(),
        "alt": request.form.get("alt", "").strip(),
        "theme": request.form.get("theme", ""),
        "links": _links(),
        "image": "" if request.form.get("drop_image") == "yes" else before.get("image", ""),
    }
    photo = request.files.get("photo")
    data = photo.read() if photo and photo.filename else None
    wrong = _wrong(form, new=data is not None)
    if wrong or request.form.get("do") == "preview":
        return _page(room, form, field_errors(wrong, lang()), preview=not wrong)
    try:
        clinics.rooms.set_content(
            g.clinic.id, room.id, form, picture=data, offload=house().runtime.offload, actor=me().id
        )
    except clinics.Refused as refused:
        return _page(room, form, field_errors(refused.fields, lang()))
    return redirect(url_for("room.edit", room_id=room.id, saved=1), 303)


def _links() -> list[dict[str, str]]:
    titles, urls = request.form.getlist("link-title"), request.form.getlist("link-url")
    pairs = [(title.strip(), url.strip()) for title, url in zip(titles, urls, strict=False)]
    return [{"title": title, "url": url} for title, url in pairs if title or url]


def _wrong(form: dict[str, Any], *, new: bool) -> dict[str, str]:
    wrong: dict[str, str] = {}
    if len(form["text"]) > WORDS:
        wrong["text"] = "too_long"
    if (form["image"] or new) and not form["alt"]:
        wrong["alt"] = "required"
    elif len(form["alt"]) > 200:
        wrong["alt"] = "too_long"
    if form["theme"] and form["theme"] not in house().themes.good:
        wrong["theme"] = "unknown"
    for number, link in enumerate(form["links"], 1):
        if not link["title"] or len(link["title"]) > 80:
            wrong[f"link-{number}"] = "required" if not link["title"] else "too_long"
        elif not LINK.fullmatch(link["url"]) or len(link["url"]) > 500:
            wrong[f"link-{number}"] = "link"
    if len(form["links"]) > LINKS:
        wrong["links"] = "too_big"
    return wrong
