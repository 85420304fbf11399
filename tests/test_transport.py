"""The replacements in transport.py against stock: in a process of its own, since they count for the whole of one."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from typing import Any

import pytest

from housecall import transport

QUIET = "import warnings; warnings.filterwarnings('ignore', message=r'\\s*Eventlet is deprecated')\n"


def alone(code: str) -> Any:
    """What a new process prints last, as JSON."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", QUIET + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_ground_is_as_it_was() -> None:
    """Red after an upgrade: look at what has changed, compare with the mend, and write the new hash down."""
    code = """
        import json
        from housecall import transport
        print(json.dumps({name: transport.changed(mend) for name, mend in transport.MENDS.items()}))
    """
    assert alone(code) == {name: [] for name in transport.MENDS}


def test_what_no_server_needs_is_not_taken_along() -> None:
    """The client of engineio does without what is installed here; who needs that finds it afterwards."""
    code = """
        import json, sys
        from housecall.server import without
        with without("requests", "websocket"):
            from housecall.app import create_app
        took = [name for name in ("requests", "PIL") if name in sys.modules]
        import requests
        print(json.dumps([took, "engineio.client" in sys.modules, requests.Session.__name__]))
    """
    assert alone(code) == [[], True, "Session"]


def test_a_mend_whose_ground_has_changed_steps_aside_and_says_so() -> None:
    code = """
        import json, logging
        said = []
        class Heard(logging.Handler):
            def emit(self, record): said.append(record.getMessage())
        logging.getLogger("housecall").addHandler(Heard())
        from eventlet import websocket
        stock = websocket.RFC6455WebSocket._apply_mask
        def _apply_mask(data, mask, length=None, offset=0):
            return stock(data, mask, length, offset)
        websocket.RFC6455WebSocket._apply_mask = staticmethod(_apply_mask)
        from housecall import transport
        made = transport.mend()
        print(json.dumps([made, said, websocket.RFC6455WebSocket._apply_mask is _apply_mask]))
    """
    made, said, stock = alone(code)
    assert made == [name for name in transport.MENDS if name != "unmask"]
    assert [line for line in said if "'unmask' steps aside" in line] == said
    assert len(said) == 1
    assert stock


def test_unmasking_agrees_with_stock() -> None:
    code = """
        import json, random
        from eventlet import websocket
        from housecall.transport import unmask
        stock = websocket.RFC6455WebSocket._apply_mask
        random.seed(7)
        wrong = []
        for _ in range(20_000):
            data, mask = random.randbytes(random.randrange(300)), random.randbytes(4)
            length, offset = random.choice([None, random.randrange(len(data) + 1)]), random.randrange(9)
            if bytes(stock(data, mask, length, offset)) != unmask(data, mask, length, offset):
                wrong.append([data.hex(), mask.hex(), length, offset])
        print(json.dumps(wrong[:3]))
    """
    assert alone(code) == []


#: A server that echoes, and a client that writes frames by hand, in both kinds.
FRAMES = """
    import eventlet
    eventlet.monkey_patch()
    import hashlib, json, os, random, socket, struct
    import eventlet.wsgi
    from eventlet import websocket
    from housecall import transport
    if {mended}: transport.mend()
    random.seed(11)
    heard = []

    def echo(ws):
        try:
            while (message := ws.wait()) is not None:
                heard.append(message if isinstance(message, str) else message.hex())
                ws.send(message)
        except Exception as error:
            heard.append(type(error).__name__)

    listener = eventlet.listen(("127.0.0.1", 0))
    app = websocket.WebSocketWSGI(echo, max_frame_length=65536)
    eventlet.spawn(eventlet.wsgi.server, listener, app, log_output=False)

    def client(address=None, path=b"/", offer=b"permessage-deflate"):
        line = socket.socket()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 20_000)
        line.connect(address or listener.getsockname())
        line.sendall(b"GET " + path + b" HTTP/1.1\\r\\nHost: x\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n"
                     b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\nSec-WebSocket-Version: 13\\r\\n"
                     b"Sec-WebSocket-Extensions: " + offer + b"\\r\\n\\r\\n")
        head = b""
        while not head.endswith(b"\\r\\n\\r\\n"):
            head += line.recv(1)
        return line, b"permessage-deflate" in head

    def frame(data, code=1, final=True):
        mask, size = random.randbytes(4), len(data)
        head = bytes([code | (0x80 if final else 0)])
        head += bytes([0x80 | size]) if size < 126 else b"\\xfe" + struct.pack(">H", size)
        return head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data))

    def closed(line):
        line.settimeout(20)
        try:
            while line.recv(65536): pass
        except ConnectionError: pass
"""


@pytest.mark.parametrize("mended", [False, True])
def test_frames_however_they_are_cut(mended: bool) -> None:
    """Split at every byte, many in one write, in fragments with a ping between: the same as stock hears."""
    code = (
        FRAMES.format(mended=mended)
        + """
    line, deflate = client()
    given = [b"a", "größe €".encode(), b"x" * 125, b"y" * 126, b"z" * 3000]
    whole = b"".join(frame(data) for data in given)
    for byte in whole[:700]:
        line.sendall(bytes([byte]))
    line.sendall(whole[700:])
    line.sendall(frame(b"one ", final=False) + frame(b"", 9) + frame(b"two ", 0, final=False) + frame(b"three", 0))
    many = [b"%d" % i for i in range(5000)]
    line.sendall(b"".join(map(frame, many)) + frame(struct.pack(">H", 1000), 8))
    closed(line)
    print(json.dumps([heard == [data.decode() for data in [*given, b"one two three", *many]], len(heard), deflate]))
    """
    )
    assert alone(code) == [True, 5006, not mended]


