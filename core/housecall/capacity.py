"""`housecall bench`: how many rooms does this server carry? A throwaway practice, some patients, and what they cost."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import http.client
import json
import os
import re
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

A_ROOM = 25  #: patients that check in to one room here: its door lets thirty in at once
BUSY = {"patients": 6, "wait": 20, "signals": 100, "messages": 200}  #: of a room in its busiest hour; waits in minutes
SHARE = 0.5  #: of a core and of the free memory that may be used: the rest is for peaks
TOML = '[server]\n[clinic.main]\nname = "Bench"\nplugins = []\n'


@dataclass(frozen=True, kw_only=True)
class Costs:
    """What was measured. CPU in µs, memory in KiB."""

    idle: float  #: of the whole server before anybody comes
    patient: float  #: memory of one that waits
    page: float  #: to make the welcome page
    check_in: float  #: from the form to the open socket, and to the dashboard
    signal: float  #: to relay 2 KB from page to page

    def rooms(self, free: float) -> tuple[int, str]:
        """How many rooms fit into `free` KiB and half a core in their busiest hour, and which of the two is short."""
        hour = BUSY["patients"] * (self.page + self.check_in + (BUSY["signals"] + BUSY["messages"]) * self.signal)
        waiting = BUSY["patients"] * BUSY["wait"] / 60 + 2  # and the two pages of the call
        by_cpu, by_memory = SHARE * 3600e6 / hour, max(0.0, SHARE * free - self.idle) / (waiting * self.patient)
        return _rounded(min(by_cpu, by_memory)), "processor" if by_cpu < by_memory else "memory"


def _rounded(number: float) -> int:
    """Down to two figures: more would be a lie."""
    unit: int = 10 ** max(0, len(str(int(number))) - 2)
    return int(number) // unit * unit


@dataclass
class Line:
    """One page's socket, as far as a bench needs it."""

    port: int
    cookie: str
    auth: dict[str, Any]
    heard: dict[str, asyncio.Queue[Any]] = field(default_factory=dict)
    acks: asyncio.Queue[Any] = field(default_factory=asyncio.Queue)

    async def open(self) -> Any:
        """Answers what `welcome` says."""
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writer.write(
            f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost:{self.port}\r\n"
            f"Upgrade: websocket\r\nConnection: Upgrade\r\nOrigin: http://localhost:{self.port}\r\n"
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\nSec-WebSocket-Version: 13\r\n"
            f"Cookie: {self.cookie}\r\n\r\n".encode()
        )
        await self.reader.readuntil(b"\r\n\r\n")
        self.task = asyncio.create_task(self._listen())
        return await self.hear("welcome")

    async def _listen(self) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                first, size = await self.reader.readexactly(2)
                if size > 125:
                    size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8), "big")
                text = (await self.reader.readexactly(size)).decode()
                if first & 15 == 1:
                    self._take(text)

    def _take(self, text: str) -> None:
        if text == "2":
            self.say("3")
        elif text.startswith("0"):
            self.say("40" + json.dumps(self.auth))
        elif text.startswith("42"):
            event, body = json.loads(text[2:])
            self.heard.setdefault(event, asyncio.Queue()).put_nowait(body)
        elif text.startswith("43"):
            self.acks.put_nowait(json.loads(text[text.index("[") :])[0])

    def say(self, text: str) -> None:
        data, mask = text.encode(), os.urandom(4)
        key = (mask * (len(data) // 4 + 1))[: len(data)]
        masked = (int.from_bytes(data, "little") ^ int.from_bytes(key, "little")).to_bytes(len(data), "little")
        size = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2, "big")
        self.writer.write(b"\x81" + size + mask + masked)

    async def hear(self, event: str) -> Any:
        return await asyncio.wait_for(self.heard.setdefault(event, asyncio.Queue()).get(), 30)

    async def ask(self, event: str, body: dict[str, Any]) -> Any:
        self.say(f"421{json.dumps([event, body])}")
        answer = await asyncio.wait_for(self.acks.get(), 30)
        if not answer.get("ok"):
            raise RuntimeError(f"{event}: {answer}")
        return answer


class House:
    """The practice that is measured, in a process of its own."""

    def __init__(self, folder: Path, rooms: int):
        (folder / "housecall.toml").write_text(TOML, encoding="utf-8")
        self.port, self.log = _free_port(), folder / "bench.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "housecall", "run", str(folder)],
                env={**os.environ, "PORT": str(self.port)},
                stdout=log,
                stderr=log,
            )
        self._until_it_answers()
        self.rooms = list(_furnish(folder, rooms))

    def _until_it_answers(self) -> None:
        end = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError):
                self.get("/-/health")
                return
            if self.process.poll() is not None or time.monotonic() > end:
                self.stop()
                raise RuntimeError(self.log.read_text("utf-8"))
            time.sleep(0.05)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)

    def get(self, path: str) -> str:
        return self._ask("GET", path)[1]

    def _ask(self, method: str, path: str, body: Any = None, token: str = "") -> tuple[str, str]:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        host = f"localhost:{self.port}"
        headers = {"Host": host, "Origin": f"http://{host}", "X-Form-Token": token, "Content-Type": "application/json"}
        line.request(method, path, json.dumps(body) if body else None, headers)
        answer = line.getresponse()
        text, cookie = answer.read().decode(), (answer.getheader("Set-Cookie") or "").split(";")[0]
        line.close()
        if answer.status >= 400:
            raise RuntimeError(f"{path}: {answer.status} {text[:200]}")
        return cookie, text

    async def check_in(self, number: int) -> tuple[Line, str]:
        room = self.rooms[number // A_ROOM]
        cookie, text = self._ask("POST", f"/{room['slug']}/check-in", {"name": "Bench", "lang": "en"}, self.token)
        auth = {"v": 1, "as": "seat", "room": room["id"], "key": secrets.token_urlsafe(24), "name": "Bench"}
        line = Line(self.port, cookie, auth)
        await line.open()
        return line, json.loads(text)["visit"]

    def welcome(self) -> None:
        page = self.get(f"/{self.rooms[0]['slug']}")
        found = re.search(r'"token": "([^"]+)"', page)
        assert found
        self.token = found[1]

    def cpu(self) -> float:
        """µs of all its threads until now."""
        spent = 0.0
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            with contextlib.suppress(OSError):
                spent += int((task / "schedstat").read_text().split()[0]) / 1000
        return spent

    def memory(self) -> float:
        """Resident KiB."""
        found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())
        assert found
        return float(found[1])


