"""`housecall run` for a load from one machine: `launch.py run DIR`.

It lifts four limits, which count a sender's events and are checked as before: one client plays a thousand people here.
And a device check may give any reason, looked up as before: the client writes there when it said so.
With `STALLS=FILE` a heartbeat of 5 ms runs inside the server; SIGUSR1 writes its longest gap to FILE and begins anew.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from housecall.config import Site
    from housecall.runtime import Runtime

BEAT = 0.005  #: seconds
MUCH = 1_000_000.0


def lift_limits() -> None:
    """Signals of a seat, check-ins at a door, sign-ins by network and by account."""
    from housecall.visits import REASONS
    from housecall.web import sign_in, sockets, waiting

    vars(sockets)["REASONS"] = Anything(REASONS)
    sockets.SIGNAL_RATE = sockets.SIGNAL_BURST = int(MUCH)
    for buckets in (waiting.AT_A_DOOR, sign_in.BY_ADDRESS, sign_in.BY_ACCOUNT):
        buckets.rate = buckets.burst = MUCH


class Anything(frozenset[str]):
    """A set that has it."""

    def __contains__(self, value: object) -> bool:
        return super().__contains__(value) or True


class Heartbeat:
    """The longest time for which nobody else had a turn, and how much of it this process worked."""

    def __init__(self, runtime: Runtime, told: Path):
        self.runtime, self.told = runtime, told
        self.gaps: list[tuple[float, float]] = []  #: (ms late, ms of CPU meanwhile), those of 10 ms and more
        signal.signal(signal.SIGUSR1, lambda *_: self.tell())

    def beat(self) -> None:
        """Runs for ever."""
        at, cpu = time.perf_counter(), time.process_time()
        while True:
            self.runtime.sleep(BEAT)
            now, spent = time.perf_counter(), time.process_time()
            late = (now - at - BEAT) * 1000
            if late >= 10:
                self.gaps.append((round(late, 1), round((spent - cpu) * 1000, 1)))
            at, cpu = now, spent

    def tell(self) -> None:
        gaps, self.gaps = self.gaps, []
        longest = max(gaps, default=(0.0, 0.0))
        found = {"longest": longest[0], "worked": longest[1], "over_25": sum(late > 25 for late, _ in gaps)}
        new = self.told.with_suffix(".new")
        new.write_text(json.dumps(found), encoding="utf-8")
        new.replace(self.told)


def main(arguments: list[str]) -> int:
    from housecall import cli, server

    prepare = server._prepare

    def prepared(site: Site, runtime: Runtime) -> Flask | None:
        lift_limits()
        if told := os.environ.get("STALLS"):
            runtime.spawn(Heartbeat(runtime, Path(told)).beat)
        return prepare(site, runtime)

    server._prepare = prepared
    return cli.main(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
