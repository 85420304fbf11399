"""Invitations: a link that opens one visit, what is said with it, and the ways by which it goes.

What is typed about a patient lives in the page of whoever types it. It comes here when it is to be sent, goes sealed
into the outbox, and is gone from there when it is sent (R35).
"""

import datetime as dt
import re
from dataclasses import dataclass
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from flask import Blueprint, Response, abort, jsonify, redirect, request

from housecall import (
    Attachment,
    Field,
    Job,
    RoomView,
    address,
    admins_only,
    again,
    clinic_id,
    clinic_name,
    contact,
    deliverable,
    hookimpl,
    letter,
    member,
    members_only,
    page,
    post,
    posted,
    qr_code,
    rooms_of,
    settings,
    visit_link,
    withdraw,
)

from . import entries, feeds, hours, sent, wording
from .when import NotUnderstood, understand

PLUGIN = "invites"
MINUTE, DAY = 60_000, 86_400_000
ID = re.compile(r"[\w-]{22}", re.ASCII)
MAIL = re.compile(r"[^\s@,;<>\"]+@[^\s@,;<>\"]+\.[^\s@,;<>\"]+")
MOST = 16 * 1024  #: bytes of what a page sends
REMIND = (0, 60, 120, 24 * 60, 48 * 60)  #: minutes before an appointment; 0: no reminder
ICS = "text/calendar; charset=utf-8"
#: What is wrong with opening hours.
SENTENCES = {
    "day": "Line {line}: “{what}” is no day. Begin with days of the week, such as Mon-Fri, or with 2026-12-24.",
    "date": "Line {line}: {what} is no day of the calendar.",
    "span": "Line {line}: “{what}” is not from when to when. Write 9:00-12:00, or closed.",
    "order": "Line {line}: {what} ends before it begins.",
    "overlap": "Line {line}: two of these times overlap.",
    "twice": "Line {line}: this day is there already.",
}

pages = Blueprint("invites_pages", __name__)


class Bad(Exception):
    """Something that a page sent is wrong: field to a code, in whose words invites-dialog.js says it."""

    def __init__(self, **fields):
        super().__init__(fields)
        self.fields = fields


@pages.errorhandler(Bad)
def bad(error):
    return jsonify(fields=error.fields), 422


@dataclass(frozen=True, kw_only=True)
class Given:
    """What an invitation is for, as a page says; `at`, `opens` and `expires` are ms, `at` None without a time."""

    id: str
    room: RoomView
    at: int | None
    minutes: int
    passes: bool
    opens: int
    expires: int
    url: str


def body():
    """The JSON that a page sends: an object, small."""
    if (request.content_length or 0) > MOST:
        abort(413)
    found = request.get_json(silent=True)
    return found if isinstance(found, dict) else abort(400)


def mine():
    """The rooms that the signed-in member may serve."""
    return rooms_of(clinic_id(), member().id)


def given(said):
    """The invitation of a request. Raises Bad, which names the field."""
    room = next((each for each in mine() if each.id == said.get("room")), None)
    if room is None:
        raise Bad(room="unknown")
    at, values = said.get("at"), settings(PLUGIN)
    if at is not None and (not isinstance(at, int) or not sent.now() < at < sent.now() + 380 * DAY):
        raise Bad(when="past")
    opens = max(0, at - values["early"] * 1000) if at else 0
    expires = at + values["minutes"] * MINUTE + values["late"] * 1000 if at else _until(said, values["days"] * DAY)
    id = said.get("id") or ""
    before = sent.find(clinic_id(), id) if id else None
    theirs = sent.of_another(clinic_id(), id) or (before and before.room_id not in [each.id for each in mine()])
    if id and (not ID.fullmatch(str(id)) or theirs):
        raise Bad(room="unknown")
    try:
        link = visit_link(room, opens=opens, expires=expires, passes=bool(said.get("passes")), id=id)
    except ValueError:
        raise Bad(room="begun") from None
    return Given(
        id=link.id,
        room=room,
        at=at,
        minutes=values["minutes"],
        passes=bool(said.get("passes")),
        opens=opens,
        expires=expires,
        url=link.url,
    )


def _until(said, life):
    """When a link without a time ends: as the page was told before, so that it stays the same link."""
    told = said.get("expires")
    return told if isinstance(told, int) and sent.now() < told <= sent.now() + life else sent.now() + life


# -- the dialogue


