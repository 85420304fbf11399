"""The floor with all that is known to help: the same server, its hot events off Flask, its transport mended.

    python tuned.py PORT

It also serves the bare demo of a call at /demo: socket.io's client and twenty lines.
"""

import gc
import gzip
import os
import socket
import sys
import warnings
from pathlib import Path

warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
import eventlet

eventlet.monkey_patch()

import eventlet.wsgi
import mends
import orjson
from flask import Flask, Response
from flask_socketio import SocketIO

mends.apply()
HERE = Path(__file__).parent
CLIENT = Path(os.environ.get("SOCKET_IO_JS", HERE.parent / "node_modules/socket.io/client-dist/socket.io.min.js"))


class Json:
    """What Socket.IO needs of `json`, by orjson."""

    loads = staticmethod(orjson.loads)

    @staticmethod
    def dumps(value, **_):
        return orjson.dumps(value).decode()


app = Flask(__name__)
io = SocketIO(
    app,
    async_mode="eventlet",
    async_handlers=False,
    json=Json,
    transports=["websocket"],
    ping_interval=10,
    ping_timeout=8,
    max_http_buffer_size=65_536,
)
server = io.server
io.on_event("connect", lambda: None)
server.on("join", lambda sid, data: server.enter_room(sid, data["room"]))
server.on("dash", lambda sid, data: server.enter_room(sid, "dashboards"))
server.on("signal", lambda sid, data: server.emit("signal", data, to=data["room"], skip_sid=sid))
server.on("checkin", lambda sid, data: server.emit("checkin", data, to="dashboards"))


def squeezed(path, mimetype):
    return Response(gzip.compress(path.read_bytes()), mimetype=mimetype, headers={"Content-Encoding": "gzip"})


@app.get("/")
def index():
    return "ok"


@app.get("/demo")
def demo():
    return squeezed(HERE / "demo.html", "text/html")


@app.get("/client.js")
def client():
    return squeezed(CLIENT, "text/javascript")


if __name__ == "__main__":
    listener = eventlet.listen(("127.0.0.1", int(sys.argv[1])), backlog=1024)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 10, 1_000)
    eventlet.wsgi.server(listener, app, log_output=False, max_size=20_000)
