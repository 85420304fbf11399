"""Words for everything that can go wrong: a code, what happened, and what to do next (contracts §16)."""

from __future__ import annotations

from typing import NamedTuple

from ..clinics import Sentence
from .language import translations


def N_(text: str) -> str:
    """Marks a text for the catalogue; it is translated when it is shown."""
    return text


class Message(NamedTuple):
    """Two sentences: what happened, and what to do next."""

    what: str
    next: str


#: Acks of socket events (contracts §7).
ACKS = {
    "unknown": Message(N_("This is not available here."), N_("Reload the page and try again.")),
    "forbidden": Message(N_("You may not do this."), N_("Ask the person who runs the practice's server for access.")),
    "closed": Message(N_("This is not possible at the moment."), N_("Wait a moment, then try again.")),
    "invalid": Message(N_("Something in this message was not understood."), N_("Reload the page and try again.")),
    "too_big": Message(N_("This is too large to send."), N_("Send something smaller.")),
    "slow_down": Message(N_("That was too much at once."), N_("Wait a few seconds, then try again.")),
    "full": Message(
        N_("Four people are as many as fit into a visit."), N_("Let somebody go, or take back a link, and try again.")
    ),
    "stale": Message(
        N_("Somebody else has changed this in the meantime."), N_("Look at the queue again, then decide.")
    ),
    "failed": Message(N_("Something went wrong on our side."), N_("Try again. If it stays, reload the page.")),
}

#: Refusals of a socket (contracts §7), and the reasons of `cut`.
REFUSALS = {
    "sign_in": Message(N_("You are no longer signed in."), N_("Sign in again to go on.")),
    "no_ticket": Message(N_("Your place in line was not found."), N_("Check in again with your name.")),
    "over": Message(N_("This visit has ended."), N_("Check in again if you need to see your provider.")),
    "not_here": Message(N_("This visit belongs to another waiting room."), N_("Use the link that you were given.")),
    "old_page": Message(N_("This page is older than the server."), N_("Reload the page.")),
    "signed_out": Message(N_("You were signed out."), N_("Sign in again to go on.")),
    "in_use": Message(
        N_("This link is in use in another browser."), N_("It is for one person. Ask your host for one of your own.")
    ),
    "seated": Message(
        N_("This browser is here already, as another guest."),
        N_("Leave there first, or open this link in another browser."),
    ),
    "withdrawn": Message(
        N_("This link opens nothing any more."), N_("The visit is over, or your host has closed it. Ask for a new one.")
    ),
    "not_whole": Message(
        N_("This link is not whole."),
        N_("Open it from the message once more, or ask the practice for a new one."),
    ),
    "early": Message(N_("It is too early for this link."), N_("Come back shortly before your appointment.")),
    "expired": Message(
        N_("This link is too old."),
        N_("Press “Check in” again to come in without it, or ask the practice for a new one."),
    ),
    "used": Message(
        N_("This link was for one visit, which has been."),
        N_("Press “Check in” again to come in without it, or ask the practice for a new one."),
    ),
    "removed": Message(
        N_("You are no longer in this visit."), N_("Your host has let you go. You can close this page.")
    ),
    "turned_away": Message(
        N_("Your host could not let you in."),
        N_("You can close this page. If it is a mistake, talk to your host."),
    ),
    "flood": Message(N_("This page sent too much and was cut off."), N_("Reload the page.")),
}

#: HTTP errors, by status.
HTTP = {
    "400": Message(N_("This request was not understood."), N_("Go back, check what you entered, and try again.")),
    "403": Message(
        N_("This form came from somewhere else or is too old."), N_("Go back, reload the page, and try again.")
    ),
    "404": Message(N_("There is no page here."), N_("Check the link, or find your room from the front page.")),
    "405": Message(N_("This address does not take that kind of request."), N_("Go back to the front page.")),
    "409": Message(N_("This is not possible at the moment."), N_("Wait a moment, then try again.")),
    "413": Message(N_("This is too large."), N_("Choose a smaller file, at most 8 MB.")),
    "415": Message(N_("This kind of content is not understood here."), N_("Reload the page and try again.")),
    "429": Message(N_("That was too many tries in a short time."), N_("Wait a minute, then try again.")),
    "500": Message(
        N_("Something went wrong on our side."), N_("Try again in a moment. Nothing that you entered was kept.")
    ),
    "507": Message(
        N_("The server has no room for this at the moment."), N_("Try again in a quarter of an hour, or in the call.")
    ),
}