@pages.get("/dialog")
@members_only
def dialog():
    """The dialogue, as a page that the module takes it from."""
    known = {
        "practice": clinic_name(clinic_id()),
        "ways": {kind: deliverable(clinic_id(), kind) for kind in ("mail", "text")},
        "supplied": wording.supplied(),
        "own": [
            {name: getattr(each, name) for name in ("id", "name", "lang", "subject", "text", "short")}
            for each in wording.own(clinic_id())
        ],
    }
    zones = [zone for zone in _zones() if "/" in zone and not zone.startswith(("Etc/", "SystemV/"))]
    return page("invites_dialog.html", rooms=mine(), known=known, zones=zones, remind=REMIND)


@pages.post("/when")
@members_only
def when():
    """A date and a time as they were typed: {at, doubt}."""
    said = body()
    order = "mdy" if said.get("order") == "mdy" else "dmy"
    try:
        moment = dt.datetime.now(dt.UTC)
        found = understand(str(said.get("text", ""))[:200], now=moment, zone=zone_of(said.get("zone")), order=order)
    except NotUnderstood as no:
        return jsonify(code=no.code, word=no.word), 422
    return jsonify(at=int(found.at.timestamp() * 1000), doubt=found.doubt)


def zone_of(name):
    return ZoneInfo(name) if name in _zones() else ZoneInfo("UTC")


@cache
def _zones():
    """All zones by name; looking takes twenty milliseconds."""
    return sorted({"UTC", *available_timezones()})


@pages.post("/link")
@members_only
def link():
    """The link of an invitation, whose `id` makes it the same visit's when something changes. Keeps nothing."""
    asked = given(body())
    return jsonify(_described(asked))


def _described(asked):
    start = f"{contact().url}/{asked.room.slug}"
    return {
        "id": asked.id,
        "at": asked.at,
        "url": asked.url,
        "check": f"{start}/check",
        "opens": asked.opens,
        "expires": asked.expires,
        "minutes": asked.minutes,
    }


@pages.post("/qr")
@members_only
def qr():
    """A picture of a link."""
    url = str(body().get("url", ""))
    if not url.startswith(f"{contact().url}/") or len(url) > 1000:
        raise Bad(url="unknown")
    return jsonify(svg=qr_code(url))


@pages.post("/entry")
@members_only
def entry():
    """The appointment for the provider's own calendar: {ics}."""
    said = body()
    asked, lang = given(said), str(said.get("lang", "en"))
    if asked.at is None:
        raise Bad(when="no_time")
    sequence = _keep(asked)
    url = _url(said, asked)
    made = entries.entry(
        "PUBLISH",
        uid=_uid(asked.id),
        sequence=sequence,
        at=asked.at,
        minutes=asked.minutes,
        summary=wording.of(lang)["event"],
        url=url,
        text=f"{clinic_name(clinic_id())}\n{url}",
    )
    return jsonify(ics=made.decode())


def _uid(id):
    return f"{id}@{address(clinic_id()).partition('://')[2].partition(':')[0]}"


def _url(said, asked):
    """The link as the page has it: perhaps with the name of the practice's device."""
    device = str(said.get("device", ""))
    return f"{asked.url}&k={device}" if ID.fullmatch(device) else asked.url


@pages.post("/kept")
@members_only
def kept():
    """An invitation went by a way that is not ours: it is written down, so that it can be moved or cancelled."""
    _keep(given(body()))
    return jsonify(kept=True)


def _keep(asked, *, cancelled=False):
    """Write an invitation down; says the sequence of its entry. A reminder of another time or room is not sent."""
    row = sent.find(clinic_id(), asked.id)
    if row and (cancelled or (row.at, row.room_id) != (asked.at, asked.room.id)):
        _withdraw_reminder(row)
    return sent.keep(clinic_id(), member().id, asked, cancelled=cancelled)


def _withdraw_reminder(row):
    if row.reminder:
        withdraw(clinic_id(), row.reminder)
        sent.forget_reminder(row.id)


