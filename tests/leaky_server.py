"""`housecall run` with a window: SIGUSR1 writes what looks like a marked name among all living objects to a file.

With HOUSECALL_LEAK it also breaks the promise in one way, so that a test can show that it would be seen.
"""

from __future__ import annotations

import gc
import os
import re
import signal
import sys
from pathlib import Path
from typing import Any

MARK = re.compile(r"Zq[0-9a-f]{16}")  # does not match itself


def found_alive() -> list[str]:
    """The kinds of holder of every living text that bears a mark."""
    gc.unfreeze()  # what the server keeps for ever is looked at too
    gc.collect()
    found: list[str] = []
    seen: set[int] = set()
    for holder in gc.get_objects():
        for thing in gc.get_referents(holder):
            if id(thing) in seen:
                continue
            seen.add(id(thing))
            if isinstance(thing, (bytes, bytearray)):
                text = bytes(thing).decode("latin-1")
            elif isinstance(thing, str):
                text = thing
            else:
                continue
            if MARK.search(text):
                found.append(f"{type(holder).__name__}: {text[:120]}")
    return found


def look(*_: object) -> None:
    out = Path(os.environ["HOUSECALL_FOUND"])
    found = found_alive()
    temporary = out.with_suffix(".part")
    temporary.write_text("\n".join(found))
    temporary.replace(out)


def leak(kind: str) -> None:
    from housecall import clinics
    from housecall.clinics.models import Room
    from housecall.logs import log
    from housecall.visits import Visits

    stock = Visits.arrive
    kept: list[str] = []

    def arrive(self: Visits, **details: Any) -> Any:
        name = details["name"]
        if kind == "log":
            log("arrived", kind=name)
        elif kind == "memory":
            kept.append(str(name) + " was here")
        elif kind == "file":
            Path(os.environ["HOUSECALL_FOUND"]).parent.joinpath("site/data/note.txt").write_text(str(name))
        elif kind == "database":
            with clinics.database.write() as session:
                session.get_one(Room, details["room"]).content = {"last": name}
        return stock(self, **details)

    Visits.arrive = arrive  # type: ignore[method-assign]


if __name__ == "__main__":
    from housecall import server

    prepare = server._prepare

    def prepared(*args: Any) -> Any:
        app = prepare(*args)
        signal.signal(signal.SIGUSR1, look)
        if kind := os.environ.get("HOUSECALL_LEAK"):
            leak(kind)
        return app

    server._prepare = prepared
    from housecall.cli import main

    sys.exit(main(sys.argv[1:]))
