"""Starts the servers that are compared and the load client, each on a core of its own; stops them by their ids."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from housecall import clinics
from housecall.testing.practice import PASSWORD, Practice, free_port

HERE = Path(__file__).parent
FLOORS = ("stock", "tuned", "node")
SERVERS = (*FLOORS, "housecall")
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, CLIENT_CORE = CORES[0], CORES[-1]
TOML = """[server]
trusted_proxies = 1
[clinic.main]
name = "Elm Street Practice"
plugins = ["chat"]
"""


class Missing(RuntimeError):
    """Something that must be installed first; the text says how."""


def node(packages: Path = HERE) -> str:
    """The Node that builds Housecall; what a folder's package.json names is installed there, once. Raises Missing."""
    sys.path.insert(0, str(HERE.parent))
    try:
        import hatch_build

        found: str = hatch_build.npm()[0]
    except ImportError:
        raise Missing("The benchmarks need what the tests need: pip install --editable '.[test]'") from None
    wanted = json.loads((packages / "package.json").read_text(encoding="utf-8"))["dependencies"]
    for name, version in wanted.items():
        have = packages / "node_modules" / name / "package.json"
        if not have.exists() or json.loads(have.read_text(encoding="utf-8"))["version"] != version:
            print("Installing", ", ".join(f"{n} {v}" for n, v in wanted.items()), "from npm ...", flush=True)
            hatch_build.run_npm(packages, "install", "--no-package-lock")
            break
    return found


def pinned(core: int, *command: str | Path) -> list[str]:
    """A command that runs on one core only."""
    return ["taskset", "-c", str(core), *map(str, command)]


@dataclass
class Server:
    """A running server: its process, its port, and what the client must know of a house."""

    name: str
    pid: int
    port: int
    house: dict[str, Any] | None = None
    practice: Practice | None = None
    stalls: Path | None = None

    def gaps(self) -> dict[str, float]:
        """The longest gap of the heartbeat since the last time somebody asked."""
        assert self.stalls is not None
        self.stalls.unlink(missing_ok=True)
        os.kill(self.pid, 10)  # SIGUSR1
        end = time.monotonic() + 30
        while not self.stalls.exists():
            if time.monotonic() > end:
                raise RuntimeError("the heartbeat does not answer")
            time.sleep(0.02)
        found: dict[str, float] = json.loads(self.stalls.read_text(encoding="utf-8"))
        return found

    def restart(self) -> None:
        """The same house on the same port, as a new process."""
        assert self.practice is not None
        self.practice.stop()
        self.practice.start()
        assert self.practice.process is not None
        self.pid = self.practice.process.pid


@contextmanager
def serve(name: str, *, pairs: int = 0, stalls: bool = False, past: int = 0) -> Iterator[Server]:
    """One of `SERVERS` on the server's core; a house has a hall with `past` visits behind it and a room a pair."""
    if name == "housecall":
        with _house(pairs, stalls, past) as server:
            yield server
        return
    port = free_port()
    command = (node(), HERE / "floors/node.mjs") if name == "node" else (sys.executable, HERE / f"floors/{name}.py")
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(pinned(SERVER_CORE, *command, str(port)), stdout=log, stderr=log)
        try:
            _answers(process, port)
            yield Server(name, process.pid, port)
        except BaseException:
            log.seek(0)
            sys.stderr.write(log.read().decode()[-2000:])
            raise
        finally:
            process.terminate()
            process.wait(30)


def _answers(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError("the server ended")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the server never answered")


@contextmanager
def _house(pairs: int, stalls: bool, past: int) -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "stalls.json"
        practice = Practice(
            Path(folder) / "site",
            toml=TOML,
            command=tuple(pinned(SERVER_CORE, sys.executable, HERE / "launch.py", "run")),
        )
        before = dict(os.environ)
        if stalls:
            os.environ["STALLS"] = str(told)
        try:
            practice.start()
            practice.stop()  # the first start of a practice makes its database; that of every day is measured
            practice.start()
            rooms = list(_rooms(practice, pairs + 2))
            if past:
                _past(practice, rooms[0]["id"], past)
            assert practice.process is not None
            house = {"hall": rooms[0], "spare": rooms[1], "pairs": rooms[2:], "password": PASSWORD}
            yield Server("housecall", practice.process.pid, practice.port, house, practice, told)
        except BaseException:
            sys.stderr.write(practice.log.read_text(encoding="utf-8")[-2000:])
            raise
        finally:
            practice.stop()
            os.environ.clear()
            os.environ.update(before)


def _rooms(practice: Practice, count: int) -> Iterator[dict[str, str]]:
    """Rooms of one member each. Their password is hashed once: a hash takes 30 ms, and here are hundreds."""
    from housecall.clinics import passwords
    from housecall.runtime import inline

    hashed = passwords.hash(PASSWORD, offload=inline)
    with practice.lasting():
        for number in range(count):
            email, slug = f"ada-{number}@elm.example", f"room-{number}"
            member = clinics.members.create(
                "main",
                email=email,
                first_name="Ada",
                last_name="Smith",
                role="provider",
                password=PASSWORD,
                offload=lambda *_: hashed,
            )
            room = clinics.rooms.create("main", slug=slug, name="Dr Ada Smith", owner_id=member.id, media="video")
            login = clinics.logins.start(member.id, "test", agent="", address="127.0.0.1")
            yield {"id": room.id, "slug": slug, "login": login, "email": email}


def _past(practice: Practice, room: str, visits: int) -> None:
    """A history to look at: one visit every ten minutes until now."""
    from housecall.clinics.database import write
    from housecall.clinics.models import History

    now = time.time_ns() // 1_000_000
    with practice.lasting(), write() as session:
        for number in range(visits):
            ended = now - number * 600_000
            times = {"arrived": ended - 900_000, "started": ended - 600_000, "ended": ended}
            about = {"clinic_id": "main", "room_id": room, "outcome": "completed", "media": "video", "seats": 2}
            session.add(History(visit_id=f"past-{number}", **about, **times))


@dataclass
class Client:
    """The load client at work on a server: a line of figures for each step."""

    server: Server
    steps: list[dict[str, Any]]
    process: subprocess.Popen[str] = field(init=False)

    def __enter__(self) -> Self:
        plan = {"pid": self.server.pid, "port": self.server.port, "house": self.server.house, "steps": self.steps}
        self.process = subprocess.Popen(
            pinned(CLIENT_CORE, node(), HERE / "client.mjs", json.dumps(plan)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def told(self) -> Iterator[dict[str, Any]]:
        """What each step came to, as it comes. Raises RuntimeError if the client ends before the last one."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            yield json.loads(line)
        if self.process.wait() != 0:
            raise RuntimeError(f"the load client failed on {self.server.name}")

    def say(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()


def load(server: Server, *steps: dict[str, Any]) -> list[dict[str, Any]]:
    """Run the client's steps on a server; the figures of each, that of the beginning first."""
    with Client(server, list(steps)) as client:
        return list(client.told())
