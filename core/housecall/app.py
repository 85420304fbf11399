"""create_app(site, runtime): the parts put together, in order, nothing else."""

from __future__ import annotations

import functools
import logging
import time
from typing import Any

import orjson
from flask import Flask
from flask_socketio import SocketIO
from socketio.packet import Packet
from werkzeug.middleware.proxy_fix import ProxyFix

from . import clinics
from .config import Site
from .extending import jobs, registry, theming
from .extending.hooks import Answer, Hooks
from .logs import Lines, log
from .postroom import Postroom
from .runtime import Runtime
from .visits import Blobs, Change, MemoryStore, Refusal, Visit, Visits, VisitView
from .visits.blobs import EVERY
from .web import (
    account,
    admin,
    assets,
    blobs,
    check,
    dashboard,
    errors,
    front,
    guard,
    health,
    joining,
    language,
    look,
    pages,
    posted,
    relay_proof,
    room,
    settings,
    sign_in,
    switches,
    waiting,
)
from .web.house import House
from .web.kept import Kept
from .web.sockets import Sockets

FRAME = 64 * 1024  #: bytes of a socket frame (contracts §19)
UPLOAD = 9 * 1024 * 1024  #: bytes of a request: one photo of 8 MB and its form


class Json:
    """orjson in the shape that Socket.IO wants: 20 µs less for 2 KB than the standard library."""

    loads = staticmethod(orjson.loads)

    @staticmethod
    def dumps(value: Any, **_: Any) -> str:
        return orjson.dumps(value).decode()


class Text(Packet):  # type: ignore[misc]
    """Nobody says bytes here: what comes with some is refused, and nobody looks for them in all that is said."""

    uses_binary_events = False

    def decode(self, encoded_packet: str) -> None:
        if super().decode(encoded_packet):
            raise ValueError("binary")


class Ports:
    """What `visits` may ask of the rest of the house (contracts §1)."""

    def __init__(self, app: Flask, sockets: Sockets, plugins: registry.Registry, passing: Blobs):
        self.app, self.sockets, self.plugins, self.passing = app, sockets, plugins, passing

    def refuse(self, view: VisitView, to: str, actor: object) -> list[Refusal]:
        """What plugins have against a move; one that raises counts as its manifest says."""
        refusals = []
        for answer in self.plugins.hooks.ask_all("refuse_move", view.clinic, view=view, to=to, actor=actor):
            plugin = self.plugins.by_id[answer.plugin]
            if isinstance(answer, Answer):
                refusals.append(Refusal(reason=answer.value, source=plugin.id))
            elif plugin.own.on_refuse == "block":
                refusals.append(Refusal(reason=f"{plugin.own.name}: {answer.error}", source=plugin.id))
        return refusals

    def changed(self, change: Change) -> None:
        """The history row first, since a visit is dropped only when its end is written down; then those who watch."""
        if change.new.state == "ended":
            self.passing.drop(change.new.id)
            with self.app.app_context():
                clinics.history.record(**_history_row(change))
        for step in _waived(change):
            with self.app.app_context():
                what = f"{change.new.id} {step}"[:80]
                clinics.audit.note(change.new.clinic, actor=change.actor.id, action="step.waive", object=what)
        self.sockets.publish(change)
        if change.old is None or change.old.state != change.new.state:
            view, old = self.sockets.visits.view(change.new), change.old.state if change.old else None
            self.plugins.hooks.tell(
                "visit_changed", view.clinic, view=view, old=old, new=view.state, actor=change.actor
            )

    def is_over(self, visit_id: str) -> bool:
        with self.app.app_context():
            return bool(clinics.history.exists(visit_id))

    def came(self, visit_id: str) -> bool:
        with self.app.app_context():
            return clinics.history.came(visit_id)


