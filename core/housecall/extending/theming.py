"""Themes: a folder with theme.toml (tokens, words, blocks) and, if wanted, templates/ and static/ (contracts §10)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from .. import reading
from ..reading import Mistake, Reading, nearest
from .manifest import API

TOKEN = re.compile(r"[a-z][a-z0-9-]*")
VALUE = re.compile(r"[^;{}<>\\]+")  #: what may stand in one declaration: nothing that ends it, opens a tag or escapes
ID = re.compile(r"[a-z][a-z0-9-]{1,30}")
SCHEMES = ("light dark", "dark", "light")
DEFAULT = "calm"  #: what a broken theme falls back to; it always comes with Housecall
LINK = re.compile(r"(https?://|mailto:|tel:)\S+")

TOP: Mapping[str, type] = {
    "id": str,
    "name": str,
    "api": str,  #: the Housecall API that it was written for
    "extends": str,
    "scheme": str,
    "tokens": dict,
    "text": dict,
    "block": list,
}
BLOCK: Mapping[str, type] = {
    "type": str,  #: what it is
    "text": str,  #: Markdown
    "image": str,  #: file below static/
    "alt": str,  #: what the image shows, for those who do not see it
    "links": list,  #: each `{title = "…", url = "…"}`; https:, mailto: or tel:
}
BLOCKS = {"text": ("text",), "image": ("image", "alt"), "links": ("links",)}


class ThemeError(Exception):
    """A theme that cannot be used; `mistakes` lists everything that is wrong with it."""

    def __init__(self, mistakes: list[Mistake]):
        self.mistakes = mistakes
        super().__init__("\n".join(f"theme.toml: {m}" for m in mistakes))


@dataclass(frozen=True, kw_only=True)
class Theme:
    """The look of a clinic or a room; what it extends is in it already."""

    id: str  #: the folder's name: 2 to 31 small letters, digits and -
    name: str  #: as people read it
    folder: Path
    extends: str = ""  #: the theme that it begins as
    scheme: str = "light dark"  #: which of light and dark it has
    light: Mapping[str, str] = field(default_factory=dict)  #: CSS custom properties; `paper` is `--paper`
    dark: Mapping[str, str] = field(default_factory=dict)  #: the tokens of dark, where the theme has both
    text: Mapping[str, str] = field(default_factory=dict)  #: English words of the interface -> other words
    blocks: tuple[Mapping[str, Any], ...] = ()  #: content of waiting rooms that have none of their own
    line: tuple[Path, ...] = ()  #: folders of this theme and of those it extends, itself first

    @cached_property
    def css(self) -> str:
        """The tokens as custom properties; dark ones behind the visitor's preference, where the theme has both."""
        return self._rule(":root") + self._rule(f'[data-theme="{self.id}"]')

    def _rule(self, selector: str) -> str:
        light = "".join(f"  --{name}: {value};\n" for name, value in self.light.items())
        rule = f"{selector} {{\n  color-scheme: {self.scheme};\n{light}}}\n"
        if self.scheme != "light dark" or not self.dark:
            return rule
        dark = "".join(f"    --{name}: {value};\n" for name, value in self.dark.items())
        return f"{rule}@media (prefers-color-scheme: dark) {{\n  {selector} {{\n{dark}  }}\n}}\n"

    @cached_property
    def hash(self) -> str:
        return hashlib.sha256(self.css.encode()).hexdigest()[:16]

    @property
    def templates(self) -> list[str]:
        """Where its templates are looked for, its own first."""
        return [str(folder / "templates") for folder in self.line if (folder / "templates").is_dir()]


@dataclass(frozen=True, kw_only=True)
class Broken:
    """A theme's folder that cannot be used, and why."""

    id: str
    folder: Path
    problem: str


class Themes:
    """Every theme of one server. `known(english)` says whether the interface has such words."""

    def __init__(self, parents: Collection[Path], words: Callable[[], Collection[str]]):
        self.good: dict[str, Theme] = {}
        self.broken: dict[str, Broken] = {}
        self._words = words
        read: dict[str, Theme] = {}
        for place in [place for parent in parents if parent.is_dir() for place in _themes_in(parent)]:
            id = place.name
            try:
                if id in read:  # those that Housecall comes with are read first, and stay what they are
                    what = f"{id!r} is there already: {read[id].folder}; this one is {place}"
                    raise ThemeError([Mistake(where="id", what=what)])
                read[id] = self._read(place)
            except ThemeError as error:
                self.broken[id] = Broken(id=id, folder=place, problem=str(error))
        for id in read:
            try:
                self.good[id] = _whole(read, id, self.broken)
            except ThemeError as error:
                self.broken[id] = Broken(id=id, folder=read[id].folder, problem=str(error))

    def get(self, *wanted: str | None) -> Theme:
        """The first of the wanted themes that can be used; one that cannot falls back to what Housecall comes with."""
        return next((self.good[id] for id in wanted if id in self.good), self.good[DEFAULT])

    def fail(self, theme: Theme, problem: str) -> None:
        """A theme's template raised: out of use until the next start, with the reason."""
        if theme.id != DEFAULT and theme.id in self.good:
            self.broken[theme.id] = Broken(id=theme.id, folder=theme.folder, problem=problem)
            del self.good[theme.id]

    def _read(self, place: Path) -> Theme:
        found = reading.tree(place / "theme.toml")
        if isinstance(found, Mistake):
            raise ThemeError([found])
        pass_ = _Theme(found[1], place)
        theme = pass_.theme(found[0], self._words)
        if pass_.mistakes:
            raise ThemeError(sorted(pass_.mistakes, key=lambda mistake: mistake.line or 0))
        return theme


