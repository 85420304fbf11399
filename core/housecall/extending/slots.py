"""The places of the pages where a plugin may show something (contracts §11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Slot:
    """One place. `adds`: what its templates get besides what all get; `visit`: which visit a module there sees."""

    adds: tuple[str, ...] = ()
    visit: Literal["", "own", "card", "current"] = ""


#: What the template of every fragment may use.
CONTEXT = ("clinic", "role", "lang", "settings", "_", "asset")

#: Each with who sees it, and where.
SLOTS: Mapping[str, Slot] = {
    "sign_in.methods": Slot(),  #: everybody: the sign-in page, above the form
    "account.home": Slot(adds=("member",)),  #: members: their own account page
    "admin.home": Slot(adds=("member",)),  #: owners and admins: the practice's page
    "room.settings": Slot(adds=("room", "member")),  #: owners and admins: each room in the list of rooms
    "welcome.aside": Slot(adds=("room",)),  #: everybody: the welcome page of a room, below "Check in"
    "checkin.step": Slot(adds=("room", "step"), visit="own"),  #: patients: a `[[step]]`, not a `[[fragment]]`
    "waiting.main": Slot(adds=("room",), visit="own"),  #: patients: the waiting page, right below their own picture
    "waiting.aside": Slot(adds=("room",), visit="own"),  #: patients: the waiting page, below that
    "dashboard.banner": Slot(adds=("member", "rooms")),  #: members: above the queue
    "dashboard.aside": Slot(adds=("member", "rooms")),  #: members: below the queue
    "dashboard.card": Slot(adds=("member",), visit="card"),  #: members: on the card of each patient who waits
    "call.stage": Slot(adds=("room",), visit="current"),  #: both sides: over the pictures
    "call.bar": Slot(adds=("room",), visit="current"),  #: both sides: a button in the bar of the call
    "call.more": Slot(adds=("room",), visit="current"),  #: both sides: the same, behind "More" on a small screen
    "call.side": Slot(adds=("room",), visit="current"),  #: both sides: beside the call; `host.ui.panel` opens it
    "call.after": Slot(adds=("room",), visit="current"),  #: both sides: after the call
}
