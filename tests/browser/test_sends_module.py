"""What goes from one seat to another: the module says what the table of the contracts says."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page

from housecall.visits import KINDS

PAGE = (Path(__file__).parent.parent.parent / "docs/contracts.md").read_text(encoding="utf-8")
WHAT = ("sound", "camera", "screen")


def promised() -> dict[tuple[str, bool], list[bool]]:
    """(who sends, whether to one behind the curtain) -> what goes, as the table says."""
    rows = re.findall(r"^\| ([a-z, ]+) \| ([a-z, ]+) \| ([a-z, ]+) \|$", PAGE.split("| from | to anybody")[1], re.M)
    table = {}
    for names, *cells in rows[:2]:
        for name in names.split(", "):
            for curtain, cell in zip((False, True), cells, strict=True):
                table[name, curtain] = [what in cell for what in WHAT]
    return table


def test_what_is_sent_is_the_pages(page: Page) -> None:
    table = promised()
    assert {name for name, _ in table} == {"provider", "patient", *KINDS}
    for (name, curtain), wanted in table.items():
        seat = {"role": "guest", "kind": name} if name in KINDS else {"role": name}
        for other in ({"role": "patient"}, {"role": "provider"}, {"role": "guest", "kind": "chaperone"}):
            given = page.evaluate(
                "async ([from, to]) => (await import('housecall/sends.js')).sends(from, to)",
                [seat, {**other, "curtain": curtain}],
            )
            assert given == wanted, (name, other, curtain)
