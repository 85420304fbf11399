"""quality.js alone: two hand-made readings of getStats() in, a second's figures out; and what is said of them when."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from housecall.testing import Practice

SAMPLE = """async ([before, now]) => {
  const { reading, sample } = await import("housecall/quality.js");
  const rows = list => new Map(list.map((row, i) => [row.id ?? `row${i}`, row]));
  return sample(reading(rows(before)), reading(rows(now)));
}"""

#: [[seconds, mean], …] -> [level, causes] after each second
VERDICTS = """async seconds => {
  const { judge, LEVELS, Verdict } = await import("housecall/quality.js");
  const verdict = new Verdict(), said = [];
  let at = 0;
  for (const [count, mean] of seconds) for (let i = 0; i < count; i++) {
    verdict.take(at += 1000, judge(mean));
    said.push([LEVELS[verdict.level], verdict.causes]);
  }
  return said;
}"""

GOOD = {"loss": 0, "trip": 0.05, "came": 50, "missing": 0, "made": 0, "frozen": 0, "busy": 0}


@pytest.fixture(scope="module")
def page(chromium: Any, practice: Practice) -> Any:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(practice.room().url)
    yield page
    context.close()


def rows(second: int, *, firefox: bool = False, **more: float) -> list[dict[str, Any]]:
    """What a browser says after some seconds of an even call: 50 packets of sound and 30 of picture each second."""
    at = 1_000_000 + 1000 * second
    values = {"lost": 0.0, "trip": 0.05, "room": 2_000_000, "missing": 0, "made": 0, "frozen": 0.0, **more}
    pair = {
        "id": "pair",
        "type": "candidate-pair",
        "nominated": True,
        "state": "succeeded",
        "bytesSent": 100_000 * second,
        "localCandidateId": "here",
        "remoteCandidateId": "there",
    }
    found: list[dict[str, Any]] = [
        {"type": "outbound-rtp", "kind": "audio", "ssrc": 1, "packetsSent": 50 * second},
        {"type": "outbound-rtp", "kind": "video", "ssrc": 2, "packetsSent": 30 * second},
        {"type": "remote-inbound-rtp", "kind": "audio", "ssrc": 1, "fractionLost": values["lost"]},
        {"type": "remote-inbound-rtp", "kind": "video", "ssrc": 2, "fractionLost": values["lost"]},
        {
            "type": "inbound-rtp",
            "kind": "audio",
            "packetsReceived": 50 * second,
            "packetsLost": values["missing"],
            "totalSamplesReceived": 48_000 * second,
            "concealedSamples": values["made"] + 1000 * second,
            "silentConcealedSamples": 1000 * second,
        },
        {"type": "inbound-rtp", "kind": "video", "packetsReceived": 30 * second, "packetsLost": 0},
        {"id": "here", "type": "local-candidate", "candidateType": "host"},
        {"id": "there", "type": "remote-candidate", "candidateType": "relay" if more.get("relay") else "host"},
        {"id": "old", "type": "candidate-pair", "nominated": True, "state": "failed", "bytesSent": 7},
    ]
    for report in found[2:4]:
        report["roundTripTime"] = values["trip"]
    found[5]["totalFreezesDuration"] = values["frozen"]
    if not firefox:
        found[1] |= {"active": True, "qualityLimitationReason": "cpu" if more.get("cpu") else "none"}
        found.append({"type": "transport", "selectedCandidatePairId": "pair"})
        pair["availableOutgoingBitrate"] = values["room"]
    return [{"timestamp": at, **row} for row in [*found, pair]]


def sample(page: Page, **now: Any) -> dict[str, Any]:
    firefox = now.get("firefox", False)
    said: dict[str, Any] = page.evaluate(SAMPLE, [rows(10, firefox=firefox), rows(11, **now)])
    return said


def test_an_even_second(page: Page) -> None:
    assert sample(page) == {
        "loss": 0,
        "trip": 0.05,
        "room": 2_000_000,
        "rate": 800_000,
        "came": 80,
        "missing": 0,
        "made": 0,
        "frozen": 0,
        "busy": 0,
        "relay": 0,
    }


def test_firefox_tells_less_and_that_is_enough(page: Page) -> None:
    said = sample(page, firefox=True, lost=0.2, missing=20)
    assert said["room"] is None
    assert said["rate"] == 800_000
    assert said["loss"] == pytest.approx(0.2)
    assert said["missing"] == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("now", "figure", "value"),
    [
        ({"lost": 0.25}, "loss", 0.25),
        ({"trip": 0.9}, "trip", 0.9),
        ({"missing": 20}, "missing", 0.2),
        ({"made": 24_000}, "made", 0.5),  # what was made up of silence does not count
        ({"frozen": 0.4}, "frozen", 0.4),
        ({"frozen": 30.0}, "frozen", 0),  # a pause that has just ended
        ({"cpu": True}, "busy", 1),
        ({"relay": True}, "relay", 1),
    ],
)
def test_each_figure(page: Page, now: dict[str, Any], figure: str, value: float) -> None:
    assert sample(page, **now)[figure] == pytest.approx(value)


def test_the_report_of_a_stream_that_rests_is_old(page: Page) -> None:
    before, now = rows(10), rows(11)
    now[1]["packetsSent"] = before[1]["packetsSent"]  # the picture is paused
    now[3]["fractionLost"] = 0.9
    assert page.evaluate(SAMPLE, [before, now])["loss"] == 0


def test_two_readings_at_almost_the_same_time_say_nothing(page: Page) -> None:
    assert page.evaluate(SAMPLE, [rows(10), [{**row, "timestamp": row["timestamp"] - 700} for row in rows(11)]]) is None


@pytest.mark.parametrize(
    ("mean", "said"),
    [
        ({"loss": 0.1}, ["weak", ["ours"]]),
        ({"loss": 0.07}, ["good", []]),
        ({"missing": 0.1}, ["weak", ["theirs"]]),
        ({"made": 0.06}, ["weak", ["theirs"]]),
        ({"frozen": 0.3}, ["weak", ["theirs"]]),
        ({"busy": 1}, ["weak", ["busy"]]),
        ({"trip": 0.7}, ["weak", ["slow"]]),
        ({"loss": 0.1, "trip": 0.7, "missing": 0.1}, ["weak", ["ours", "theirs"]]),
        ({"loss": 0.4}, ["lost", ["ours"]]),
        ({"made": 0.3}, ["lost", ["theirs"]]),
        ({"came": 0}, ["lost", []]),
        ({"loss": None, "trip": None}, ["good", []]),
    ],
)
def test_a_cause_and_five_seconds_before_it_shows(page: Page, mean: dict[str, Any], said: list[Any]) -> None:
    verdicts = page.evaluate(VERDICTS, [[3, GOOD], [6, {**GOOD, **mean}], [1, GOOD]])
    assert verdicts[:8] == [["good", []]] * 8
    assert verdicts[8] == said
    assert verdicts[9] == ["good", []]


def test_what_goes_to_and_fro_between_weak_and_lost_is_weak(page: Page) -> None:
    weak, lost = {**GOOD, "loss": 0.1}, {**GOOD, "loss": 0.4}
    verdicts = page.evaluate(VERDICTS, [[1, lost], [1, weak]] * 10)
    assert verdicts[-1] == ["weak", ["ours"]]
    assert ["lost", ["ours"]] not in verdicts
