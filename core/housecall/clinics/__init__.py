"""What lasts: clinics, members, rooms, logins, history. Here and nowhere else is a database."""

from . import (
    audit,
    clinic,
    database,
    history,
    images,
    invitations,
    lifetimes,
    logins,
    members,
    models,
    passwords,
    provider_numbers,
    rooms,
    sealing,
    settings,
    switches,
    videos,
)
from .refused import Refused

__all__ = [
    "Refused",
    "audit",
    "clinic",
    "database",
    "history",
    "images",
    "invitations",
    "lifetimes",
    "logins",
    "members",
    "models",
    "passwords",
    "provider_numbers",
    "rooms",
    "sealing",
    "settings",
    "switches",
    "videos",
]
