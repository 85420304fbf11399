"""A waiting room's own content: words, picture, video, links, theme. Those who serve it edit it, with a preview."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from .. import clinics
from ..clinics.models import Room
from . import content
from .guard import me, members_only, takes
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


def _page(
    room: Room, form: dict[str, Any], errors: dict[str, str], *, preview: dict[str, Any] | None = None
) -> ResponseReturnValue:
    """The form, as it was sent or is kept; `preview` is the content to show below it."""
    themes = house().themes
    made = render(
        "room.html",
        room=room,
        form=form,
        errors=errors,
        kept=room.content or {},
        preview=None if preview is None else content.shown(preview),
        themes=sorted(themes.good.values(), key=lambda each: each.name),
        saved=request.args.get("saved") == "1",
        most_links=LINKS,
        words=WORDS,
        videos=clinics.videos.available(),
    )
    return made, 422 if errors else 200


@pages.post("/dashboard/room/<room_id>")
@takes(clinics.videos.LARGEST + clinics.images.LARGEST + 1024 * 1024)
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
        "told": request.form.get("told", "").strip(),
        "image": "" if request.form.get("drop_image") == "yes" else before.get("image", ""),
    }
    for name in ("video", "poster"):
        form[name] = "" if request.form.get("drop_video") == "yes" else before.get(name, "")
    picture, video = _upload("photo"), _upload("video")
    wrong = _wrong(form, picture=picture is not None, video=video is not None)
    if wrong or request.form.get("do") == "preview":
        # room.js shows the file that was chosen where these names stand
        chosen = {"image": "chosen-photo"} if picture is not None else {}
        chosen |= {"video": "chosen-video", "poster": ""} if video is not None else {}
        return _page(room, form, field_errors(wrong, lang()), preview=None if wrong else form | chosen)
    try:
        clinics.rooms.set_content(
            g.clinic.id, room.id, form, picture=picture, video=video, offload=house().runtime.offload, actor=me().id
        )
    except clinics.Refused as refused:
        return _page(room, form, field_errors(refused.fields, lang()))
    return redirect(url_for("room.edit", room_id=room.id, saved=1), 303)


def _upload(name: str) -> bytes | None:
    file = request.files.get(name)
    return file.read() if file and file.filename else None


def _links() -> list[dict[str, str]]:
    titles, urls = request.form.getlist("link-title"), request.form.getlist("link-url")
    pairs = [(title.strip(), url.strip()) for title, url in zip(titles, urls, strict=False)]
    return [{"title": title, "url": url} for title, url in pairs if title or url]


def _wrong(form: dict[str, Any], *, picture: bool, video: bool) -> dict[str, str]:
    wrong: dict[str, str] = {}
    for name in ("text", "told"):
        if len(form[name]) > WORDS:
            wrong[name] = "too_long"
    if video and not clinics.videos.available():
        wrong["video"] = "no_videos"
    elif (form["video"] or video) and not form["told"]:
        wrong["told"] = "required"
    if (form["image"] or picture) and not form["alt"]:
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
