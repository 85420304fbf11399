"""Sealed bytes on their way between the pages of a visit, where no connection is up: gone a quarter of an hour later.

Files below one folder, and the folder is the only index: `<visit>.<id>` has arrived, and its clock is its mtime;
`<visit>.<id>.part` still arrives, and belongs to nobody after a crash. What is in them only the far page can read.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

LIFETIME = 15 * 60 * 1000  #: ms after its arrival in which a blob is gone, fetched or not
EVERY = 30 * 1000  #: ms between two sweeps; each also takes what would be too old before the next
SLACK = 5000  #: ms by which a clock that is set right may go back
PIECE = 1024 * 1024 + 64  #: bytes of one blob: 1 MiB and its seal
LEAST = 16 * 1024  #: bytes for which the smallest blob counts
OF_A_VISIT = 256 * 1024 * 1024  #: bytes that one visit may have here
OF_ALL = 4 * 1024 * 1024 * 1024  #: bytes of all visits
FREE = 0.05  #: of the disk that stays free
NAME = re.compile(r"[\w-]{1,64}\.[\w-]{1,64}", re.ASCII)
PART = ".part"


class TooBig(Exception):
    """More bytes than one blob may have, or none."""


class NoRoom(Exception):
    """The visit or the server has as much as it may have, or the disk is nearly full."""


class Cut(Exception):
    """Fewer bytes came than were announced, or more, or the visit has ended meanwhile."""


class Blobs:
    """The blobs of all visits. Every method may be called from any thread."""

    def __init__(
        self,
        folder: Path,
        clock: Callable[[], int],
        *,
        tick: Callable[[], int] = lambda: time.monotonic_ns() // 1_000_000,
        disk: Callable[[Path], Any] = shutil.disk_usage,
        offload: Callable[..., Any] = lambda function, *args: function(*args),
    ):
        self.folder, self.clock, self.tick, self.disk, self.offload = folder, clock, tick, disk, offload
        self._lock = threading.Lock()
        self._sizes: dict[str, int] = {}  #: name -> bytes; of what still arrives, those that were announced
        self._since: dict[str, int] = {}  #: name -> tick of its arrival: no clock that is set back keeps it longer
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def take(self, visit: str, size: int, chunks: Iterable[bytes], *, stands: Callable[[], bool] = lambda: True) -> str:
        """Write down `size` bytes as they come, and say under which name they are there from now on.

        `stands` says, once they are here, whether the visit still goes on. Raises TooBig, NoRoom or Cut, and leaves
        nothing behind then.
        """
        if not 0 < size <= PIECE:
            raise TooBig
        name = f"{visit}.{secrets.token_urlsafe(16)}"
        self._reserve(visit, name, size)
        part = self.folder / (name + PART)
        try:
            came = self._write(part, size, chunks)
            if came != size or not stands():
                raise Cut
            now = self.clock()
            try:
                os.utime(part, ns=(now * 1_000_000, now * 1_000_000))
                part.rename(self.folder / name)
            except FileNotFoundError:  # swept meanwhile: it took too long, or the visit has ended
                raise Cut from None
            with self._lock:
                self._since[name] = self.tick()
            return name
        except BaseException:
            self._unlink(name)
            raise

    def _reserve(self, visit: str, name: str, size: int) -> None:
        """Keep room for what is announced. Raises NoRoom."""
        disk = self.disk(self.folder)
        with self._lock:
            every = [(other, max(LEAST, each)) for other, each in self._sizes.items()]
            own = sum(each for other, each in every if other.startswith(f"{visit}."))
            full = own + max(LEAST, size) > OF_A_VISIT or sum(each for _, each in every) + size > OF_ALL
            if full or disk.free - size < FREE * disk.total:
                raise NoRoom
            self._sizes[name], self._since[name] = size, self.tick()

    def _write(self, part: Path, size: int, chunks: Iterable[bytes]) -> int:
        """How many bytes came. A disk that takes no more raises NoRoom; what `chunks` raises goes through."""
        came = 0
        try:
            file = os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb", buffering=0)
        except OSError:
            raise NoRoom from None
        with file:
            for chunk in chunks:
                came += len(chunk)
                if came > size:
                    break
                try:
                    written = self.offload(file.write, chunk)
                except OSError:
                    raise NoRoom from None
                if written != len(chunk):
                    raise NoRoom
        return came

    def find(self, name: str) -> Path | None:
        """The file of a blob that has arrived and is not too old; None for anything else."""
        path = self.folder / name
        if not NAME.fullmatch(name) or name.endswith(PART):
            return None
        try:
            arrived = path.stat().st_mtime_ns // 1_000_000
        except OSError:
            return None
        return path if self._lived(name, arrived) < LIFETIME else None

    def sweep(self) -> None:
        """Delete what is too old, and what a crash has left half received; learn of what an earlier server took."""
        there = set()
        with os.scandir(self.folder) as found:
            entries = list(found)
        for entry in entries:
            name, half = entry.name.removesuffix(PART), entry.name.endswith(PART)
            there.add(name)
            try:
                stat = entry.stat()
            except OSError:  # it has gone meanwhile
                continue
            if half and name in self._sizes:
                lived = self.tick() - self._since.get(name, 0)
            else:
                lived = LIFETIME if half else self._lived(name, stat.st_mtime_ns // 1_000_000)
            if lived >= LIFETIME - EVERY - SLACK:
                self._unlink(name)
                continue
            with self._lock:
                self._sizes.setdefault(name, stat.st_size)
        with self._lock:
            gone = [name for name in self._sizes if name not in there and self.tick() - self._since[name] >= LIFETIME]
        for name in gone:
            self._forget(name)

    def drop(self, visit: str) -> None:
        """The visit has ended: nothing of it stays, what still arrives included."""
        with self._lock:
            names = [name for name in self._sizes if name.startswith(f"{visit}.")]
        for name in names:
            self._unlink(name)

    def _lived(self, name: str, arrived: int) -> int:
        """Ms since its arrival: by the wall clock or by ours, whichever says more. One from the future is too old."""
        by_wall = self.clock() - arrived
        if by_wall < -SLACK:
            return LIFETIME
        since = self._since.setdefault(name, self.tick() - max(0, by_wall))
        return max(by_wall, self.tick() - since)

    def _unlink(self, name: str) -> None:
        for path in (self.folder / name, self.folder / (name + PART)):
            try:
                path.unlink(missing_ok=True)
            except OSError:  # the next sweep tries again
                return
        self._forget(name)

    def _forget(self, name: str) -> None:
        with self._lock:
            self._sizes.pop(name, None)
            self._since.pop(name, None)
