"""The outbox: messages that wait to be sent, sealed; and for an hour what became of them, without what they said.

waiting → sending (claimed by one, tries + 1) → sent | waiting (later) | failed | unsure. A row that is found `sending`
at a start was interrupted: nobody knows whether it went, so it is `unsure` and never sent again by itself.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sqlalchemy import and_, delete, func, or_, select, update

from ..message import MOST_REASON, Delivery, Message
from . import sealing
from .database import db, harden, write
from .models import Outbox

FINISHED = ("sent", "failed", "delivered", "bounced")
KEPT = 3600 * 1000  #: ms that the row of a finished message stays
LIFE = 24 * 3600 * 1000  #: ms after `due` in which a message is tried, unless it says otherwise
LONGEST_LIFE = 400 * 24 * 3600 * 1000  #: ms from now to the latest possible end
STEP, LONGEST_STEP = 60 * 1000, 3600 * 1000  #: ms to the second try; it doubles up to an hour

INTERRUPTED = "The server was stopped while it was being sent, so it may have arrived or not."
DOUBTFUL = "It may have arrived or not."
REFUSED = "It was refused."
TOO_LATE = "It could not be sent in time."
UNREADABLE = "It cannot be read any more: the server's key has changed."


@dataclass(frozen=True, kw_only=True)
class Posted:
    """How far a message has come."""

    state: str  #: "waiting", "sending", "sent", "failed", "unsure"; then perhaps "delivered" or "bounced"
    tries: int
    reason: str  #: a sentence for people: why it failed, waits or is unsure


def add(key: bytes, message: Message, *, due: int, expires: int, at: int) -> None:
    """One row, sealed under the server's key and bound to its place; one that is there already stays as it is.

    Raises ValueError.
    """
    due = due or at
    expires = expires or due + LIFE
    if not due < expires <= at + LONGEST_LIFE or expires <= at:
        raise ValueError("expires lies after due and after now, and not more than 400 days from now")
    with write() as session:
        if session.get(Outbox, message.id) is not None:
            return
        session.add(
            Outbox(
                id=message.id,
                clinic_id=message.clinic,
                kind=message.kind,
                owner=message.owner,
                due=due,
                expires=expires,
                tries=0,
                state="waiting",
                sealed=sealing.seal(key, _place(message.id), message.packed()),
                reason="",
                reference="",
                changed=at,
            )
        )


def find(clinic_id: str, id: str) -> Posted | None:
    query = select(Outbox.state, Outbox.tries, Outbox.reason).where(Outbox.clinic_id == clinic_id, Outbox.id == id)
    row = db.session.execute(query).first()
    return Posted(state=row.state, tries=row.tries, reason=row.reason) if row else None


def unsure(clinic_id: str) -> int:
    """How many messages wait for a person's decision, or are remembered as undecided."""
    query = select(func.count()).where(Outbox.clinic_id == clinic_id, Outbox.state == "unsure")
    return int(db.session.scalar(query) or 0)


def claim(key: bytes, at: int) -> Message | None:
    """Take the next message that is due; from here on a crash leaves it `unsure`. One that cannot be read fails."""
    while True:
        with write() as session:
            waits = select(Outbox).where(Outbox.state == "waiting", Outbox.due <= at, Outbox.expires > at)
            row = session.scalar(waits.order_by(Outbox.due, Outbox.id).limit(1))
            if row is None:
                return None
            taken = update(Outbox).where(Outbox.id == row.id, Outbox.state == "waiting")
            done = session.execute(taken.values(state="sending", tries=row.tries + 1, changed=at))
            if not done.rowcount:  # type: ignore[attr-defined]
                continue  # another process was faster
        harden(db.engine)
        try:
            packed = sealing.unseal(key, _place(row.id), row.sealed)
            return Message.unpacked(packed, id=row.id, clinic=row.clinic_id, kind=row.kind, owner=row.owner)
        except (sealing.Unsealable, ValueError, TypeError, KeyError):
            with write() as session:
                _finish(session.get_one(Outbox, row.id), "failed", UNREADABLE, at)


