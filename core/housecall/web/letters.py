"""How mail looks: one frame in the practice's name and colours, as text and as HTML that say the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flask import current_app

from ..extending.theming import DEFAULT
from .house import house
from .language import lang as of_the_page

#: The tokens of a theme that a mail is drawn with.
COLOURS = ("paper", "card", "ink", "soft", "line", "primary", "on-primary", "heading", "body", "radius")


def letter(
    clinic: str,
    paragraphs: Iterable[str],
    *,
    button: tuple[str, str] | None = None,
    notes: Iterable[str] = (),
    lang: str = "",
) -> tuple[str, str]:
    """A mail's text and its HTML, in the name and the colours of a clinic: `text, html = letter(…)`, then `post`.

    `paragraphs` and `notes` (small, at the end) are plain sentences in the reader's language; `button` is its words and
    the address that it opens. `lang` is the language, of the page that is being made where none is given.
    """
    site = house().site
    config, name = site.clinics[clinic], site.clinics[clinic].name
    said = {
        "clinic": name,
        "address": address(clinic),
        "phone": config.core.get("phone", ""),
        "paragraphs": [each.strip() for each in paragraphs if each.strip()],
        "button": button,
        "notes": [each.strip() for each in notes if each.strip()],
        "lang": lang or of_the_page(),
    }
    light, dark = _colours(clinic)
    text = current_app.jinja_env.get_template("mail/letter.txt").render(**said)
    html = current_app.jinja_env.get_template("mail/letter.html").render(**said, light=light, dark=dark)
    return text.strip() + "\n", html


def address(clinic: str) -> str:
    """The address of a clinic's front page, without a slash at its end: what links in messages begin with.

    It is the one of housecall.toml, never that of a request, which anybody may make up.
    """
    return house().site.address_of(clinic)


def _colours(clinic: str) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Light and dark; a theme that has one scheme only is drawn with that."""
    from .. import clinics

    found = clinics.clinic.by_id(clinic)
    theme, calm = house().themes.get(found.theme if found else None), house().themes.get(DEFAULT)
    light = {name: theme.light.get(name, calm.light[name]) for name in COLOURS}
    both = theme.scheme == "light dark"
    dark = {name: theme.dark.get(name, light[name]) if both else light[name] for name in COLOURS}
    return light, dark
