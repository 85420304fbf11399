"""Themes: a folder with theme.toml, whose tokens become CSS custom properties."""

from __future__ import annotations

import hashlib
import re
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

TOKEN = re.compile(r"[a-z][a-z0-9-]*")
VALUE = re.compile(r"[^;{}<>\\]+")  #: what may stand in one declaration: nothing that ends it, opens a tag or escapes


class ThemeError(Exception):
    """A theme that cannot be used; says the file and what is wrong in it."""


@dataclass(frozen=True, kw_only=True)
class Theme:
    """The look of a clinic: tokens for light and for dark screens."""

    id: str
    name: str
    light: dict[str, str]
    dark: dict[str, str]

    @cached_property
    def css(self) -> str:
        """The tokens as custom properties, dark ones behind the visitor's preference."""
        light = "".join(f"  --{name}: {value};\n" for name, value in self.light.items())
        dark = "".join(f"    --{name}: {value};\n" for name, value in self.dark.items())
        return f":root {{\n{light}}}\n@media (prefers-color-scheme: dark) {{\n  :root {{\n{dark}  }}\n}}\n"

    @cached_property
    def hash(self) -> str:
        return hashlib.sha256(self.css.encode()).hexdigest()[:16]


def folder() -> Path:
    """Where the shipped themes are: inside the wheel, or at the top of a checkout."""
    here = Path(__file__).resolve().parent.parent
    shipped = here / "themes"
    return shipped if shipped.is_dir() else here.parent.parent / "themes"


def load(place: Path) -> Theme:
    """Read one theme's folder; raises ThemeError that names the file and the key."""
    path = place / "theme.toml"
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ThemeError(f"{path}: {error}") from None
    for key in ("id", "name", "api"):
        if not isinstance(tree.get(key), str):
            raise ThemeError(f"{path}: {key} is missing or not a text")
    if tree["id"] != place.name:
        raise ThemeError(f"{path}: id {tree['id']!r} is not the folder's name {place.name!r}")
    tokens = dict(tree.get("tokens", {}))
    dark = tokens.pop("dark", {})
    for name, value in (*tokens.items(), *dark.items()):
        if not TOKEN.fullmatch(name) or not isinstance(value, str) or not VALUE.fullmatch(value):
            raise ThemeError(f"{path}: token {name!r} is not a name with one CSS value")
    return Theme(id=tree["id"], name=tree["name"], light=tokens, dark=dark)


def found() -> dict[str, Theme]:
    """Every shipped theme by its id."""
    return {place.name: load(place) for place in sorted(folder().iterdir()) if (place / "theme.toml").exists()}
