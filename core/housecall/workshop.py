"""What the commands `plugin` and `theme` do: new folders from a scaffold, lists, copies, and a purge."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flask import Flask

    from .config import Site
    from .extending.registry import Plugin, Registry
    from .extending.theming import Themes

SCAFFOLD = Path(__file__).resolve().parent / "scaffold"


class NotDone(Exception):
    """A command that changed nothing; the text says why."""


def new_plugin(site: Path, id: str) -> list[Path]:
    """Write a small plugin that keeps all rules, and the test that shows it; what was written."""
    folder = site / "plugins" / id
    _check_id(folder, id)
    words = {"id": id, "name": id.replace("_", " ").capitalize(), "class": id.title().replace("_", "")}
    written = [
        _write(folder / "plugin.toml", "plugin/plugin.toml", words),
        _write(folder / "templates/button.html", "plugin/templates/button.html", words),
        _write(folder / f"static/{id}.js", "plugin/static/module.js", words),
        _write(site / f"tests/test_{id}.py", "test_plugin.txt", words),
    ]
    if not (site / "conftest.py").exists():
        written.append(_write(site / "conftest.py", "conftest.txt", words))
    return written


def _check_id(folder: Path, id: str) -> None:
    from .extending.manifest import ID, RESERVED
    from .extending.registry import bundled

    if not ID.fullmatch(id) or id in RESERVED:
        raise NotDone(f"{id!r} is no id of a plugin: 2 to 31 small letters, digits and _, and not {' '.join(RESERVED)}")
    if (bundled() / id).exists():
        raise NotDone(f"Housecall comes with a plugin {id!r}; choose another id, or eject it under a new one.")
    if folder.exists():
        raise NotDone(f"{folder} is already there; nothing was changed.")


def _write(path: Path, name: str, words: dict[str, str]) -> Path:
    text = (SCAFFOLD / name).read_text(encoding="utf-8")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(re.sub(r"@(id|name|class)@", lambda found: words[found[1]], text), encoding="utf-8")
    return path


def eject(site: Path, id: str, new: str) -> Path:
    """Copy a plugin that Housecall comes with into the site, under a new id, to be changed there."""
    from .extending.registry import bundled

    source, folder = bundled() / id, site / "plugins" / new
    if not (source / "plugin.toml").is_file():
        known = sorted(path.parent.name for path in bundled().glob("*/plugin.toml"))
        raise NotDone(f"Housecall comes with no plugin {id!r}; known: {', '.join(known)}")
    _check_id(folder, new)
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("__pycache__"))
    manifest = folder / "plugin.toml"
    text = re.sub(r'^id\s*=\s*".*"', f'id = "{new}"', manifest.read_text(encoding="utf-8"), count=1, flags=re.M)
    manifest.write_text(text, encoding="utf-8")
    for path in folder.rglob("*.py"):  # tables, their owner and its settings are called after the plugin
        text = re.sub(rf"""(["']){id}(?=["'_])""", rf"\g<1>{new}", path.read_text(encoding="utf-8"))
        path.write_text(text, encoding="utf-8")
    for path in list(folder.glob(f"locale/*/LC_MESSAGES/{id}.*")):
        path.rename(path.with_name(new + path.suffix))
    return folder


def plugins(app: Flask, site: Site) -> Registry:
    """The plugins of a site as its server sees them. Needs a migrated database."""
    from functools import partial

    from . import clinics
    from .extending import hooks, registry
    from .runtime import inline

    found = registry.Registry(site, partial(hooks.Hooks, context=app.app_context, spawn=inline))
    for clinic in clinics.clinic.all():
        found.read_switches(clinic.id)
    return found


def listed(found: Registry) -> Iterator[str]:
    """Each plugin: its version, where it comes from, whether it is loaded, the clinics that have it on."""
    from . import clinics

    for plugin in found.found:
        version = plugin.manifest.version if plugin.manifest else "?"
        yield f"{plugin.id:20}  {version:8}  {plugin.source:10}  {_stands(found, plugin, clinics.clinic.all())}"


def _stands(found: Registry, plugin: Plugin, all_clinics: list[Any]) -> str:
    if plugin.problem:
        return "quarantined: " + plugin.problem.replace("\n", "; ")
    if not plugin.loaded:
        return "found, not loaded (server.load)"
    on = [clinic.id for clinic in all_clinics if found.is_on(clinic.id, plugin.id)]
    return f"loaded, on in {', '.join(on)}" if on else "loaded, off"


def purge(site: Site, id: str) -> list[str]:
    """Forget everything that was ever kept for a plugin: tables, settings, switches. The names of the tables.

    Its folder may be gone already. Raises NotDone while housecall.toml has it on.
    """
    from . import clinics
    from .extending.manifest import ID
    from .extending.registry import find

    if not ID.fullmatch(id):
        raise NotDone(f"{id!r} is no id of a plugin.")
    for clinic in site.clinics.values():
        if clinic.plugins is not None and id in clinic.plugins:
            raise NotDone(f"housecall.toml has it on: take {id!r} out of clinic.{clinic.id}.plugins first.")
    if id in site.plugins:
        raise NotDone(f"housecall.toml has it on: take {id!r} out of server.plugins first.")
    others = {plugin.id for plugin in find(site)} - {id}
    dropped = clinics.database.drop_plugin(id, others)
    clinics.settings.purge(id)
    clinics.switches.purge(id)
    return dropped


def new_theme(site: Path, id: str) -> Path:
    """Write a theme that is the house's own, to be changed token by token."""
    from .extending import theming

    folder = site / "themes" / id
    if not theming.ID.fullmatch(id) or id in find_themes(site).good:
        raise NotDone(f"{id!r} is no id for a new theme: 2 to 31 small letters, digits and -, and not there already")
    if folder.exists():
        raise NotDone(f"{folder} is already there; nothing was changed.")
    text = (theming.shipped() / theming.DEFAULT / "theme.toml").read_text(encoding="utf-8")
    text = re.sub(r"\A(#.*\n)+", "# Each token becomes a CSS custom property: paper is --paper.\n", text)
    text = re.sub(r'^id = ".*"', f'id = "{id}"', text, count=1, flags=re.M)
    text = re.sub(r'^name = ".*"', f'name = "{id.capitalize()}"', text, count=1, flags=re.M)
    folder.mkdir(parents=True)
    (folder / "theme.toml").write_text(text, encoding="utf-8")
    return folder / "theme.toml"


def themes(site: Path) -> Iterator[str]:
    """The themes that are shipped, and the site's own."""
    from .extending import theming

    found = find_themes(site)
    for id in sorted(found.good, key=lambda id: (found.good[id].folder.parent != theming.shipped(), id)):
        theme = found.good[id]
        yield f"{id:20}  {theme.name:20}  {'bundled' if theme.folder.parent == theming.shipped() else 'site'}"
    for broken in found.broken.values():
        yield f"{broken.id:20}  cannot be used: {broken.problem}"


def find_themes(site: Path) -> Themes:
    """Every theme that a server of this site folder would have."""
    from .extending import theming
    from .web import language

    return theming.Themes([theming.shipped(), site / "themes"], language.interface_texts)
