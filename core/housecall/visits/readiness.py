"""What a patient's device check may say to the board: a colour and a reason, out of a closed set (contracts §7)."""

from __future__ import annotations

COLOURS = ("green", "yellow", "red")

#: What can be wrong with a camera or a microphone; devices.js finds out, reasons.js has the words.
STATES = (
    "denied",
    "dismissed",
    "system",
    "missing",
    "busy",
    "broken",
    "unplugged",
    "revoked",
    "interrupted",
    "insecure",
    "skipped",
)

DEVICES = ("camera", "microphone", "both")
FOUND = ("microphone_quiet", "speaker_quiet", "relay_blocked", "relay_refused")  #: beside what devices say themselves

REASONS = frozenset({"", *FOUND, *(f"{device}_{state}" for device in DEVICES for state in STATES)})