#: Bad input of a form, by the code that `clinics`, `visits` or `fields` gives.
FIELDS = {
    "required": Message(N_("This is empty."), N_("Please fill it in.")),
    "too_long": Message(N_("This is too long."), N_("Please shorten it.")),
    "invalid": Message(N_("This does not look right."), N_("Please check it.")),
    "taken": Message(N_("This is already in use."), N_("Please choose another.")),
    "unknown": Message(N_("This is not known here."), N_("Reload the page and try again.")),
    "forbidden": Message(N_("You may not change this."), N_("Ask an owner of the practice.")),
    "email": Message(N_("This is not an e-mail address."), N_("It looks like name@example.org.")),
    "phone": Message(N_("This is not a telephone number."), N_("Digits, spaces and a leading + are fine.")),
    "url": Message(N_("This is not a web address."), N_("It looks like https://example.org.")),
    "date": Message(N_("This is not a day of the calendar."), N_("Year, month, day: 2030-12-31.")),
    "time": Message(N_("This is not a time of day."), N_("Hours and minutes, from 00:00 to 23:59.")),
    "color": Message(N_("This is not a colour."), N_("It looks like #1f5f5b.")),
    "password_short": Message(N_("This password is too short."), N_("Use at least 8 characters; 12 are better.")),
    "password_common": Message(N_("This password is easy to guess."), N_("Three or four unrelated words are good.")),
    "adult": Message(N_("Only adults can have an account."), N_("Please confirm that you are 18 or older.")),
    "slug": Message(
        N_("An address is 3 to 40 small letters, digits and hyphens."), N_("For example drsmith or elm-street.")
    ),
    "reserved": Message(N_("This address is one of our own pages."), N_("Please choose another.")),
    "provider_number": Message(
        N_("This does not follow the rule of its country."),
        N_("Check the digits. The country comes first: US:1234567893."),
    ),
    "too_short": Message(N_("This is too short."), N_("Please write a little more.")),
    "too_small": Message(N_("This is less than is possible here."), N_("The limits stand beside the field.")),
    "too_big": Message(N_("This is more than is possible here."), N_("The limits stand beside the field.")),
    "choice": Message(N_("This is none of the choices."), N_("Please choose again.")),
    "large_picture": Message(N_("This picture is too large."), N_("Choose one of at most 8 MB and 40 million pixels.")),
    "large_video": Message(N_("This video is too large."), N_("Choose one of at most 60 MB and two minutes.")),
    "long_video": Message(N_("This video is too long."), N_("Choose one of at most two minutes.")),
    "not_a_video": Message(N_("This is not a video that we can read."), N_("Choose an MP4, MOV or WebM file.")),
    "no_videos": Message(N_("This server cannot encode videos yet."), N_("Ask the person who runs it.")),
    "not_a_picture": Message(N_("This is not a picture that we can read."), N_("Choose a JPEG, PNG, WebP or GIF.")),
    "link": Message(N_("This is not an address that can be linked."), N_("It begins with https://, mailto: or tel:.")),
    "closed": Message(
        N_("The practice takes no new accounts."), N_("The person who runs its server can open it or make a link.")
    ),
    "last_owner": Message(N_("This is the practice's last owner."), N_("Make somebody else an owner first.")),
    "wrong": Message(
        N_("E-mail or password is not right."), N_("Check both. A new password comes from your practice.")
    ),
    "wrong_password": Message(N_("This is not the password of the account."), N_("Type the one you sign in with.")),
    "sign_in_first": Message(N_("Sign in first."), N_("Then open the link of the mail once more.")),
    "used": Message(N_("This link has been used or is too old."), N_("Ask your practice for a new one.")),
    "passcode": Message(
        N_("This is not the passcode of this waiting room."), N_("Ask the practice for it, or for a link of your own.")
    ),
    "passcode_short": Message(N_("This passcode is easy to guess."), N_("Use 6 to 64 characters.")),
}


def say(message: Message, lang: str) -> Message:
    """A message in the reader's language."""
    gettext = translations(lang).gettext
    return Message(gettext(message.what), gettext(message.next))


def field_errors(codes: dict[str, str], lang: str) -> dict[str, str]:
    """A form's errors in words: field name to one or two sentences."""
    return {
        name: code if isinstance(code, Sentence) else " ".join(say(FIELDS.get(code, FIELDS["invalid"]), lang))
        for name, code in codes.items()
    }


def for_modules(lang: str) -> dict[str, Message]:
    """The words that the ES modules show for acks and refusals."""
    return {code: say(message, lang) for code, message in {**ACKS, **REFUSALS}.items()}
