"""A gateway on loopback that answers as a test says, and keeps what it was asked."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

TAKEN = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def answer(status: int, body: str = "", *, head: str = "") -> bytes:
    """An answer of HTTP."""
    raw = body.encode()
    return f"HTTP/1.1 {status} Said\r\nContent-Length: {len(raw)}\r\n{head}\r\n".encode() + raw


@dataclass
class Asked:
    """One request as it came over the line."""

    raw: bytes

    @property
    def method(self) -> str:
        return self.raw.split(b" ")[0].decode()

    @property
    def path(self) -> str:
        return self.raw.split(b" ")[1].decode()

    @property
    def head(self) -> dict[str, str]:
        lines = self.raw.split(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
        return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}

    @property
    def body(self) -> bytes:
        return self.raw.split(b"\r\n\r\n", 1)[1]

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass
class Gateway:
    """What it says next stands in `answers`: bytes, "hang" (until the test ends), "drop" (hangs up), or a function of
    the request that gives one of these; when the list is empty, `usual`."""

    usual: bytes | str = TAKEN
    answers: list[Any] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    port: int = 0
    came: threading.Condition = field(default_factory=threading.Condition)
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def inside(self) -> str:
        return f"127.0.0.1:{self.port}"

    def wait(self, count: int = 1, timeout: float = 30) -> list[Asked]:
        """All requests, once there are `count`."""
        with self.came:
            assert self.came.wait_for(lambda: len(self.asked) >= count, timeout), f"{len(self.asked)} of {count} came"
            return list(self.asked)

    def serve(self, line: Any, read: Callable[[Any], bytes]) -> None:
        raw = read(line)
        if not raw:
            return
        asked = Asked(raw)
        said = self.answers.pop(0) if self.answers else self.usual
        said = said(asked) if callable(said) else said
        with self.came:
            self.asked.append(asked)
            self.came.notify_all()
        if said == "hang":
            self.ended.wait()
        elif said == "drip":
            with suppress(OSError):
                for byte in TAKEN:
                    line.sendall(bytes([byte]))
                    if self.ended.wait(0.2):  # how fast it drips
                        return
        elif said != "drop":
            line.sendall(said)


def _whole(line: Any) -> bytes:
    """One request with its body."""
    raw = b""
    while b"\r\n\r\n" not in raw:
        piece = line.recv(65536)
        if not piece:
            return raw
        raw += piece
    head, _, body = raw.partition(b"\r\n\r\n")
    length = next((int(row.split(b":")[1]) for row in head.split(b"\r\n") if row.lower().startswith(b"content-len")), 0)
    while len(body) < length:
        piece = line.recv(65536)
        if not piece:
            break
        body += piece
    return head + b"\r\n\r\n" + body


@contextmanager
def running(*, tls: tuple[Path, Path] | None = None, **more: Any) -> Iterator[Gateway]:
    """A gateway in threads of this process; `tls` are the paths of a certificate and its key."""
    made = Gateway(**more)
    context = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
    door = socket.create_server(("127.0.0.1", 0))
    made.port = door.getsockname()[1]

    def one(line: socket.socket) -> None:
        with line, suppress(OSError):
            if context is None:
                made.serve(line, _whole)
                return
            with context.wrap_socket(line, server_side=True) as secured:
                made.serve(secured, _whole)

    def serve() -> None:
        while True:
            try:
                line, _ = door.accept()
            except OSError:
                return
            threading.Thread(target=one, args=(line,), daemon=True).start()

    keeper = threading.Thread(target=serve, daemon=True)
    keeper.start()
    try:
        yield made
    finally:
        made.ended.set()
        door.shutdown(socket.SHUT_RDWR)
        door.close()
        keeper.join(10)
