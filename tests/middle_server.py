"""`housecall run` on a hostile server: it hands every signal to somebody who sits in between (browser/test_middle.py).

HOUSECALL_MIDDLE says how: "signals" gives them to the page that has connected as the middle, which sends its own;
"keys" leaves connections alone and tells each page a key of the server's own for that of the others.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from housecall import server


def sit_between() -> None:
    from flask import request

    from housecall.web.sockets import SIGNAL_FIELDS, Sockets

    connect, unknown = Sockets.connect, Sockets._unknown
    middle: list[str] = []

    def connecting(self: Sockets, auth: Any = None) -> None:
        if isinstance(auth, dict) and auth.get("middle"):
            middle[:] = [request.sid]  # type: ignore[attr-defined]
        else:
            connect(self, auth)

    def signal(self: Sockets, here: Any, body: dict[str, Any]) -> dict[str, Any]:
        """From a seat: to the middle, with the keys of both pages."""
        mine, seats = self._seat_in(here, body["visit"])
        said = {name: body[name] for name in SIGNAL_FIELDS if name in body}
        self.io.server.emit("signal", {**said, "from": mine, "keys": {s.id: s.key for s in seats}}, to=middle[0])
        return {"reached": True}

    def other(self: Sockets, event: str, sid: str, *args: Any) -> dict[str, Any]:
        """From the middle: to a seat, as if it came from the other one."""
        if sid not in middle:
            return unknown(self, event, sid, *args)
        body = args[0]
        visit = self.visits.get(body["visit"])
        assert visit is not None
        seats = {seat.id: seat for seat in visit.seats}
        target = self._page_at(seats[body["to"]])
        if target is not None:
            said = {name: body[name] for name in SIGNAL_FIELDS if name in body and name != "to"}
            said |= {"from": body["from"], "page": seats[body["from"]].key}
            self.io.server.emit("signal", said, to=target.sid)
        return {"ok": target is not None}

    Sockets.connect, Sockets.signal, Sockets._unknown = connecting, signal, other  # type: ignore[method-assign]


def swap_keys() -> None:
    import base64

    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    from housecall.web.sockets import SIGNAL_FIELDS, Sockets

    seats_of, fakes = Sockets._seats, dict[str, str]()

    def fake(key: str) -> str:
        if key and key not in fakes:
            point = ec.generate_private_key(ec.SECP256R1()).public_key()
            raw = point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
            fakes[key] = base64.urlsafe_b64encode(raw).decode().rstrip("=")
        return fakes.get(key, key)

    def seats(self: Sockets, visit: Any, to: Any) -> list[dict[str, Any]]:
        return [
            {**row, "key": row["key"] if row["key"] == to.page else fake(row["key"])}
            for row in seats_of(self, visit, to)
        ]

    def signal(self: Sockets, here: Any, body: dict[str, Any]) -> dict[str, Any]:
        mine, rows = self._seat_in(here, body["visit"])
        target = next((self._page_at(seat) for seat in rows if seat.id == body["to"]), None)
        if target is None:
            return {"reached": False, "ok": False}
        said = {name: body[name] for name in SIGNAL_FIELDS if name in body and name != "to"}
        self.io.server.emit("signal", {**said, "from": mine, "page": fake(here.page)}, to=target.sid)
        return {"reached": True}

    Sockets._seats, Sockets.signal = seats, signal  # type: ignore[method-assign]


prepare = server._prepare


def prepared(*given: Any) -> Any:
    {"signals": sit_between, "keys": swap_keys}[os.environ["HOUSECALL_MIDDLE"]]()  # now that the server has patched
    return prepare(*given)


if __name__ == "__main__":
    from housecall.cli import main

    server._prepare = prepared
    sys.exit(main())
