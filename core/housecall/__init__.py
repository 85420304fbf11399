"""Housecall: self-hosted telemedicine. The names in `__all__` are all that a plugin or a theme may use.

Each is loaded when it is first asked for: importing the package itself loads nothing. Server code is patched before
it is imported, so a name that loads Flask or SQLAlchemy must not do so here.

* nouns: `Field`, `Fragment`, `Event`, `Step`, `Job`, and `hookimpl`, which marks a hook (docs/hooks.md)
* what hooks are given: `VisitView`, `Actor`
* what lasts: `Base` (of a plugin's models), `db` (reads: `db.session`), `write` (the one write transaction), `erase`
  (what was deleted is gone from the disk), `seal`, `unseal` and `fingerprint` (what nobody else may read)
* pages: `page`, `clinic_id`, `member`, `members_only`, `admins_only`, `webhook`; and, here and in hooks, `settings`,
  `address`, `queue`
* limits: `usage` (a `Usage`) and `reconsider`, for plugins that answer `allow`

`housecall.testing` is for the tests of plugins and no part of a running server.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .clinics.database import db, erase, write
    from .clinics.models import Base
    from .extending.hookspecs import hookimpl
    from .extending.nouns import Event, Fragment, Job, Step
    from .fields import Field
    from .visits import Actor, VisitView
    from .web.plugin_pages import (
        Usage,
        address,
        admins_only,
        clinic_id,
        fingerprint,
        member,
        members_only,
        page,
        queue,
        reconsider,
        seal,
        settings,
        unseal,
        usage,
        webhook,
    )

__all__ = [
    "Actor",
    "Base",
    "Event",
    "Field",
    "Fragment",
    "Job",
    "Step",
    "Usage",
    "VisitView",
    "address",
    "admins_only",
    "clinic_id",
    "db",
    "erase",
    "fingerprint",
    "hookimpl",
    "member",
    "members_only",
    "page",
    "queue",
    "reconsider",
    "seal",
    "settings",
    "unseal",
    "usage",
    "webhook",
    "write",
]

_HOMES = {
    "clinics.database": ("db", "erase", "write"),
    "clinics.models": ("Base",),
    "extending.hookspecs": ("hookimpl",),
    "extending.nouns": ("Event", "Fragment", "Job", "Step"),
    "fields": ("Field",),
    "visits": ("Actor", "VisitView"),
    "web.plugin_pages": (
        *("address", "admins_only", "clinic_id", "fingerprint", "member", "members_only", "page", "queue"),
        *("Usage", "reconsider", "seal", "settings", "unseal", "usage", "webhook"),
    ),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
