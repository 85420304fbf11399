"""Which invitations were sent, to be moved or cancelled: their times and rooms, and nothing of whom they are for."""

import time

from sqlalchemy import delete, select

from housecall import db, write

from .models import Sent

AFTER = 86_400_000  #: ms for which one is still listed when its link has ended
POSTS = 12  #: messages that may be sent for one invitation
A_DAY = 300  #: messages that one member may send in a day


def now():
    return time.time_ns() // 1_000_000


def find(clinic, id):
    """An invitation, or None."""
    row = db.session.get(Sent, id)
    return row if row and row.clinic_id == clinic else None


def of_another(clinic, id):
    """Whether an invitation is another practice's."""
    row = db.session.get(Sent, str(id))
    return row is not None and row.clinic_id != clinic


def of_rooms(clinic, rooms):
    """Those of some rooms that are still to come, the next first; those of no time at the end."""
    rows = select(Sent).where(Sent.clinic_id == clinic, Sent.room_id.in_(rooms), Sent.expires > now())
    return list(db.session.scalars(rows.order_by(Sent.at.is_(None), Sent.at, Sent.id)))


def of_member(clinic, member):
    """Those of a member that have a time, for a calendar; yesterday's are still in it."""
    mine = select(Sent).where(Sent.clinic_id == clinic, Sent.member_id == member, Sent.at.is_not(None))
    return list(db.session.scalars(mine.where(Sent.expires > now() - AFTER).order_by(Sent.at)))


def too_many(clinic, member, id):
    """Whether no more messages may be sent for it, or by this member today."""
    row = find(clinic, id)
    if row and row.posts >= POSTS:
        return True
    mine = select(Sent.posts).where(
        Sent.clinic_id == clinic, Sent.member_id == member, Sent.changed > now() - 86_400_000
    )
    return sum(db.session.scalars(mine)) >= A_DAY


def keep(clinic, member, given, *, cancelled=False):
    """Write an invitation down, or that it has another time, room or state, which makes its entry a later one."""
    with write() as session:
        row = session.get(Sent, given.id)
        if row is None:
            row = Sent(id=given.id, clinic_id=clinic, member_id=member, sequence=0, posts=0, reminder="")
            session.add(row)
        elif (row.at, row.room_id, row.minutes, row.cancelled) != (given.at, given.room.id, given.minutes, cancelled):
            row.sequence += 1
        row.room_id, row.at, row.minutes, row.expires = given.room.id, given.at, given.minutes, given.expires
        row.passes, row.cancelled, row.changed = given.passes, cancelled, now()
        return row.sequence


def posted(id, *, reminder=""):
    """One more message was sent for it; `reminder` is the outbox's id of one that waits."""
    with write() as session:
        row = session.get(Sent, id)
        row.posts += 1
        row.reminder = reminder or row.reminder


def forget_reminder(id):
    with write() as session:
        session.get(Sent, id).reminder = ""


def sweep(clinic):
    """Forget those whose links have ended."""
    with write() as session:
        session.execute(delete(Sent).where(Sent.clinic_id == clinic, Sent.expires < now() - AFTER))
