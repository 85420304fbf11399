"""A real Housecall server for tests: `housecall run` in a process of its own, and its members and rooms."""

from __future__ import annotations

import functools
import itertools
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest
from flask import Flask

from .. import clinics, config
from .beginning import begin

NUMBERS = itertools.count(1)
THEIRS = ('"plugin": ', '"event": "theme"')  #: marks of errors that a plugin or a theme has made, not the house
PASSWORD = "correct horse battery staple"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(condition: Callable[[], Any], timeout: float = 30) -> Any:
    """What a condition says, once it says something; AssertionError when it never does."""
    end = time.monotonic() + timeout
    while not (said := condition()):
        assert time.monotonic() < end, "it never came about"
        time.sleep(0.02)  # the condition decides; this only paces the asking
    return said


@functools.cache
def once(function: Callable[..., Any], *given: Any) -> Any:
    """What a function says, asked once: a hash is as good for many members who have the same password."""
    return function(*given)


@dataclass
class Room:
    """A room of a test, with the member who owns it and a login of that member."""

    id: str
    slug: str
    url: str
    member: str
    email: str
    login: str


#: A socket whose browser went away in the middle of an answer is left to the collector by eventlet's HTTP server, and
#: Python says so where warnings are errors.
LEFT_TO_THE_COLLECTOR = re.compile(
    r"Exception ignored in: <socket\.socket[^\n]*\nTraceback[^\n]*\n(?: [^\n]*\n)*ResourceWarning: unclosed[^\n]*\n"
)


@dataclass
class Practice:
    """One site's folder and the server that serves it."""

    folder: Path
    port: int = field(default_factory=free_port)
    host: str = "localhost"
    toml: str = '[server]\n[clinic.main]\nname = "Elm Street Practice"\n'
    plugins: tuple[Path, ...] = ()  #: folders to put among the site's own plugins
    command: tuple[str, ...] = (sys.executable, "-W", "error", "-m", "housecall", "run")
    prefix: tuple[str, ...] = ()  #: what runs the command, where the server is to be in a network of its own
    ahead: bool = False  #: whether its first start finds done what every first start does (beginning.py)
    process: subprocess.Popen[bytes] | None = None
    expected: list[str] = field(default_factory=list)  #: texts of errors in the log that a test provokes on purpose

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder.parent / f"{self.folder.name}.log"

    def start(self) -> Self:
        """Start (again) and wait until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "housecall.toml").write_text(self.toml, encoding="utf-8")
        for plugin in self.plugins:
            place = self.folder / "plugins" / plugin.name
            place.parent.mkdir(exist_ok=True)
            if not place.exists():
                place.symlink_to(plugin.resolve(), target_is_directory=True)
        if self.ahead and not (self.folder / "data").exists():
            begin(self.folder / "data")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, *self.command, str(self.folder)],
                env={**os.environ, "PORT": str(self.port), "PYTHONUNBUFFERED": "1"},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended: {self.log.read_text()}")
            if self.answers():
                return self
            time.sleep(0.02)  # the condition is the answer; this only paces the asking
        raise RuntimeError(f"the server never answered: {self.log.read_text()}")

    def answers(self) -> bool:
        """Whether the server does."""
        address = f"http://127.0.0.1:{self.port}/-/health"
        if self.prefix:  # only from there is it to be reached
            ask = f"import urllib.request; urllib.request.urlopen({address!r}, timeout=5)"
            return subprocess.run([*self.prefix, sys.executable, "-S", "-c", ask], capture_output=True).returncode == 0
        try:
            with urllib.request.urlopen(address, timeout=5):
                return True
        except OSError:
            return False

    def stop(self, sign: int = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(sign)
            self.process.wait(30)
            self.process = None

    def check(self) -> None:
        """The log holds no error and no traceback that was not expected."""
        lines = LEFT_TO_THE_COLLECTOR.sub("", self.log.read_text(encoding="utf-8")).splitlines()
        wrong = [line for line in lines if '"level": "error"' in line or line.startswith("Traceback")]
        left = [line for line in wrong if not any(text in line for text in self.expected)]
        assert left == [], left

    @contextmanager
    def lasting(self) -> Iterator[None]:
        """The lasting half of the site, in this process, to add members and rooms."""
        site = config.load(self.folder, environ={})
        app = Flask("housecall")
        app.config["SQLALCHEMY_DATABASE_URI"] = site.database
        clinics.database.init_app(app)
        with app.app_context():
            try:
                yield
            finally:
                clinics.database.db.session.remove()
                clinics.database.db.engine.dispose()

    def room(
        self,
        *,
        clinic: str = "main",
        media: str = "video",
        role: str = "provider",
        name: str = "Dr Ada Smith",
        **profile: Any,
    ) -> Room:
        """A new room with a new provider, so that tests do not meet."""
        number = f"{os.getpid()}-{next(NUMBERS):05}"  # by the alphabet in the order in which they were made
        slug, email = f"room-{number}-{secrets.token_hex(2)}", f"ada-{number}@elm.example"
        with self.lasting():
            member = clinics.members.create(
                clinic, email=email, first_name="Ada", last_name="Smith", role=role, password=PASSWORD, offload=once
            )
            clinics.members.update(member.id, {"title": "Dr", **profile})
            room = clinics.rooms.create(clinic, slug=slug, name=name, owner_id=member.id, media=media)
            login = clinics.logins.start(member.id, "test", agent="", address="127.0.0.1")
            return Room(id=room.id, slug=slug, url=f"{self.url}/{slug}", member=member.id, email=email, login=login)


@pytest.fixture(scope="session")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    """One server for all tests of this process; each test makes its own room."""
    running = Practice(tmp_path_factory.mktemp("practice") / "site").start()
    yield running
    running.stop()
    running.check()


@pytest.fixture
def room(practice: Practice) -> Room:
    return practice.room()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Practice]]:
    """Starts servers of a test's own, each with a site of its own; ask for it before `person`, who goes first."""
    running: list[Practice] = []

    def start(toml: str | None = None, *, folder: Path | None = None, **more: Any) -> Practice:
        if toml is not None:
            more["toml"] = toml
        practice = Practice(folder or tmp_path / f"site-{len(running)}", **{"ahead": True, **more}).start()
        running.append(practice)
        return practice

    yield start
    for practice in running:
        practice.stop()
    for practice in running:
        practice.expected += THEIRS  # whoever puts a plugin or a theme there looks after it
        practice.check()
