"""Forms of plugins' settings: those of the practice at /admin/settings, a room's and a member's beside their own."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeAlias

from flask import Blueprint, Response, abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from .. import fields
from ..extending import settings
from ..extending.registry import Plugin
from ..extending.settings import Scope
from ..fields import Field
from .guard import admins_only, me
from .house import house
from .language import _, lang
from .look import render
from .messages import field_errors
from .slots import words

Translate: TypeAlias = Callable[[str], str]

pages = Blueprint("settings", __name__)


class Row(NamedTuple):
    """One setting in a form."""

    field: Field  #: in the reader's words
    value: Any
    error: str
    held: str  #: what holds it, if the page cannot change it
    removable: bool  #: something is stored that the form does not show


@dataclass(frozen=True, kw_only=True)
class Section:
    """One plugin's settings of one scope, as part of a form. `mark` is sent by the forms that have it."""

    plugin: Plugin
    name: str
    prefix: str
    rows: list[Row]

    @property
    def mark(self) -> str:
        return self.prefix.rstrip("-")


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What a form gave for one plugin and scope, cleaned and not yet kept."""

    plugin: Plugin
    scope: Scope
    values: dict[str, Any]


def sections(scope: Scope, errors: dict[str, str] | None = None, *, only: Plugin | None = None) -> list[Section]:
    """The settings that the plugins of this clinic have for a scope; with `errors`, as they were typed."""
    return [
        _section(plugin, scope, errors or {})
        for plugin in ([only] if only else house().registry.on(g.clinic.id))
        if any(field.scope == scope[0] for field in plugin.own.settings)
    ]


def _section(plugin: Plugin, scope: Scope, errors: dict[str, str]) -> Section:
    site, clinic, own = house().site, g.clinic.id, _own(plugin, scope)
    prefix, translate = _prefix(plugin, scope), words(plugin)
    stored = settings.stored_in(clinic, plugin.id, scope)
    now = settings.values(site, clinic, plugin.own, scope)
    if prefix.rstrip("-") in request.form:
        now |= fields.collect(request.form, [f for f in own if not settings.stays(f)], prefix)
    rows = []
    for field in sorted(own, key=lambda field: field.toml):  # first what can be changed here
        held = _held(plugin, field)
        removable = settings.stays(field) and field.id in stored and not held
        rows.append(
            Row(
                _translated(field, translate),
                removable if settings.stays(field) else now.get(field.id),
                errors.get(prefix + field.id, ""),
                held,
                removable,
            )
        )
    return Section(plugin=plugin, name=translate(plugin.own.name), prefix=prefix, rows=rows)


def drafts(scope: Scope, *, only: Plugin | None = None) -> tuple[list[Draft], dict[str, str]]:
    """What the request's form gives for a scope, and the errors in words, by input."""
    given: list[Draft] = []
    errors: dict[str, str] = {}
    for plugin in [only] if only else house().registry.on(g.clinic.id):
        prefix = _prefix(plugin, scope)
        if prefix.rstrip("-") not in request.form:  # it was switched on after the form was made
            continue
        draft, wrong = _draft(plugin, scope, prefix)
        given.append(draft)
        errors |= {prefix + name: what for name, what in wrong.items()}
    return given, errors


def keep(given: list[Draft]) -> None:
    for draft in given:
        settings.keep(house().site, g.clinic.id, draft.plugin.own, draft.scope, draft.values, actor=me().id)


def _draft(plugin: Plugin, scope: Scope, prefix: str) -> tuple[Draft, dict[str, str]]:
    site, clinic, own = house().site, g.clinic.id, _own(plugin, scope)
    given = fields.collect(request.form, own, prefix) | _uploads(own, prefix)
    drop = {field.id for field in own if request.form.get(f"{prefix}{field.id}-remove") == "yes"}
    cleaned, codes = settings.draft(site, clinic, plugin.own, scope, given, drop)
    draft, errors = Draft(plugin=plugin, scope=scope, values=cleaned), field_errors(codes, lang())
    if not errors:
        values = settings.whole(site, clinic, plugin.own, scope, cleaned)
        for answer in house().registry.hooks.ask("check_settings", clinic, only=plugin.id, values=values):
            errors = {str(name): words(plugin)(str(what)) for name, what in answer.value.items()}
    return draft, errors


def _uploads(own: list[Field], prefix: str) -> dict[str, str]:
    sent = {}
    for field in own:
        file = request.files.get(prefix + field.id) if field.type == "file" else None
        if file and file.filename:
            kind = file.mimetype or "application/octet-stream"
            sent[field.id] = f"data:{kind};base64,{base64.b64encode(file.read()).decode()}"
    return sent


def _own(plugin: Plugin, scope: Scope) -> list[Field]:
    return [field for field in plugin.own.settings if field.scope == scope[0]]


def _prefix(plugin: Plugin, scope: Scope) -> str:
    """What the inputs' names begin with; a page may show the settings of several rooms."""
    return f"set-{scope[1]}-{plugin.id}-" if scope[0] == "room" else f"set-{plugin.id}-"


def _held(plugin: Plugin, field: Field) -> str:
    site, clinic = house().site, g.clinic.id
    if not settings.locked(site, clinic, plugin.id, field):
        return _("Only housecall.toml can set this.") if field.toml else ""
    line = site.line(f"clinic.{clinic}.{plugin.id}.{field.id}")
    if line is None:
        return _("Set in housecall.toml.")
    return _("Set in housecall.toml, line %(line)s.") % {"line": line}


def _translated(field: Field, translate: Translate) -> Field:
    return replace(
        field,
        label=translate(field.label),
        help=translate(field.help) if field.help else "",
        choices=tuple((value, translate(label)) for value, label in field.choices),
    )


# -- the practice's


@pages.get("/admin/settings/<owner>")
@admins_only
def form(owner: str) -> ResponseReturnValue:
    return _form(_plugin(owner), {})


def _form(plugin: Plugin, errors: dict[str, str]) -> ResponseReturnValue:
    section = sections(("clinic", g.clinic.id), errors, only=plugin)[0]
    return (
        render(
            "admin_settings.html",
            section=section,
            errors=errors,
            all_held=all(row.held for row in section.rows),
            saved=not errors and request.args.get("saved") == "1",
        ),
        422 if errors else 200,
    )


@pages.post("/admin/settings/<owner>")
@admins_only
def save(owner: str) -> ResponseReturnValue:
    """Saves the whole form, or nothing when anything is wrong in it."""
    plugin = _plugin(owner)
    given, errors = drafts(("clinic", g.clinic.id), only=plugin)
    if errors:
        return _form(plugin, errors)
    keep(given)
    return redirect(url_for("settings.form", owner=owner, saved=1), 303)


@pages.get("/admin/settings/<owner>.toml")
@admins_only
def as_toml(owner: str) -> ResponseReturnValue:
    """The same settings as a table of housecall.toml, without the secrets."""
    text = settings.as_toml(house().site, g.clinic.id, _plugin(owner).own)
    response = Response(text, mimetype="application/toml")
    response.headers["Content-Disposition"] = f'attachment; filename="{owner}.toml"'
    return response


def _plugin(owner: str) -> Plugin:
    """A plugin that is on here and has settings of the practice."""
    plugin = house().registry.get(g.clinic.id, owner)
    if plugin is None or not any(field.scope == "clinic" for field in plugin.own.settings):
        abort(404)
    return plugin
