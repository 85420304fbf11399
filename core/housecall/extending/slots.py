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

SLOTS: Mapping[str, Slot] = {
    "sign_in.methods": Slot(),
    "account.home": Slot(adds=("member",)),
    "admin.home": Slot(adds=("member",)),
    "room.settings": Slot(adds=("room", "member")),
    "checkin.step": Slot(adds=("room", "step"), visit="own"),
    "waiting.main": Slot(adds=("room",), visit="own"),
    "waiting.aside": Slot(adds=("room",), visit="own"),
    "dashboard.banner": Slot(adds=("member", "rooms")),
    "dashboard.aside": Slot(adds=("member", "rooms")),
    "dashboard.card": Slot(adds=("member",), visit="card"),
    "call.stage": Slot(adds=("room",), visit="current"),
    "call.bar": Slot(adds=("room",), visit="current"),
    "call.side": Slot(adds=("room",), visit="current"),
    "call.after": Slot(adds=("room",), visit="current"),
}
