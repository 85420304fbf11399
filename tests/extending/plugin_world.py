"""A registry over a site of a test's own, without pages and sockets."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask

from housecall import clinics, config
from housecall.extending.hooks import Hooks
from housecall.extending.registry import Registry
from housecall.runtime import inline
from housecall.testing.beginning import prepare

MAIN = '[clinic.main]\nname = "Elm"\n'


@contextmanager
def world(folder: Path, toml: str = MAIN, **more: bool) -> Iterator[Registry]:
    """The plugins of a folder over its own database; what runs beside runs at once."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "housecall.toml").write_text(toml, encoding="utf-8")
    site = config.load(folder, environ={}, **more)
    prepare(site.database)
    app = Flask("housecall")
    app.config["SQLALCHEMY_DATABASE_URI"] = site.database
    clinics.database.init_app(app)
    with app.app_context():
        try:
            registry = Registry(site, functools.partial(Hooks, context=app.app_context, spawn=inline))
            app.extensions[clinics.limits.PORT] = registry.allow
            clinics.clinic.upsert(site.clinics.values())
            for clinic in site.clinics:
                registry.read_switches(clinic)
            yield registry
        finally:
            clinics.database.db.session.remove()
            clinics.database.db.engine.dispose()


def problem(registry: Registry, plugin: str, source: str = "site") -> str:
    """Why a plugin is quarantined."""
    (found,) = [each for each in registry.found if each.id == plugin and each.source == source]
    return found.problem


def on(registry: Registry, clinic: str = "main") -> list[str]:
    return [plugin.id for plugin in registry.on(clinic)]
