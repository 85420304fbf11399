"""ladder.js alone: hand-made seconds in, the rung out; thresholds, hysteresis, trials, what a person chose."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

FINE = {"loss": 0.0, "trip": 0.05, "room": 3_000_000, "rate": 1_500_000, "camera": True}
LOSSY = {**FINE, "loss": 0.1}
NARROW = {**FINE, "room": 500_000, "rate": 480_000}  #: for SD there is too little room, for "low" enough
TINY = {**FINE, "room": 64_000, "rate": 60_000}
UNTOLD = {**FINE, "room": None}  #: as Firefox has it
SLOW = {**UNTOLD, "trip": 0.7}
BROKEN = {**FINE, "loss": 0.5, "room": None}

#: [[seconds, sample], …] -> the rung after each second; a sample with `ceiling` or `peers` sets these first.
CLIMB = """async seconds => {
  const { Ladder, RUNGS } = await import("housecall/ladder.js");
  let at = 0;
  const ladder = new Ladder(at), climbed = [], told = [];
  for (const [count, { ceiling, peers, ...sample }] of seconds) {
    if (ceiling !== undefined || peers !== undefined) ladder.allow(at, RUNGS.indexOf(ceiling ?? "hd"), peers ?? 1);
    for (let i = 0; i < count; i++) {
      climbed.push(RUNGS[ladder.take({ at: at += 1000, ...sample })]);
      told.push(RUNGS[ladder.told]);
    }
  }
  return { climbed, told, wait: ladder.wait, fallen: ladder.fallen };
}"""


def climb(page: Page, *seconds: tuple[int, dict[str, Any]]) -> dict[str, Any]:
    said: dict[str, Any] = page.evaluate(CLIMB, list(seconds))
    return said


def steps(rungs: list[str]) -> list[tuple[int, str]]:
    """When a rung was first sent: (second, rung), the first second being 1."""
    return [(i + 1, rung) for i, rung in enumerate(rungs) if i == 0 or rungs[i - 1] != rung]


@pytest.mark.parametrize("bad", [LOSSY, SLOW, {**UNTOLD, "loss": 0.1}], ids=["loss", "delay", "without an estimate"])
def test_three_bad_seconds_go_down_one_rung(page: Page, bad: dict[str, Any]) -> None:
    assert steps(climb(page, (10, FINE), (3, bad))["climbed"]) == [(1, "hd")]
    assert steps(climb(page, (10, FINE), (4, bad))["climbed"]) == [(1, "hd"), (14, "sd")]


def test_a_bad_second_now_and_then_changes_nothing(page: Page) -> None:
    assert steps(climb(page, *[(2, LOSSY), (1, FINE)] * 10)["climbed"]) == [(1, "hd")]


@pytest.mark.parametrize(
    ("sample", "bad"),
    [
        ({"loss": 0.079}, False),
        ({"loss": 0.081}, True),
        ({"trip": 0.59, "room": None}, False),
        ({"trip": 0.61, "room": None}, True),
        ({"trip": 0.9}, False),  # a long way, or a queue on the way to us: our own has room
        ({"room": 1_790_000, "rate": 1_500_000}, True),
        ({"room": 1_810_000, "rate": 1_500_000}, False),
        ({"room": 300_000, "rate": 100_000}, False),  # nobody has asked for more: the estimate says nothing
        ({"loss": None, "trip": None, "room": None}, False),
    ],
)
def test_the_thresholds_on_the_way_down(page: Page, sample: dict[str, Any], bad: bool) -> None:
    assert (climb(page, (10, FINE), (4, {**FINE, **sample}))["climbed"][-1] != "hd") == bad


@pytest.mark.parametrize(
    ("sample", "fine"),
    [
        ({"loss": 0.029}, True),
        ({"loss": 0.031}, False),
        ({"trip": 0.29, "room": None}, True),
        ({"trip": 0.31, "room": None}, False),
        ({"loss": None}, False),  # nobody has told us
        ({"room": 950_000, "rate": 800_000}, False),  # 1.3 times the room of SD
        ({"room": 1_000_000, "rate": 700_000}, True),
        ({"room": 300_000, "rate": 100_000}, True),  # to be tried: what is not asked for is not known
        ({"room": None}, True),
    ],
)
def test_the_thresholds_on_the_way_up(page: Page, sample: dict[str, Any], fine: bool) -> None:
    low = climb(page, (10, FINE), (4, NARROW), (11, {**FINE, **sample}))["climbed"]
    assert low[13] == "low"
    assert (low[-1] == "sd") == fine


def test_too_little_room_goes_down_at_once_to_what_fits(page: Page) -> None:
    assert steps(climb(page, (10, FINE), (8, NARROW))["climbed"]) == [(1, "hd"), (14, "low")]
    assert steps(climb(page, (10, FINE), (8, TINY))["climbed"]) == [(1, "hd"), (14, "sound")]


def test_loss_goes_down_a_rung_at_a_time_and_ten_in_a_hundred_leave_the_sound(page: Page) -> None:
    said = climb(page, (10, FINE), (60, LOSSY))
    assert steps(said["climbed"]) == [(1, "hd"), (14, "sd"), (18, "low"), (22, "sound")]
    assert said["fallen"]


def test_a_new_connection_has_five_seconds_to_find_out_how_much_room_there_is(page: Page) -> None:
    assert steps(climb(page, (17, TINY))["climbed"]) == [(1, "hd"), (8, "sound")]


def test_ten_fine_seconds_go_up_and_nothing_is_said_until_the_trial_is_over(page: Page) -> None:
    said = climb(page, (10, FINE), (4, LOSSY), (16, FINE))
    assert steps(said["climbed"]) == [(1, "hd"), (14, "sd"), (25, "hd")]
    assert steps(said["told"]) == [(1, "hd"), (14, "sd"), (30, "hd")]


def test_it_comes_back_from_sound_by_itself(page: Page) -> None:
    said = climb(page, (10, FINE), (4, TINY), (40, FINE))
    assert steps(said["climbed"]) == [(1, "hd"), (14, "sound"), (25, "low"), (36, "sd"), (47, "hd")]
    full = climb(page, (10, FINE), (4, TINY), (12, TINY))  # by sound alone no estimate of the room rises
    assert steps(full["climbed"]) == [(1, "hd"), (14, "sound"), (25, "low")]


def test_a_trial_that_fails_falls_back_and_doubles_the_wait(page: Page) -> None:
    seconds = [(10, FINE), (4, TINY)]
    for wait in (10, 20, 40, 60, 60):
        seconds += [(wait + 1, {**TINY, "rate": 30_000}), (5, TINY)]
    said = climb(page, *seconds)
    tried = [second for second, rung in steps(said["climbed"]) if rung == "low"]
    waits = [later - earlier for earlier, later in zip([14, *(second + 5 for second in tried)], tried, strict=False)]
    assert waits == [11, 21, 41, 61, 61]
    assert steps(said["told"]) == [(1, "hd"), (14, "sound")], "a trial is not spoken of"


def test_what_was_held_for_half_a_minute_forgets_the_doubling(page: Page) -> None:
    seconds = [(10, FINE), (4, TINY), (11, {**TINY, "rate": 30_000}), (5, TINY)]
    assert climb(page, *seconds)["wait"] == 20_000
    assert climb(page, *seconds, (21 + 30, {**FINE, "loss": 0.02}))["wait"] == 20_000  # of the newest rung not yet
    assert climb(page, *seconds, (21 + 21 + 21 + 28, FINE))["wait"] == 20_000
    assert climb(page, *seconds, (21 + 21 + 21 + 31, FINE))["wait"] == 10_000


def test_nothing_is_tried_while_the_camera_is_off(page: Page) -> None:
    """A person's own choice: what comes back is what the line took, never a camera that somebody switched off."""
    off = {**FINE, "camera": False}
    assert steps(climb(page, (10, FINE), (4, TINY), (60, off))["climbed"])[-1] == (14, "sound")
    assert steps(climb(page, (10, FINE), (4, TINY), (60, off), (1, FINE))["climbed"])[-1] == (75, "low")