@pytest.mark.parametrize("mended", [False, True])
def test_a_message_in_endless_fragments_is_ended(mended: bool) -> None:
    code = (
        FRAMES.format(mended=mended)
        + """
    line, _ = client()
    try:
        line.sendall(frame(b"x" * 30000, final=False))
        for _ in range(40):
            line.sendall(frame(b"x" * 30000, 0, final=False))
        line.sendall(frame(b"end", 0))
        line.sendall(frame(struct.pack(">H", 1000), 8))
    except ConnectionError: pass
    closed(line)
    print(json.dumps([len(each) for each in heard if len(each) > 1000]))
    """
    )
    assert alone(code) == ([] if mended else [41 * 30_000 + 3])


PAGES = (
    FRAMES
    + """
    import engineio
    engine = engineio.Server(async_mode="eventlet", max_http_buffer_size=65536)
    hall = eventlet.listen(("127.0.0.1", 0))
    hall.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 20_000)
    eventlet.spawn(eventlet.wsgi.server, hall, engineio.WSGIApp(engine), log_output=False)

    def page():
        known = set(engine.sockets)
        line, _ = client(hall.getsockname(), b"/engine.io/?EIO=4&transport=websocket", b"none")
        while not (fresh := set(engine.sockets) - known) or not engine.sockets[min(fresh)].connected: eventlet.sleep(0)
        return line, fresh.pop()

    def texts(line):
        data = b""
        line.settimeout(20)
        try:
            while part := line.recv(65536): data += part
        except ConnectionError: pass
        found = []
        while len(data) > 1:
            size, at = data[1], 2
            if size == 126: size, at = struct.unpack(">H", data[2:4])[0], 4
            elif size == 127: size, at = struct.unpack(">Q", data[2:10])[0], 10
            if data[0] & 15 == 1: found.append(data[at:at + size].decode())
            data = data[at + size:]
        return found
"""
)


@pytest.mark.parametrize("mended", [False, True])
def test_a_slow_page_hears_all_in_order_before_its_line_is_closed(mended: bool) -> None:
    code = (
        PAGES.format(mended=mended)
        + """
    line, sid = page()
    said = [f"{n:06d}" + "x" * 3000 for n in range(200)]
    for each in said: engine.send(sid, each)
    line.sendall(frame(b"still there?", 9))        # its answer must not stand in the middle of another frame
    eventlet.spawn(engine.disconnect, sid)
    found = texts(line)
    print(json.dumps([found[0][:1], found[1:201] == ["4" + each for each in said], found[201:]]))
    """
    )
    assert alone(code) == ["0", True, ["1"]]


@pytest.mark.parametrize("mended", [False, True])
def test_what_waits_for_a_page_that_never_reads_is_bounded(mended: bool) -> None:
    code = (
        PAGES.format(mended=mended)
        + """
    (line, deaf), (other, hears) = page(), page()
    reader = eventlet.spawn(texts, other)
    sent = 0
    while sent < 100 and deaf in engine.sockets and not engine.sockets[deaf].closed:
        engine.send(deaf, "x" * 200_000)
        sent += 1
        eventlet.sleep(0)
    engine.send(hears, "good")
    engine.disconnect(hears)
    print(json.dumps([sent < 30, "4good" in reader.wait()]))
    """
    )
    assert alone(code) == [mended, True]


def test_a_page_that_only_waits_has_one_greenthread() -> None:
    code = (
        PAGES.format(mended=True)
        + """
    import gc
    from eventlet.greenthread import GreenThread
    def threads(): return sum(isinstance(each, GreenThread) and not each.dead for each in gc.get_objects())
    first, before = page(), threads()              # with the first comes Engine.IO's own
    lines = [page() for _ in range(20)]
    print(json.dumps(threads() - before))
    """
    )
    assert alone(code) == 20


def test_a_closed_page_leaves_no_circle_behind() -> None:
    code = (
        PAGES.format(mended=True)
        + """
    import gc
    line, sid = page()
    gc.collect(); gc.disable()
    line.close()
    while sid in engine.sockets and not engine.sockets[sid].closed: eventlet.sleep(0)
    eventlet.sleep(0)
    print(json.dumps([type(each).__name__ for each in gc.get_objects() if isinstance(each, transport.Line)]))
    """
    )
    assert alone(code) == []


def test_pings_go_on_without_a_thread_of_their_own() -> None:
    code = """
        import eventlet
        eventlet.monkey_patch()
        import gc, json, time
        import engineio
        from engineio.socket import Socket
        from eventlet.greenthread import GreenThread
        from housecall import transport
        transport._timed_pings()
        server = engineio.Server(async_mode="eventlet", ping_interval=0.05, ping_timeout=5)
        page = Socket(server, "page")
        server.sockets["page"] = page
        pings = []
        for _ in range(3):
            page.last_ping = time.time()
            page.schedule_ping()       # as after a pong
            page.schedule_ping()       # a second pong changes nothing
            pings.append([packet.packet_type for packet in page.poll()])
        threads = sum(isinstance(each, GreenThread) for each in gc.get_objects())
        page.last_ping = time.time()
        page.schedule_ping()
        page.close(wait=False, abort=True)
        eventlet.sleep(0.2)
        print(json.dumps([pings, threads, page.queue.qsize()]))
    """
    assert alone(code) == [[[2], [2], [2]], 0, 1]  # the one left is the mark of the end
