"""Text messages: carries kind "text" of the outbox by a gateway; STOP, reports, limits; and calls patients who wait."""

from flask import Blueprint, Response, abort, redirect, request

from housecall import (
    Event,
    Field,
    Job,
    admins_only,
    clinic_id,
    clinic_name,
    hookimpl,
    page,
    post,
    posted,
    webhook,
)

from . import calls, carriers, gsm, limits, numbers, reports, sending

PLUGIN = sending.PLUGIN
pages = Blueprint("sms_pages", __name__)


@pages.get("/")
@admins_only
def overview():
    """How texts go, what carriers must be told, and a text to try it with."""
    return overview_page(sent=request.args.get("sent", ""))


@pages.post("/")
@admins_only
def tried():
    """Send a text to try it; the page follows what becomes of it."""
    clinic, typed, text = clinic_id(), request.form.get("number", "")[:40], request.form.get("text", "")[:2000]
    values, errors = sending.of(clinic), {}
    text = text.replace("\r\n", "\n").strip()
    try:
        number = sending.understood(values, typed)
    except numbers.Unreadable as why:
        errors["number"] = str(why)
    if not gsm.size(text).parts:
        errors["text"] = "Write what is to be sent."
    elif gsm.size(text).parts > values["parts"]:
        errors["text"] = "This has more parts than the settings allow."
    if not sending.ready(clinic):
        errors["number"] = "Text messages are not set up yet: look at the settings first."
    if errors:
        return overview_page(errors=errors, number=typed, text=text), 422
    id_ = post(clinic, "text", number, text=text, owner=PLUGIN, expires=limits.now() + calls.GOOD_FOR)
    return redirect(f"?sent={id_}", 303)


def overview_page(*, errors=(), number="", text=None, sent=""):
    clinic = clinic_id()
    values = sending.of(clinic)
    return page(
        "sms_overview.html",
        way=values["way"],
        host=carriers.host_of(values),
        problems=sending.problems(values),
        errors=dict(errors),
        number=number,
        text=text,
        default=clinic_name(clinic),
        sent=sent,
        became=posted(clinic, sent) if sent else None,
        today=limits.today(clinic),
        daily=values["daily"],
        stopped=limits.how_many_stopped(clinic),
        answers=reports.answers_address(clinic),
        reports=reports.reports_address(clinic),
    )


@pages.post("/understood")
@admins_only
def understood():
    """How a number is read that somebody is typing; it is in no address, where logs would have it."""
    try:
        number = sending.understood(sending.of(clinic_id()), request.form.get("number", "")[:40])
    except numbers.Unreadable as why:
        return {"problem": str(why)}
    return {"number": numbers.shown(number)}


def _only_carrier(clinic, mark, right, path):
    """Whoever does not know the address finds nothing there; a carrier that signs must have signed."""
    if not reports.right(mark, right):
        abort(404)
    if not reports.signed(sending.of(clinic), path):
        abort(403)


@pages.route("/report/<message>/<mark>", methods=["GET", "POST"])
@webhook
def report(message, mark):
    """A carrier's report on one message, at that message's own address."""
    clinic = clinic_id()
    _only_carrier(clinic, mark, sending.mark(clinic, message), f"/-/{PLUGIN}/report/{message}/{mark}")
    reports.take(clinic, message, reports.said(request))
    return Response(status=200)


@pages.route("/reports/<mark>", methods=["GET", "POST"])
@webhook
def all_reports(mark):
    """Reports of a carrier that knows one address for all; the message is found by the carrier's own id."""
    clinic = clinic_id()
    _only_carrier(clinic, mark, sending.own_mark(clinic), f"/-/{PLUGIN}/reports/{mark}")
    said = reports.said(request)
    if reference := reports.first(said, reports.IDS):
        reports.take(clinic, reference, said)
    return Response(status=200)


@pages.route("/in/<mark>", methods=["GET", "POST"])
@webhook
def answered(mark):
    """What somebody has answered. STOP and START are understood; all else is neither read nor kept."""
    clinic = clinic_id()
    _only_carrier(clinic, mark, sending.own_mark(clinic), f"/-/{PLUGIN}/in/{mark}")
    reports.heard(clinic, reports.said(request))
    # Twilio wants its own kind of silence, Kannel sends on whatever stands here
    return Response("<Response/>" if sending.of(clinic)["way"] == "twilio" else "", mimetype="text/xml")


@hookimpl
def blueprints():
    return [pages]


@hookimpl
def events():
    early = {"path": "server", "states": ("arriving", "waiting")}
    number = Field(id="number", label="Telephone number", required=True, max=40)
    return [
        Event(name="ask", sources=("patient",), to="provider", rate=0.5, fields=(number,), handler=calls.ask, **early),
        Event(name="forget", sources=("patient",), to="provider", rate=0.5, handler=calls.forget, **early),
        Event(name="stands", sources=("patient", "provider"), rate=2.0, handler=calls.stands, **early),
        Event(name="call", sources=("provider",), to="patient", rate=0.5, handler=calls.call, **early),
        Event(name="changed", sources=("provider",), to="all", rate=1.0, **early),
    ]


@hookimpl
def jobs():
    return [
        Job(name="turns", every=30, run=calls.turns),
        Job(name="sweep", every=600, run=limits.sweep),
    ]


@hookimpl
def deliver(message):
    values = sending.of(message.clinic) if message.kind == "text" else {"way": "off"}
    return None if values["way"] == "off" else sending.carry(values, message)


@hookimpl
def can_deliver(clinic, kind):
    return True if kind == "text" and sending.ready(clinic) else None


@hookimpl
def check_settings(values):
    return sending.problems(values)


@hookimpl
def health(clinic):
    wrong = sending.problems(sending.of(clinic))
    return next(iter(wrong.values()), None) or sending.trouble.get(clinic)


@hookimpl
def visit_changed(view, old, new):
    if new in ("in_call", "ended"):
        calls.drop(view.clinic, view.id)
    if old is not None:
        calls.turn(view.clinic, view.room)
