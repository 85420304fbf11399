"""Counts the visits of each day and shows the last four weeks."""

import zoneinfo

from flask import Blueprint

from housecall import Field, Fragment, Job, clinic_id, hookimpl, members_only, page
from housecall import settings as values

from .counts import add, last, silence, sweep

pages = Blueprint("tally_pages", __name__)


@pages.get("/")
@members_only
def weeks():
    return page("weeks.html", days=last(clinic_id(), 28))


@hookimpl
def blueprints():
    return [pages]


@hookimpl
def fragments():
    return [Fragment(slot="admin.home", template="tile.html")]


@hookimpl
def settings():
    zones = tuple((zone, zone.replace("_", " ")) for zone in sorted({"UTC", *zoneinfo.available_timezones()}))
    return [Field(id="zone", type="choice", label="Time zone", choices=zones, default="UTC", required=True)]


@hookimpl
def jobs():
    return [Job(name="sweep", every=6 * 3600, run=sweep)]


@hookimpl
def visit_changed(view, new):
    if new == "ended" and view.started:  # who left the waiting room had no visit
        add(view.clinic, 1)


@hookimpl
def toggled(clinic, enabled):
    if enabled:
        add(clinic, 0)  # from here on silence means something


@hookimpl
def health(clinic):
    days = silence(clinic)
    if days is not None and days >= values("tally", clinic=clinic)["quiet"]:
        return f"No visit has been counted for {days} days."
    return None
