"""Reads a TOML file and collects every mistake in it, with its line and the nearest known name."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KINDS = {
    str: "a text in quotes",
    int: "a whole number",
    bool: "true or false",
    list: "a list",
    dict: "a table",
}


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """One thing that is wrong in a file."""

    where: str  #: dotted name, such as ``server.port``
    what: str  #: a sentence that says what is wrong and, where there is one, the nearest known name
    line: int | None = None  #: counted from 1

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.line else ""
        return f"{place}{self.where}: {self.what}" if self.where else f"{place}{self.what}"


def nearest(name: str, known: Iterable[str]) -> str:
    """A sentence that offers the known name nearest to `name`, or lists all known ones."""
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=1)
    listed = ", ".join(known)
    return f"did you mean {close[0]!r}? Known: {listed}" if close else f"known: {listed}"


def tree(path: Path) -> tuple[dict[str, Any], str] | Mistake:
    """A TOML file's tables and its text, or the one mistake that keeps it from being read. Raises FileNotFoundError."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return Mistake(where="", what="this file is not UTF-8 text")
    try:
        return tomllib.loads(text), text
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+), column \d+\)", str(error))
        what = re.sub(r" \(at .*\)", "", str(error))
        last = len(text.splitlines()) if "(at end of document)" in str(error) else None
        return Mistake(where="", what=what, line=int(found[1]) if found else last)


def lines(text: str) -> dict[str, int]:
    """Where each dotted name of a TOML text stands (tomllib keeps no lines).

    What is below the second [[event]] is there as `event[2].name`; without a number a name is the first of them.
    """
    found: dict[str, int] = {}
    for name, number in _names(text):
        found.setdefault(name, number)
    return found


def _names(text: str) -> Iterator[tuple[str, int]]:
    tables, counts = [""], dict[str, int]()
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[(\[?)\s*([^\]]+?)\s*\]\]?", line):
            table = header[2].replace('"', "").replace(" ", "")
            if header[1]:
                counts[table] = counts.get(table, 0) + 1
            tables = [table]
            for array, count in counts.items():
                if table == array or table.startswith(f"{array}."):
                    tables.append(f"{array}[{count}]{table.removeprefix(array)}")
            for each in tables:
                yield each, number
        elif key := re.match(r"\s*([\w.\"-]+)\s*=", line):
            name = key[1].replace('"', "")
            for each in tables:
                yield (f"{each}.{name}" if each else name), number


class Reading:
    """One pass over a parsed file, which notes mistakes and goes on."""

    def __init__(self, text: str = ""):
        self.lines = lines(text)
        self.mistakes: list[Mistake] = []

    def wrong(self, where: str, what: str) -> None:
        self.mistakes.append(Mistake(where=where, what=what, line=self.lines.get(where)))

    def table(self, where: str, value: Any, known: Mapping[str, type]) -> dict[str, Any]:
        """The entries of a table that are known and of the right type; all others are mistakes."""
        if not isinstance(value, dict):
            self.wrong(where, f"this must be a table: [{where}]")
            return {}
        good: dict[str, Any] = {}
        for name, entry in value.items():
            place = f"{where}.{name}" if where else name
            if name not in known:
                self.wrong(place, f"this name is not known; {nearest(name, known)}")
            elif type(entry) is not known[name]:
                self.wrong(place, f"this must be {KINDS[known[name]]}")
            else:
                good[name] = entry
        return good

    def one_of(self, where: str, value: str, known: Iterable[str]) -> str:
        """`value`; a mistake unless it is one of the known names."""
        known = tuple(known)
        if value not in known:
            self.wrong(where, f"{value!r} is not known; {nearest(value, known)}")
        return value
