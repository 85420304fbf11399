"""Past visits: one row each, without a name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import case, func, select

from .database import db, write
from .members import shown_name
from .models import History, Member, Room, now

PAGE = 50  #: rows
WEEKS = 12  #: of the chart


@dataclass(frozen=True, kw_only=True)
class Row:
    """A past visit as a member sees it. Times in ms, lengths in whole minutes."""

    arrived: int
    ended: int
    waited: int
    minutes: int | None  #: none: there was no call
    room: str
    member: str
    outcome: str
    media: str


@dataclass(frozen=True, kw_only=True)
class Listing:
    """One page of rows, the totals of all, and the visits of each of the last weeks."""

    rows: list[Row]
    totals: dict[str, int]  #: visits, completed, minutes
    weeks: list[dict[str, Any]]  #: {label, visits}, oldest first
    page: int
    pages: int


def record(**row: Any) -> None:
    """Write the row of an ended visit; a second time changes nothing."""
    with write() as session:
        if session.get(History, row["visit_id"]) is None:
            session.add(History(**row))


def exists(visit_id: str) -> bool:
    """Whether this visit is over: its ticket opens nothing any more."""
    return db.session.scalar(select(History.visit_id).where(History.visit_id == visit_id)) is not None


def came(visit_id: str) -> bool:
    """Whether there was a call in a past visit, or a member ended it: its invitation is used up."""
    row = db.session.execute(select(History.started, History.outcome).where(History.visit_id == visit_id)).first()
    return row is not None and (row.started is not None or row.outcome == "removed")


def listing(rooms: Collection[str], *, page: int = 1) -> Listing:
    """The past visits of some rooms, the latest first."""
    mine = History.room_id.in_(rooms)
    length = case((History.started.is_not(None), History.ended - History.started), else_=0)
    visits, completed, total = db.session.execute(
        select(
            func.count(),
            func.coalesce(func.sum(case((History.outcome == "completed", 1), else_=0)), 0),
            func.coalesce(func.sum(length), 0),
        ).where(mine)
    ).one()
    pages = max(1, -(-visits // PAGE))
    page = min(page, pages)
    named = db.session.execute(select(Room.id, Room.name).where(Room.id.in_(rooms)))
    names = {room_id: name for room_id, name in named}
    query = (
        select(History, Member)
        .outerjoin(Member, Member.id == History.member_id)
        .where(mine)
        .order_by(History.ended.desc(), History.visit_id)
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    )
    rows = [
        Row(
            arrived=h.arrived,
            ended=h.ended,
            waited=((h.started or h.ended) - h.arrived) // 60_000,
            minutes=_minutes(h.ended - h.started) if h.started else None,
            room=names.get(h.room_id, ""),
            member=shown_name(m) if m else "",
            outcome=h.outcome,
            media=h.media,
        )
        for h, m in db.session.execute(query)
    ]
    totals = {"visits": visits, "completed": int(completed), "minutes": _minutes(int(total))}
    return Listing(rows=rows, totals=totals, weeks=_weeks(rooms), page=page, pages=pages)


def _minutes(ms: int) -> int:
    """Begun minutes: a call of ten seconds is one."""
    return -(-ms // 60_000)


def _weeks(rooms: Collection[str]) -> list[dict[str, Any]]:
    """Visits of the last twelve weeks by their Mondays (UTC)."""
    today = dt.datetime.fromtimestamp(now() / 1000, dt.UTC).date()
    monday = today - dt.timedelta(days=today.weekday())
    starts = [monday - dt.timedelta(weeks=n) for n in reversed(range(WEEKS))]
    first = int(dt.datetime.combine(starts[0], dt.time(), dt.UTC).timestamp() * 1000)
    week = (History.ended - first) // (7 * 24 * 3600 * 1000)
    query = select(week, func.count()).where(History.room_id.in_(rooms), History.ended >= first).group_by(week)
    counts = [0] * WEEKS
    for number, count in db.session.execute(query):
        counts[min(WEEKS - 1, number)] += count
    return [{"label": start.isoformat(), "visits": count} for start, count in zip(starts, counts, strict=True)]
