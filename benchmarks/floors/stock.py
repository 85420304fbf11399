"""The floor as documented: Flask-SocketIO with its defaults on eventlet, and nothing else. python stock.py PORT"""

import sys
import warnings

warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
import eventlet

eventlet.monkey_patch()

from flask import Flask
from flask_socketio import SocketIO, emit, join_room

app = Flask(__name__)
socketio = SocketIO(app, async_mode="eventlet")


@app.get("/")
def index():
    return "ok"


@socketio.on("join")
def join(data):
    join_room(data["room"])


@socketio.on("dash")
def dash(data):
    join_room("dashboards")


@socketio.on("signal")
def signal(data):
    emit("signal", data, to=data["room"], include_self=False)


@socketio.on("checkin")
def checkin(data):
    emit("checkin", data, to="dashboards")


if __name__ == "__main__":
    # max_size is not documented there; with its default of 1,024 sockets no figure above that could be had
    socketio.run(app, host="127.0.0.1", port=int(sys.argv[1]), max_size=20_000, log_output=False)
