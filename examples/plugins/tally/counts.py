"""Counting, and what was counted. There is no name in it, and no time but the day."""

import datetime as dt
import zoneinfo

from sqlalchemy import delete, func, select

from housecall import db, settings, write

from .models import Day


def today(clinic):
    """The date where the practice is."""
    return dt.datetime.now(zoneinfo.ZoneInfo(settings("tally", clinic=clinic)["zone"])).date()


def add(clinic, visits):
    """So many more visits of today; none begins a day with 0."""
    key = {"clinic_id": clinic, "day": today(clinic)}
    with write() as session:
        row = session.get(Day, key) or Day(**key, visits=0)
        row.visits += visits
        session.add(row)


def last(clinic, days):
    """Each of the last days with its visits, today at the end."""
    every = [today(clinic) - dt.timedelta(days=back) for back in reversed(range(days))]
    rows = db.session.execute(select(Day.day, Day.visits).where(Day.clinic_id == clinic, Day.day >= every[0]))
    counted = dict(rows.all())
    return [(day, counted.get(day, 0)) for day in every]


def silence(clinic):
    """The days since something was counted, or since counting began; None before that."""
    latest = db.session.scalar(select(func.max(Day.day)).where(Day.clinic_id == clinic))
    return (today(clinic) - latest).days if latest else None


def sweep(clinic):
    """Forget what is older than the practice wants to keep."""
    first = today(clinic) - dt.timedelta(days=settings("tally", clinic=clinic)["keep"])
    with write() as session:
        session.execute(delete(Day).where(Day.clinic_id == clinic, Day.day < first))
