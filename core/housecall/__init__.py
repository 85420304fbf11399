"""Housecall: self-hosted telemedicine. The names in `__all__` are all that a plugin or a theme may use.

Each is loaded when it is first asked for: importing the package itself loads nothing. Server code is patched before
it is imported, so a name that loads Flask or SQLAlchemy must not do so here.

* nouns: `Field`, `Fragment`, `Event`, `Step`, `Job`, and `hookimpl`, which marks a hook (docs/hooks.md)
* what hooks are given: `VisitView`, `Actor`
* what lasts: `Base` (of a plugin's models), `db` (reads: `db.session`), `write` (the one write transaction), `erase`
  (what was deleted is gone from the disk), `seal`, `unseal` and `fingerprint` (what nobody else may read)
* pages: `page`, `clinic_id`, `member`, `members_only`, `admins_only`, `webhook`; and, here and in hooks, `settings`,
  `clinic_name`, `queue`, `in_visit`
* the practice, in hooks and jobs too: `members_of`, `rooms_of`, `last_seen`, `words_in`
* links: `visit_link` (a `VisitLink` that opens one visit), `contact` (of the practice), `qr_code` (a picture of a link)
* messages to people outside: `post`, `deliverable`, `posted`, `withdraw`, `again`; `letter` and `address` to write
  them; of those who carry them: `Message`, `Attachment`, `Delivery`, `report` (docs/mail.md)
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
    from .message import Attachment, Delivery, Message
    from .postroom import again, deliverable, post, posted, report, withdraw
    from .qr import qr_code
    from .visits import Actor, VisitView
    from .web.known import MemberView, RoomView, last_seen, members_of, rooms_of, words_in
    from .web.letters import address, letter
    from .web.plugin_pages import (
        Usage,
        admins_only,
        clinic_id,
        clinic_name,
        fingerprint,
        in_visit,
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
    from .web.visit_links import VisitLink, contact, visit_link

__all__ = [
    "Actor",
    "Attachment",
    "Base",
    "Delivery",
    "Event",
    "Field",
    "Fragment",
    "Job",
    "MemberView",
    "Message",
    "RoomView",
    "Step",
    "Usage",
    "VisitLink",
    "VisitView",
    "address",
    "admins_only",
    "again",
    "clinic_id",
    "clinic_name",
    "contact",
    "db",
    "deliverable",
    "erase",
    "fingerprint",
    "hookimpl",
    "in_visit",
    "last_seen",
    "letter",
    "member",
    "members_of",
    "members_only",
    "page",
    "post",
    "posted",
    "qr_code",
    "queue",
    "reconsider",
    "report",
    "rooms_of",
    "seal",
    "settings",
    "unseal",
    "usage",
    "visit_link",
    "webhook",
    "withdraw",
    "words_in",
    "write",
]

_HOMES = {
    "clinics.database": ("db", "erase", "write"),
    "clinics.models": ("Base",),
    "extending.hookspecs": ("hookimpl",),
    "extending.nouns": ("Event", "Fragment", "Job", "Step"),
    "fields": ("Field",),
    "message": ("Attachment", "Delivery", "Message"),
    "postroom": ("again", "deliverable", "post", "posted", "report", "withdraw"),
    "qr": ("qr_code",),
    "visits": ("Actor", "VisitView"),
    "web.known": ("MemberView", "RoomView", "last_seen", "members_of", "rooms_of", "words_in"),
    "web.letters": ("address", "letter"),
    "web.plugin_pages": (
        *("Usage", "admins_only", "clinic_id", "clinic_name", "fingerprint", "in_visit", "member", "members_only"),
        *("page", "queue", "reconsider", "seal", "settings", "unseal", "usage", "webhook"),
    ),
    "web.visit_links": ("VisitLink", "contact", "visit_link"),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
