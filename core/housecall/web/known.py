"""What a plugin's Python may know of a practice, in hooks and jobs too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .. import clinics
from ..clinics.models import Member, Room
from . import slots
from .house import house


@dataclass(frozen=True, kw_only=True)
class MemberView:
    """A member of a clinic, as plugins see one."""

    id: str
    name: str  #: as patients read it
    role: str  #: "owner", "admin", "provider" or "staff"
    email: str
    mobile: str  #: as typed; empty where the profile has none
    lang: str  #: empty where it is not known


@dataclass(frozen=True, kw_only=True)
class RoomView:
    """A waiting room of a clinic, as plugins see one."""

    id: str
    slug: str
    name: str
    owner: str | None  #: the member whose own it is; none: shared
    passcode: bool  #: whether one is needed to check in


def members_of(clinic: str) -> list[MemberView]:
    """The members of a clinic whose accounts are open, by name."""
    return [_member(member) for member in clinics.members.of(clinic) if member.disabled_at is None]


def rooms_of(clinic: str, member: str = "") -> list[RoomView]:
    """The waiting rooms of a clinic; of those, where a member is named, the ones that this member may serve now.

    None for a member who is disabled, or of another clinic.
    """
    if not member:
        return [_room(room) for room in clinics.rooms.of(clinic)]
    found = clinics.members.by_id(member)
    if found is None or found.clinic_id != clinic or found.disabled_at is not None:
        return []
    return [_room(room) for room in clinics.members.rooms_of(found)]


def last_seen(member: str) -> int:
    """When a dashboard of this member was open for the last time (ms since 1970): now where one is open.

    0 where none has been since the server started; those that were open then are back some seconds later.
    """
    return house().last_seen(member)


def words_in(plugin: str, lang: str = "") -> Callable[[str], str]:
    """A plugin's words in a language, for what is sent; on pages `_` speaks the visitor's."""
    return slots.words(house().registry.by_id[plugin], lang or "en")


def _member(member: Member) -> MemberView:
    return MemberView(
        id=member.id,
        name=clinics.members.shown_name(member),
        role=member.role,
        email=member.email,
        mobile=member.mobile,
        lang=member.lang,
    )


def _room(room: Room) -> RoomView:
    passcode = room.passcode_hash is not None
    return RoomView(id=room.id, slug=room.slug, name=room.name, owner=room.owner_id, passcode=passcode)
