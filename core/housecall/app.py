"""create_app(site, runtime): the parts put together, in order, nothing else."""

from __future__ import annotations

import logging
import time

from flask import Flask
from flask_socketio import SocketIO
from werkzeug.middleware.proxy_fix import ProxyFix

from . import clinics
from .config import Site
from .extending import theming
from .runtime import Runtime
from .visits import Change, MemoryStore, Refusal, Visit, Visits, VisitView
from .web import account, admin, assets, dashboard, errors, front, guard, health, language, pages, sign_in, waiting
from .web.house import House
from .web.logs import Lines, log
from .web.sockets import Sockets

FRAME = 64 * 1024  #: bytes of a socket frame (contracts §19)
UPLOAD = 9 * 1024 * 1024  #: bytes of a request: one photo of 8 MB and its form


class Ports:
    """What `visits` may ask of the rest of the house (contracts §1)."""

    def __init__(self, app: Flask, sockets: Sockets):
        self.app, self.sockets = app, sockets

    def refuse(self, view: VisitView, to: str, actor: object) -> list[Refusal]:
        return []

    def changed(self, change: Change) -> None:
        """The history row first, since a visit is dropped only when its end is written down; then those who watch."""
        if change.new.state == "ended":
            with self.app.app_context():
                clinics.history.record(**_history_row(change))
        self.sockets.publish(change)

    def is_over(self, visit_id: str) -> bool:
        with self.app.app_context():
            return bool(clinics.history.exists(visit_id))


def now() -> int:
    """The wall clock, in ms since 1970 UTC."""
    return time.time_ns() // 1_000_000


def create_app(site: Site, runtime: Runtime | None = None) -> Flask:
    """The application of one site. Its database must be migrated (see `clinics.database.upgrade`)."""
    runtime = runtime or Runtime()
    app = Flask("housecall", static_folder=None, template_folder="web/templates")
    app.config.update(
        SQLALCHEMY_DATABASE_URI=site.database,
        MAX_CONTENT_LENGTH=UPLOAD,
        MAX_FORM_MEMORY_SIZE=256 * 1024,
    )
    if site.trusted_proxies:
        hops = site.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    _log_to_stderr()
    clinics.database.init_app(app)
    language.init_app(app)
    io = SocketIO(
        app,
        async_mode=runtime.mode,
        async_handlers=False,
        manage_session=False,
        transports=["websocket"],
        ping_interval=10,
        ping_timeout=8,
        max_http_buffer_size=FRAME,
        cors_allowed_origins=lambda origin, environ: guard.origin_is_ours(site, origin, environ.get("HTTP_HOST", "")),
    )
    sockets = Sockets(app, io, runtime, now)
    sockets.visits = Visits(MemoryStore(now), now, site.secret, Ports(app, sockets))

    def start() -> None:
        runtime.spawn(sockets.keep_time)
        runtime.spawn(_keep_lifetimes, app, runtime)

    app.extensions["housecall"] = House(
        site=site,
        runtime=runtime,
        visits=sockets.visits,
        themes=theming.found(),
        assets=assets.Assets(assets.STATIC, "core"),
        now=now,
        in_call=sockets.in_call,
        start=start,
    )
    guard.init_app(app)
    pages.init_app(app)
    errors.init_app(app)
    for part in (assets, health, front, sign_in, account, admin, dashboard, waiting):
        app.register_blueprint(part.pages)
    sockets.listen()
    with app.app_context():
        clinics.clinic.upsert(site.clinics.values())
    return app


def _keep_lifetimes(app: Flask, runtime: Runtime) -> None:
    """Every hour, delete what has reached the end of its lifetime."""
    while True:
        try:
            with app.app_context():
                clinics.lifetimes.sweep(now())
        except Exception:  # the next hour tries again
            log("lifetimes", level=logging.ERROR, exc_info=True)
        runtime.sleep(3600)


def _history_row(change: Change) -> dict[str, object]:
    visit: Visit = change.new
    members = [seat.member for seat in visit.seats if seat.member]
    return {
        "visit_id": visit.id,
        "clinic_id": visit.clinic,
        "room_id": visit.room,
        "member_id": members[0] if members else None,
        "arrived": visit.arrived,
        "started": visit.started,
        "ended": now(),
        "outcome": change.reason,
        "media": visit.media,
        "seats": len(visit.seats),
    }


def _log_to_stderr() -> None:
    root = logging.getLogger()
    if not any(isinstance(handler.formatter, Lines) for handler in root.handlers):
        handler = logging.StreamHandler()
        handler.setFormatter(Lines())
        root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("housecall").setLevel(logging.INFO)
