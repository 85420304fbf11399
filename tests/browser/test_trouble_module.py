"""trouble.js alone: on whose side a connection is interrupted, and how that is said."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from housecall.testing.people import Person
from housecall.testing.practice import Room

SIDE = 'async known => (await import("housecall/trouble.js")).side(known)'
WORDS = 'async told => (await import("housecall/trouble.js")).words(...told)'


@pytest.mark.parametrize(
    ("online", "linked", "there", "whose"),
    [
        (True, True, True, "between"),
        (True, True, False, "theirs"),
        (True, False, True, "ours"),  # what the server said of them last may be old
        (True, False, False, "ours"),
        (False, True, True, "ours"),  # the line is not known to be dead yet
        (False, True, False, "ours"),
        (False, False, True, "ours"),
        (False, False, False, "ours"),
    ],
)
def test_whose_side_it_is(
    room: Room, person: Callable[..., Person], online: bool, linked: bool, there: bool, whose: str
) -> None:
    page = person().page
    page.goto(room.url)
    assert page.evaluate(SIDE, {"online": online, "linked": linked, "there": there}) == whose


@pytest.mark.parametrize(
    ("whose", "once", "words"),
    [
        ("ours", True, "Your connection is interrupted."),
        ("ours", False, "Your connection is interrupted."),
        ("theirs", True, "Grace's connection is interrupted."),
        ("between", True, "The connection between you and Grace is interrupted."),
        ("between", False, "Grace is not reached yet."),
    ],
)
def test_how_it_is_said(room: Room, person: Callable[..., Person], whose: str, once: bool, words: str) -> None:
    page = person().page
    page.goto(room.url)
    assert page.evaluate(WORDS, [whose, "Grace", once]).startswith(words)
