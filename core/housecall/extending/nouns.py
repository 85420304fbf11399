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
TAKERS = ("others", "provider", "patient")  #: of a transfer
CSP = ("wasm", "scripts")
EVENT_BYTES = 16 * 1024  #: of one event's JSON unless its declaration says otherwise, and at most
TRANSFER_BYTES = 1024**3  #: of one transfer unless its declaration says otherwise
EVENT_RATE = 20.0  #: events a second from one page


@dataclass(frozen=True, kw_only=True)
class Fragment:
    """Something shown in a slot: a template, a module that makes it live, or both."""

    slot: str  #: where it stands (slots.md)
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

    name: str  #: small letters, digits, - and _; goes as `<plugin>:<name>`
    sources: tuple[str, ...]  #: who may send it
    to: str = "others"  #: who gets it
    path: str = "best"  #: the road it takes
    states: tuple[str, ...] = STATES  #: states of the visit in which it goes
    size: int = EVENT_BYTES  #: bytes of its JSON
    rate: float = EVENT_RATE  #: a second, from one page; three times as many at once
    fields: tuple[Field, ...] = ()  #: the fields of its body
    handler: Callable[..., Any] | None = None  #: `handler(context, body)`, for path "server" only


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """Something large that one page gives to another: a file, a picture.

    By a DataChannel of its own where the connection is up, else in sealed pieces that stay here for 15 minutes.
    """

    name: str  #: small letters, digits, - and _; goes as `<plugin>:<name>`
    sources: tuple[str, ...]  #: who may give it
    to: str = "others"  #: who may get it
    states: tuple[str, ...] = STATES  #: states of the visit in which it goes
    size: int = TRANSFER_BYTES  #: bytes at most


@dataclass(frozen=True, kw_only=True)
class Step:
    """Something to do between check-in and the queue. Its answers go sealed to the provider's page, never to us."""

    id: str  #: small letters, digits, - and _
    title: str  #: as patients read it
    fields: tuple[Field, ...] = ()  #: a form of these; either fields or a template
    template: str = ""  #: file below templates/
    module: str = ""  #: file below static/; exports `mount(host)`, says `host.done(step)`
    required: bool = False  #: the patient waits only when it is done
    confirmed: bool = False  #: only the plugin's own Python says that it is done, not the patient's page
    order: int = 100  #: smaller comes first


@dataclass(frozen=True, kw_only=True)
class Job:
    """Something done again and again while the plugin is on."""

    name: str  #: small letters, digits, - and _; the `jobs()` hook brings what it does
    every: int  #: seconds
    run: Callable[..., Any] | None = None  #: `run(clinic)`, the clinic's id


@dataclass(frozen=True, kw_only=True)
class Data:
    """One kind of data that a plugin touches; the admin page and the privacy notice are made of these."""

    what: str  #: the data, in plain words
    whose: tuple[str, ...]  #: who it is about
    purpose: str  #: why the plugin needs it
    kept: str  #: "never", "visit", "browser", "15 minutes", "account" or a stated time
    recipient: str = ""  #: an outside processor, if any


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """A host that a plugin's server side talks to."""

    host: str  #: its name, such as api.example.org
    why: str  #: why it is called, in plain words


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """plugin.toml, read and checked."""

    id: str  #: the folder's name: 2 to 31 small letters, digits and _
    name: str  #: as people read it
    version: str  #: the plugin's own
    api: str  #: the Housecall API that it was written for
    summary: str = ""  #: one sentence for the admin page
    requires: tuple[str, ...] = ()  #: modules that must be importable
    restricted: bool = False  #: only housecall.toml may switch it on
    on_refuse: str = "allow"  #: what a `refuse_move` that raises counts as: "allow" or "block"
    csp: tuple[str, ...] = ()  #: what its pages need besides what all may do
    worker: str = ""  #: file below static/; a service worker, for what a browser does while no page is open
    fragments: tuple[Fragment, ...] = ()  #: what is shown, and where
    events: tuple[Event, ...] = ()  #: what its pages say to each other
    transfers: tuple[Transfer, ...] = ()  #: what large things they give each other
    steps: tuple[Step, ...] = ()  #: what patients do between check-in and the queue
    settings: tuple[Field, ...] = ()  #: what admins can set; each a field (fields.md)
    data: tuple[Data, ...] = ()  #: what it touches; the privacy notice is made of these
    outgoing: tuple[Outgoing, ...] = ()  #: hosts that its server side talks to
    jobs: tuple[Job, ...] = ()  #: what is done again and again
