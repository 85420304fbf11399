"""Who may be sent a text now: not somebody who has answered STOP, and not more than the practice's limits of a day."""

import re
import time

from sqlalchemy import delete, func, select

from housecall import db, erase, fingerprint, write

from .models import Sent, Stopped

DAY = 86_400_000  #: ms
YEARS = 5  #: that a STOP is remembered, as plugin.toml says

#: What people answer; the whole text, whatever its case, spaces and marks.
STOP = frozenset(
    (
        *("stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "opt out"),
        *("arret", "arrêt", "stopp", "abmelden", "abbestellen", "baja", "parar", "alto", "afmelden", "annulla"),
    )
)
START = frozenset(("start", "unstop", "subscribe", "optin", "opt in", "anmelden", "alta", "aanmelden"))


def now():
    return time.time_ns() // 1_000_000


def word(text):
    """ "stop" or "start" where a text says that and nothing else; empty for any other, which nobody reads."""
    said = re.sub(r"[\W_]+", " ", text[:40]).strip().casefold()
    return "stop" if said in STOP else "start" if said in START else ""


def stop(clinic, number):
    """From now on nothing goes there."""
    with write() as session:
        if session.get(Stopped, key := (clinic, _stopped(clinic, number))) is None:
            session.add(Stopped(clinic_id=key[0], number=key[1], at=now()))


def start(clinic, number):
    with write() as session:
        session.execute(delete(Stopped).where(Stopped.clinic_id == clinic, Stopped.number == _stopped(clinic, number)))


def is_stopped(clinic, number):
    return db.session.get(Stopped, (clinic, _stopped(clinic, number))) is not None


def how_many_stopped(clinic):
    return db.session.scalar(select(func.count()).select_from(Stopped).where(Stopped.clinic_id == clinic))


def _stopped(clinic, number):
    return fingerprint(f"sms_stopped {clinic}", number)


def take(clinic, number, most, most_of_all):
    """Count one more text of today. A sentence where that would be too many; then nothing was counted."""
    day = now() // DAY
    with write() as session:
        rows = [_row(session, clinic, day, each) for each in (_sent(clinic, day, number), "")]
        if rows[0].texts >= most:
            return "This number has had as many texts today as the practice's settings allow."
        if rows[1].texts >= most_of_all:
            return "The practice has sent as many texts today as its settings allow."
        for row in rows:
            row.texts += 1
            session.add(row)
    return None


def give_back(clinic, number):
    """What was counted has not gone."""
    day = now() // DAY
    with write() as session:
        for each in (_sent(clinic, day, number), ""):
            row = _row(session, clinic, day, each)
            if row.texts:
                row.texts -= 1
                session.add(row)


def today(clinic):
    """How many texts have gone today."""
    return db.session.scalar(select(Sent.texts).where(*_of(clinic), Sent.number == "")) or 0


def _of(clinic):
    return Sent.clinic_id == clinic, Sent.day == now() // DAY


def _row(session, clinic, day, number):
    return session.get(Sent, (clinic, day, number)) or Sent(clinic_id=clinic, day=day, number=number, texts=0)


def _sent(clinic, day, number):
    """Of each day another one: nobody can tell that two days' texts went to the same person."""
    return fingerprint(f"sms_sent {clinic} {day}", number)


def sweep(clinic):
    """Forget the counts of days that are over, and every STOP that is older than we say."""
    at = now()
    with write() as session:
        gone = session.execute(delete(Sent).where(Sent.clinic_id == clinic, Sent.day < at // DAY)).rowcount
        first = at - YEARS * 365 * DAY
        gone += session.execute(delete(Stopped).where(Stopped.clinic_id == clinic, Stopped.at < first)).rowcount
    if gone:
        erase(db.engine)
