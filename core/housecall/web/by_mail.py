"""What the house itself sends by mail: links for a password, an account and an address, and what visitors write."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from flask import current_app, g

from .. import clinics
from ..clinics.models import Member
from ..logs import log
from ..postroom import deliverable, post
from .house import house
from .language import lang, translations
from .letters import address, letter
from .rates import Buckets

TO_ADDRESS = Buckets(rate=1 / 600, burst=3)  #: mails that strangers may have sent to one address: six an hour
BY_NETWORK = Buckets(rate=1 / 600, burst=5)  #: what is written on the contact page, by network
HOUR = 3600 * 1000  #: ms that a link of an hour is tried to be sent
WRITTEN = 5000  #: characters of what a visitor writes

Say = Callable[[str], str]


def possible() -> bool:
    """Whether mail can be sent in the clinic of this page."""
    return deliverable(g.clinic.id, "mail")


def new_password(email: str) -> None:
    """A link for a new password, where the address is a member's. Nothing that a visitor sees tells."""

    def write(clinic: str, language: str, say: Say) -> None:
        member = clinics.members.by_email(clinic, email)
        if member is None or member.disabled_at is not None:
            return
        token = clinics.invitations.reset_token(house().site.secret, member)
        _post(
            clinic,
            member.email,
            say("A new password"),
            [
                say("Somebody, we hope you, has asked for a new password for your account at %(clinic)s.")
                % {"clinic": _name(clinic)}
            ],
            button=(say("Choose a new password"), f"{address(clinic)}/sign-in/link#{token}"),
            notes=[
                say("The link works once, for one hour. If it was not you who asked, nothing has changed: ignore this.")
            ],
            language=language,
            life=HOUR,
        )

    _behind(write)


def first_address(email: str) -> None:
    """A link to make an account; to somebody who has one, how to get in. Nothing that a visitor sees tells which."""

    def write(clinic: str, language: str, say: Say) -> None:
        member, name = clinics.members.by_email(clinic, email), {"clinic": _name(clinic)}
        if member is not None:
            _post(
                clinic,
                member.email,
                say("You have an account already"),
                [
                    say("Somebody, we hope you, wanted to make an account at %(clinic)s with this address.") % name,
                    say("You have one already. If you do not know its password, choose a new one."),
                ],
                button=(say("Sign in"), f"{address(clinic)}/sign-in"),
                notes=[say("If it was not you, nothing has changed: ignore this.")],
                language=language,
                life=HOUR,
            )
            return
        token = clinics.invitations.sign_up_token(house().site.secret, clinic, email)
        _post(
            clinic,
            email,
            say("Your account"),
            [say("Somebody, we hope you, wants to make an account at %(clinic)s with this address.") % name],
            button=(say("Make an account"), f"{address(clinic)}/sign-in/link#{token}"),
            notes=[say("The link works for one hour. If it was not you, ignore this: no account is made.")],
            language=language,
            life=HOUR,
        )

    _behind(write)


def next_address(member: Member, email: str) -> str:
    """A link to the new address of a member, which counts once it was opened; the id of the message."""
    say, clinic = translations(lang()).gettext, member.clinic_id
    token = clinics.invitations.address_token(house().site.secret, member, email)
    return _post(
        clinic,
        email,
        say("Your new address"),
        [
            say("You want to sign in to %(clinic)s with this address from now on.") % {"clinic": _name(clinic)},
            say("Open this and type your password; until then the old address counts."),
        ],
        button=(say("Confirm this address"), f"{address(clinic)}/sign-in/link#{token}"),
        notes=[say("The link works for one hour. If you know nothing of this, ignore it: nothing is changed.")],
        language=lang(),
        life=HOUR,
    )


def changed_address(clinic: str, old: str) -> None:
    """Tells the old address that it does not count any more."""
    say = translations(lang()).gettext
    _post(
        clinic,
        old,
        say("Your address was changed"),
        [
            say("Your account at %(clinic)s has another address now; this one opens it no longer.")
            % {"clinic": _name(clinic)},
            say("If it was not you, tell an owner or admin of the practice at once."),
        ],
        language=lang(),
    )


def invitation(email: str, link: str, inviter: str) -> str:
    """The link of an invitation to staff; the id of the message."""
    say, clinic = translations(lang()).gettext, g.clinic.id
    return _post(
        clinic,
        email,
        say("Your account at %(clinic)s") % {"clinic": _name(clinic)},
        [say("%(name)s invites you to %(clinic)s.") % {"name": inviter, "clinic": _name(clinic)}],
        button=(say("Make your account"), link),
        notes=[say("The link makes one account and works for seven days.")],
        language=lang(),
    )


def written(to: str, *, name: str, email: str, text: str) -> str:
    """What a visitor writes on the contact page, to the practice; the id of the message."""
    say = translations(lang()).gettext
    return _post(
        g.clinic.id,
        to,
        say("Written on the contact page"),
        [text, f"{name} <{email}>" if name else email],
        notes=[say("An answer to this mail goes to that address. Nobody has checked whose it is.")],
        language=lang(),
        reply_to=email,
    )


def _name(clinic: str) -> str:
    return house().site.clinics[clinic].name


def _post(
    clinic: str,
    to: str,
    subject: str,
    paragraphs: Iterable[str],
    *,
    button: tuple[str, str] | None = None,
    notes: Iterable[str] = (),
    language: str,
    life: int = 0,
    reply_to: str = "",
) -> str:
    text, html = letter(clinic, paragraphs, button=button, notes=notes, lang=language)
    expires = house().now() + life if life else 0
    return post(
        clinic, "mail", to, subject=subject, text=text, html=html, owner="core", expires=expires, reply_to=reply_to
    )


def _behind(write: Callable[[str, str, Say], None]) -> None:
    """Write beside the request: neither its answer nor its time tells whether somebody has an account."""
    app, clinic, language = current_app._get_current_object(), g.clinic.id, lang()  # type: ignore[attr-defined]

    def run() -> None:
        try:
            with app.app_context():
                write(clinic, language, translations(language).gettext)
        except Exception:
            log("by mail", level=logging.ERROR, exc_info=True, clinic=clinic)

    house().runtime.spawn(run)
