"""How many members and rooms a clinic may have: asked before there is one more, by whatever way it comes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from flask import current_app
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from .database import db, write
from .models import Member, Room
from .refused import Refused, Sentence

PORT = "housecall.allow"  #: of the application: allow(clinic, what, amount) -> a sentence, or nothing

COUNTED: dict[str, Callable[[str], Select[Any]]] = {
    "members": lambda clinic: select(func.count()).where(Member.clinic_id == clinic, Member.disabled_at.is_(None)),
    "rooms": lambda clinic: select(func.count()).where(Room.clinic_id == clinic),
}


def count(session: Session | Any, clinic_id: str, what: str) -> int:
    """How many members that can sign in, or rooms, there are."""
    return int(session.scalar(COUNTED[what](clinic_id)))


def refusal(clinic_id: str, what: str, there: int | None = None) -> str:
    """Why there may not be one more, or nothing. Without a port, as in a command, everything may be."""
    allow = current_app.extensions.get(PORT)
    there = count(db.session, clinic_id, what) if there is None else there
    return str(allow(clinic_id, what, there + 1)) if allow else ""


def check(clinic_id: str, what: str, field: str, there: int | None = None) -> None:
    """Raises Refused at `field` where there may not be one more: for what leads to one, before it is made."""
    if why := refusal(clinic_id, what, there):
        raise Refused(**{field: Sentence(why)})


@contextlib.contextmanager
def one_more(clinic_id: str, what: str, field: str) -> Iterator[Session]:
    """A write transaction that makes one more. Raises Refused at `field` where that is not allowed.

    Plugins are asked before it begins, since nothing that waits may stand inside; if another came between, anew.
    """
    while True:
        there = count(db.session, clinic_id, what)
        check(clinic_id, what, field, there)
        with write() as session:
            if count(session, clinic_id, what) == there:
                yield session
                return