async def _measure(house: House, *, waiting: int, pairs: int, seconds: float, say: Callable[[str], None]) -> Costs:
    idle = house.memory()
    say("pages ...")
    house.welcome()  # the first one compiles its template
    page = await _each(house, 50, house.welcome)
    say(f"{waiting} patients check in ...")
    boards = []
    for room in house.rooms:
        cookie = f"hc-login={room['login']}"
        board = Line(house.port, cookie, {"v": 1, "as": "dashboard", "key": secrets.token_urlsafe(24)})
        await board.open()
        boards.append(board)
    before, memory, came = house.cpu(), house.memory(), []
    for number in range(waiting):
        came.append(await house.check_in(number))
    check_in, patient = (house.cpu() - before) / waiting, (house.memory() - memory) / waiting
    say(f"{pairs} calls ...")
    talks = []
    for number in range(pairs):
        line, visit = came[number * A_ROOM]
        answer = await boards[number].ask("move", {"visit": visit, "to": "in_call"})
        talks.append((line, {"visit": visit, "to": answer["seat"], "life": 0, "description": {"sdp": "x" * 1900}}))
    signal = await _relay(house, talks, seconds)
    for line in [*boards, *(line for line, _ in came)]:
        line.task.cancel()
        line.writer.close()
    return Costs(idle=idle, patient=max(patient, 1), page=page, check_in=check_in, signal=signal)


async def _each(house: House, times: int, work: Callable[[], None]) -> float:
    before = house.cpu()
    for _ in range(times):
        work()
    return (house.cpu() - before) / times


async def _relay(house: House, talks: list[tuple[Line, dict[str, Any]]], seconds: float) -> float:
    """µs for one signal of 2 KB, at 40 a second of each pair, which the gate lets through."""
    before, sent, end = house.cpu(), 0, time.monotonic() + seconds
    while time.monotonic() < end:
        for line, body in talks:
            await line.ask("signal", body)
            sent += 1
        await asyncio.sleep(0.025)
    return (house.cpu() - before) / sent


def _furnish(folder: Path, rooms: int) -> Iterator[dict[str, str]]:
    """So many rooms for a practice, each with its own provider."""
    from flask import Flask

    from . import clinics, config

    app = Flask("housecall")
    app.config["SQLALCHEMY_DATABASE_URI"] = config.load(folder, environ={}).database
    clinics.database.init_app(app)
    with app.app_context():
        for number in range(rooms):
            email = f"bench-{number}@bench.example"
            member = clinics.members.create(
                "main", email=email, first_name="Ada", last_name="Bench", role="provider", password=None
            )
            room = clinics.rooms.create("main", slug=f"bench-{number}", name="Bench", owner_id=member.id)
            login = clinics.logins.start(member.id, "bench", agent="", address="127.0.0.1")
            yield {"id": room.id, "slug": room.slug, "login": login}
        clinics.database.db.session.remove()
        clinics.database.db.engine.dispose()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _house(rooms: int) -> Iterator[House]:
    with tempfile.TemporaryDirectory(prefix="housecall-bench-") as folder:
        house = House(Path(folder), rooms)
        try:
            yield house
        finally:
            house.stop()


def free_memory() -> float:
    """KiB that programs could still take."""
    found = re.search(r"MemAvailable:\s+(\d+)", Path("/proc/meminfo").read_text())
    assert found
    return float(found[1])


def bench(*, waiting: int = 200, seconds: float = 5) -> None:
    """Measure and tell. Raises RuntimeError with what the server said where it does not come up or refuses."""
    rooms = max(1, -(-waiting // A_ROOM))
    with _house(rooms) as house:
        costs = asyncio.run(
            _measure(house, waiting=waiting, pairs=rooms, seconds=seconds, say=lambda text: print(text, flush=True))
        )
    carried, short = costs.rooms(free_memory())
    print(f"""
the server alone          {costs.idle / 1024:8.0f} MiB
a patient who waits       {costs.patient:8.0f} KiB
a welcome page            {costs.page / 1000:8.1f} ms of one core
a check-in                {costs.check_in / 1000:8.1f} ms
a message between pages   {costs.signal / 1000:8.2f} ms

This server carries about {carried} rooms in their busiest hour; its {short} is what ends first.
That counts {BUSY["patients"]} patients an hour for each room, {BUSY["wait"]} minutes of waiting, one call after
the other, and leaves half of one core and of the free memory for peaks. Pictures and sound do not pass by it.""")
