"""Tells members who want it that somebody waits, while their own dashboard is not open; and takes their answer."""

import secrets
import zoneinfo

from flask import Blueprint, abort, request

from housecall import (
    Event,
    Field,
    Job,
    clinic_id,
    deliverable,
    hookimpl,
    member,
    members_of,
    members_only,
    page,
    post,
    posted,
    rooms_of,
    write,
)
from housecall import settings as values

from . import answers, browsers, message, push, watch
from .models import Wish
from .times import now

PLUGIN = "notify"
TRIAL = 60_000  #: ms in which a test is sent or not at all
BETWEEN = 10_000  #: ms between two tests of a member

pages = Blueprint("notify_pages", __name__)
_trials = {}  # member -> (when, {id of a message in the outbox: kind})


# -- the member's own: rooms, devices, a test


@pages.post("/mine")
@members_only
def mine():
    """What stands on the member's own page; `endpoint` is that of the browser, where it has one."""
    me, clinic, endpoint = member(), clinic_id(), _body().get("endpoint")
    here = browsers.seen(me, endpoint) if isinstance(endpoint, str) else ""
    wanted = {room.id for room in watch.wanted(clinic, me.id)}
    return {
        "key": push.public(),
        "rooms": [{"id": r.id, "name": r.name, "wanted": r.id in wanted} for r in rooms_of(clinic, me.id)],
        "browsers": [
            {"id": row.id, "name": row.browser, "made": row.made, "here": row.id == here} for row in browsers.of(me.id)
        ],
        "ways": list(_ways(clinic, me.id).items()),  # in their order, which an object of JSON would lose
    }


def _ways(clinic, id):
    """How each way stands that the member has chosen: ready, or the code of what is missing."""
    me = next(each for each in members_of(clinic) if each.id == id)
    missing = {
        "push": "" if browsers.of(id) else "browser",
        "mail": "" if deliverable(clinic, "mail") else "mail",
        "text": "text" if not deliverable(clinic, "text") else "" if me.mobile else "mobile",
    }
    return {way: missing[way] for way in values(PLUGIN, clinic=clinic, member=id)["ways"]}


@pages.post("/rooms")
@members_only
def choose_room():
    body, me = _body(), member()
    room, wanted = body.get("room"), body.get("wanted")
    if not isinstance(wanted, bool) or room not in {each.id for each in rooms_of(clinic_id(), me.id)}:
        abort(400)
    with write() as session:
        session.merge(Wish(member_id=me.id, room_id=room, wanted=wanted))
    return {}


@pages.post("/browsers")
@members_only
def add_browser():
    try:
        browsers.keep(clinic_id(), member(), _body())
    except browsers.Refused as refused:
        return {"error": str(refused)}, 422
    return {}, 201


@pages.post("/browsers/forget")
@members_only
def forget_browser():
    id = _body().get("id")
    if not isinstance(id, str) or not id:
        abort(400)
    browsers.forget(member=member().id, id=id)
    return {}


@pages.post("/test")
@members_only
def test():
    """Send the member a message by each way that is ready; what becomes of it is asked for at `test/now`."""
    me, clinic, at = member(), clinic_id(), now()
    if at < _trials.get(me.id, (0, {}))[0] + BETWEEN:
        abort(429)
    own = next(each for each in members_of(clinic) if each.id == me.id)
    sent = {}
    for way in [way for way, missing in _ways(clinic, me.id).items() if not missing]:
        for to in {"mail": [own.email], "text": [own.mobile], "push": [row.id for row in browsers.of(me.id)]}[way]:
            said = message.trial(own, way)
            try:
                sent[post(clinic, way, to, **said, owner=PLUGIN, expires=at + TRIAL)] = way
            except ValueError:
                sent[secrets.token_urlsafe(8)] = way  # of which the outbox knows nothing: failed
    _trials[me.id] = (at, sent)
    return {"ways": sorted(set(sent.values()))}


@pages.post("/test/now")
@members_only
def test_now():
    """How the messages of the last test stand: `[{way, state, reason}]`."""
    clinic, stands = clinic_id(), []
    for id, way in _trials.get(member().id, (0, {}))[1].items():
        found = posted(clinic, id)
        state, reason = (found.state, found.reason) if found else ("failed", "")
        stands.append({"way": way, "state": state, "reason": reason})
    return {"messages": stands}


def _body():
    """The JSON of a request; an object, whatever came."""
    given = request.get_json(silent=True)
    return given if isinstance(given, dict) else {}


# -- the answer, without signing in


@pages.get("/answer")
def answer_page():
    """The token is in the fragment and stays in the browser until somebody presses an answer: this uses nothing up."""
    return _answer_page("ask")


@pages.post("/answer")
def answer():
    token, what = request.form.get("link", ""), request.form.get("answer", "")
    if what not in answers.WHAT or (what == "call" and not answers.phone(clinic_id())):
        abort(400)
    try:
        answers.give(clinic_id(), token, what)
    except answers.Refused as refused:
        return _answer_page(str(refused)), 410
    return _answer_page("said", what=what, token=token)


def _answer_page(state, **more):
    return page("answer.html", state=state, phone=answers.phone(clinic_id()), **{"what": "", "token": "", **more})


# -- hooks


def look(context, body):
    """What a page shows when it is drawn."""
    return answers.of(context.visit)


def ignored(context, body):
    """Answers come from here and from no page."""


@hookimpl
def blueprints():
    return [pages]


@hookimpl
def events():
    fields = (
        Field(id="what", type="choice", label="Answer", choices=[(what, what) for what in answers.WHAT], required=True),
        Field(id="name", label="Who answers", required=True),
        Field(id="at", type="int", label="When", required=True),
        Field(id="phone", label="Telephone"),
    )
    said = {"to": "all", "fields": fields, "handler": ignored}
    return [
        Event(name="look", sources=("provider", "patient"), path="server", handler=look),
        Event(name="answer", sources=("provider",), path="server", **said),
    ]


@hookimpl
def settings():
    zones = tuple((zone, zone.replace("_", " ")) for zone in sorted({"UTC", *zoneinfo.available_timezones()}))
    own = {"id": "own_zone", "scope": "member", "label": "Time zone of the quiet time"}
    return [
        Field(id="zone", type="choice", label="Time zone of the practice", choices=zones, default="UTC", required=True),
        Field(**own, type="choice", choices=zones, help="Without an answer it is the practice's."),
    ]


@hookimpl
def jobs():
    return [Job(name="look", every=watch.LOOK, run=watch.look), Job(name="sweep", every=watch.SWEEP, run=watch.sweep)]


@hookimpl
def visit_changed(view, new):
    if new in ("in_call", "ended"):
        watch.served(view, ended=new == "ended")


@hookimpl
def signed_out(member, login):
    if login:
        browsers.forget(member=member, login=login)
    else:
        watch.silence(member)


@hookimpl
def can_deliver(kind):
    return True if kind == "push" else None


@hookimpl
def deliver(message):
    return push.deliver(message) if message.kind == "push" else None


@hookimpl
def check_settings(values):
    wrong = {}
    if bool(values["quiet_from"]) != bool(values["quiet_until"]):
        missing = "quiet_until" if values["quiet_from"] else "quiet_from"
        wrong[missing] = "Quiet time needs a beginning and an end."
    elif values["quiet_from"] and values["quiet_from"] == values["quiet_until"]:
        wrong["quiet_until"] = "This must differ from the beginning."
    return wrong
