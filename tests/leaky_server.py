"""`housecall run` with a window: SIGUSR1 writes what looks like a marked name among all living objects to a file.

With HOUSECALL_LEAK it also breaks the promise in one way, so that a test can show that it would be seen.
"""

from __future__ import annotations

import gc
import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import greenlet

MARK = re.compile(r"Zq[0-9a-f]{16}")  # does not match itself


def found_alive() -> list[str]:
    """The kinds of holder of every living text that bears a mark."""
    gc.unfreeze()  # what the server keeps for ever is looked at too
    gc.collect()
    found: list[str] = []
    seen: set[int] = set()
    frames = list(sleepers())
    for holder in [*gc.get_objects(), *frames]:
        things = gc.get_referents(holder)
        while things:
            thing = things.pop()
            if id(thing) in seen:
                continue
            seen.add(id(thing))
            if isinstance(thing, (str, bytes, bytearray)):
                text = thing if isinstance(thing, str) else bytes(thing).decode("latin-1")
                if MARK.search(text):
                    found.append(f"{type(holder).__name__}: {text[:120]}")
            elif not gc.is_tracked(thing):  # the collector does not list dicts and tuples that hold only plain texts
                things += gc.get_referents(thing)
    return found


def sleepers() -> Iterator[dict[str, Any]]:
    """The local names of every function that waits for something, in whichever greenlet."""
    for thing in gc.get_objects():
        if isinstance(thing, greenlet.greenlet):
            frame = thing.gr_frame
            while frame is not None:
                yield dict(frame.f_locals)
                frame = frame.f_back


def look(*_: object) -> None:
    out = Path(os.environ["HOUSECALL_FOUND"])
    found = found_alive()
    temporary = out.with_suffix(".part")
    temporary.write_text("\n".join(found))
    temporary.replace(out)


def leak(kind: str) -> None:
    import eventlet

    from housecall import clinics
    from housecall.clinics.models import Room
    from housecall.logs import log
    from housecall.visits import Visits
    from housecall.web.sockets import Sockets

    def asleep(text: str) -> str:
        eventlet.sleep(600)
        return text

    def error(*args: Any, **more: Any) -> Any:
        return {**stock_error(*args, **more), "message": " ".join(last)}

    if kind == "said":
        stock_error, Sockets._error = Sockets._error, error  # type: ignore[method-assign]
    last: list[str] = []
    stock = Visits.arrive
    kept: list[object] = []

    def arrive(self: Visits, **details: Any) -> Any:
        name = details["name"]
        last[:] = [name] if kind == "said" else []
        if kind == "log":
            log("arrived", kind=name)
        elif kind == "memory":
            kept.append(str(name) + " was here")
        elif kind == "dict":
            kept.append({"name": str(name) + " was here"})
        elif kind == "tuple":
            kept.append((str(name) + " was here", "today"))
        elif kind == "greenlet":
            eventlet.spawn_n(asleep, str(name) + " was here")
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
