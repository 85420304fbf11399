"""The one gate for what pages of a visit say to each other by way of this server (contracts §7 and §8)."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from .. import fields
from ..extending.hooks import Raised, place
from ..extending.nouns import Event
from ..extending.registry import Plugin, Registry
from ..logs import log
from ..visits import RUNNING, Visit, Visits, VisitView
from .rates import Bucket

SEALED = ("iv", "data", "keys")  #: what a sealed body has; keys: page -> wrapped key
PAGES = 8  #: that one sealed body may go to


class Party(NamedTuple):
    """One open page that takes part in a visit, or watches it from a dashboard."""

    sid: str
    who: str  #: the seat's id, or the member's
    role: str
    page: str


class Refused(Exception):
    """What a page wanted to say does not pass: an ack's code, and the fields that are wrong."""

    def __init__(self, code: str, **fields: str):
        self.code, self.fields = code, fields


@dataclass(kw_only=True)
class EventContext:
    """What a plugin's Python knows of an event that came for it: never a name, never a key."""

    clinic: str
    visit: VisitView
    seat: str  #: of the sender; empty for a member
    member: str  #: the member who sends; empty for others
    role: str
    _emit: Callable[[str, Any, str], int]
    _step: Callable[[str], None]

    def emit(self, name: str, body: dict[str, Any], to: str = "") -> int:
        """Send one of the plugin's own events of path "server"; says how many pages it reached.

        `to` is others (as declared), all, provider, patient or a seat's id. Raises KeyError for an event that is not
        declared, ValueError for a body that does not pass its fields.
        """
        return self._emit(name, body, to)

    def step_done(self, step: str) -> None:
        """Mark one of the plugin's own steps of this visit as done."""
        self._step(step)


