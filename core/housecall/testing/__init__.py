"""For tests of plugins: `pytest_plugins = ["housecall.testing"]` brings fixtures with a real server and real browsers.

`practice` (one running server), `room`, `serve` (servers of a test's own), `mailbox` (a mail server), `chromium`,
`firefox`, `person` (somebody with a browser of their own), `visit` (provider and patient, connected) and `lab` (a
network of the test's own, whose cables can be pulled). `PluginContract` holds a plugin to the rules that all keep
(docs/ladder). Needs: pip install 'housecall[testing]', and Chromium.
"""

from __future__ import annotations

from .acts import Visit, check_in, connected, end, media_flows, open_dashboard, start, visit
from .contract import PluginContract, plugin_house, plugin_manifest, plugin_server, plugin_tour, plugin_walk
from .firefox import firefox
from .lab import Lab, lab
from .mailbox import Letter, Mailbox, mailbox
from .people import Person, chromium, engines, person, sign_in
from .practice import PASSWORD, Practice, Room, practice, room, serve
from .visitor import Socket, Visitor

__all__ = [
    "PASSWORD",
    "Lab",
    "Letter",
    "Mailbox",
    "Person",
    "PluginContract",
    "Practice",
    "Room",
    "Socket",
    "Visit",
    "Visitor",
    "check_in",
    "chromium",
    "connected",
    "end",
    "engines",
    "firefox",
    "lab",
    "mailbox",
    "media_flows",
    "open_dashboard",
    "person",
    "plugin_house",
    "plugin_manifest",
    "plugin_server",
    "plugin_tour",
    "plugin_walk",
    "practice",
    "room",
    "serve",
    "sign_in",
    "start",
    "visit",
]
