"""Words in the visitor's language: gettext for templates, and the same words for the ES modules."""

from __future__ import annotations

import gettext
import logging
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from flask import Flask, g, has_request_context, request
from markupsafe import escape
from werkzeug.datastructures import LanguageAccept

from ..logs import log

HERE = Path(__file__).resolve().parent.parent
LOCALES = HERE / "locale"
PSEUDO = "en-XA"  #: the pseudo-locale of CLDR: English with accents and brackets, to find texts that nobody marked

_IN_MODULES = re.compile(r'\b(?:text|count)\(\s*(?:[\w.]+\s*,\s*)?("(?:[^"\\]|\\.)*")(?:\s*,\s*("(?:[^"\\]|\\.)*"))?')


class Pseudo(gettext.NullTranslations):
    """Every text readable, yet visibly translated; placeholders stay as they are."""

    letters = str.maketrans("aeiouyAEIOUYcnsz", "áéíóúýÁÉÍÓÚÝçñšž")
    kept = re.compile(r"(%\(\w+\)[sd]|%[sd%]|\{\w+\}|<[^>]+>|&\w+;)")

    def gettext(self, message: str) -> str:
        parts = self.kept.split(message)
        return "[" + "".join(p if i % 2 else p.translate(self.letters) for i, p in enumerate(parts)) + "]"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)


@cache
def languages() -> tuple[str, ...]:
    """The languages that have a catalogue, English first."""
    found = sorted(p.parent.parent.name for p in LOCALES.glob("*/LC_MESSAGES/housecall.mo")) if LOCALES.is_dir() else []
    return ("en", *found)


@cache
def translations(lang: str, folder: str = str(LOCALES), domain: str = "housecall") -> gettext.NullTranslations:
    """The catalogue of a language; English is the texts themselves."""
    if lang == PSEUDO:
        return Pseudo()
    try:
        return gettext.translation(domain, folder, [lang], fallback=True)
    except Exception:  # a file that is no catalogue: the page has its words in English
        log("catalogue", level=logging.ERROR, exc_info=True, plugin=domain)
        return gettext.NullTranslations()


def choose(accept: LanguageAccept) -> str:
    """The best language for an Accept-Language header."""
    if accept.best == PSEUDO:
        return PSEUDO
    return accept.best_match(languages(), "en") or "en"


def lang() -> str:
    """The language of the present request, English outside of one."""
    if not has_request_context():
        return "en"
    if "lang" not in g:
        g.lang = choose(request.accept_languages)
    return str(g.lang)


def _(message: str) -> str:
    """A text in the visitor's language, or in the words of the theme."""
    own = themed().get(message)
    return str(escape(own)) if own is not None else translations(lang()).gettext(message)


def themed() -> Mapping[str, str]:
    """The words that the theme of this page replaces, by their English."""
    theme = g.get("theme") if has_request_context() else None
    return theme.text if theme is not None else {}


_IN_TEMPLATES = re.compile(r"""\b_\(\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")


@cache
def interface_texts() -> frozenset[str]:
    """Every English text that a theme may replace: those of the templates and of the modules."""
    found = set(module_texts())
    for template in (HERE / "web/templates").glob("*.html"):
        for match in _IN_TEMPLATES.finditer(template.read_text(encoding="utf-8")):
            found.add(match[1][1:-1].replace('\\"', '"'))
    return frozenset(found)


def ngettext(one: str, many: str, n: int) -> str:
    return translations(lang()).ngettext(one, many, n)


@cache
def module_texts(folder: Path = HERE / "static/js") -> tuple[str, ...]:
    """Every English text of a folder's ES modules: the literals given to `text()` and `count()`."""
    found: dict[str, None] = {}
    for module in sorted(folder.glob("*.js")):
        for match in _IN_MODULES.finditer(module.read_text(encoding="utf-8")):
            for literal in match.groups():
                if literal:
                    found[literal[1:-1].replace('\\"', '"').replace("\\\\", "\\")] = None
    return tuple(found)


@cache
def words(lang: str, plugins: tuple[tuple[str, Path], ...] = ()) -> dict[str, str]:
    """What the ES modules need to speak `lang`: English text to translated text; empty for English.

    `plugins` are the (id, folder) of those whose modules are in use; a word of their own comes before ours.
    """
    if lang == "en":
        return {}
    said: dict[str, str] = {}
    for plugin, folder in plugins:
        catalogue = translations(lang, str(folder / "locale"), plugin)
        said |= {english: catalogue.gettext(english) for english in module_texts(folder / "static")}
    catalogue = translations(lang)
    ours = {english: catalogue.gettext(english) for english in module_texts()}
    return {english: own for english, own in said.items() if own != english} | {
        english: own for english, own in ours.items() if said.get(english, english) == english
    }


def init_app(app: Flask) -> None:
    """Give templates `_` and `ngettext`."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(_, ngettext, newstyle=True)  # type: ignore[attr-defined]