class Gate:
    """Applies the rules of `[[event]]` in their order; what passes is relayed, or given to the plugin's handler."""

    def __init__(
        self,
        *,
        visits: Visits,
        registry: Registry,
        parties: Callable[[Visit], Iterator[Party]],
        emit: Callable[[str, dict[str, Any]], None],
    ):
        self.visits, self.registry, self.parties, self.emit = visits, registry, parties, emit

    def say(self, clinic: str, sid: str, rates: dict[str, Bucket], body: dict[str, Any]) -> dict[str, Any]:
        """One `say` of a page; raises Refused. Its order is that of contracts §7."""
        name, visit_id = body.get("event"), body.get("visit")
        if not isinstance(name, str) or not isinstance(visit_id, str):
            raise Refused("invalid", event="required", visit="required")
        known = self.registry.event(clinic, name)
        visit = self.visits.get(visit_id)
        if known is None or visit is None:
            raise Refused("unknown")
        plugin, rule = known
        parties = list(self.parties(visit))
        me = next((party for party in parties if party.sid == sid), None)
        if me is None:
            raise Refused("unknown")
        back = bool(body.get("ack") or body.get("replay"))  # what a receiver says: got it; or: this is what was said
        if me.role not in rule.sources and not (back and _receives(rule, me.role)):
            raise Refused("forbidden")
        if visit.state not in rule.states and not body.get("ack"):
            raise Refused("closed")
        if rule.path == "peer":
            raise Refused("forbidden")
        _check_shape(rule, body)
        to = self._recipients(rule, me, parties, body, back=back)
        if _size(body) > (rule.size if rule.path == "server" else rule.size * 4 // 3 + 2048):
            raise Refused("too_big", body="too_big")
        bucket = rates.setdefault(name, Bucket(rule.rate, max(3.0, rule.rate * 3)))
        if not body.get("ack") and not bucket.take():
            raise Refused("slow_down")
        if rule.path == "server":
            body["body"], wrong = fields.clean(rule.fields, body["body"])
            if wrong:
                raise Refused("invalid", **wrong)
            if rule.handler is not None and plugin is not None:
                return self._handled(plugin, rule, visit, me, body["body"])
        kept = ("event", "visit", "id", "body", "sealed", "ack", "replay")
        said: dict[str, Any] = {key: body[key] for key in kept if key in body}
        for party in to:
            self.emit(party.sid, {**said, "from": me.who, "page": me.page})
        return {"reached": len(to)}

    def _recipients(
        self, rule: Event, me: Party, parties: list[Party], body: dict[str, Any], *, back: bool
    ) -> list[Party]:
        """To whom it goes: never back to its own page, and only where the rule lets it."""
        others = [party for party in parties if party.sid != me.sid]
        allowed = [party for party in others if _receives(rule, party.role) or (back and party.role in rule.sources)]
        to, pages = body.get("to"), body.get("sealed", {}).get("keys") if "sealed" in body else None
        if to is not None:
            allowed = [party for party in allowed if party.who == to]
        elif rule.to == "one" or rule.path == "best":
            raise Refused("invalid", to="required")
        return [party for party in allowed if pages is None or party.page in pages]

    def _handled(self, plugin: Plugin, rule: Event, visit: Visit, me: Party, body: dict[str, Any]) -> dict[str, Any]:
        assert rule.handler is not None
        try:
            with self.registry.hooks.context():
                answer = rule.handler(self.context(plugin, visit, me), body)
            if answer is None:
                return {}
            if not isinstance(answer, dict):
                raise TypeError(rule.name)
            orjson.dumps(answer)
            return {"answer": answer}
        except Exception as error:
            log("handler", level=logging.ERROR, exc_info=True, plugin=plugin.id, kind=rule.name)
            self.registry.failed(visit.clinic, Raised(plugin=plugin.id, hook=rule.name, error=place(error)))
            raise Refused("failed") from None

    def context(self, plugin: Plugin, visit: Visit, me: Party | None = None) -> EventContext:
        """What a plugin's Python may know of a visit and do in it; `me` is the page that has said something."""

        def emit(name: str, given: dict[str, Any], to: str) -> int:
            declared = next((e for e in plugin.own.events if e.name == name and e.path == "server"), None)
            if declared is None:
                raise KeyError(f"{plugin.id} declares no event {name!r} of path server")
            cleaned, wrong = fields.clean(declared.fields, given)
            if wrong or len(orjson.dumps(cleaned)) > declared.size:
                raise ValueError(f"{name}: {wrong or 'too big'}")
            wanted, mine = to or declared.to, me.sid if me else ""
            reached = 0
            for party in self.parties(self.visits.get(visit.id) or visit):
                if (
                    wanted == "all"
                    or party.role == wanted
                    or (wanted == "others" and party.sid != mine)
                    or party.who == wanted
                ):
                    said = {"event": f"{plugin.id}:{name}", "visit": visit.id, "from": "", "page": "", "body": cleaned}
                    self.emit(party.sid, {**said, "id": secrets.token_urlsafe(9)})
                    reached += 1
            return reached

        def step(name: str) -> None:
            self.visits.step(visit.id, f"{plugin.id}:{name}", "done")

        seated = me is not None and me.who in {seat.id for seat in visit.seats}
        return EventContext(
            clinic=visit.clinic,
            visit=self.visits.view(visit),
            seat=me.who if me and seated else "",
            member=me.who if me and not seated else "",
            role=me.role if me else "",
            _emit=emit,
            _step=step,
        )


def watches(visit: Visit) -> bool:
    """Whether dashboards take part: until the call has begun, when it belongs to those who sit in it."""
    return visit.state not in RUNNING


def _receives(rule: Event, role: str) -> bool:
    return rule.to in ("others", "all", "one") or rule.to == role


def _check_shape(rule: Event, body: dict[str, Any]) -> None:
    """What each path carries. Raises Refused."""
    known = {"event", "visit", "to", "id", "body", "sealed", "ack", "replay"}
    if unknown := [str(name)[:40] for name in body if name not in known]:
        raise Refused("invalid", **dict.fromkeys(unknown, "unknown"))
    if not isinstance(body.get("id"), str) or not 0 < len(body["id"]) <= 40:
        raise Refused("invalid", id="required")
    if not isinstance(body.get("to"), (str, type(None))):
        raise Refused("invalid", to="invalid")
    if rule.path == "server":
        if not isinstance(body.get("body"), dict) or "sealed" in body or "ack" in body or "replay" in body:
            raise Refused("invalid", body="required")
        return
    if "body" in body:
        raise Refused("invalid", body="invalid")  # what anybody could read does not pass
    if body.get("ack") is True and "sealed" not in body:
        return
    sealed = body.get("sealed")
    if not isinstance(sealed, dict) or set(sealed) != set(SEALED) or body.get("replay", True) is not True:
        raise Refused("invalid", sealed="required")
    keys = sealed["keys"]
    if (
        not all(isinstance(sealed[part], str) for part in ("iv", "data"))
        or not isinstance(keys, dict)
        or not 0 < len(keys) <= PAGES
        or not all(isinstance(key, str) and isinstance(value, str) for key, value in keys.items())
    ):
        raise Refused("invalid", sealed="invalid")


def _size(body: dict[str, Any]) -> int:
    """Bytes of what is said."""
    return len(orjson.dumps(body.get("body") or body.get("sealed", {}).get("data", "")))
