"""What is measured: each function takes a server through one load and yields rows of figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from . import bulk, pages, recovery
from .running import SERVERS, Client, load, serve

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How long and how many. `QUICK` finds out whether all works; its figures mean nothing."""

    pairs: int = 50
    warm: float = 1
    secs: float = 4
    long: float = 20
    waiting: tuple[int, ...] = (10, 100, 1_000, 3_000)
    crowd: int = 1_000
    hold: float = 3
    stalls: float = 30
    stalls_at: tuple[int, ...] = (0, 1_000)
    past: int = 5_000  #: visits in the history
    file: int = 96  #: MiB; a browser that cannot write to the disk holds it


FULL = Scale()
QUICK = Scale(
    pairs=3, warm=0.2, secs=0.4, long=0.5, waiting=(5, 10), crowd=10, hold=0.2, stalls=1, stalls_at=(10,), file=8
)
SIZES = (200, 2_048, 6_500)  #: a candidate, a middling signal, a real offer with all that stands around it


def relay(name: str, scale: Scale) -> Iterator[Row]:
    """Closed loop by size; the middle size at half of that, for latency; chat messages, ten a second for each pair."""
    window = {"warm": scale.warm, "secs": scale.secs}
    steps: list[Row] = [{"do": "relay", "size": size, **window} for size in SIZES]
    steps.append({"do": "relay", "size": 2_048, "rate": "half", **window, "secs": 2 * scale.secs})
    steps.append({"do": "relay", "size": 1_000, "rate": 10 * scale.pairs, "say": True, **window})
    with serve(name, pairs=scale.pairs) as server:
        yield from load(server, {"do": "pairs", "n": scale.pairs}, *steps)[2:]


def memory(name: str, scale: Scale) -> Iterator[Row]:
    """Resident memory with more and more waiting patients; all are still there at the end."""
    with serve(name) as server:
        first, *steps = load(server, *({"do": "wait", "n": n, "hold": scale.hold} for n in scale.waiting))
        yield from ({**step, "idle_mib": first["idle_mib"], "compressed": first["compressed"]} for step in steps)


def checkin(name: str, scale: Scale) -> Iterator[Row]:
    """From a check-in to three dashboards while many wait: 50 a second. In a house it is a POST, and one more waits."""
    with serve(name) as server:
        steps = [
            {"do": "wait", "n": scale.crowd, "hold": scale.hold},
            {"do": "boards", "n": 3},
            {"do": "checkins", "rate": 50, "warm": scale.warm, "secs": scale.long},
        ]
        yield load(server, *steps)[-1]


def change(name: str, scale: Scale) -> Iterator[Row]:
    """What one change of a patient costs, by how many wait: 50 a second, three dashboards."""
    steps: list[Row] = [{"do": "boards", "n": 3}]
    for n in scale.waiting:
        steps.append({"do": "wait", "n": n, "hold": scale.hold})
        steps.append({"do": "changes", "rate": 50, "warm": scale.warm, "secs": 2 * scale.secs, "idle": scale.secs})
    with serve(name) as server:
        yield from (step for step in load(server, *steps) if step["do"] == "changes")


def stalls(name: str, scale: Scale) -> Iterator[Row]:
    """The longest gap of a 5 ms heartbeat: five sign-ins a second, ten 64 KB frames, two pages of a long history.

    A short time of it comes first, and is a row of its own: a server compiles its pages when they are first asked for.
    """
    for waiting in scale.stalls_at:
        with serve(name, pairs=scale.pairs, stalls=True, past=scale.past) as server:
            steps: list[Row] = [{"do": "pairs", "n": scale.pairs}, {"do": "wait", "n": waiting, "hold": scale.hold}]
            trouble: Row = {"do": "trouble", "sign_ins": 5, "frames": 10, "pages": 2}
            steps += [{**trouble, "secs": 0.6, "first": True}, {**trouble, "secs": scale.stalls}]
            with Client(server, steps) as client:
                for step in client.told():
                    gaps = server.gaps()  # and they begin anew
                    if step["do"] == "trouble":
                        yield {**step, **gaps}


def restart(name: str, scale: Scale) -> Iterator[Row]:
    """All patients come back at once after a restart of the server."""
    for waiting in scale.waiting[1:]:
        with serve(name, stalls=True) as server:
            steps: list[Row] = [{"do": "wait", "n": waiting, "hold": scale.hold}, {"do": "pause"}, {"do": "back"}]
            with Client(server, steps) as client:
                for step in client.told():
                    if step["do"] == "paused":
                        server.restart()
                        server.gaps()
                        client.say(str(server.pid))
                    if step["do"] == "back":
                        yield {**step, **server.gaps()}


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A part of the run: what to do with which servers."""

    run: Callable[[str, Scale], Iterator[Row]]
    servers: tuple[str, ...]


PARTS = {
    "relay": Measure(run=relay, servers=SERVERS),
    "memory": Measure(run=memory, servers=SERVERS),
    "checkin": Measure(run=checkin, servers=SERVERS),
    "change": Measure(run=change, servers=SERVERS),
    "stalls": Measure(run=stalls, servers=("housecall",)),
    "restart": Measure(run=restart, servers=("housecall",)),
    "frame": Measure(run=lambda name, scale: pages.frame(name), servers=("demo", "housecall")),
    "click": Measure(run=lambda name, scale: pages.click(name), servers=("demo", "housecall")),
    "recovery": Measure(run=lambda name, scale: recovery.measure(name), servers=("housecall",)),
    "page_cpu": Measure(run=lambda name, scale: pages.cpu(name, scale.long), servers=("demo", "housecall")),
    "files": Measure(run=lambda name, scale: bulk.measure(name, scale.file), servers=("bare", "sound", "housecall")),
    "line": Measure(run=lambda name, scale: bulk.over(name, scale.file, "50mbit"), servers=("bare", "housecall")),
    "weight": Measure(run=lambda name, scale: pages.weight(name), servers=("demo", "housecall")),
    "lighthouse": Measure(run=lambda name, scale: pages.lighthouse(name), servers=("housecall",)),
}
