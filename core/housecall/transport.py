"""What eventlet and Engine.IO need to be fast, small and bounded: a few replacements, made before the first connection.

Each says why and where that stands upstream, and names what it leans on with a hash of its source. Where an upgrade
has changed one of them, its mend steps aside with a warning: stock is slower, and everything works.
`tests/test_transport.py` goes red then, and holds what is here against stock. Figures: `benchmarks/README.md`.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import inspect
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

READ = 16 * 1024  #: bytes asked of the kernel at once
TURNS = 2  #: reads without a wait after which others get their turn
BACKLOG = 1024 * 1024  #: bytes that may wait for a page that does not read
BUFFERS = (2048, 2048)  #: bytes of the HTTP server's buffers, which a socket keeps as long as it lives

Function = Callable[..., Any]


def unmask(data: bytes, mask: bytes, length: int | None = None, offset: int = 0) -> bytes:
    """XOR `length` bytes of `data` with the four of `mask`, from byte `offset` of the payload on (RFC 6455, 5.3)."""
    n = len(data) if length is None else length
    key = bytes(mask[(offset + i) & 3] for i in range(4)) * (n + 3 >> 2)
    return (int.from_bytes(data[:n], "little") ^ int.from_bytes(key[:n], "little")).to_bytes(n, "little")


class ReadAhead:
    """A plain socket (TLS ends at the proxy) that asks the kernel once for many frames, and lets others have a turn."""

    __slots__ = ("at", "held", "sleep", "sock", "unwaited")

    def __init__(self, sock: Any, sleep: Function):
        self.sock, self.sleep, self.held, self.at, self.unwaited = sock, sleep, b"", 0, 0

    def recv(self, size: int) -> bytes:
        held, at = self.held, self.at
        if at < len(held):
            part = held[at : at + size]
            self.at += len(part)
            if self.at == len(held):
                self.held, self.at = b"", 0
            return part
        data = self._read(max(size, READ))
        if len(data) <= size:
            return data
        self.held, self.at = data, size
        return data[:size]

    def text(self, most: int) -> str | None:
        """The next message, where it is one masked frame of text, as browsers send; else None."""
        if not self.held:
            self.held = self._read(READ)
        held, at = self.held, self.at
        if len(held) - at < 8 or held[at] != 0x81 or held[at + 1] < 0x80:
            return None
        size, start = held[at + 1] & 0x7F, at + 2
        if size == 126:
            size, start = held[at + 2] << 8 | held[at + 3], at + 4
        end = start + 4 + size
        if size == 127 or size > most:
            return None
        while end > len(held):  # the rest of it is on its way
            more = self._read(READ)
            self.held = held = held + more
            if not more:
                return None
        try:
            text = unmask(held[start + 4 : end], held[start : start + 4]).decode()
        except UnicodeDecodeError:
            return None
        self.held, self.at = (b"", 0) if end == len(held) else (held, end)
        return text

    def _read(self, size: int) -> bytes:
        self.unwaited += 1
        if self.unwaited > TURNS:
            self.unwaited = 0
            self.sleep(0)
        try:
            return self.sock.fd.recv(size)  # type: ignore[no-any-return]  # the non-blocking socket below eventlet's
        except (BlockingIOError, InterruptedError):
            self.unwaited = 0
            return self.sock.recv(size)  # type: ignore[no-any-return]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sock, name)


def _fast_unmask() -> None:
    from eventlet import websocket

    websocket.RFC6455WebSocket._apply_mask = staticmethod(unmask)


def _read_ahead() -> None:
    import eventlet
    from eventlet import websocket

    stock, stock_wait = websocket.RFC6455WebSocket.__init__, websocket.RFC6455WebSocket.wait

    def __init__(self: Any, sock: Any, *args: Any, **more: Any) -> None:
        stock(self, ReadAhead(sock, eventlet.sleep), *args, **more)

    def wait(self: Any) -> Any:
        text = self.socket.text(self.max_frame_length) if not self.extensions else None
        return stock_wait(self) if text is None else text

    websocket.RFC6455WebSocket.__init__, websocket.RFC6455WebSocket.wait = __init__, wait


def _no_deflate() -> None:
    from eventlet import websocket

    websocket.WebSocketWSGI._negotiate_permessage_deflate = lambda self, extensions: None


def _whole_messages() -> None:
    from eventlet import websocket

    class Whole(websocket.RFC6455WebSocket.Message):  # type: ignore[misc]
        """A message whose fragments together are no longer than one frame may be."""

        length = 0

        def push(self, data: bytes, final: bool = False) -> None:
            self.length += len(data)
            if self.length > self.max_frame_length:
                raise websocket.FailedConnectionError(1009, "message too long")
            super().push(data, final)

    websocket.RFC6455WebSocket.Message = Whole


class Line:
    """The way to one page: a frame goes to the kernel at once, and what that does not take waits here, in order."""

    __slots__ = ("ended", "size", "sock", "spawn", "waiting", "ws")

    def __init__(self, ws: Any, spawn: Function):
        self.ws, self.sock, self.spawn = ws, ws.socket, spawn
        self.waiting: list[bytes] | None = None  #: None: nothing waits, and nobody drains
        self.size, self.ended = 0, False
        ws._send = self.write  # answers to pings and the closing frame keep their place among the others

    def write(self, frame: bytes) -> None:
        """Never waits. Raises OSError where the line is gone."""
        if self.waiting is not None:
            self.waiting.append(frame)
            self.size += len(frame)
            return
        try:
            sent = self.sock.fd.send(frame)  # the non-blocking socket below eventlet's
        except (BlockingIOError, InterruptedError):
            sent = 0
        if sent < len(frame):
            self.waiting, self.size = [frame[sent:]], len(frame) - sent
            self.spawn(self._drain)

    def _drain(self) -> None:
        try:
            while self.waiting:
                frames, self.waiting, self.size = self.waiting, [], 0
                self.sock.sendall(b"".join(frames))
        except OSError:
            self.ended = True  # it does not read, or is gone
        self.waiting = None
        if self.ended:
            self.end(now=True)

    def end(self, *, now: bool) -> None:
        """Close it: now, or when all that waits is sent."""
        self.ended = True
        if (now or self.waiting is None) and not self.ws.websocket_closed:
            self.ws.close()


def _written_at_once() -> None:
    import eventlet
    from engineio.exceptions import SocketIsClosedError, UnknownPacketError
    from engineio.packet import Packet
    from engineio.socket import Socket

    stock_send, stock_close, stock_handler = Socket.send, Socket.close, Socket._websocket_handler

    def send(self: Any, packet: Any) -> None:
        line = self.line
        if line is None:
            stock_send(self, packet)
        elif self.check_ping_timeout():
            frame = packet.__dict__.get("frame")
            if frame is None:
                frame = packet.frame = line.ws._pack_message(packet.encode())  # one for all pages that it goes to
            with contextlib.suppress(OSError):  # the reader hears of it
                line.write(frame)
            if line.size > BACKLOG and not self.closing:
                self.close(wait=False, abort=True, reason=self.server.reason.TRANSPORT_ERROR)

    def close(self: Any, wait: bool = True, abort: bool = False, reason: Any = None) -> None:
        line = self.line
        stock_close(self, wait=wait and line is None, abort=abort, reason=reason)
        if line is not None:
            line.end(now=abort)

    def handler(self: Any, ws: Any) -> Any:
        if self.connected:  # an upgrade from polling, which we do not offer
            return stock_handler(self, ws)
        self.connected = self.upgraded = True
        ws.socket.settimeout(self.server.ping_interval + self.server.ping_timeout)
        line = Line(ws, eventlet.spawn_n)
        while not self.queue.empty():  # what was said while the hands were shaken
            line.write(ws._pack_message(self.queue.get().encode()))
            self.queue.task_done()
        self.line = line
        try:
            while (data := ws.wait()) is not None and len(data) <= self.server.max_http_buffer_size:
                with contextlib.suppress(UnknownPacketError):
                    self.receive(Packet(encoded_packet=data))
        except (SocketIsClosedError, OSError):
            pass
        except Exception:
            self.server.logger.exception("Unknown receive error")
        finally:
            self.line = None
            self.close(wait=False, abort=True, reason=self.server.reason.TRANSPORT_CLOSE)
            line.end(now=False)
            del ws._send  # no circle is left for the collector
        return []

    Socket.line = None
    Socket.send, Socket.close, Socket._websocket_handler = send, close, handler


def _timed_pings() -> None:
    from engineio.packet import PING, Packet
    from engineio.socket import Socket
    from eventlet import hubs

    def schedule_ping(self: Any) -> None:
        if self.last_ping:  # the last one was answered
            self.last_ping = None
            hubs.get_hub().schedule_call_global(self.server.ping_interval, ping, self)

    def ping(self: Any) -> None:
        if not self.closing and not self.closed:
            self.last_ping = time.time()
            self.send(Packet(PING))

    Socket.schedule_ping = schedule_ping


def _small_buffers() -> None:
    from eventlet import wsgi

    wsgi.HttpProtocol.rbufsize, wsgi.HttpProtocol.wbufsize = BUFFERS


@dataclass(frozen=True, kw_only=True)
class Mend:
    """One replacement; `leans_on` has the dotted names of what it counts upon, with the hash of their source."""

    why: str
    upstream: str
    leans_on: Mapping[str, str]
    apply: Callable[[], None]


WEBSOCKET, SOCKET = "eventlet.websocket.RFC6455WebSocket", "engineio.socket.Socket"
#: What this module was written against: eventlet 0.41, python-engineio 4.15.
MENDS: Mapping[str, Mend] = {
    "unmask": Mend(
        why="stock undoes the mask of each byte in Python: 0.3 ms for 2 KB, 0.17 s for 1 MB",
        upstream="eventlet/websocket.py, _apply_mask; the same trick: python-websockets/websockets#1034",
        leans_on={f"{WEBSOCKET}._apply_mask": "f6ac2b9da0f0a63c", f"{WEBSOCKET}._get_bytes": "a886d60018782b6f"},
        apply=_fast_unmask,
    ),
    "read ahead": Mend(
        why="stock asks the kernel three times a frame and takes it apart in ten steps, and a page that never pauses "
        "keeps the server for itself",
        upstream="eventlet/websocket.py, _get_bytes and _recv_frame; eventlet/greenio/base.py waits only when empty",
        leans_on={
            f"{WEBSOCKET}.wait": "2914eb549aa52d1d",
            f"{WEBSOCKET}._iter_frames": "2c658a5eef94f615",
            f"{WEBSOCKET}.__init__": "94f5579952f38c90",
            f"{WEBSOCKET}._recv_frame": "b7e54e98049def5c",
            "eventlet.greenio.base.GreenSocket.recv": "22613cfdd65b4ccc",
        },
        apply=_read_ahead,
    ),
    "no deflate": Mend(
        why="zlib's tables cost 100 KiB a connection, and compression beside an attacker's text leaks (CRIME, BREACH)",
        upstream="eventlet/eventlet#417, accepted from whoever offers it",
        leans_on={"eventlet.websocket.WebSocketWSGI._negotiate_permessage_deflate": "44007adcda005305"},
        apply=_no_deflate,
    ),
    "whole messages": Mend(
        why="stock bounds a frame but not a message: endless fragments fill the memory before any ticket is shown",
        upstream="eventlet/eventlet#728: max_frame_length is of a frame",
        leans_on={
            f"{WEBSOCKET}.Message": "36bed7da392b464a",
            f"{WEBSOCKET}._recv_frame": "b7e54e98049def5c",
            f"{WEBSOCKET}.wait": "2914eb549aa52d1d",
        },
        apply=_whole_messages,
    ),
    "written at once": Mend(
        why="stock gives each page a greenthread and a queue that only write: 15 KiB, two switches a message, and no "
        "end to what waits for a page that never reads",
        upstream="miguelgrinberg/python-engineio#133, open; miguelgrinberg/Flask-SocketIO#663",
        leans_on={
            f"{SOCKET}.send": "f8b2738ee5d48ab2",
            f"{SOCKET}.poll": "d7d705066fd3b948",
            f"{SOCKET}.close": "05fac55831999f25",
            f"{SOCKET}.check_ping_timeout": "ccddc110d9836176",
            f"{SOCKET}._websocket_handler": "58afe122719282de",
            f"{WEBSOCKET}._send": "82ffb8d0a4c2e87b",
            f"{WEBSOCKET}._pack_message": "b8ef52f0579ebc62",
            f"{WEBSOCKET}.close": "06520e635a360385",
        },
        apply=_written_at_once,
    ),
    "timed pings": Mend(
        why="stock keeps a greenthread of 8 KiB for each page that only waits for the next ping",
        upstream="engineio/socket.py, schedule_ping: a background task for each ping",
        leans_on={
            f"{SOCKET}.schedule_ping": "fe316639159cd70d",
            f"{SOCKET}._send_ping": "21861287bd38dedc",
        },
        apply=_timed_pings,
    ),
    "small buffers": Mend(
        why="the HTTP server's buffers, 24 KiB, stay with each socket",
        upstream="socketserver.StreamRequestHandler.rbufsize, as eventlet/wsgi.py sets it",
        leans_on={"eventlet.wsgi.HttpProtocol.setup": "a016670ef277ec50"},
        apply=_small_buffers,
    ),
}


def mend() -> list[str]:
    """Make every replacement whose ground is as it was; says which, and warns of the others."""
    fitting = [name for name, each in MENDS.items() if not changed(each)]  # looked at before the first is made
    for name, each in MENDS.items():
        if name in fitting:
            each.apply()
        else:
            logging.getLogger("housecall").warning(
                "transport: %r steps aside, its ground has changed: %s", name, ", ".join(changed(each))
            )
    return fitting


def changed(mend: Mend) -> list[str]:
    """What a mend leans on and is not as it was."""
    return [name for name, known in mend.leans_on.items() if fingerprint(name) != known]


def fingerprint(name: str) -> str:
    """The beginning of the SHA-256 of a function's or a class's source; empty where there is none."""
    module, _, rest = name.rpartition(".")
    while module:
        try:
            found: Any = importlib.import_module(module)
            for part in rest.split("."):
                found = inspect.getattr_static(found, part)
            found = getattr(found, "__func__", found)
            return hashlib.sha256(inspect.getsource(found).encode()).hexdigest()[:16]
        except ModuleNotFoundError:
            module, _, part = module.rpartition(".")
            rest = f"{part}.{rest}"
        except (AttributeError, OSError, TypeError):
            return ""
    return ""
