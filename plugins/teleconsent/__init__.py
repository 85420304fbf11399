"""Which form comes before a visit, the forms themselves, receipts; and a command that checks a signed document.

What is filled in and signed never comes here: it goes sealed from page to page.
"""

import json

from flask import Blueprint, Response, abort, redirect, request

from housecall import (
    Event,
    Field,
    Job,
    Step,
    admins_only,
    clinic_id,
    hookimpl,
    member,
    members_only,
    page,
    settings,
)

from . import forms as known
from . import pdf, receipts
from .verify import verify_consent

PLUGIN = "teleconsent"
pages = Blueprint("teleconsent_pages", __name__)


@pages.get("/")
@members_only
def overview():
    """The forms of this practice; the provider's page reads which there are from it."""
    return page("teleconsent_forms.html", forms=known.all_of(clinic_id()), own=known.own(clinic_id()))


@pages.get("/form/<name>")
@pages.get("/form/<name>/<version>")
def form(name, version=None):
    """A form in the reader's language. Patients have no login; what it says is for everybody who has the link."""
    found = known.find(clinic_id(), name, version)
    if found is None:
        abort(404)
    return page("teleconsent_form.html", form=found)


@pages.get("/own")
@admins_only
def own():
    title, text = known.text_of_own(clinic_id())
    return own_page(title, text, saved=request.args.get("saved", ""))


@pages.post("/own")
@admins_only
def written():
    """Save a version of the practice's own form, look at it first, or begin with the text of a PDF."""
    title, text, do = request.form.get("title", "").strip()[:200], request.form.get("text", ""), request.form.get("do")
    if do == "read":
        upload = request.files.get("pdf")
        taken = pdf.read(upload.stream.read(pdf.LARGEST + 1) if upload else b"")
        if taken.problem:
            return own_page(title, text, errors={"pdf": taken.problem}), 422
        name = title or taken.title or (upload.filename or "").removesuffix(".pdf")[:200] or "PDF"
        version = known.keep(clinic_id(), name, taken.text, member().id, taken.pages)
        return redirect(f"own/{version}", 303)
    errors = {}
    if not title:
        errors["title"] = "none"
    if not known.parsed(text):
        errors["text"] = "none"
    elif len(text) > known.LONGEST:
        errors["text"] = "long"
    if errors:
        return own_page(title, text, errors=errors), 422
    if do != "save":
        return own_page(title, text, preview=known.draft(title, text, version=str(known.latest(clinic_id()) + 1)))
    version = known.keep(clinic_id(), title, text, member().id)
    return redirect(f"own?saved={version}", 303)


def own_page(title, text, *, errors=(), preview=None, saved=""):
    more = {"errors": dict(errors), "preview": preview, "saved": saved, "largest": pdf.LARGEST // 1_000_000}
    return page("teleconsent_own.html", title=title, text=text, **more)


@pages.get("/own/<int:version>")
@admins_only
def mark(version):
    """Where to sign on the pages of a PDF."""
    return page("teleconsent_places.html", form=known.unfinished(clinic_id(), version) or abort(404))


@pages.post("/own/<int:version>")
@admins_only
def marked(version):
    form = known.unfinished(clinic_id(), version) or abort(404)
    places = _places(request.form.get("places", ""), len(form.pages))
    if places is None:
        abort(400)
    known.finish(clinic_id(), version, request.form.get("title", "").strip()[:200] or form.title, places)
    return redirect(f"../own?saved={version}", 303)


def _places(text, pages):
    """[[page, x, y]] of at most 20 places, or None for what is something else."""
    try:
        places = [(int(n), round(float(x), 4), round(float(y), 4)) for n, x, y in json.loads(text or "[]")]
    except (ValueError, TypeError):
        return None
    good = all(0 <= n < pages and 0 <= x <= 1 and 0 <= y <= 1 for n, x, y in places)
    return [list(place) for place in places] if good and len(places) <= 20 else None


@pages.get("/page/<int:version>/<int:number>")
def picture(version, number):
    """A page of a form that was a PDF: for everybody who has the link, as its text is, once it is in use."""
    reader = member()
    png = known.picture(clinic_id(), version, number, inside=bool(reader) and reader.role in ("owner", "admin"))
    return Response(png, mimetype="image/png") if png else abort(404)


def before(view):
    """The form that comes before this visit, or nothing."""
    values = settings(PLUGIN, clinic=view.clinic, room=view.room)
    chosen = values["before"] if values["before_here"] == "practice" else values["before_here"]
    return known.find(view.clinic, chosen)


def receipt(context, body):
    """A signed document was made in this visit."""
    if not settings(PLUGIN, clinic=context.clinic)["receipts"]:
        return {"kept": False}
    return {"kept": receipts.keep(context.clinic, body["sha256"], body["form"], body["version"])}


@hookimpl
def blueprints():
    return [pages]


@hookimpl
def events():
    fields = (
        Field(id="sha256", label="Fingerprint", required=True, min=64, max=64),
        Field(id="form", label="Form", required=True, max=40),
        Field(id="version", label="Version", required=True, max=20),
    )
    return [Event(name="receipt", sources=("patient",), path="server", rate=1.0, fields=fields, handler=receipt)]


@hookimpl
def jobs():
    return [Job(name="sweep", every=86_400, run=receipts.sweep)]


@hookimpl
def commands():
    return [verify_consent]


@hookimpl
def checkin_steps(view):
    """The form of the settings; and those that were asked of this visit before somebody changed them."""
    begun = [step.partition(":")[2] for step in view.steps if step.startswith(f"{PLUGIN}:")]
    asked = begun or [form.id for form in [before(view)] if form]
    found = filter(None, (known.find(view.clinic, name) for name in asked))
    return [
        Step(
            id=form.id,
            title=form.title,
            template="teleconsent_step.html",
            module="teleconsent.js",
            required=True,
        )
        for form in found
    ]


@hookimpl
def check_settings(clinic, values):
    wanted = [name for name in ("before", "before_here") if values.get(name) == known.OWN]
    if wanted and not known.latest(clinic):
        return dict.fromkeys(wanted, "Write the practice's own form first, on the page of the forms.")
    return {}
