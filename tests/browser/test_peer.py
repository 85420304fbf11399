"""What the other side's page may say by the data channel: nothing of it breaks ours."""

from __future__ import annotations

import json

from housecall.testing.acts import Visit, media_flows, wait

GARBAGE = [
    "",
    "{",
    "null",
    "17",
    '"media"',
    "[]",
    "[null]",
    "[{}]",
    *(
        json.dumps([kind, body, 1])
        for kind in ("signal", "media", "say", "ack", "nonsense")
        for body in (None, 7, [], {})
    ),
    json.dumps(["media", {"mic": "loud", "camera": [1]}]),
    json.dumps(["say", {"event": {"no": "text"}, "items": 3}, 1]),
]


def test_a_peer_that_sends_garbage_is_ignored(visit: Visit) -> None:
    """The page's console stays clean, too: that is looked at where `visit` ends."""
    wait(visit.patient, "() => channels.some(each => each.readyState === 'open')", None)
    for garbage in GARBAGE:
        visit.patient.evaluate("text => channels.find(each => each.readyState === 'open').send(text)", garbage)
    visit.patient.evaluate("channels.find(each => each.readyState === 'open').send(new Uint8Array([1, 2, 3]))")
    visit.patient.get_by_role("button", name="Mute").click()
    wait(visit.provider, "() => document.querySelector('.tile[data-muted=true]')", None)
    visit.patient.get_by_role("button", name="Unmute").click()
    wait(visit.provider, "() => document.querySelector('.tile[data-muted=false]')", None)
    media_flows(visit.provider)
    media_flows(visit.patient)
