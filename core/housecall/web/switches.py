"""What plugins a practice has, what each touches and adds, and their switches: /admin/plugins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from flask import Blueprint, abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from .. import clinics
from ..extending import checkup
from ..extending.nouns import Data
from ..extending.registry import Locked, Plugin, Unready, Withheld
from . import settings
from .guard import admins_only, me
from .house import house
from .language import _
from .look import render
from .messages import N_
from .slots import words

#: The sentences of `Registry.locked`, for the catalogue; after each stands the name in housecall.toml.
LOCKED = (
    N_("housecall.toml has it on in every clinic"),
    N_("housecall.toml says which plugins are on"),
    N_("only housecall.toml may switch this on"),
)

WHOSE = {
    "patient": N_("patients"),
    "provider": N_("providers"),
    "guest": N_("guests"),
    "member": N_("members of the practice"),
}
KEPT = {
    "never": N_("not kept"),
    "visit": N_("kept until the visit ends"),
    "browser": N_("kept in the browser only"),
    "account": N_("kept until the account is deleted"),
}

pages = Blueprint("switches", __name__)


class Held(NamedTuple):
    """What holds a switch: a sentence, the name in housecall.toml, and its line."""

    why: str
    where: str
    line: int | None


@dataclass(frozen=True, kw_only=True)
class Card:
    """One found plugin, as its card says it.

    `state`: on, off, withheld (not allowed here), suspended, absent (not loaded) or quarantined.
    """

    plugin: Plugin
    key: str  #: of the card on its page; an id may be there twice
    name: str
    summary: str
    state: str
    reason: str = ""
    held: Held | None = None
    touches: list[str] = field(default_factory=list)
    adds: list[tuple[str, list[str]]] = field(default_factory=list)
    health: list[str] = field(default_factory=list)
    scopes: frozenset[str] = frozenset()  #: where it has settings
    stored: list[str] = field(default_factory=list)  #: what it has in the database


@pages.get("/admin/plugins")
@admins_only
def switches() -> ResponseReturnValue:
    return _page({})


def _page(errors: dict[str, str]) -> ResponseReturnValue:
    turned = request.args.get("turned", "")
    return (
        render("admin_plugins.html", cards=list(_cards()), turned=turned, errors=errors),
        422 if errors else 200,
    )


@pages.post("/admin/plugins")
@admins_only
def turn() -> ResponseReturnValue:
    """Switches `plugin` on (`on` = yes) or off. Pages that are open follow at once."""
    name, on = request.form.get("plugin", ""), request.form.get("on") == "yes"
    try:
        house().registry.turn(g.clinic.id, name, on, actor=me().id)
    except KeyError:
        abort(404)
    except Locked as why:
        return _page({name: _held(str(why)).why})
    except (Unready, Withheld) as why:
        return _page({name: str(why)})
    return redirect(url_for("switches.switches", turned=name, _anchor=f"plugin-{name}"), 303)


def counts() -> tuple[int, int]:
    """How many plugins are on here, and how many are found."""
    registry = house().registry
    return len(registry.on(g.clinic.id)), len(registry.found)


def _cards() -> Iterable[Card]:
    registry, clinic, seen = house().registry, g.clinic.id, set()
    for plugin in sorted(registry.found, key=lambda p: (p.own.name if p.manifest else p.id).lower()):
        key = plugin.id if plugin.id not in seen else f"{plugin.id}-again"
        seen.add(plugin.id)
        if plugin.manifest is None:
            yield Card(plugin=plugin, key=key, name=plugin.id, summary="", state="quarantined", reason=plugin.problem)
            continue
        state, reason = "off", ""
        if plugin.problem:
            state, reason = "quarantined", plugin.problem
        elif not plugin.loaded:
            state = "absent"
        elif (clinic, plugin.id) in registry.suspended:
            state, reason = "suspended", registry.suspended[clinic, plugin.id]
        elif (clinic, plugin.id) in registry.withheld:
            state, reason = "withheld", registry.withheld[clinic, plugin.id]
        elif registry.is_on(clinic, plugin.id):
            state = "on"
        translate, switchable = words(plugin), state in ("on", "off", "withheld", "suspended")
        why = registry.locked(clinic, plugin) if switchable else ""
        yield Card(
            plugin=plugin,
            key=key,
            name=translate(plugin.own.name),
            summary=translate(plugin.own.summary) if plugin.own.summary else "",
            state=state,
            reason=reason,
            held=_held(why) if why else None,
            touches=_touches(plugin),
            adds=_adds(plugin),
            health=[translate(what) for what in checkup.health(registry, clinic, plugin)] if state == "on" else [],
            scopes=frozenset(setting.scope for setting in plugin.own.settings) if state == "on" else frozenset(),
            stored=_stored(plugin) if switchable else [],
        )


def _held(why: str) -> Held:
    sentence, _colon, where = why.partition(": ")
    sentence = _(sentence)
    if not sentence.startswith("housecall."):  # the name of a file stays as it is
        sentence = sentence[:1].upper() + sentence[1:]
    return Held(sentence, where, house().site.lines.get(where))


def _touches(plugin: Plugin) -> list[str]:
    translate = words(plugin)
    lines = [_data(translate(data.what), translate(data.purpose), translate, data) for data in plugin.own.data]
    for each in plugin.own.outgoing:
        lines.append(_("This server talks to %(host)s: %(why)s") % {"host": each.host, "why": translate(each.why)})
    return lines


def _data(what: str, purpose: str, translate: settings.Translate, data: Data) -> str:
    kept = _(KEPT[data.kept]) if data.kept in KEPT else _("kept for %(time)s") % {"time": translate(data.kept)}
    line = _("%(what)s of %(whose)s, %(purpose)s; %(kept)s") % {
        "what": what,
        "whose": _joined([_(WHOSE[whose]) for whose in data.whose]),
        "purpose": purpose,
        "kept": kept,
    }
    if data.recipient:
        line = _("%(line)s; given to %(recipient)s") % {"line": line, "recipient": translate(data.recipient)}
    return line[:1].upper() + line[1:]


def _joined(parts: list[str]) -> str:
    if len(parts) == 1:
        return parts[0]
    return _("%(some)s and %(last)s") % {"some": ", ".join(parts[:-1]), "last": parts[-1]}


def _adds(plugin: Plugin) -> list[tuple[str, list[str]]]:
    own = plugin.own
    rows = [
        (_("Parts of pages"), list(dict.fromkeys(each.slot for each in own.fragments))),
        (_("Steps of the check-in"), [each.id for each in own.steps]),
        (_("Messages between pages"), [f"{own.id}:{each.name}" for each in own.events]),
        (_("Large things between pages"), [f"{own.id}:{each.name}" for each in own.transfers]),
        (_("Work done by itself"), [each.name for each in own.jobs]),
        (_("Pages"), [f"/-/{own.id}/"] if plugin.blueprints else []),
        (_("Tables"), clinics.database.declared_by(own.id)),
    ]
    return [(label, names) for label, names in rows if names]


def _stored(plugin: Plugin) -> list[str]:
    """What of a plugin's the database holds, in words."""
    stored = []
    if clinics.database.tables_of_plugin(plugin.id, house().registry.ids):
        stored.append(_("its tables"))
    if clinics.settings.all_of(plugin.id):
        stored.append(_("its settings"))
    return stored