@pages.post("/send")
@members_only
def send():
    """Post an invitation, and its reminder where one is wanted: {post}. `kind` is invitation, moved or cancelled."""
    said = body()
    way, kind, lang = said.get("way"), said.get("kind"), str(said.get("lang", "en"))
    if way not in ("mail", "text") or kind not in ("invitation", "moved", "cancelled"):
        abort(400)
    asked = given(said)
    to, subject, text = _to(way, said), str(said.get("subject", "")).strip(), str(said.get("text", "")).strip()
    url = _url(said, asked)
    if way == "mail" and not subject:
        raise Bad(subject="required")
    if len(subject) > 200 or "\n" in subject:
        raise Bad(subject="long")
    if not text or len(text) > 4000:
        raise Bad(text="long" if text else "required")
    if kind != "cancelled" and url not in text:
        raise Bad(text="link")
    if kind == "moved" and asked.at is None:
        raise Bad(when="no_time")
    remind = said.get("remind", 0)
    if remind not in REMIND:
        abort(400)
    due = asked.at - remind * MINUTE if asked.at and remind else 0
    if due and due <= sent.now():
        raise Bad(remind="past")
    if not deliverable(clinic_id(), way):
        raise Bad(to="off")
    if sent.too_many(clinic_id(), member().id, asked.id):
        raise Bad(to="many")
    sequence = _keep(asked, cancelled=kind == "cancelled")
    whole = {"text": text}
    if way == "mail":
        whole |= {"subject": subject} | _mail(kind, asked, to=to, text=text, url=url, lang=lang, sequence=sequence)
    until = min(asked.expires, sent.now() + DAY)
    id = post(clinic_id(), way, to, owner=PLUGIN, expires=until, **whole)
    sent.posted(asked.id)
    if due:
        _withdraw_reminder(sent.find(clinic_id(), asked.id))  # there is one: the last that was asked for
        whole = {"text": str(said.get("remind_text", ""))[:4000]}
        if way == "mail":
            subject = str(said.get("remind_subject", ""))[:200]
            whole |= {"subject": subject, "html": _letter(whole["text"], url, lang)[1]}
        reminder = post(clinic_id(), way, to, owner=PLUGIN, due=due, expires=asked.at, **whole)
        sent.posted(asked.id, reminder=reminder)
    return jsonify(post=id)


def _to(way, said):
    """The address of an invitation."""
    to = str(said.get("to", "")).strip()
    if not to:
        raise Bad(to="required")
    if way == "mail" and (not MAIL.fullmatch(to) or len(to) > 254):
        raise Bad(to="email")
    if way == "text":
        to = re.sub(r"[ ()/.\-]", "", to)
        to = f"+{to[2:]}" if to.startswith("00") else to
        if not re.fullmatch(r"\+[1-9]\d{6,14}", to):
            raise Bad(to="phone")
    return to


def _mail(kind, asked, *, to, text, url, lang, sequence):
    """The HTML of a mail, and the appointment as an entry for the reader's calendar."""
    _, html = _letter(text, "" if kind == "cancelled" else url, lang)
    if asked.at is None:
        return {"html": html}
    method = "CANCEL" if kind == "cancelled" else "REQUEST"
    host = address(clinic_id()).partition("://")[2].partition(":")[0]
    made = entries.entry(
        method,
        uid=_uid(asked.id),
        sequence=sequence,
        at=asked.at,
        minutes=asked.minutes,
        summary=wording.of(lang)["event"],
        url="" if kind == "cancelled" else url,
        text=clinic_name(clinic_id()) if kind == "cancelled" else f"{clinic_name(clinic_id())}\n{url}",
        organizer=(clinic_name(clinic_id()), contact().email or f"no-reply@{host}"),
        attendee=to,
    )
    files = (
        Attachment(name="invite.ics", type=f"text/calendar; method={method}; charset=utf-8", body=made, inline=True),
        Attachment(name="invite.ics", type="application/ics", body=made),
    )
    return {"html": html, "attachments": files}


def _letter(text, url, lang):
    """A text in the practice's frame: its link is a button there, and what comes after it stands small."""
    before, found, after = text.partition(url) if url else (text, "", "")
    parts = [[each for each in re.split(r"\n\s*\n", part.strip()) if each.strip()] for part in (before, after)]
    button = (wording.of(lang)["button"], url) if found else None
    return letter(clinic_id(), parts[0], button=button, notes=parts[1], lang=lang)


@pages.get("/posted/<id>")
@members_only
def fate(id):
    """What became of a message: {state, reason}; state "gone" an hour after its end."""
    found = posted(clinic_id(), id)
    return jsonify(state=found.state if found else "gone", reason=found.reason if found else "")


@pages.post("/again")
@members_only
def once_more():
    """Somebody decides that a message whose fate is unknown goes once more."""
    return jsonify(again=again(clinic_id(), str(body().get("post", ""))))


# -- those that were sent


@pages.get("/sent")
@members_only
def listed():
    """The invitations of the member's rooms that are still to come; whom they are for, nobody here knows."""
    served = [room.id for room in mine()]
    return jsonify(
        sent=[
            {
                "id": row.id,
                "room": row.room_id,
                "at": row.at,
                "expires": row.expires,
                "passes": row.passes,
                "cancelled": row.cancelled,
                "reminder": bool(row.reminder),
                "mine": row.member_id == member().id,
            }
            for row in sent.of_rooms(clinic_id(), served)
        ]
    )


