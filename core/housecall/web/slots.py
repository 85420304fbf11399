"""What plugins show in the slots of a page: their templates, made safe to put beside others'."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jinja2
from flask import g
from markupsafe import Markup

from .. import fields
from ..extending import settings
from ..extending.hooks import Raised, place
from ..extending.nouns import Event, Transfer
from ..extending.registry import CORE_EVENTS, Plugin
from ..extending.slots import SLOTS
from .assets import setting_url
from .house import house
from .language import lang, ngettext, translations

VOID = frozenset(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"])
REFUSED = frozenset(("script", "style", "iframe", "object", "embed", "base", "link", "meta", "plaintext", "hc-part"))
OURS = ("data-slots", "data-step", "data-when")  #: what the page's own modules look for


class Unbalanced(Exception):
    """A template whose tags do not close, or that holds one that has no place in a fragment."""


@functools.cache
def ids_of_pages() -> frozenset[str]:
    """The ids that our own templates give to the parts of a page."""
    found: set[str] = set()
    for template in (Path(__file__).parent / "templates").glob("*.html"):
        found.update(re.findall(r'\bid="([\w-]+)"', template.read_text("utf-8")))
    return frozenset(found)


class _Tags(HTMLParser):
    """Follows the tags of a fragment: what it opens, it must close."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in REFUSED:
            raise Unbalanced(f"<{tag}> has no place in a fragment")
        for name, value in attrs:
            if name.startswith("on") or name == "style":
                raise Unbalanced("a fragment has no inline script and no inline style")
            if name in OURS or (name == "id" and value in ids_of_pages()):
                raise Unbalanced(f"{name}={value!r} is the page's own")
        if tag not in VOID:
            self.open.append(tag)

    def _refuse(self, data: str) -> None:
        """Browsers and parsers do not agree on where a comment ends: what is hidden here might be live there."""
        raise Unbalanced("a fragment has no HTML comment, no declaration and no processing instruction")

    handle_comment = handle_decl = handle_pi = unknown_decl = _refuse  # type: ignore[assignment]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            raise Unbalanced(f"</{tag}> closes nothing")


@functools.lru_cache(maxsize=512)
def check(html: str) -> None:
    """Raises Unbalanced for what would break the page around it."""
    tags = _Tags()
    tags.feed(html)
    tags.close()
    if tags.open:
        raise Unbalanced(f"<{tags.open[-1]}> is not closed")


@functools.cache
def _environment(folder: str) -> jinja2.Environment:
    """A plugin's templates, by themselves: what they may use is what they are given."""
    return jinja2.Environment(loader=jinja2.FileSystemLoader(folder), autoescape=True, undefined=jinja2.StrictUndefined)


def words(plugin: Plugin, language: str = "") -> Callable[[str], str]:
    """The plugin's own catalogue, then the house's; in the visitor's language where none is named."""
    language = language or lang()

    def translate(english: str) -> str:
        own = translations(language, str(plugin.folder / "locale"), plugin.id).gettext(english)
        return own if own != english else translations(language).gettext(english)

    return translate


def fragment(plugin: Plugin, template: str, **columns: Any) -> Markup:
    """One rendered template of a plugin. Raises whatever it raises."""
    html = (
        _environment(str(plugin.folder / "templates"))
        .get_template(template)
        .render(
            clinic={"id": g.clinic.id, "name": g.clinic.name},
            lang=lang(),
            _=words(plugin),
            ngettext=ngettext,
            asset=house().assets_of(plugin).url,
            **columns,
        )
    )
    check(html)
    return Markup(html)  # noqa: S704  autoescaped by the plugin's own environment, and checked


def slot(name: str, *, role: str = "", scopes: Iterable[tuple[str, str]] = (), **columns: Any) -> Markup:
    """A slot's place, with what the plugins of this clinic show there; one that fails leaves its fallback."""
    return Markup('<div class="slot" data-slots="{}">{}</div>').format(name, _parts(name, role, scopes, columns))


def filled(name: str) -> bool:
    """Whether any plugin of this clinic shows something in a slot."""
    return bool(house().registry.fragments(g.clinic.id, name))


def _parts(name: str, role: str, scopes: Iterable[tuple[str, str]], columns: dict[str, Any]) -> Markup:
    known, registry = SLOTS[name], house().registry
    assert set(columns) == set(known.adds), f"slot {name} gives {known.adds}"
    made = Markup()
    for plugin, each in registry.fragments(g.clinic.id, name):
        if known.visit and role not in each.roles:
            continue
        try:
            html = Markup()
            if each.template:
                html = fragment(plugin, each.template, role=role, settings=seen(plugin, *scopes), **columns)
            made += part(plugin, name, each.module, html)
        except Exception as error:
            raised(plugin, each.template or each.module, error)
            made += broken(plugin, name)
    return made


