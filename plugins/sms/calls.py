"""Patients who wait and want to be called by text: a sealed number, used once, gone when the visit begins or ends."""

import secrets

from sqlalchemy import delete, select, update

from housecall import (
    again,
    clinic_name,
    db,
    deliverable,
    erase,
    in_visit,
    post,
    posted,
    queue,
    seal,
    unseal,
    withdraw,
    write,
)

from . import limits, numbers, sending
from .models import Call

GOOD_FOR = 10 * 60_000  #: ms in which such a text is worth sending
MOST = 3  #: numbers that may be given in one visit
OLDEST = 12 * 3_600_000  #: ms: the life of a ticket
SETTLED = 60_000  #: ms after a start in which nobody is next yet: patients are still coming back
FORGOTTEN = 15 * 60_000  #: ms after a start in which visits that nobody knows may still come back
COLUMNS = Call.__table__.columns
STARTED = limits.now()
left = set()  #: what is still to be erased
MINE = f"posting {secrets.token_urlsafe(6)}"  #: that this process is about to post it


# -- what pages ask


def ask(context, body):
    """A patient gives a number."""
    clinic, visit, values = context.clinic, context.visit, sending.of(context.clinic)
    if not offered(clinic, values):
        return {"state": "off"}
    try:
        number = sending.understood(values, body["number"])
    except numbers.Unreadable as why:
        return {"problem": str(why)}
    if limits.is_stopped(clinic, number):
        return {"problem": "This number has answered STOP. Text START to hear from the practice again."}
    with write() as session:
        row = session.get(Call, visit.id) or Call(visit=visit.id, clinic_id=clinic, times=0)
        if row.times >= MOST:
            return {"problem": "Three numbers are as many as can be given in one visit."}
        row.sealed, row.message, row.asked = seal(_place(visit.id), number), "", limits.now()
        row.waits, row.times = _ahead(clinic, visit), row.times + 1
        session.add(row)
        waits = row.waits
    context.emit("changed", {}, to="provider")
    return {"state": "kept", "number": numbers.shown(number), "waits": waits}


def forget(context, body):
    """A patient takes the number back."""
    with write() as session:
        row = session.get(Call, context.visit.id)
        if row is not None:
            row.sealed, row.message = "", ""
    gone()
    context.emit("changed", {}, to="provider")
    return {"state": "none"}


def stands(context, body):
    """How it stands: off, none, kept; or, of the text, what the outbox says."""
    return standing(context.clinic, context.visit.id)


def call(context, body):
    """A member calls the patient now; or sends an uncertain text again."""
    row = _row(context.clinic, context.visit.id)
    if row is not None and row.message and not row.sealed:
        again(context.clinic, row.message)
    elif row is not None:
        use(context.clinic, row, even_unsure=True)
    context.emit("changed", {}, to="all")
    return standing(context.clinic, context.visit.id)


# -- what is kept


def offered(clinic, values):
    return bool(values["calls"]) and values["way"] != "off" and deliverable(clinic, "text")


def standing(clinic, visit):
    row = _row(clinic, visit)
    if row is None or not (row.sealed or row.message):
        return {"state": "none" if offered(clinic, sending.of(clinic)) else "off"}
    if row.sealed and not row.message:
        number = unseal(_place(visit), row.sealed) or ""
        return {"state": "kept", "ends": number[-2:], "waits": row.waits}
    if row.sealed:  # another process was about to post it, and has not come to that
        return {"state": "sending" if row.message == MINE else "unsure"}
    became = posted(clinic, row.message)
    return {"state": became.state, "reason": became.reason} if became else {"state": "sent"}


def use(clinic, row, *, even_unsure=False):
    """Post the one text to this patient, whose number is gone then. Whether this call did it: it is done once."""
    before = row.message
    if before == MINE or (before and not even_unsure):
        return False
    claim = update(Call).where(Call.visit == row.visit, Call.sealed != "", Call.message == before)
    with write() as session:
        if not session.execute(claim.values(message=MINE)).rowcount:
            return False
    number, values = unseal(_place(row.visit), row.sealed), sending.of(clinic)
    message = ""
    if number:
        text = values["call_text"].replace("{clinic}", clinic_name(clinic))
        try:
            message = post(clinic, "text", number, text=text, owner=sending.PLUGIN, expires=limits.now() + GOOD_FOR)
        except Exception:  # it was not posted: as if nobody had tried
            with write() as session:
                session.execute(update(Call).where(Call.visit == row.visit).values(message=before))
            raise
    with write() as session:
        session.execute(update(Call).where(Call.visit == row.visit).values(sealed="", message=message))
    gone()
    return bool(message)


def turn(clinic, room):
    """Whoever is next in a room, and was not when the number was given, is called."""
    waiting = [view for view in queue(clinic, room) if view.state == "waiting"]
    row = _row(clinic, waiting[0].id) if waiting else None
    if row is None or not row.sealed or row.message or not row.waits:
        return
    if row.asked < STARTED and limits.now() < STARTED + SETTLED:
        return
    if offered(clinic, sending.of(clinic)) and use(clinic, row) and (context := in_visit(sending.PLUGIN, row.visit)):
        context.emit("changed", {}, to="all")


def turns(clinic):
    """Look at every room: a patient who was sent on to another one is next there, perhaps; and forget what is over."""
    if left:
        gone()
    views = queue(clinic)
    known = {view.id for view in views}
    rows = db.session.execute(select(*COLUMNS).where(Call.clinic_id == clinic)).all()
    at = limits.now()
    for row in rows:
        lost = row.visit not in known and at > max(STARTED, row.asked) + FORGOTTEN
        if lost or row.asked < at - OLDEST:
            drop(clinic, row.visit)
    asked = {row.visit for row in rows}
    for room in {view.room for view in views if view.id in asked}:
        turn(clinic, room)


def drop(clinic, visit):
    """The visit has begun or ended: the number goes, and a text that has not gone yet."""
    row = _row(clinic, visit)
    if row is None:
        return
    with write() as session:
        session.execute(delete(Call).where(Call.visit == visit))
    if row.message and not row.sealed:
        withdraw(clinic, row.message)
    gone()


def gone():
    """What was sealed is erased from the disk, too; where a reader is in the way, by the next `turns`."""
    left.clear() if erase(db.engine) else left.add("sms_call")


def _row(clinic, visit):
    """What is kept of a visit, as it is now; a plain row, which writing does not change."""
    return db.session.execute(select(*COLUMNS).where(Call.visit == visit, Call.clinic_id == clinic)).first()


def _ahead(clinic, visit):
    """Whether somebody waits before this visit."""
    waiting = [view.id for view in queue(clinic, visit.room) if view.state == "waiting"]
    return visit.id not in waiting[:1]


def _place(visit):
    return f"sms_call.sealed {visit}"