@pytest.mark.parametrize("ceiling", ["sd", "low", "sound"])
def test_a_ceiling_counts_at_once_and_so_does_its_end(page: Page, ceiling: str) -> None:
    said = climb(page, (10, FINE), (20, {**FINE, "ceiling": ceiling}), (5, {**FINE, "ceiling": "hd"}))
    assert steps(said["climbed"]) == steps(said["told"]) == [(1, "hd"), (11, ceiling), (31, "hd")]
    assert not climb(page, (10, {**FINE, "ceiling": ceiling}))["fallen"]


def test_below_a_ceiling_the_line_decides(page: Page) -> None:
    said = climb(page, (10, {**FINE, "ceiling": "sd"}), (4, LOSSY), (2, {**LOSSY, "ceiling": "hd"}))
    assert steps(said["climbed"]) == [(1, "sd"), (14, "low")]


@pytest.mark.parametrize(("peers", "rung"), [(1, "hd"), (2, "sd"), (3, "low"), (9, "low")])
def test_several_others_share_what_is_sent(page: Page, peers: int, rung: str) -> None:
    assert set(climb(page, (30, {**FINE, "peers": peers}))["climbed"]) == {rung}


def test_the_number_is_shown_when_even_the_sound_is_in_danger(page: Page) -> None:
    said = climb(page, (10, FINE), (4, TINY), (8, BROKEN), (16, FINE))
    assert steps(said["climbed"]) == [(1, "hd"), (14, "sound"), (22, "text"), (33, "sound")]
    assert steps(said["told"]) == [(1, "hd"), (14, "sound"), (22, "text"), (38, "sound")]


@pytest.mark.parametrize(
    ("sample", "fine"),
    [({"loss": 0.149}, True), ({"loss": 0.151}, False), ({"trip": 0.99}, True), ({"trip": 1.01}, False)],
)
def test_the_thresholds_on_the_way_back_from_the_number(page: Page, sample: dict[str, Any], fine: bool) -> None:
    said = climb(page, (10, FINE), (4, TINY), (8, BROKEN), (11, {**FINE, **sample}))["climbed"]
    assert said[21] == "text"
    assert (said[-1] == "sound") == fine


def test_a_second_without_news_of_loss_neither_ends_nor_begins_fine_ones(page: Page) -> None:
    silent = {**FINE, "loss": None}
    said = climb(page, (10, FINE), (4, LOSSY), (3, FINE), (5, silent), (4, FINE))
    assert steps(said["climbed"]) == [(1, "hd"), (14, "sd"), (25, "hd")]


def test_who_is_given_more_has_five_seconds_to_find_out_how_much_room_there_is(page: Page) -> None:
    said = climb(page, (10, FINE), (20, {**FINE, "ceiling": "sound"}), (8, {**TINY, "ceiling": "hd"}))
    assert steps(said["climbed"]) == [(1, "hd"), (11, "sound"), (31, "hd"), (38, "sound")]