def raised(plugin: Plugin, what: str, error: Exception) -> None:
    """A file of a plugin could not be shown: counts as a failure of it."""
    house().registry.failed(g.clinic.id, Raised(plugin=plugin.id, hook=what, error=place(error)))


def part(plugin: Plugin, slot: str, module: str, html: Markup, *, step: str = "") -> Markup:
    """An <hc-part>, which imports its module and mounts it (parts.js). KeyError for a module that is not there."""
    more = Markup(' data-title="{}"').format(words(plugin)(plugin.own.name))
    more += Markup(' data-module="{}"').format(house().assets_of(plugin).url(module)) if module else Markup()
    more += Markup(' data-step="{}"').format(step) if step else Markup()
    return Markup('<hc-part data-plugin="{}" data-slot="{}"{}>{}</hc-part>').format(plugin.id, slot, more, html)


def broken(plugin: Plugin, slot: str, *, step: str = "") -> Markup:
    """The place of a part that could not be made, where its page shows the fallback."""
    more = Markup(' data-title="{}"').format(plugin.own.name)
    more += Markup(' data-step="{}"').format(step) if step else Markup()
    return Markup('<hc-part data-plugin="{}" data-slot="{}"{} data-broken></hc-part>').format(plugin.id, slot, more)


def styles(*prefixes: str) -> Markup:
    """The style sheets that the fragments of some slots bring."""
    urls: dict[str, None] = {}
    for plugin in house().registry.on(g.clinic.id):
        for each in plugin.own.fragments:
            if each.style and each.slot.startswith(prefixes):
                try:
                    urls[house().assets_of(plugin).url(each.style)] = None
                except Exception as error:
                    raised(plugin, each.style, error)
    return Markup().join(Markup('<link rel="stylesheet" href="{}">\n').format(url) for url in urls)


def described(*scopes: tuple[str, str], rooms: Iterable[str] = ()) -> dict[str, Any]:
    """What the page's modules need to know of each plugin that is on: settings, and the rules of its events."""
    parts: dict[str, Any] = {"core": {"events": {name: rule(event) for name, event in CORE_EVENTS.items()}}}
    for plugin in house().registry.on(g.clinic.id):
        site, own = house().site, plugin.own
        parts[plugin.id] = {
            "settings": _shown(plugin, seen(plugin, *scopes)),
            "events": {f"{plugin.id}:{event.name}": rule(event) for event in own.events},
        }
        if own.transfers:
            parts[plugin.id]["transfers"] = {f"{plugin.id}:{each.name}": transfer(each) for each in own.transfers}
        if any(field.scope == "room" for field in own.settings):
            parts[plugin.id]["rooms"] = {
                room: {
                    field.id: value
                    for field in own.settings
                    if field.scope == "room" and not field.private
                    for value in [settings.values(site, g.clinic.id, own, ("room", room)).get(field.id)]
                }
                for room in rooms
            }
    return parts


def seen(plugin: Plugin, *scopes: tuple[str, str]) -> dict[str, Any]:
    """The settings that may be on a page which everybody opens."""
    private = {field.id for field in plugin.own.settings if field.private}
    values = settings.values(house().site, g.clinic.id, plugin.own, *scopes)
    return {name: value for name, value in values.items() if name not in private}


def _shown(plugin: Plugin, values: dict[str, Any]) -> dict[str, Any]:
    """Settings as modules see them: of a file of the practice its address, for no page carries what it may not show."""
    files = [field.id for field in plugin.own.settings if field.type == "file" and field.scope == "clinic"]
    return values | {name: setting_url(plugin.id, name, values[name]) for name in files if values.get(name)}


def rule(event: Event) -> dict[str, Any]:
    """An event's declaration for the far page, which applies the same rules (gate.js)."""
    return {
        "from": list(event.sources),
        "to": event.to,
        "path": event.path,
        "states": list(event.states),
        "size": event.size,
        "rate": event.rate,
        "fields": [fields.describe(field) for field in event.fields],
    }


def transfer(known: Transfer) -> dict[str, Any]:
    """A transfer's declaration, which both pages hold to (transfer.js)."""
    return {"from": list(known.sources), "to": known.to, "states": list(known.states), "size": known.size}
