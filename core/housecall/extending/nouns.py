"""The nouns of every rung: fragment, event, step, job, and what a plugin says that it touches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..fields import Field

SEATS = ("provider", "patient", "guest")  #: the roles of a visit; a member in or over a visit is its provider
STATES = ("arriving", "waiting", "in_call", "paused")
PATHS = ("peer", "server", "best")
RECIPIENTS = ("others", "all", "provider", "patient", "one")
CSP = ("wasm", "worker")
EVENT_BYTES = 16 * 1024  #: of one event's JSON unless its declaration says otherwise, and at most
EVENT_RATE = 20.0  #: events a second from one page


@dataclass(frozen=True, kw_only=True)
class Fragment:
    """Something shown in a slot: a template, a module that makes it live, or both."""

    slot: str
    template: str = ""  #: file below templates/
    module: str = ""  #: file below static/; exports `mount(host)`
    style: str = ""  #: file below static/
    roles: tuple[str, ...] = SEATS  #: who sees it, where the slot is part of a visit
    order: int = 100  #: smaller comes first


@dataclass(frozen=True, kw_only=True)
class Event:
    """A message between the pages of a visit, or to a plugin's own Python.

    `sources` is `from` in a manifest (a word that Python keeps for itself). `path`: peer = by DataChannel only,
    server = by socket only and readable here, best = by whichever is up, sealed where it passes the server.
    """

    name: str
    sources: tuple[str, ...]
    to: str = "others"
    path: str = "best"
    states: tuple[str, ...] = STATES
    size: int = EVENT_BYTES  #: bytes of its JSON
    rate: float = EVENT_RATE  #: a second, from one page; three times as many at once
    fields: tuple[Field, ...] = ()
    handler: Callable[..., Any] | None = None  #: `handler(context, body)`, for path "server" only


@dataclass(frozen=True, kw_only=True)
class Step:
    """Something to do between check-in and the queue. Its answers go sealed to the provider's page, never to us."""

    id: str
    title: str
    fields: tuple[Field, ...] = ()
    template: str = ""
    module: str = ""
    required: bool = False  #: the patient waits only when it is done
    order: int = 100


@dataclass(frozen=True, kw_only=True)
class Job:
    """Something done again and again while the plugin is on."""

    name: str
    every: int  #: seconds
    run: Callable[..., Any] | None = None  #: `run(clinic)`, the clinic's id


@dataclass(frozen=True, kw_only=True)
class Data:
    """One kind of data that a plugin touches; the admin page and the privacy notice are made of these."""

    what: str
    whose: tuple[str, ...]
    purpose: str
    kept: str  #: "never", "visit", "browser", "15 minutes", "account" or a stated time
    recipient: str = ""  #: an outside processor, if any


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """A host that a plugin's server side talks to."""

    host: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """plugin.toml, read and checked."""

    id: str
    name: str
    version: str
    api: str
    summary: str = ""
    requires: tuple[str, ...] = ()  #: modules that must be importable
    restricted: bool = False  #: only housecall.toml may switch it on
    on_refuse: str = "allow"  #: what a `refuse_move` that raises counts as: "allow" or "block"
    csp: tuple[str, ...] = ()
    fragments: tuple[Fragment, ...] = ()
    events: tuple[Event, ...] = ()
    steps: tuple[Step, ...] = ()
    settings: tuple[Field, ...] = ()
    data: tuple[Data, ...] = ()
    outgoing: tuple[Outgoing, ...] = ()
    jobs: tuple[Job, ...] = ()
