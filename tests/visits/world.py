"""A world for `visits`: a clock, ports that remember, and servers that can be restarted."""

from __future__ import annotations

from housecall.visits import Actor, Change, MemoryStore, Refusal, Seat, Visit, Visits, VisitView
from housecall.visits.visits import Entry

CLINIC, ROOM = "elm", "room"
KEY = b"k" * 32


class World:
    """Is its own Ports: `over` is the history, which outlives a restart."""

    def __init__(self) -> None:
        self.clock = 1_800_000_000_000
        self.over: dict[str, str | None] = {}
        self.called: set[str] = set()
        self.changes: list[Change] = []
        self.refusals: list[Refusal] = []
        self.failing = False
        self.restart()

    def restart(self) -> None:
        """A new server with the same key and database, a millisecond later."""
        self.clock += 1
        self.visits = Visits(MemoryStore(lambda: self.clock), lambda: self.clock, KEY, self)

    # -- ports

    def refuse(self, view: VisitView, to: str, actor: Actor) -> list[Refusal]:
        return self.refusals

    def changed(self, change: Change) -> None:
        if change.new.state == "ended":
            if self.failing:
                raise OSError("the disk is full")
            assert change.new.id not in self.over, "a visit ended twice"
            self.over[change.new.id] = change.reason
            if change.new.started is not None or change.reason == "removed":
                self.called.add(change.new.id)
        self.changes.append(change)

    def is_over(self, visit_id: str) -> bool:
        return visit_id in self.over

    def came(self, visit_id: str) -> bool:
        return visit_id in self.called

    # -- what tests do

    def arrive(self, name: str, room: str = ROOM) -> tuple[Visit, str]:
        return self.visits.arrive(clinic=CLINIC, room=room, name=name)

    def enter(self, ticket: str, page: str, room: str = ROOM, **more: object) -> Entry:
        return self.visits.enter(ticket, clinic=CLINIC, room=room, page=page, **more)  # type: ignore[arg-type]

    def join(self, link: str, name: str = "Maria", room: str = ROOM, ticket: str = "") -> tuple[Visit, Seat, str]:
        return self.visits.join(link, clinic=CLINIC, room=room, name=name, ticket=ticket)

    def link(self, visit: Visit, kind: str = "interpreter") -> str:
        """The link of a new guest's seat."""
        return self.visits.link(visit.id, self.visits.invite(visit.id, kind).id)

    def wait(self, ms: int) -> None:
        """Time passes, and the sweep comes round."""
        self.clock += ms
        self.visits.sweep()

    def now(self, visit: Visit) -> Visit:
        present = self.visits.get(visit.id)
        assert present is not None
        return present
