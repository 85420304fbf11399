"""What every template may use."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from typing import Any

from flask import Flask, g
from flask_login import current_user
from markupsafe import Markup

from .. import clinics
from . import look, slots
from .assets import importmap
from .guard import form_token
from .house import house
from .language import lang, module_texts, themed, words
from .messages import for_modules


def init_app(app: Flask) -> None:
    """Give templates the clinic, the member, hashed addresses and two ways to write a time."""
    app.jinja_env.filters.update(when=_when, iso=_iso, label_of=_label_of)

    @app.context_processor
    def everywhere() -> dict[str, Any]:
        parts, clinic = house(), g.get("clinic")
        return {
            "asset": look.asset,
            "importmap": importmap(parts.assets, *map(parts.assets_of, parts.registry.on(clinic.id) if clinic else ())),
            "needs": parts.assets.needs,
            "theme": look.theme(),
            "theme_styles": look.styles,
            "clinic": clinic,
            "member": current_user.member if current_user.is_authenticated else None,
            "lang": lang(),
            "form_token": form_token,
            "slot": slots.slot,
            "styles": slots.styles,
            "filled": slots.filled,
            "csp_nonce": g.get("nonce", ""),
        }


def _iso(ms: int) -> str:
    """A time in ms as HTML's <time> wants it."""
    return dt.datetime.fromtimestamp(ms / 1000, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _when(ms: int) -> str:
    """A time in ms for people, in the server's zone."""
    return dt.datetime.fromtimestamp(ms / 1000).astimezone().strftime("%Y-%m-%d %H:%M")


def _label_of(name: str, form: str) -> str:
    """What a field of a form is called, without the word that it is optional; nothing where it has no label."""
    label = rf'<label [^>]*for="{re.escape(name)}"[^>]*>(.*?)(?:<span class="optional">|</label>)'
    found = re.search(label, form, re.DOTALL)
    return Markup(found[1]).striptags() if found else ""  # noqa: S704 (it is our own page)


def shown_member() -> dict[str, str]:
    """The member who is signed in, as fragments see one."""
    return {"id": current_user.member.id, "name": clinics.members.shown_name(current_user.member)}


def still(*names: str, rooms: Iterable[str] = ()) -> dict[str, Any]:
    """What a page without a visit needs where a plugin's module stands in one of its slots; else nothing at all."""
    registry = house().registry
    if not any(each.module for name in names for _, each in registry.fragments(g.clinic.id, name)):
        return {}
    own = current_user.member.id if current_user.is_authenticated else ""
    page = page_data(
        me={"id": own, "role": "provider" if own else ""},
        parts=slots.described(*([("member", own)] if own else []), rooms=rooms),
    )
    return {"page": page, "still": True}


def _of_theme() -> dict[str, str]:
    """The words of modules that the theme replaces."""
    return {english: own for english, own in themed().items() if english in module_texts()}


def page_data(**more: Any) -> dict[str, Any]:
    """What the ES modules of a page need: its form token, its language's words, and `more`."""
    plugins = tuple((plugin.id, plugin.folder) for plugin in house().registry.on(g.clinic.id))
    return {
        "token": form_token(),
        "lang": lang(),
        "words": words(lang(), plugins) | _of_theme(),
        "messages": for_modules(lang()),
        **more,
    }
