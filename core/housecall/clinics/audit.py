"""Who changed what: append-only, each row bound to the one before by its hash."""

from __future__ import annotations

import hashlib
import json

from sqlalchemy import select
from sqlalchemy.orm import Session

from .database import db, write
from .models import Audit, now


def add(
    session: Session, clinic_id: str, *, actor: str | None, action: str, object: str, outcome: str = "done"
) -> None:
    """One row, in the transaction of the change that it is about."""
    last = session.scalar(select(Audit.hash).where(Audit.clinic_id == clinic_id).order_by(Audit.id.desc()).limit(1))
    row = Audit(
        clinic_id=clinic_id,
        at=now(),
        actor_id=actor,
        action=action,
        object=object,
        outcome=outcome,
        previous=last or "",
    )
    row.hash = _hash(row)
    session.add(row)


def note(clinic_id: str, *, actor: str | None, action: str, object: str) -> None:
    """One row by itself, about something that no table of ours holds."""
    with write() as session:
        add(session, clinic_id, actor=actor, action=action, object=object)


def broken_at(clinic_id: str) -> int | None:
    """The id of the first row that is not what it was when it was written; the oldest kept row begins the chain."""
    previous: str | None = None
    for row in db.session.scalars(select(Audit).where(Audit.clinic_id == clinic_id).order_by(Audit.id)):
        if row.hash != _hash(row) or (previous is not None and row.previous != previous):
            return row.id
        previous = row.hash
    return None


def _hash(row: Audit) -> str:
    body = [row.clinic_id, row.at, row.actor_id, row.action, row.object, row.outcome, row.previous]
    return hashlib.sha256(json.dumps(body).encode()).hexdigest()
