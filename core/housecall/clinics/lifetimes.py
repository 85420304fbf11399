"""Deletes what has reached the end of its stated lifetime (contracts §18)."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import delete

from .database import db, erase, write
from .logins import IDLE
from .models import Audit, History, Invitation, Login

MONTHS = 24  #: history and audit


def sweep(at: int) -> int:
    """Delete what is too old at `at` (ms), and erase it from SQLite's journal; says how many rows went."""
    limit = _months_before(at)
    with write() as session:
        gone = 0
        for rule in (
            delete(History).where(History.ended < limit),
            delete(Audit).where(Audit.at < limit),
            delete(Login).where((Login.expires <= at) | (Login.seen <= at - IDLE - 12 * 3600 * 1000)),
            delete(Invitation).where(Invitation.expires <= at),
        ):
            gone += session.execute(rule).rowcount  # type: ignore[attr-defined]
    if gone:
        erase(db.engine)
    return gone


def _months_before(at: int) -> int:
    day = dt.datetime.fromtimestamp(at / 1000, dt.UTC)
    back = day.replace(year=day.year - MONTHS // 12, day=min(day.day, 28))
    return int(back.timestamp() * 1000)