def _waived(change: Change) -> list[str]:
    """The steps of a check-in that a member has let a patient in without."""
    before = change.old.steps if change.old and change.actor.kind == "member" else {}
    return [step for step, stands in change.new.steps.items() if stands == "waived" and before.get(step) == "open"]


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
    own = assets.Assets(assets.STATIC, "core", lean=True)
    app.wsgi_app = assets.Shelf(app.wsgi_app, own.base)  # type: ignore[method-assign]
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
        json=Json,
        serializer=Text,
        manage_session=False,
        transports=["websocket"],
        ping_interval=10,
        ping_timeout=8,
        max_http_buffer_size=FRAME,
        logger=_plain("socketio.server"),
        engineio_logger=_plain("engineio.server"),
        cors_allowed_origins=lambda origin, environ: guard.origin_is_ours(site, origin, environ.get("HTTP_HOST", "")),
    )
    sockets = Sockets(app, io, runtime, now)
    plugins = registry.Registry(site, functools.partial(Hooks, context=app.app_context, spawn=runtime.spawn))
    postroom = Postroom(site, plugins.hooks, runtime, context=app.app_context, now=now)
    passing = Blobs(site.data / "passing", now, offload=runtime.offload)
    visits = Visits(MemoryStore(now), now, site.secret, Ports(app, sockets, plugins, passing))
    sockets.serve(visits, plugins)
    clinics.logins.on_signed_out.append(
        lambda clinic, member, login: plugins.hooks.tell("signed_out", clinic, member=member, login=login)
    )

    def start() -> None:
        app.extensions["housecall"].keep()
        runtime.spawn(app.extensions["housecall"].press)
        runtime.spawn(sockets.keep_time)
        runtime.spawn(_keep_lifetimes, app, runtime)
        runtime.spawn(postroom.keep)
        passing.sweep()
        runtime.spawn(_keep_passing, passing, runtime)
        if any(plugin.own.jobs for plugin in plugins.by_id.values() if plugin.loaded):
            runtime.spawn(jobs.Jobs(plugins, runtime.spawn).keep, runtime.sleep)

    app.extensions["housecall"] = House(
        site=site,
        runtime=runtime,
        visits=visits,
        blobs=passing,
        registry=plugins,
        postroom=postroom,
        gate=sockets.gate,
        themes=theming.Themes(
            [theming.shipped(), *([] if site.safe else [site.folder / "themes"])], language.interface_texts
        ),
        assets=own,
        kept=Kept(site.data / "assets"),
        now=now,
        in_call=sockets.in_call,
        last_seen=sockets.last_seen,
        start=start,
    )
    guard.init_app(app)
    pages.init_app(app)
    errors.init_app(app)
    parts = (
        assets,
        blobs,
        health,
        front,
        sign_in,
        account,
        admin,
        switches,
        settings,
        look,
        dashboard,
        room,
        relay_proof,
        posted,
    )
    for part in (*parts, check, waiting, joining):  # the last three: below the address of a room, which may be any word
        app.register_blueprint(part.pages)
    _mount(app, plugins)
    with app.app_context():
        clinics.clinic.upsert(site.clinics.values())
        for clinic in clinics.clinic.all():
            plugins.read_switches(clinic.id)
        for plugin in plugins.on_anywhere():
            try:
                plugins.prepare(plugin)
            except registry.Unready as why:
                plugins.quarantine(plugin, str(why))
        for clinic in clinics.clinic.all():  # with their tables there, all can say what a clinic may have
            plugins.read_switches(clinic.id)
    app.extensions[clinics.limits.PORT] = plugins.allow
    return app


def _mount(app: Flask, plugins: registry.Registry) -> None:
    """The pages of plugins, each below its own address."""
    for plugin in list(plugins.by_id.values()):
        try:
            for number, blueprint in enumerate(plugin.blueprints):
                app.register_blueprint(blueprint, url_prefix=f"/-/{plugin.id}", name=f"plugin.{plugin.id}.{number}")
        except Exception as error:
            plugins.quarantine(plugin, f"its pages cannot be mounted: {error}")


def _keep_lifetimes(app: Flask, runtime: Runtime) -> None:
    """Every hour, delete what has reached the end of its lifetime."""
    while True:
        try:
            with app.app_context():
                clinics.lifetimes.sweep(now())
        except Exception:  # the next hour tries again
            log("lifetimes", level=logging.ERROR, exc_info=True)
        runtime.sleep(3600)


def _keep_passing(passing: Blobs, runtime: Runtime) -> None:
    """Twice a minute, delete what has been on its way for long enough."""
    while True:
        runtime.sleep(EVERY / 1000)
        try:
            passing.sweep()
        except Exception:  # the next half minute tries again
            log("passing", level=logging.ERROR, exc_info=True)


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
        "seats": sum(seat.inside for seat in visit.seats),
    }


def _plain(name: str) -> logging.Logger:
    """A library's logger without the handler that it would give itself: what it says goes through our allow-list."""
    logger = logging.getLogger(name)
    logger.setLevel(logging.ERROR)
    return logger


def _log_to_stderr() -> None:
    root = logging.getLogger()
    if not any(isinstance(handler.formatter, Lines) for handler in root.handlers):
        handler = logging.StreamHandler()
        handler.setFormatter(Lines())
        root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("housecall").setLevel(logging.INFO)
