"""Values that were set on a page: of a clinic, a room or a member, by the owner whose settings they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, select

from . import audit
from .database import db, write
from .models import Setting

SCOPES = ("clinic", "room", "member")


def of(clinic_id: str, owner: str, scope: str, scope_id: str) -> dict[str, Any]:
    row = db.session.get(Setting, (clinic_id, owner, scope, scope_id))
    return dict(row.values) if row else {}


def within(clinic_id: str, owner: str, scopes: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """What is set in some scopes (scope -> whose), by scope."""
    rows = db.session.scalars(
        select(Setting).where(
            Setting.clinic_id == clinic_id, Setting.owner == owner, Setting.scope_id.in_(scopes.values())
        )
    )
    return {row.scope: dict(row.values) for row in rows if scopes.get(row.scope) == row.scope_id}


def all_of(owner: str) -> list[Setting]:
    return list(db.session.scalars(select(Setting).where(Setting.owner == owner)))


def save(
    clinic_id: str, owner: str, scope: str, scope_id: str, values: Mapping[str, Any], *, actor: str | None
) -> None:
    """Keep these values and no others. The audit row says whose they are, not what they are."""
    with write() as session:
        row = session.get(Setting, (clinic_id, owner, scope, scope_id)) or Setting(
            clinic_id=clinic_id, owner=owner, scope=scope, scope_id=scope_id
        )
        row.values = dict(values)
        session.add(row)
        audit.add(session, clinic_id, actor=actor, action="settings.save", object=f"{owner} {scope} {scope_id}")


def purge(owner: str) -> None:
    """Forget everything that was set for an owner, everywhere."""
    with write() as session:
        session.execute(delete(Setting).where(Setting.owner == owner))
