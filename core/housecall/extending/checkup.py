"""What is wrong with the plugins of a site, for `housecall check`."""

from __future__ import annotations

from collections.abc import Iterator

from .. import clinics
from . import settings
from .hooks import Answer
from .registry import Plugin, Registry


def quarantined(registry: Registry) -> Iterator[str]:
    """The plugins that cannot be used, with the reason."""
    for plugin in registry.found:
        if plugin.problem:
            yield f"The plugin {plugin.id} ({plugin.source}) is not in use: {plugin.problem}"


def problems(registry: Registry) -> Iterator[str]:
    """What the database and the plugins themselves say. Needs an application context and a migrated database."""
    for clinic in clinics.clinic.all():
        registry.read_switches(clinic.id)
    for plugin in registry.by_id.values():
        if plugin.loaded:
            yield from settings.problems(registry.site, plugin.own)
    for plugin in registry.on_anywhere():
        if plugin.versions and clinics.database.plugin_behind(plugin.id, plugin.versions):
            yield f"The tables of the plugin {plugin.id} are behind its migrations; `housecall run` updates them."
        for clinic_id in registry.clinics_with(plugin.id):
            for what in health(registry, clinic_id, plugin):
                yield f"The plugin {plugin.id} in the clinic {clinic_id}: {what}"


def health(registry: Registry, clinic: str, plugin: Plugin) -> list[str]:
    """What one plugin says is wrong with it in one clinic; that it could not say is said too."""
    answers = registry.hooks.ask_all("health", clinic, only=plugin.id)
    return [str(a.value) if isinstance(a, Answer) else f"its health check failed: {a.error}" for a in answers]
