"""quality.js alone: two hand-made readings of getStats() in, a second's figures out; and what is said of them when."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

SAMPLE = """async ([before, now, since]) => {
  const { reading, sample } = await import("housecall/quality.js");
  const rows = list => new Map(list.map((row, i) => [row.id ?? `row${i}`, row]));
  return sample(reading(rows(before)), reading(rows(now)), since);
}"""

#: [[seconds, mean], …] -> [level, causes] after each second
VERDICTS = """async seconds => {
  const { judge, LEVELS, Verdict } = await import("housecall/quality.js");
  const verdict = new Verdict(), said = [];
  let at = 0;
  for (const [count, mean] of seconds) for (let i = 0; i < count; i++) {
    verdict.take(at += 1000, judge(mean, mean.fallen));
    said.push([LEVELS[verdict.level], verdict.causes]);
  }
  return said;
}"""

GOOD = {"loss": 0, "trip": 0.05, "came": 50, "missing": 0, "made": 0, "frozen": 0, "busy": 0}


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
        "pictures": 30,
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


def test_a_stream_that_rests_keeps_nobody_busy(page: Page) -> None:
    now = rows(11, cpu=True)
    now[1]["active"] = False
    assert page.evaluate(SAMPLE, [rows(10), now])["busy"] == 0


def test_a_screen_that_stands_still_is_no_freeze(page: Page) -> None:
    before, now = rows(10), rows(11)
    for each, frozen in ((before, 0), (now, 0.9)):
        each.append({"type": "inbound-rtp", "kind": "video", "mid": "2", "totalFreezesDuration": frozen})
    assert page.evaluate(SAMPLE, [before, now])["frozen"] == pytest.approx(0.9)
    still = SAMPLE.replace("(before)", '(before), "2"').replace("(now)", '(now), "2"')
    assert page.evaluate(still, [before, now])["frozen"] == 0


def test_the_report_of_a_stream_that_rests_is_old(page: Page) -> None:
    before, now = rows(10), rows(11)
    now[1]["packetsSent"] = before[1]["packetsSent"]  # the picture is paused
    now[3]["fractionLost"] = 0.9
    assert page.evaluate(SAMPLE, [before, now])["loss"] == 0
    now[1]["packetsSent"] = 0  # or begins anew
    assert page.evaluate(SAMPLE, [before, now])["loss"] == 0


def test_a_report_counts_once_and_never_for_what_was_before(page: Page) -> None:
    before, now = rows(10, lost=0.5), rows(11, lost=0.5)
    for report in now[2:4]:
        report["timestamp"] -= 1000  # no new one has come
    said = page.evaluate(SAMPLE, [before, now])
    assert said["loss"] is None
    assert said["trip"] is None
    changed = before[0]["timestamp"]  # the report after it is in part about what was before
    assert page.evaluate(SAMPLE, [before, rows(11, lost=0.5), changed])["loss"] == pytest.approx(0.5)
    assert page.evaluate(SAMPLE, [before, rows(11, lost=0.5), changed + 1])["loss"] is None


#: [rows, …] -> the means after each reading
MEANS = """async readings => {
  const { Meter } = await import("housecall/quality.js");
  const meter = new Meter();
  return readings.map(list => meter.take(list && new Map(list.map((row, i) => [row.id ?? `row${i}`, row]))));
}"""


def test_seconds_are_evened_out_over_five_and_room_is_the_newest(page: Page) -> None:
    readings = [rows(i, lost=0.5 if i > 10 else 0, room=64_000 if i > 10 else 2_000_000) for i in range(17)]
    means = page.evaluate(MEANS, readings)
    assert means[0] is None
    assert [round(mean["loss"], 1) for mean in means[8:]] == [0, 0, 0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.5]
    assert [mean["room"] for mean in means[10:12]] == [2_000_000, 64_000]


def test_the_newest_word_on_our_loss_counts_for_ten_seconds(page: Page) -> None:
    readings = [rows(i, lost=0.2) for i in range(20)]
    for i, reading in enumerate(readings):
        for report in reading[2:4]:
            report["timestamp"] -= 1000 * max(0, i - 4)  # none has come since
    losses = [mean and mean["loss"] for mean in page.evaluate(MEANS, readings)]
    known = [i for i, loss in enumerate(losses) if loss is not None]
    assert known == list(range(1, 14))


def test_nothing_is_known_of_a_connection_that_was_away(page: Page) -> None:
    means = page.evaluate(MEANS, [rows(0), rows(1), None, rows(2), rows(3)])
    assert [mean is None for mean in means] == [True, False, True, True, False]


def test_two_readings_at_almost_the_same_time_say_nothing(page: Page) -> None:
    assert page.evaluate(SAMPLE, [rows(10), [{**row, "timestamp": row["timestamp"] - 700} for row in rows(11)]]) is None


@pytest.mark.parametrize(
    ("mean", "said"),
    [
        ({"loss": 0.1}, ["weak", ["ours"]]),
        ({"loss": 0.07}, ["good", []]),
        ({"fallen": True}, ["weak", ["ours"]]),
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
