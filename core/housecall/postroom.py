"""The post room: takes messages, hands each to whoever carries its kind, and tells what became of it.

What is posted stands sealed in the outbox (clinics/outbox.py). Nothing is sent twice by itself: a message is claimed
before it is sent, and one whose fate is unknown waits, `unsure`, for a person's decision.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import urlsplit

from flask import current_app

from . import mail
from .clinics import outbox
from .clinics.database import db, erase
from .clinics.models import new_id
from .clinics.outbox import Posted
from .config import Site
from .extending.hooks import Answer, Hooks
from .logs import log
from .message import KINDS, Attachment, Delivery, Message
from .runtime import Runtime

MOST = 4  #: messages on their way at a time: one slow carrier holds up nobody else
LOOK = 60.0  #: seconds after which the outbox is looked at, at the latest
RETRY = 5.0  #: seconds until what the database did not take is written down again


class Postroom:
    """One for each server. `context()` gives an application context; `now()` is ms since 1970."""

    def __init__(
        self,
        site: Site,
        hooks: Hooks,
        runtime: Runtime,
        *,
        context: Callable[[], AbstractContextManager[Any]],
        now: Callable[[], int],
    ):
        self.site, self.hooks, self.runtime, self.context, self.now = site, hooks, runtime, context, now
        self._wake = threading.Event()
        self._free = threading.Semaphore(MOST)
        self._unerased = False

    # -- for those who post; within an application context

    def post(self, message: Message, *, due: int, expires: int) -> str:
        outbox.add(self.site.secret, message, due=due, expires=expires, at=self.now())
        self._wake.set()
        return message.id

    def withdraw(self, clinic: str, id: str) -> bool:
        return self._changed(outbox.withdraw(clinic, id))

    def again(self, clinic: str, id: str) -> bool:
        return self._changed(outbox.again(clinic, id, self.now()))

    def report(self, clinic: str, reference: str, state: str, reason: str = "") -> bool:
        return self._changed(outbox.report(clinic, reference, state, reason, self.now()))

    def deliverable(self, clinic: str, kind: str) -> bool:
        if kind not in KINDS:
            raise ValueError(f"kind is one of {', '.join(KINDS)}")
        if any(answer.value for answer in self.hooks.ask("can_deliver", clinic, kind=kind)):
            return True
        return kind == "mail" and self.site.mail is not None and clinic in self.site.clinics

    def _changed(self, done: bool) -> bool:
        if done:
            self._unerased = True
            self._wake.set()
        return done

    # -- the worker

    def keep(self) -> None:
        """Send what is due, for ever."""
        with self.context():
            outbox.recover(self.now())
        while True:
            try:
                wait = self.round()
            except Exception:  # the database may be locked for a moment
                log("outbox", level=logging.ERROR, exc_info=True)
                wait = RETRY
            self._wake.wait(wait)
            self._wake.clear()

    def round(self) -> float:
        """Begin to send what is due, and erase what has ended; the seconds until it is worth looking again."""
        with self.context():
            while (free := self._free.acquire(blocking=False)) and (message := self._claimed()):
                self.runtime.spawn(self._send, message)
            if outbox.sweep(self.now()):
                self._unerased = True
            if self._unerased:
                db.session.rollback()  # our own reading must not be the reader in the way
                self._unerased = not erase(db.engine, patience=0)
            if self._unerased:
                return 1.0
            due = outbox.next_due() if free else None  # else whoever comes back wakes us
        return LOOK if due is None else max(0.0, min(LOOK, (due - self.now()) / 1000))

    def _claimed(self) -> Message | None:
        """The next message that is due; where there is none, its carrier is free again."""
        message = None
        try:
            message = outbox.claim(self.site.secret, self.now())
        finally:
            if message is None:
                self._free.release()
        return message

    def _send(self, message: Message) -> None:
        """One try, and what became of it, written down whatever happens: a row that stays `sending` helps nobody."""
        delivery = self.carry(message)
        while True:
            try:
                with self.context():
                    outbox.settle(message, delivery, self.now())
                break
            except Exception:
                log("outbox", level=logging.ERROR, exc_info=True, clinic=message.clinic)
                self.runtime.sleep(RETRY)
        self._free.release()
        self._unerased = True
        self._wake.set()
        log("posted", clinic=message.clinic, plugin=message.owner, kind=message.kind, outcome=delivery.state)

    def carry(self, message: Message) -> Delivery:
        """Hand a message to the first plugin that carries it, or to the mail server."""
        try:
            for answer in self.hooks.ask_all("deliver", message.clinic, message=message):
                if isinstance(answer, Answer):
                    given: Delivery = answer.value
                    return given
                return Delivery(state="unsure", reason=f"The plugin {answer.plugin} failed while it was sending.")
            clinic = self.site.clinics.get(message.clinic)
            if message.kind == "mail" and self.site.mail is not None and clinic is not None:
                greeting = urlsplit(self.site.address).hostname or ""
                return mail.send(
                    self.site.mail,
                    message,
                    name=clinic.name,
                    reply_to=clinic.core.get("email", ""),
                    greeting=greeting,
                )
        except Exception:
            log("outbox", level=logging.ERROR, exc_info=True, clinic=message.clinic)
            return Delivery(state="unsure", reason="Something failed on our side while it was being sent.")
        return Delivery(state="refused", reason="Nothing is set up here that could send this.")


def _postroom() -> Postroom:
    house = current_app.extensions.get("housecall")
    if house is None:
        raise RuntimeError("messages are posted by a running server: in its pages, hooks, jobs and handlers")
    found: Postroom = house.postroom
    return found


def post(
    clinic: str,
    kind: str,
    to: str,
    *,
    text: str,
    subject: str = "",
    html: str = "",
    attachments: Iterable[Attachment] = (),
    reply_to: str = "",
    owner: str,
    due: int = 0,
    expires: int = 0,
    id: str = "",
) -> str:
    """Post a message: it is sealed, and sent as soon as it is due; its id, by which one may ask what became of it.

    `kind` is "mail", "text" or "push"; `owner` the plugin's id. `due` and `expires` are ms since 1970, at most 400 days
    ahead; without them it is sent now, and tried for 24 hours. Whoever may be interrupted between writing down what is
    to be sent and posting it gives an `id` (at most 32 characters that nobody guesses): posted again under it within
    the hour, it is sent once. Raises ValueError, which names the field that is wrong.
    """
    message = Message(
        id=id or new_id(),
        clinic=clinic,
        kind=kind,
        owner=owner,
        to=to,
        text=text,
        subject=subject,
        html=html,
        reply_to=reply_to,
        attachments=tuple(attachments),
    )
    return _postroom().post(message, due=due, expires=expires)


def posted(clinic: str, id: str) -> Posted | None:
    """What became of a message: `state` ("waiting", "sending", "sent", "failed", "unsure", "delivered", "bounced"),
    `tries` and `reason`. None for one that is unknown, withdrawn, or ended more than an hour ago."""
    return outbox.find(clinic, id)


def withdraw(clinic: str, id: str) -> bool:
    """Take back a message that still waits; False when it is too late, or not there."""
    return _postroom().withdraw(clinic, id)


def again(clinic: str, id: str) -> bool:
    """Send an `unsure` message once more. Only a person may decide that: it may have arrived already."""
    return _postroom().again(clinic, id)


def report(clinic: str, reference: str, state: str, reason: str = "") -> bool:
    """What a carrier says after it has taken a message, by its reference (or the message's id): "delivered" or
    "bounced"; whether that changed anything. `reason` is a sentence for people without anything of the message."""
    return _postroom().report(clinic, reference, state, reason)


def deliverable(clinic: str, kind: str) -> bool:
    """Whether messages of a kind can be posted here now; what cannot go need not be offered."""
    return _postroom().deliverable(clinic, kind)
