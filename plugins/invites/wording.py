"""What invitations say: texts that come with the plugin (words/), and the practice's own."""

import re
import secrets
import tomllib
from functools import cache
from pathlib import Path

from sqlalchemy import func, select

from housecall import db, write

from .models import Wording

FOLDER = Path(__file__).parent / "words"
PLACES = ("practice", "room", "when", "link", "check")  #: what {…} may stand in a text
MOST = 50  #: wordings of one practice
LONGEST = {"name": 80, "lang": 16, "subject": 200, "text": 4000, "short": 600}  #: characters
LANG = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


@cache
def supplied():
    """The texts that come with the plugin: language -> {event, button, invitation, reminder, moved, cancelled}."""
    found = {}
    for path in sorted(FOLDER.glob("*.toml")):
        table = tomllib.loads(path.read_text("utf-8"))
        found[path.stem] = {
            key: {name: text.strip() for name, text in value.items()} if isinstance(value, dict) else value
            for key, value in table.items()
        }
    return found


def of(lang):
    """The supplied texts in a language, or in English."""
    return supplied().get(lang) or supplied().get(lang.partition("-")[0]) or supplied()["en"]


def own(clinic):
    """The practice's own texts, by language and name."""
    rows = select(Wording).where(Wording.clinic_id == clinic).order_by(Wording.lang, Wording.name)
    return list(db.session.scalars(rows))


def find(clinic, id):
    """One of them, or None."""
    row = db.session.get(Wording, id) if id else None
    return row if row and row.clinic_id == clinic else None


def wrong(form):
    """What is wrong with a text that somebody typed: field to a code of `invites_words.html`."""
    codes = {}
    for name, most in LONGEST.items():
        if not form[name]:
            codes[name] = "required"
        elif len(form[name]) > most:
            codes[name] = "long"
    if form["lang"] and "lang" not in codes and not LANG.fullmatch(form["lang"]):
        codes["lang"] = "lang"
    for name in ("subject", "text", "short"):
        if set(re.findall(r"\{(\w*)\}", form[name])) - set(PLACES):
            codes.setdefault(name, "place")
        elif name != "subject" and "{link}" not in form[name]:
            codes.setdefault(name, "link")
    if "\n" in form["subject"]:
        codes.setdefault("subject", "line")
    return codes


def keep(clinic, id, form):
    """Keep a text, new or changed; False where the practice has as many as it may have."""
    with write() as session:
        row = session.get(Wording, id) if id else None
        if row is None or row.clinic_id != clinic:
            if session.scalar(select(func.count()).select_from(Wording).where(Wording.clinic_id == clinic)) >= MOST:
                return False
            row = Wording(id=secrets.token_urlsafe(16), clinic_id=clinic)
        for name in LONGEST:
            setattr(row, name, form[name])
        session.add(row)
    return True


def drop(clinic, id):
    """Forget a text."""
    with write() as session:
        row = session.get(Wording, id)
        if row and row.clinic_id == clinic:
            session.delete(row)
