"""A plugin's table of the whole server, `[server.<plugin>]` of housecall.toml, which the plugin itself reads."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ..config import Site
from ..reading import Mistake, Reading


class Table(Reading):
    """Given to the hook `configure`. Every mistake is noted, with its line, and reading goes on.

    `known` maps each name that may stand there to its type: str, int, bool, list or dict. A text that begins with
    `env:` or `file:` is what that points at. `plugins` are the ids of all plugins that this server has found.
    """

    def __init__(self, site: Site, owner: str, plugins: Collection[str]):
        super().__init__()
        self.site, self.owner, self.plugins = site, owner, frozenset(plugins)
        self.entries: Mapping[str, Any] = site.tables.get(owner, {})

    def wrong(self, where: str, what: str) -> None:
        """Note a mistake: `where` is a name of this table, such as `plan[2].name`."""
        full = f"server.{self.owner}.{where}".rstrip(".")
        self.mistakes.append(Mistake(where=full, what=what, line=self.site.line(full)))

    def read(self, known: Mapping[str, type]) -> dict[str, Any]:
        """The entries of the table itself that are known and of the right type; all others are mistakes."""
        return self._referred("", self.table("", dict(self.entries), known))

    def each(self, name: str, known: Mapping[str, type]) -> list[tuple[str, dict[str, Any]]]:
        """The tables of an array, `[[server.<plugin>.<name>]]`, each with the name that a mistake in it is told by."""
        tables = self.entries.get(name, [])
        if not isinstance(tables, list):
            return []  # which `read` has said
        places = [f"{name}[{number}]" for number in range(1, len(tables) + 1)]
        return [
            (place, self._referred(f"{place}.", self.table(place, table, known)))
            for place, table in zip(places, tables, strict=True)
        ]

    def _referred(self, prefix: str, entries: dict[str, Any]) -> dict[str, Any]:
        good: dict[str, Any] = {}
        for name, value in entries.items():
            try:
                good[name] = self.site.refer(value) if isinstance(value, str) else value
            except (KeyError, OSError):
                self.wrong(f"{prefix}{name}", f"{value} points at nothing")
        return good