@pages.post("/cancel")
@members_only
def cancel():
    """An appointment is off: its link opens nothing any more, its reminder is not sent. The person is told apart."""
    row = sent.find(clinic_id(), str(body().get("id", "")))
    room = next((room for room in mine() if row and room.id == row.room_id), None)
    if row is None or room is None:
        raise Bad(id="unknown")
    off = Given(
        id=row.id, room=room, at=row.at, minutes=row.minutes, passes=row.passes, opens=0, expires=row.expires, url=""
    )
    _keep(off, cancelled=True)
    return jsonify(cancelled=True)


# -- a member's calendar


@pages.get("/calendar")
@members_only
def calendar():
    return page("invites_calendar.html", feed=feeds.of(member().id), url="")


@pages.post("/calendar")
@members_only
def change_calendar():
    """`do` is make (the one before ends) or drop. A new address is shown this once."""
    if request.form.get("do") == "drop":
        feeds.drop(member().id)
        return redirect("calendar", 303)
    token = feeds.make(clinic_id(), member().id)
    return page("invites_calendar.html", feed=feeds.of(member().id), url=f"{contact().url}/-/invites/feed/{token}.ics")


@pages.get("/feed/<token>.ics")
def feed(token):
    """The times of a member's appointments, without a name, for whoever has the address."""
    whose = feeds.whose(clinic_id(), token)
    if whose is None:
        abort(404)
    made = entries.feed(
        sent.of_member(clinic_id(), whose),
        summary=wording.of("en")["event"],
        host=address(clinic_id()).partition("://")[2].partition(":")[0],
        url=f"{contact().url}/dashboard",
    )
    return Response(made, content_type=ICS)


# -- the practice's own words


@pages.get("/words")
@admins_only
def words():
    chosen = wording.find(clinic_id(), request.args.get("id"))
    first = wording.of("en")["invitation"] | {"lang": "en", "name": ""}
    form = {name: getattr(chosen, name) for name in wording.LONGEST} if chosen else first
    return _words(form, chosen.id if chosen else "", saved=request.args.get("saved") == "1")


@pages.post("/words")
@admins_only
def keep_words():
    """`do` is save or drop."""
    id = request.form.get("id", "")
    if request.form.get("do") == "drop":
        wording.drop(clinic_id(), id)
        return redirect("words", 303)
    form = {name: request.form.get(name, "").replace("\r\n", "\n").strip() for name in wording.LONGEST}
    errors = wording.wrong(form)
    if not errors and not wording.keep(clinic_id(), id, form):
        errors = {"name": "many"}
    if errors:
        return _words(form, id, errors=errors), 422
    return redirect("words?saved=1", 303)


def _words(form, id, *, errors=(), saved=False):
    more = {"places": wording.PLACES, "longest": wording.LONGEST, "most": wording.MOST, "saved": saved}
    return page("invites_words.html", form=form, id=id, errors=dict(errors), own=wording.own(clinic_id()), **more)


# -- opening hours


@pages.get("/hours/<slug>")
def opening(slug):
    """Whether a room is open: {open, until, zone, lines}; 404 where it has no hours. For everybody, as the room is."""
    room = next((room for room in rooms_of(clinic_id()) if room.slug == slug), None)
    values = settings(PLUGIN, room=room.id) if room else {}
    if not values.get("hours"):
        abort(404)
    try:
        known = hours.parse(values["hours"])
    except hours.Wrong:
        abort(404)  # of an earlier version
    now = hours.status(known, dt.datetime.now(dt.UTC), zone_of(values["zone"]))
    until = int(now.until.timestamp() * 1000) if now.until else None
    return jsonify(open=now.open, until=until, zone=values["zone"], lines=values["hours"].splitlines())


# -- hooks


@hookimpl
def blueprints():
    return [pages]


@hookimpl(specname="settings")
def own_settings():
    zones = tuple((zone, zone.replace("_", " ")) for zone in _zones())
    return [
        Field(
            id="zone",
            type="choice",
            label="Time zone of the practice",
            help="Opening hours are by its clocks.",
            choices=zones,
            default="UTC",
            required=True,
        )
    ]


@hookimpl
def check_settings(clinic, values):
    try:
        hours.parse(values.get("hours") or "")
    except hours.Wrong as wrong:
        return {"hours": SENTENCES[wrong.code].format(line=wrong.line, what=wrong.what)}
    return {}


@hookimpl
def refuse_check_in(clinic, room, invite):
    row = sent.find(clinic, invite) if invite else None
    if row and row.cancelled:
        return "This appointment was cancelled. Ask the practice for a new one."
    return None


@hookimpl
def jobs():
    return [Job(name="sweep", every=3600, run=sent.sweep)]
