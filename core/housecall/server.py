"""Runs the server: patches first, picks the async mode, listens, and stops cleanly."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flask import Flask

    from .config import Site
    from .runtime import Runtime

NICE = 10  #: of the threads beside the loop: a tenth of the processor where the loop wants it too
HASHING = 2  #: password hashes at a time; each takes 19 MiB (contracts §19)


def serve(
    folder: Path, *, demo: bool = False, safe: bool = False, ready: Callable[[Flask], None] = lambda app: None
) -> int:
    """Serve the clinics of `folder` until a signal ends it; `ready` is called when the port is open.

    Returns an exit code: 0 after a clean end, 1 when the settings are wrong or the port is taken.
    """
    from . import config

    signal.signal(signal.SIGTERM, _interrupt)
    try:
        site = config.load(folder, demo=demo, safe=safe)
    except config.ConfigError as error:
        print(error, file=sys.stderr)
        return 1
    if site.async_mode == "eventlet":
        return _serve_on_eventlet(site, ready)
    return _serve_on_threads(site, ready)


@contextlib.contextmanager
def without(*names: str) -> Iterator[None]:
    """What is imported here does not find these modules, which it only takes along where they are installed."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: not to be found
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def _serve_on_eventlet(site: Site, ready: Callable[[Flask], None]) -> int:
    os.environ.setdefault("PSYCOPG_WAIT_FUNC", "wait_selector")
    os.environ.setdefault("EVENTLET_THREADPOOL_SIZE", str(HASHING))
    warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
    import eventlet

    eventlet.monkey_patch()  # before every other import, or real locks stay behind
    import eventlet.hubs
    import eventlet.semaphore
    import eventlet.tpool
    import eventlet.wsgi

    from . import transport
    from .runtime import Runtime

    slots = eventlet.semaphore.Semaphore(HASHING)

    def offload(function, *args):  # type: ignore[no-untyped-def]
        with slots:
            return eventlet.tpool.execute(_beside, function, *args)

    here = eventlet.getcurrent()

    def stop(*_: object) -> None:
        """Interrupt this greenlet, which serves, and not whichever happens to run now and might swallow it."""
        eventlet.hubs.get_hub().schedule_call_global(0, here.throw, KeyboardInterrupt)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    runtime = Runtime(mode="eventlet", offload=offload, spawn=eventlet.spawn_n, sleep=eventlet.sleep)
    try:
        listener = eventlet.listen((site.bind, site.port), backlog=1024, reuse_port=False)
    except OSError as error:
        return _port_taken(site, error)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    app = _prepare(site, runtime)
    if app is None:
        return 1
    transport.mend()
    app.extensions["housecall"].start()
    _settle()
    ready(app)
    with contextlib.suppress(KeyboardInterrupt):
        eventlet.wsgi.server(listener, app, log_output=False, debug=False, max_size=20_000, keepalive=30)
    return 0


def _beside(function: Callable[..., Any], *args: Any) -> Any:
    """In a thread of the pool: on a server of one core, a hash leaves it to whoever is in a call."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, 0, NICE)  # there, 0 is the thread
    return function(*args)


def _serve_on_threads(site: Site, ready: Callable[[Flask], None]) -> int:
    from werkzeug.serving import WSGIRequestHandler, make_server

    from .runtime import Runtime

    class Quiet(WSGIRequestHandler):
        """Writes no access log: paths may hold what nobody should keep."""

        protocol_version = "HTTP/1.1"

        def log(self, type: str, message: str, *args: object) -> None:
            pass

    app = _prepare(site, Runtime())
    if app is None:
        return 1
    try:
        server = make_server(site.bind, site.port, app, threaded=True, request_handler=Quiet)
    except (OSError, SystemExit) as error:  # werkzeug turns a taken port into SystemExit
        return _port_taken(site, error)
    app.extensions["housecall"].start()
    _settle()
    ready(app)
    with contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()
    return 0


def _settle() -> None:
    """The garbage collector leaves alone what stays for ever, and looks less often: 10 ms at a time and not 50."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 10, 1_000)


def _interrupt(*_: object) -> None:
    """SIGTERM ends us as Ctrl+C does: what stands in `finally` still happens."""
    raise KeyboardInterrupt


def _prepare(site: Site, runtime: Runtime) -> Flask | None:
    """The application over a database that is up to date, or None after saying what to do."""
    from . import clinics
    from .config import ConfigError

    with without("requests", "websocket"):  # the client of engineio comes with its server, and with it 6 MiB
        from .app import create_app

    try:
        clinics.database.prepare(site.database)
        app = create_app(site, runtime)
    except (clinics.database.NotMigrated, ConfigError) as error:
        print(error, file=sys.stderr)
        return None
    for plugin in app.extensions["housecall"].registry.found:
        if plugin.problem:
            print(f"The plugin {plugin.id} ({plugin.source}) is not in use: {plugin.problem}", file=sys.stderr)
    return app


def _port_taken(site: Site, error: BaseException) -> int:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is in use"
    print(f"Cannot listen on {site.bind}:{site.port}: {reason}. Choose another port: PORT=8001", file=sys.stderr)
    return 1
