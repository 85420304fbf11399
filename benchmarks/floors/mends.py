"""What the tuned floor replaces in eventlet and Engine.IO. The floor's own copy: it must not move with the product.

1. eventlet 0.41 unmasks a frame byte by byte in Python; one XOR of two big integers does the same.
2. It asks the kernel three or four times a frame, and lets others run only when a socket is empty: `ReadAhead`.
3. permessage-deflate, which every browser offers, is refused: zlib's tables cost 100 KiB a connection.
4. A message in endless fragments, and the queue for a client that never reads, have no bounds of their own.
"""

import eventlet
from engineio import socket
from eventlet import websocket

BACKLOG = 1 << 20  #: bytes that may wait for one client


def unmask(data, mask, length=None, offset=0):
    """XOR `length` bytes of `data` with the mask, beginning at byte `offset` of the payload."""
    n = len(data) if length is None else length
    key = bytes(mask[(offset + i) & 3] for i in range(4)) * (n + 3 >> 2)
    return (int.from_bytes(data[:n], "little") ^ int.from_bytes(key[:n], "little")).to_bytes(n, "little")


class ReadAhead:
    """A socket whose `recv` reads 16 KiB at a time; after two reads that did not wait, others get their turn."""

    __slots__ = ("at", "held", "sock", "unwaited")

    def __init__(self, sock):
        self.sock, self.held, self.at, self.unwaited = sock, b"", 0, 0

    def recv(self, n):
        if self.at < len(self.held):
            part = self.held[self.at : self.at + n]
            self.at += len(part)
            return part
        data = self._read(max(n, 16384))
        self.held, self.at = data, min(n, len(data))
        return data[:n]

    def _read(self, n):
        self.unwaited += 1
        if self.unwaited > 2:
            self.unwaited = 0
            eventlet.sleep(0)
        try:
            return self.sock.fd.recv(n)  # the non-blocking socket below eventlet's
        except (BlockingIOError, InterruptedError):
            self.unwaited = 0
            return self.sock.recv(n)

    def __getattr__(self, name):
        return getattr(self.sock, name)


class WholeMessage(websocket.RFC6455WebSocket.Message):
    """A message whose fragments together may not be longer than one frame may be."""

    length = 0

    def push(self, data, final=False):
        self.length += len(data)
        if self.length > self.max_frame_length:
            raise websocket.FailedConnectionError(1009, "message too long")
        super().push(data, final)


def bound_backlog():
    """Drop a client for which more than `BACKLOG` bytes wait."""
    stock_send, stock_poll = socket.Socket.send, socket.Socket.poll

    def send(self, packet):
        self.waiting += len(packet.data) if isinstance(packet.data, (str, bytes)) else 0
        if self.waiting > BACKLOG and not self.closing:
            self.close(wait=False, abort=True, reason=self.server.reason.TRANSPORT_ERROR)
        else:
            stock_send(self, packet)

    def poll(self):
        packets = stock_poll(self)
        self.waiting = 0
        return packets

    socket.Socket.waiting = 0
    socket.Socket.send, socket.Socket.poll = send, poll


def apply():
    """Before the first connection."""
    protocol = websocket.RFC6455WebSocket
    stock = protocol.__init__
    protocol._apply_mask = staticmethod(unmask)
    protocol.Message = WholeMessage
    protocol.__init__ = lambda self, sock, *args, **more: stock(self, ReadAhead(sock), *args, **more)
    websocket.WebSocketWSGI._negotiate_permessage_deflate = lambda self, extensions: None
    bound_backlog()
