"""How pages look: the theme of a clinic or a room, its templates before ours, and the page where it is chosen."""

from __future__ import annotations

import difflib
import functools
import logging
import re
from pathlib import Path
from typing import Any

import jinja2
from flask import Blueprint, Flask, abort, current_app, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from .. import clinics
from ..extending.hooks import place
from ..extending.theming import DEFAULT, Theme
from ..logs import log
from .guard import admins_only, me
from .house import house

TEMPLATES = Path(__file__).parent / "templates"

pages = Blueprint("look", __name__)


def theme() -> Theme:
    """The theme of the page that is being made."""
    if "theme" not in g:
        clinic = g.get("clinic")
        g.theme = house().themes.get(clinic.theme if clinic else None)
    found: Theme = g.theme
    return found


def wear(*wanted: str | None) -> None:
    """Choose the theme of this page: the first that can be used, then the clinic's."""
    g.theme = house().themes.get(*wanted, g.clinic.theme)


def render(template: str, **context: Any) -> str:
    """A template of ours as the theme has it; one that fails puts its theme out of use, and the page is the default."""
    now = theme()
    if not now.templates:
        return render_template(template, **context)
    try:
        made = _environment(current_app._get_current_object(), *now.templates)  # type: ignore[attr-defined]
        html = render_template(made.get_template(template), **context)
        if missing := [name for name in _needed(template) if f'id="{name}"' not in html]:
            raise LookupError(f"the page's script needs what is missing here: id {', '.join(missing)}")
        return html
    except Exception as error:
        log("theme", level=logging.ERROR, exc_info=True, kind=template)
        house().themes.fail(now, f"{template}: {place(error)}: {error}")
        wear(DEFAULT)
        return render_template(template, **context)


@functools.cache
def _environment(app: Flask, *folders: str) -> jinja2.Environment:
    """Our environment with a theme's templates before ours; Jinja caches by name, so each theme has its own."""
    assert app.jinja_loader is not None
    ours = jinja2.PrefixLoader({"housecall": app.jinja_loader})
    loader = jinja2.ChoiceLoader([jinja2.FileSystemLoader(folders), ours, app.jinja_loader])
    made: jinja2.Environment = app.jinja_env.overlay(loader=loader)
    return made


@functools.cache
def _needed(template: str) -> frozenset[str]:
    """The ids that a page's modules cannot do without; a theme may lay them out anew, not leave them out."""
    modules = house().assets.files
    if f"js/{Path(template).stem}.js" not in modules:
        return frozenset()
    names = (f"js/{Path(template).stem}.js", "js/visit.js", "js/stage.js", "js/surface.js")
    asked = {
        id for name in names for id in re.findall(r'\bpart\("([\w-]+)"\)(?!\?\.)', modules[name].read_text("utf-8"))
    }
    source = (TEMPLATES / template).read_text("utf-8")
    if "_stage.html" in source:
        source += (TEMPLATES / "_stage.html").read_text("utf-8")
    return frozenset(id for id in asked if f'id="{id}"' in source)  # some are of one of the two pages only


def styles() -> Markup:
    """The theme's own style sheets, those of what it extends first."""
    links = Markup()
    for folder in reversed(theme().line):
        assets = house().assets_in(folder, f"theme-{folder.name}")
        if "theme.css" in assets.files:
            links += Markup('<link rel="stylesheet" href="{}">\n').format(assets.url("theme.css"))
    return links


def asset(name: str) -> str:
    """A file of the theme, or of what it extends; else one of ours."""
    for folder in theme().line:
        assets = house().assets_in(folder, f"theme-{folder.name}")
        if name in assets.files:
            return assets.url(name)
    return house().assets.url(name)


@pages.get("/admin/look")
@admins_only
def look() -> ResponseReturnValue:
    themes, wanted = house().themes, g.clinic.theme
    missing = wanted is not None and wanted not in themes.good and wanted not in themes.broken
    return render(
        "admin_look.html",
        themes=sorted(themes.good.values(), key=lambda each: (each.id != DEFAULT, each.name)),
        broken=sorted(themes.broken.values(), key=lambda each: each.id),
        worn=themes.get(g.clinic.theme),
        wanted=wanted,
        missing=missing,
        nearest=next(iter(difflib.get_close_matches(wanted, themes.good, n=1)), "") if missing else "",
        locked=house().site.clinics[g.clinic.id].theme is not None,
        sheets=[f"/-/theme/{each.hash}.css" for each in themes.good.values()],
    )


@pages.post("/admin/look")
@admins_only
def choose() -> ResponseReturnValue:
    """Another theme for the whole practice, at the next load of each page."""
    wanted = request.form.get("theme", "")
    if wanted not in house().themes.good or house().site.clinics[g.clinic.id].theme is not None:
        abort(400)
    clinics.clinic.choose_theme(g.clinic.id, wanted, actor=me().id)
    return redirect(url_for("look.look"), 303)
