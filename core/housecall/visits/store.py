"""Where visits are while they last: memory, for one process."""

from __future__ import annotations

import secrets
import threading
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Callable
from typing import Protocol

from .model import Visit


class Store(Protocol):
    """Compare-and-set on whole visits, and a counter for each room."""

    epoch: str  #: random; another one tells clients that revisions begin anew
    started: int  #: ms; what is older and unknown may be rebuilt from a ticket

    def get(self, visit_id: str) -> Visit | None: ...
    def put(self, visit: Visit, expected_rev: int | None) -> bool: ...
    def room(self, room_id: str) -> list[Visit]: ...
    def ahead(self, visit: Visit) -> int: ...
    def of_member(self, member: str) -> list[Visit]: ...
    def all(self) -> list[Visit]: ...
    def drop(self, visit_id: str) -> None: ...
    def next_rev(self, room_id: str) -> int: ...
    def rev(self, room_id: str) -> int: ...


class MemoryStore:
    """The store of one process. Everything in it is gone when the process is."""

    def __init__(self, clock: Callable[[], int]):
        self.epoch, self.started = secrets.token_urlsafe(8), clock()
        self._visits: dict[str, Visit] = {}
        self._rooms: defaultdict[str, set[str]] = defaultdict(set)
        self._queues: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)  #: room -> (arrived, id), sorted
        self._members: defaultdict[str, set[str]] = defaultdict(set)  #: member -> visits with a seat of theirs
        self._revs: defaultdict[str, int] = defaultdict(int)
        self._lock = threading.Lock()

    def get(self, visit_id: str) -> Visit | None:
        return self._visits.get(visit_id)

    def put(self, visit: Visit, expected_rev: int | None) -> bool:
        """Store `visit` if the present one has `expected_rev` (None: if there is none); says whether it did."""
        with self._lock:
            present = self._visits.get(visit.id)
            if (present.rev if present else None) != expected_rev:
                return False
            self._visits[visit.id] = visit
            if present and present.room != visit.room:
                self._leave(present)
            self._rooms[visit.room].add(visit.id)
            self._place(present, visit)
            return True

    def _place(self, old: Visit | None, new: Visit | None) -> None:
        """Keep the queue of the room and the visits of members in step with one change."""
        was = old.room if old is not None and old.state == "waiting" else None
        waits = new.room if new is not None and new.state == "waiting" else None
        if was != waits and old and was:
            queue = self._queues[was]
            del queue[bisect_left(queue, (old.arrived, old.id))]
            if not queue:
                del self._queues[was]
        if was != waits and new and waits:
            insort(self._queues[waits], (new.arrived, new.id))
        before, after = (_members(each) for each in (old, new))
        for member in after - before:
            self._members[member].add(new.id)  # type: ignore[union-attr]
        for member in before - after:
            self._members[member].discard(old.id)  # type: ignore[union-attr]
            if not self._members[member]:
                del self._members[member]

    def _leave(self, visit: Visit) -> None:
        self._rooms[visit.room].discard(visit.id)
        if not self._rooms[visit.room]:
            del self._rooms[visit.room]

    def room(self, room_id: str) -> list[Visit]:
        """The room's visits that are not ended, in the order of the queue."""
        with self._lock:
            found = [self._visits[visit_id] for visit_id in self._rooms.get(room_id, ())]
        return sorted((v for v in found if v.state != "ended"), key=lambda v: (v.arrived, v.id))

    def ahead(self, visit: Visit) -> int:
        """How many wait in the room before this one."""
        return bisect_left(self._queues.get(visit.room, ()), (visit.arrived, visit.id))

    def of_member(self, member: str) -> list[Visit]:
        """The visits that are not ended in which a member has a seat."""
        with self._lock:
            found = [self._visits[visit_id] for visit_id in self._members.get(member, ())]
        return [visit for visit in found if visit.state != "ended"]

    def all(self) -> list[Visit]:
        with self._lock:
            return list(self._visits.values())

    def drop(self, visit_id: str) -> None:
        with self._lock:
            visit = self._visits.pop(visit_id, None)
            if visit is not None:
                self._place(visit, None)
                self._leave(visit)

    def next_rev(self, room_id: str) -> int:
        with self._lock:
            self._revs[room_id] += 1
            return self._revs[room_id]

    def rev(self, room_id: str) -> int:
        return self._revs[room_id]


def _members(visit: Visit | None) -> set[str]:
    return {seat.member for seat in visit.seats if seat.member} if visit else set()
