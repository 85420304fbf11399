"""R51 and R53 on the disk: sealed bytes are gone 15 minutes after they arrived, whatever happens meanwhile."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from housecall.visits import Blobs
from housecall.visits.blobs import EVERY, LIFETIME, OF_A_VISIT, OF_ALL, PIECE, Cut, NoRoom, TooBig

MINUTE = 60_000


class Disk:
    """A folder, a wall clock that can be set, a clock that only goes on, and a disk that can be full."""

    def __init__(self, folder: Path):
        self.folder, self.wall, self.ticks, self.free, self.broken = folder, 1_800_000_000_000, 50_000, 0.5, False
        self.start()

    def start(self) -> None:
        """A new server over the same folder; the clock that only goes on begins anew with it."""
        self.blobs = Blobs(
            self.folder,
            lambda: self.wall,
            tick=lambda: self.ticks,
            disk=lambda _: SimpleNamespace(total=10**12, free=int(self.free * 10**12)),
            offload=self.write,
        )

    def write(self, function: Any, *args: Any) -> Any:
        if self.broken:
            raise OSError(errno.ENOSPC, "No space left on device")
        return function(*args)

    def pass_(self, ms: int, *, wall: int | None = None) -> None:
        """Time passes; the wall clock may say something else. The sweep comes round."""
        self.ticks += ms
        self.wall += ms if wall is None else wall
        self.blobs.sweep()

    def take(self, data: bytes = b"sealed", visit: str = "visit") -> str:
        return self.blobs.take(visit, len(data), [data[:3], data[3:]])

    @property
    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path / "passing")


def test_what_arrives_is_there_under_a_name_that_nobody_guesses(disk: Disk) -> None:
    first, second = disk.take(), disk.take()
    assert first != second
    assert first.startswith("visit.")
    assert len(first.partition(".")[2]) >= 22
    path = disk.blobs.find(first)
    assert path is not None
    assert path.read_bytes() == b"sealed"
    assert path.stat().st_mode & 0o077 == 0
    assert disk.folder.stat().st_mode & 0o077 == 0


def test_it_is_gone_from_the_disk_fifteen_minutes_after_it_arrived(disk: Disk) -> None:
    name = disk.take()
    disk.pass_(LIFETIME - 2 * EVERY)
    assert disk.blobs.find(name)
    assert disk.files == [name]
    for _ in range(2):  # however the sweep falls, none of it is there when the quarter of an hour is over
        disk.pass_(EVERY)
    assert disk.blobs.find(name) is None
    assert disk.files == []


def test_what_is_too_old_is_not_given_even_before_the_sweep(disk: Disk) -> None:
    name = disk.take()
    disk.ticks += LIFETIME
    disk.wall += LIFETIME
    assert disk.files == [name]
    assert disk.blobs.find(name) is None


@pytest.mark.parametrize("jump", [-3600_000, -10 * MINUTE, 10 * MINUTE, 3600_000])
def test_a_clock_that_jumps_keeps_nothing_longer(disk: Disk, jump: int) -> None:
    name = disk.take()
    disk.pass_(MINUTE, wall=jump)
    for _ in range(29):
        disk.pass_(EVERY)
    assert disk.files == []
    assert disk.blobs.find(name) is None


def test_a_clock_that_is_set_back_late_keeps_nothing_longer(disk: Disk) -> None:
    """It is twelve minutes old when the clock says that it is two: three minutes later it is gone."""
    disk.take()
    disk.pass_(12 * MINUTE)
    disk.pass_(0, wall=-10 * MINUTE)
    assert len(disk.files) == 1
    disk.pass_(3 * MINUTE)
    assert disk.files == []


def test_a_clock_that_was_set_back_a_little_takes_nothing_away(disk: Disk) -> None:
    name = disk.take()
    disk.pass_(1000, wall=-2000)
    assert disk.blobs.find(name)


@pytest.mark.parametrize("jump", [-3600_000, 0, 3600_000])
def test_after_a_restart_the_disk_is_the_index(disk: Disk, jump: int) -> None:
    """Also where the clock was set while the server was down: at most another quarter of an hour."""
    name = disk.take()
    disk.ticks, disk.wall = 0, disk.wall + 10 * MINUTE + jump
    disk.start()
    disk.blobs.sweep()
    assert (disk.blobs.find(name) is not None) == (jump == 0)
    disk.pass_(5 * MINUTE)
    assert disk.files == []


def test_killed_between_receiving_and_naming_nothing_is_left(disk: Disk) -> None:
    """As `kill -9` leaves it: a half, a whole that nobody named yet, and one that was named a moment ago."""
    name = disk.take()
    for left in ("visit.half.part", "visit.whole.part"):
        (disk.folder / left).write_bytes(b"sea")
    disk.start()
    disk.blobs.sweep()
    assert disk.files == [name]
    disk.pass_(LIFETIME)
    assert disk.files == []


@pytest.mark.parametrize(
    ("size", "chunks"),
    [
        pytest.param(6, [b"sea"], id="less than announced"),
        pytest.param(3, [b"sea", b"led"], id="more than announced"),
        pytest.param(6, [], id="nothing"),
    ],
)
def test_a_lying_size_leaves_nothing(disk: Disk, size: int, chunks: list[bytes]) -> None:
    with pytest.raises(Cut):
        disk.blobs.take("visit", size, chunks)
    assert disk.files == []


def test_a_line_that_breaks_leaves_nothing(disk: Disk) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"sea"
        assert len(disk.files) == 1, "it was not written as it came"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        disk.blobs.take("visit", 6, chunks())
    assert disk.files == []


def test_a_drip_is_gone_too_after_a_quarter_of_an_hour(disk: Disk) -> None:
    """Somebody sends a byte now and then: what came first is as old as anything else."""

    def chunks() -> Iterator[bytes]:
        for _ in range(31):
            yield b"x"
            disk.pass_(EVERY)
        assert disk.files == []

    with pytest.raises(Cut):
        disk.blobs.take("visit", 31, chunks())
    assert disk.files == []


def test_a_visit_that_ended_meanwhile_gets_nothing(disk: Disk) -> None:
    with pytest.raises(Cut):
        disk.blobs.take("visit", 3, [b"sea"], stands=lambda: False)
    assert disk.files == []


def test_the_end_of_a_visit_takes_all_of_it_and_nothing_else(disk: Disk) -> None:
    disk.take()
    other = disk.take(visit="visit2")

    def chunks() -> Iterator[bytes]:
        yield b"sea"
        disk.blobs.drop("visit")
        assert disk.files == [other]
        yield b"led"

    with pytest.raises(Cut):
        disk.blobs.take("visit", 6, chunks())
    assert disk.files == [other]


def test_nothing_is_taken_when_the_disk_is_nearly_full(disk: Disk) -> None:
    disk.free = 0.0499
    with pytest.raises(NoRoom):
        disk.take()
    assert disk.files == []
    disk.free = 0.06
    assert disk.take()


def test_a_disk_that_is_full_in_the_middle_leaves_nothing(disk: Disk) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"sea"
        disk.broken = True
        yield b"led"

    with pytest.raises(NoRoom):
        disk.blobs.take("visit", 6, chunks())
    assert disk.files == []
    disk.broken = False
    assert disk.take(), "the room that was kept for it is free again"


def test_a_piece_a_visit_and_the_server_have_their_limits(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    for size in (0, -1, PIECE + 1):
        with pytest.raises(TooBig):
            disk.blobs.take("visit", size, [])
    monkeypatch.setattr("housecall.visits.blobs.OF_A_VISIT", 3 * 16 * 1024)
    for _ in range(3):
        disk.take(b"tiny")  # the smallest counts for 16 KiB: a folder of crumbs is full too
    with pytest.raises(NoRoom):
        disk.take(b"tiny")
    disk.take(visit="other")
    monkeypatch.setattr("housecall.visits.blobs.OF_ALL", 4 * 16 * 1024)
    with pytest.raises(NoRoom):
        disk.take(visit="third")
    disk.start()
    disk.blobs.sweep()
    with pytest.raises(NoRoom):  # a new server counts what it finds
        disk.take(b"tiny")
    disk.pass_(LIFETIME)
    assert disk.take()
    assert OF_A_VISIT < OF_ALL


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../visit.x", "visit./x", "visit", "visit.half.part", "visit.\n", "a.b\0"]
)
def test_no_other_name_opens_anything(disk: Disk, name: str) -> None:
    (disk.folder / "visit.half.part").write_bytes(b"sea")
    (disk.folder.parent / "visit.x").write_bytes(b"other")
    assert disk.blobs.find(name) is None