def settle(message: Message, delivery: Delivery, at: int) -> None:
    """Write down what became of a try. A message that a report has settled in the meantime stays as that says."""
    reason = _without(message.to, delivery.reason)
    with write() as session:
        row = session.get(Outbox, message.id)
        if row is None or row.state != "sending":
            return
        row.reference = digest(delivery.reference) if delivery.reference else ""
        if delivery.state == "sent":
            _finish(row, "sent", reason, at)
        elif delivery.state == "refused":
            _finish(row, "failed", reason or REFUSED, at)
        elif delivery.state == "unsure":
            row.state, row.reason, row.changed = "unsure", reason or DOUBTFUL, at
        else:
            row.due = at + min(LONGEST_STEP, STEP * 2 ** min(row.tries - 1, 10))
            if row.due >= row.expires:
                _finish(row, "failed", f"{TOO_LATE} {reason}".strip()[:MOST_REASON], at)
            else:
                row.state, row.reason, row.changed = "waiting", reason, at


def withdraw(clinic_id: str, id: str) -> bool:
    """Take back a message that still waits; False when it is being sent, was sent, or is not there."""
    with write() as session:
        waits = delete(Outbox).where(Outbox.clinic_id == clinic_id, Outbox.id == id, Outbox.state == "waiting")
        return bool(session.execute(waits).rowcount)  # type: ignore[attr-defined]


def again(clinic_id: str, id: str, at: int) -> bool:
    """Send an unsure message once more, as a person has decided; False when there is none that can be."""
    with write() as session:
        doubtful = update(Outbox).where(
            Outbox.clinic_id == clinic_id, Outbox.id == id, Outbox.state == "unsure", Outbox.sealed != ""
        )
        done = session.execute(doubtful.values(state="waiting", due=at, reason="", changed=at))
        return bool(done.rowcount)  # type: ignore[attr-defined]


def report(clinic_id: str, reference: str, state: str, reason: str, at: int) -> bool:
    """What a carrier says afterwards, by its reference or by the message's own id; whether that changed anything.

    The first word counts: what is delivered, bounced or failed stays so, in whatever order reports come. A delivery
    also ends the doubt about an unsure message, and one that was to be sent again is not.
    """
    if state not in ("delivered", "bounced"):
        raise ValueError("a report says delivered or bounced")
    if not reference:
        return False
    open_ = ("sending", "sent", "unsure", "waiting") if state == "delivered" else ("sending", "sent", "unsure")
    named = or_(Outbox.id == reference, Outbox.reference == digest(reference))
    tried = and_(Outbox.clinic_id == clinic_id, Outbox.tries > 0, Outbox.state.in_(open_))
    with write() as session:
        row = session.scalar(select(Outbox).where(named, tried).order_by(Outbox.changed.desc()).limit(1))
        if row is None:
            return False
        _finish(row, state, reason[:MOST_REASON], at)
        return True


def recover(at: int) -> int:
    """At a start: what was being sent when the server stopped is unsure. How many there are."""
    with write() as session:
        sending = update(Outbox).where(Outbox.state == "sending")
        done = session.execute(sending.values(state="unsure", reason=INTERRUPTED, changed=at))
        return int(done.rowcount)  # type: ignore[attr-defined]


def sweep(at: int) -> int:
    """End what is too old: messages that nobody could send, contents that nobody decided about, rows that were told."""
    gone = update(Outbox).values(sealed="", changed=at)
    over = (Outbox.expires <= at, Outbox.sealed != "")
    rules = (
        gone.where(Outbox.state == "waiting", *over).values(
            state="failed", reason=func.trim(f"{TOO_LATE} " + Outbox.reason)
        ),
        gone.where(Outbox.state == "unsure", *over),
        delete(Outbox).where(
            Outbox.changed <= at - KEPT,
            or_(Outbox.state.in_(FINISHED), and_(Outbox.state == "unsure", Outbox.sealed == "")),
        ),
    )
    with write() as session:
        return sum(session.execute(rule).rowcount for rule in rules)  # type: ignore[attr-defined]


def next_due() -> int | None:
    """When the next message is to be sent, in ms since 1970; None when none waits."""
    found: int | None = db.session.scalar(select(func.min(Outbox.due)).where(Outbox.state == "waiting"))
    return found


def digest(reference: str) -> str:
    """What is kept of a carrier's reference."""
    return hashlib.sha256(reference.encode()).hexdigest()


def _finish(row: Outbox, state: str, reason: str, at: int) -> None:
    """The end of a message: what it said is erased (`erase` empties the journal after that)."""
    row.state, row.reason, row.changed, row.sealed = state, reason, at, ""


def _without(address: str, reason: str) -> str:
    """A carrier's sentence without the address, which it may have copied from somebody's answer."""
    for form in (address, address.lstrip("+")):
        if len(form) > 3:
            reason = reason.replace(form, "…")
    return reason[:MOST_REASON]


def _place(id: str) -> str:
    return f"outbox sealed {id}"
