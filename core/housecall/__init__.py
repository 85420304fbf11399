"""Housecall: self-hosted telemedicine. The names in `__all__` are all that a plugin or a theme may use.

Each is loaded when it is first asked for: importing the package itself loads nothing. Server code is patched before
it is imported, so a name that loads Flask or SQLAlchemy must not do so here.

* nouns: `Field`, `Fragment`, `Event`, `Step`, `Job`, and `hookimpl`, which marks a hook (docs/hooks.md)
* what hooks are given: `VisitView`, `Actor`
* what lasts: `Base` (of a plugin's models), `db` (reads: `db.session`), `write` (the one write transaction)
* pages: `page`, `clinic_id`, `member`, `members_only`, `admins_only`; and `settings`, here and in hooks
* the practice, in hooks and jobs too: `members_of`, `rooms_of`, `visits_of`, `last_seen`, `address_of`, `words_in`;
  `say`, an event to the pages of a visit; `seal` and `unseal`, for secrets in a plugin's own tables

`housecall.testing` is for the tests of plugins and no part of a running server.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .clinics.database import db, write
    from .clinics.models import Base
    from .extending.hookspecs import hookimpl
    from .extending.nouns import Event, Fragment, Job, Step
    from .fields import Field
    from .visits import Actor, VisitView
    from .web.known import (
        MemberView,
        RoomView,
        address_of,
        last_seen,
        members_of,
        rooms_of,
        say,
        seal,
        unseal,
        visits_of,
        words_in,
    )
    from .web.plugin_pages import admins_only, clinic_id, member, members_only, page, settings

__all__ = [
    "Actor",
    "Base",
    "Event",
    "Field",
    "Fragment",
    "Job",
    "MemberView",
    "RoomView",
    "Step",
    "VisitView",
    "address_of",
    "admins_only",
    "clinic_id",
    "db",
    "hookimpl",
    "last_seen",
    "member",
    "members_of",
    "members_only",
    "page",
    "rooms_of",
    "say",
    "seal",
    "settings",
    "unseal",
    "visits_of",
    "words_in",
    "write",
]

_HOMES = {
    "clinics.database": ("db", "write"),
    "clinics.models": ("Base",),
    "extending.hookspecs": ("hookimpl",),
    "extending.nouns": ("Event", "Fragment", "Job", "Step"),
    "fields": ("Field",),
    "visits": ("Actor", "VisitView"),
    "web.known": (
        "MemberView",
        "RoomView",
        "address_of",
        "last_seen",
        "members_of",
        "rooms_of",
        "say",
        "seal",
        "unseal",
        "visits_of",
        "words_in",
    ),
    "web.plugin_pages": ("admins_only", "clinic_id", "member", "members_only", "page", "settings"),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
