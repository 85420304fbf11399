"""Clinics: found by host, kept in step with housecall.toml."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import func, or_, select

from ..config import ClinicConfig
from . import audit
from .database import Remembered, db, write
from .models import Clinic


def upsert(configured: Iterable[ClinicConfig]) -> None:
    """Make the clinic rows what housecall.toml says. A clinic that is no longer named there stays, without a host."""
    clinics = {c.id: c for c in configured}
    with write() as session:
        for row in session.scalars(select(Clinic)):
            if row.id not in clinics:
                row.host = None
        session.flush()
        for one in clinics.values():
            row = session.get(Clinic, one.id) or Clinic(id=one.id)
            row.host, row.name, row.theme = one.host, one.name, one.theme or row.theme or "calm"
            session.add(row)


def choose_theme(clinic_id: str, theme: str, *, actor: str | None) -> None:
    """The look of a clinic, where housecall.toml leaves it open."""
    with write() as session:
        row = session.get(Clinic, clinic_id)
        assert row is not None
        row.theme = theme
        audit.add(session, clinic_id, actor=actor, action="look.theme", object=theme)


@Remembered
def find(host: str) -> Clinic | None:
    """The clinic at a host, with or without its port. A single clinic without a host of its own answers every one."""
    hosts = {host.lower(), host.lower().rpartition(":")[0]}
    total = select(func.count()).select_from(Clinic).scalar_subquery()
    wanted = select(Clinic, total).where(or_(Clinic.host.in_(hosts), Clinic.host.is_(None)))
    rows = db.session.execute(wanted).all()
    named = sorted((row[0] for row in rows if row[0].host), key=lambda clinic: -len(clinic.host))
    if named:
        first: Clinic = named[0]  # the one that names the port
        return first
    only: Clinic | None = rows[0][0] if rows and rows[0][1] == 1 else None
    return only


def by_id(clinic_id: str) -> Clinic | None:
    return db.session.get(Clinic, clinic_id)


def all() -> list[Clinic]:
    return list(db.session.scalars(select(Clinic).order_by(Clinic.id)))
