"""Counts rings: every noun and most hooks of a plugin with Python."""

from flask import Blueprint
from sqlalchemy import func, select

from housecall import Event, Field, Job, clinic_id, db, hookimpl, members_only, page, settings, write

from .models import Ring

pages = Blueprint("ledger_pages", __name__)


@pages.get("/today")
@members_only
def today():
    rings = db.session.scalar(select(func.sum(Ring.times)).where(Ring.clinic_id == clinic_id()))
    return page("today.html", n=rings or 0)


def rung(context, body):
    most = settings("ledger", clinic=context.clinic)["bell"]
    with write() as session:
        row = session.get(Ring, context.visit.room) or Ring(room=context.visit.room, clinic_id=context.clinic, times=0)
        row.times = min(row.times + body["times"], most)
        session.add(row)
    return {"times": row.times}


def sweep(clinic):
    with write() as session:
        for row in session.scalars(select(Ring).where(Ring.clinic_id == clinic)):
            session.delete(row)


@hookimpl
def blueprints():
    return [pages]


@hookimpl
def events():
    times = Field(id="times", type="int", label="Times", required=True, min=1, max=3)
    return [
        Event(name="ring", sources=("provider",), states=("waiting",), path="server", fields=(times,), handler=rung)
    ]


@hookimpl
def jobs():
    return [Job(name="sweep", every=3600, run=sweep)]


@hookimpl
def refuse_move(view, to, actor):
    return None if view.room else "There is no room."


@hookimpl
def check_settings(clinic, values):
    return {} if values["bell"] else {"bell": "Ring once at least."}


@hookimpl
def health(clinic):
    return None


@hookimpl
def visit_changed(view, old, new):
    assert old != new


@hookimpl
def toggled(clinic, enabled):
    assert clinic
