"""The rows: what a practice has subscribed to, and the events that were heeded."""

import time

from sqlalchemy import delete, select

from housecall import db, write

from .models import Seen, Subscription

KEPT = 30 * 86_400_000  #: ms of an event's id, as plugin.toml says; Stripe repeats one for three days


def now():
    return time.time_ns() // 1_000_000


def of(clinic):
    """What a practice has subscribed to, or None."""
    return db.session.get(Subscription, clinic)


def change(clinic, **values):
    """Change a practice's row; there is one afterwards."""
    with write() as session:
        row = session.get(Subscription, clinic) or Subscription(clinic_id=clinic)
        for name, value in values.items():
            setattr(row, name, value)
        session.add(row)
    return row


def clinic_of(customer):
    """The practice that is a customer, or None."""
    return db.session.scalar(select(Subscription.clinic_id).where(Subscription.customer == customer))


def is_seen(event):
    return db.session.get(Seen, event) is not None


def see(event):
    with write() as session:
        if session.get(Seen, event) is None:
            session.add(Seen(id=event, at=now()))


def sweep():
    with write() as session:
        session.execute(delete(Seen).where(Seen.at < now() - KEPT))
