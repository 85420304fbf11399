"""interrupted.js alone: on whose side a connection is interrupted, and how that is said."""

from __future__ import annotations

from playwright.sync_api import Page

SIDE = 'async known => (await import("housecall/interrupted.js")).side(known)'
WORDS = 'async told => (await import("housecall/interrupted.js")).words(...told)'


#: (the browser is online, the practice answers us, the other side is there) -> on whose side it is
SIDES = {
    (True, True, True): "between",
    (True, True, False): "theirs",
    (True, False, True): "ours",  # what the server said of them last may be old
    (True, False, False): "ours",
    (False, True, True): "ours",  # the line is not known to be dead yet
    (False, True, False): "ours",
    (False, False, True): "ours",
    (False, False, False): "ours",
}
BEGINNINGS = {
    ("ours", True): "Your connection is interrupted.",
    ("ours", False): "Your connection is interrupted.",
    ("theirs", True): "Grace's connection is interrupted.",
    ("theirs", False): "Grace's connection is interrupted.",
    ("between", True): "The connection between you and Grace is interrupted.",
    ("between", False): "Grace is not reached yet.",
}


def test_whose_side_it_is_and_how_that_is_said(page: Page) -> None:
    for (online, linked, there), whose in SIDES.items():
        assert page.evaluate(SIDE, {"online": online, "linked": linked, "there": there}) == whose
    for (whose, once), beginning in BEGINNINGS.items():
        assert page.evaluate(WORDS, [whose, "Grace", once]).startswith(beginning)
