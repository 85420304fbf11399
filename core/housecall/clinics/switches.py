"""Which plugins a clinic has switched on."""

from __future__ import annotations

from sqlalchemy import delete, select

from . import audit
from .database import db, write
from .models import PluginState, now


def of(clinic_id: str) -> dict[str, bool]:
    """What was switched on pages: plugin id to on or off."""
    rows = db.session.scalars(select(PluginState).where(PluginState.clinic_id == clinic_id))
    return {row.plugin: row.enabled for row in rows}


def anywhere() -> set[str]:
    """The plugins that any clinic has switched on."""
    return set(db.session.scalars(select(PluginState.plugin).where(PluginState.enabled)))


def turn(clinic_id: str, plugin: str, enabled: bool, *, actor: str | None) -> None:
    with write() as session:
        row = session.get(PluginState, (clinic_id, plugin)) or PluginState(clinic_id=clinic_id, plugin=plugin)
        row.enabled, row.changed_by, row.changed_at = enabled, actor, now()
        session.add(row)
        action = "plugin.on" if enabled else "plugin.off"
        audit.add(session, clinic_id, actor=actor, action=action, object=plugin)


def purge(plugin: str) -> None:
    """Forget who had a plugin on."""
    with write() as session:
        for clinic_id in session.scalars(select(PluginState.clinic_id).where(PluginState.plugin == plugin)).all():
            audit.add(session, clinic_id, actor=None, action="plugin.purge", object=plugin)
        session.execute(delete(PluginState).where(PluginState.plugin == plugin))
