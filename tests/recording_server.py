"""`housecall run` on a curious server: it writes down every packet and every request body it touches."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from housecall import server


def keep(data: Any) -> None:
    with Path(os.environ["HOUSECALL_RECORD"]).open("ab") as out:
        out.write((data if isinstance(data, bytes) else str(data).encode()) + b"\n")


def turn_curious() -> None:
    from engineio.packet import Packet
    from eventlet import wsgi

    decode, encode, read = Packet.decode, Packet.encode, wsgi.Input.read

    def decoding(self: Packet, encoded: Any) -> Any:
        keep(encoded)
        return decode(self, encoded)

    def encoding(self: Packet, *given: Any, **more: Any) -> Any:
        encoded = encode(self, *given, **more)
        keep(encoded)
        return encoded

    def reading(self: Any, *given: Any) -> Any:
        data = read(self, *given)
        keep(data)
        return data

    Packet.decode, Packet.encode, wsgi.Input.read = decoding, encoding, reading


prepare = server._prepare


def prepared(*given: Any) -> Any:
    turn_curious()  # only now: the server patches before it imports
    return prepare(*given)


if __name__ == "__main__":
    from housecall.cli import main

    server._prepare = prepared
    sys.exit(main())
