"""queue.js alone: deltas in order, a gap, another epoch, an old one."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

CARD = {"id": "v1", "state": "waiting", "arrived": 1}

RUN = """async deltas => {
  const { Queue } = await import("housecall/queue.js");
  const asked = [], arrived = [];
  const queue = new Queue({ gap: room => asked.push(room), changed: () => {}, arrived: card => arrived.push(card.id) });
  queue.snapshot({ id: "r", epoch: "e", rev: 5, cards: [] });
  for (const delta of deltas) queue.delta({ room: "r", epoch: "e", ...delta });
  return { asked, arrived, cards: queue.cards().map(card => card.id) };
}"""


@pytest.mark.parametrize(
    ("deltas", "result"),
    [
        ([{"rev": 6, "put": CARD}], {"asked": [], "arrived": ["v1"], "cards": ["v1"]}),
        ([{"rev": 6, "put": CARD}, {"rev": 7, "drop": "v1"}], {"asked": [], "arrived": ["v1"], "cards": []}),
        ([{"rev": 7, "put": CARD}], {"asked": ["r"], "arrived": [], "cards": []}),
        ([{"rev": 5, "put": CARD}], {"asked": [], "arrived": [], "cards": []}),
        ([{"rev": 6, "put": CARD, "epoch": "other"}], {"asked": ["r"], "arrived": [], "cards": []}),
        ([{"rev": 6, "put": CARD}, {"rev": 6, "drop": "v1"}], {"asked": [], "arrived": ["v1"], "cards": ["v1"]}),
    ],
    ids=["next", "two", "gap", "old", "other epoch", "repeated"],
)
def test_deltas(page: Page, deltas: list[dict[str, Any]], result: dict[str, Any]) -> None:
    assert page.evaluate(RUN, deltas) == result