def shipped() -> Path:
    """Where the themes are that Housecall comes with: inside the wheel, or at the top of a checkout."""
    here = Path(__file__).resolve().parent.parent
    inside = here / "themes"
    return inside if inside.is_dir() else here.parent.parent / "themes"


def _themes_in(parent: Path) -> list[Path]:
    return [place for place in sorted(parent.iterdir()) if (place / "theme.toml").is_file()]


def _whole(read: Mapping[str, Theme], id: str, broken: Mapping[str, Broken]) -> Theme:
    """A theme with all that it extends. Raises ThemeError for a parent that is not there or a circle."""
    line = [read[id]]
    while (parent := line[-1].extends) != "":
        if parent not in read and parent in broken:
            raise ThemeError([Mistake(where="extends", what=f"{parent!r} cannot be used itself")])
        if parent not in read:
            raise ThemeError([Mistake(where="extends", what=f"there is no theme {parent!r}; {nearest(parent, read)}")])
        if read[parent] in line:
            names = " extends ".join([*(theme.id for theme in line), parent])
            raise ThemeError([Mistake(where="extends", what=f"{names}: this is a circle")])
        line.append(read[parent])
    whole = read[id]
    for parent_theme in line[1:]:
        whole = replace(
            whole,
            light={**parent_theme.light, **whole.light},
            dark={**parent_theme.dark, **whole.dark},
            text={**parent_theme.text, **whole.text},
            blocks=whole.blocks or parent_theme.blocks,
        )
    return replace(whole, line=tuple(theme.folder for theme in line))


class _Theme(Reading):
    """One pass over theme.toml."""

    def __init__(self, text: str, place: Path):
        super().__init__(text)
        self.place = place

    def theme(self, tree: dict[str, Any], words: Callable[[], Collection[str]]) -> Theme:
        top = self.table("", tree, TOP)
        for name in ("id", "name", "api"):
            if not top.get(name):
                self.wrong(name, "this is needed")
        id = top.get("id", "")
        if id and not ID.fullmatch(id):
            self.wrong("id", "an id is 2 to 31 small letters, digits and hyphens, and begins with a letter")
        elif id and id != self.place.name:
            self.wrong("id", f"{id!r} is not the folder's name, {self.place.name!r}")
        if (api := top.get("api")) and api.split(".")[0] != API.split(".")[0]:
            self.wrong("api", f"this server offers {API}; a theme for {api} needs another Housecall")
        self.one_of("scheme", top.get("scheme", "light dark"), SCHEMES)
        tokens = dict(top.get("tokens", {}))
        dark = tokens.pop("dark", {})
        for where, values in (("tokens", tokens), ("tokens.dark", dark)):
            for name, value in values.items() if isinstance(values, dict) else ():
                if not TOKEN.fullmatch(name) or not isinstance(value, str) or not VALUE.fullmatch(value):
                    self.wrong(f"{where}.{name}", "a token is a name in small letters with one CSS value in quotes")
        text = top.get("text", {})
        if text:
            known = words()
            for english, other in text.items():
                if english not in known:
                    self.wrong(f"text.{english}", f"the interface has no such words; {_close(english, known)}")
                elif not isinstance(other, str) or not other.strip():
                    self.wrong(f"text.{english}", "this must be a text in quotes")
        blocks = tuple(self.block(f"block[{i}]", value) for i, value in enumerate(top.get("block", []), 1))
        return Theme(
            id=id,
            name=top.get("name", id),
            folder=self.place,
            extends=top.get("extends", ""),
            scheme=top.get("scheme", "light dark"),
            light=tokens,
            dark=dark,
            text=text,
            blocks=blocks,
        )

    def block(self, where: str, value: Any) -> dict[str, Any]:
        table = self.table(where, value, BLOCK)
        kind = table.get("type", "")
        if kind not in BLOCKS:
            self.wrong(f"{where}.type", f"{kind!r} is not known; {nearest(kind, BLOCKS)}")
            return table
        for name in BLOCKS[kind]:
            if not table.get(name):
                self.wrong(f"{where}.{name}", f"a block of the type {kind} needs this")
        if kind == "image" and table.get("image") and not (self.place / "static" / table["image"]).is_file():
            self.wrong(f"{where}.image", f"there is no file static/{table['image']}")
        for link in table.get("links", []):
            if not isinstance(link, dict) or set(link) != {"title", "url"} or not LINK.fullmatch(str(link["url"])):
                self.wrong(f"{where}.links", "each link has a title and a url that begins with https:, mailto: or tel:")
        return table


def _close(english: str, known: Collection[str]) -> str:
    """The nearest words only: all of them would be a book."""
    said = nearest(english, known)
    return said.partition(" Known: ")[0] if said.startswith("did you mean") else "look at the page for its exact words"
