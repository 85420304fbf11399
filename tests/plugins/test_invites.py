"""Invitations (R30-R35): by every way that they go, and nothing of whom they are for stays behind."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import icalendar
import pytest
import requests
from playwright.sync_api import Locator, Page, expect

from housecall.testing import (
    Mailbox,
    Person,
    PluginContract,
    Practice,
    Room,
    Visitor,
    check_in,
    open_dashboard,
    sign_in,
)
from housecall.testing.access import PHONE, audit
from housecall.testing.practice import eventually, free_port

ROOT = Path(__file__).resolve().parents[2]
ELM = '[clinic.main]\nname = "Elm Street Practice"\nplugins = ["invites", "pigeon"]\n'
CORE = '[clinic.main.core]\nemail = "desk@elm.example"\nphone = "+1 555 0100"\n'
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
GRACE = "grace@hopper.example"

#: Carries text messages: into a file of the test's, or not, as that says.
PIGEON = """
import json, os, pathlib
from housecall import Delivery, hookimpl

PLACE = pathlib.Path({place!r})


@hookimpl
def can_deliver(clinic, kind):
    return True if kind == "text" else None


@hookimpl
def deliver(message):
    if message.kind != "text":
        return None
    with PLACE.open("a") as out:
        out.write(json.dumps([message.to, message.text]) + "\\n")
    return Delivery(state="sent")
"""


def now() -> int:
    return time.time_ns() // 1_000_000


class TestInvites(PluginContract):
    folder = ROOT / "plugins/invites"


@dataclass
class Desk:
    """A provider at a practice whose mail and text messages go to the test."""

    practice: Practice
    room: Room
    visitor: Visitor
    texts: Path
    token: str

    def ask(self, path: str, said: dict[str, Any] | None = None) -> requests.Response:
        if said is None:
            return self.visitor.get(f"/-/invites/{path}")
        return self.visitor.post_json(f"/-/invites/{path}", said, token=self.token)

    def link(self, **more: Any) -> dict[str, Any]:
        answer = self.ask("link", {"room": self.room.id, "at": None, **more})
        assert answer.status_code == 200, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def send(self, link: dict[str, Any], **more: Any) -> requests.Response:
        said = {
            "id": link["id"],
            "room": self.room.id,
            "at": link["at"],
            "expires": link["expires"],
            "way": "mail",
            "kind": "invitation",
            "to": GRACE,
            "subject": "Video consultation",
            "text": f"Hello,\n\nopen this:\n{link['url']}\n\nTry before:\n{link['check']}",
            "lang": "en",
        }
        return self.ask("send", {**said, **more})

    def fate(self, answer: requests.Response) -> dict[str, Any]:
        """What became of a message, once that is known."""
        assert answer.status_code == 200, answer.text
        path = f"posted/{answer.json()['post']}"
        eventually(lambda: self.ask(path).json()["state"] not in ("waiting", "sending"))
        said: dict[str, Any] = self.ask(path).json()
        return said

    def check_in(self, url: str, name: str = "Grace") -> requests.Response:
        """Somebody opens a link and checks in."""
        path, _, token = url.partition("#i=")
        path, patient = f"/{path.rsplit('/', 1)[1]}", Visitor(self.practice.url)
        body = {"name": name, "lang": "en", "invite": token}
        return patient.post_json(f"{path}/check-in", body, token=patient.token(path))


@pytest.fixture
def elm(serve: Callable[..., Practice], mailbox: Mailbox, tmp_path: Path) -> Callable[..., Practice]:
    """Starts a practice whose mail goes to `mailbox`, and its texts to the file `texts`."""

    def make(toml: str = "", *, mail: bool = True) -> Practice:
        folder, port = tmp_path / "pigeon", free_port()
        folder.mkdir(exist_ok=True)
        about = 'id = "pigeon"\nname = "Pigeon"\nversion = "1.0"\napi = "1.0"\nsummary = "Carries texts."\n'
        (folder / "plugin.toml").write_text(about, encoding="utf-8")
        (folder / "__init__.py").write_text(PIGEON.format(place=str(tmp_path / "texts")), encoding="utf-8")
        server = mailbox.toml(f"http://localhost:{port}") if mail else ""
        return serve(f"{server}{ELM}{CORE}{toml}", port=port, plugins=(folder,))

    return make


@pytest.fixture
def desk(elm: Callable[..., Practice], tmp_path: Path) -> Desk:
    return at(elm(), tmp_path)


def at(practice: Practice, folder: Path, **profile: Any) -> Desk:
    room = practice.room(**profile)
    visitor = Visitor(practice.url, login=room.login)
    token = visitor.token("/dashboard")
    return Desk(practice=practice, room=room, visitor=visitor, texts=folder / "texts", token=token)


def tomorrow(hour: int = 14) -> int:
    day = dt.datetime.now(dt.UTC).replace(hour=hour, minute=0, second=0, microsecond=0) + dt.timedelta(days=1)
    return int(day.timestamp() * 1000)


def entry(letter: Any) -> tuple[Any, Any]:
    """The calendar of a mail that mail programs show as an invitation, and its event."""
    [part] = [each for each in letter.mail.walk() if each.get_content_type() == "text/calendar"]
    calendar = icalendar.Calendar.from_ical(part.get_content())
    assert part.get_param("method") == calendar["METHOD"]
    assert part.get_content_disposition() != "attachment"
    [file] = [each for each in letter.mail.iter_attachments() if each.get_filename() == "invite.ics"]
    assert file.get_content() == str(calendar.to_ical(), "utf-8").encode() or file.get_payload(decode=True)
    [event] = calendar.walk("VEVENT")
    return calendar, event


# -- by mail


def test_a_mail_says_it_as_text_as_html_and_as_a_calendar_entry(desk: Desk, mailbox: Mailbox) -> None:
    link = desk.link(at=tomorrow())
    assert desk.fate(desk.send(link)) == {"state": "sent", "reason": ""}
    letter = mailbox.to(GRACE)
    assert letter.mail["Subject"] == "Video consultation"
    assert letter.mail["Reply-To"] == "desk@elm.example"
    assert link["url"] in letter.text
    assert f'href="{link["url"]}"' in letter.html
    assert f'href="{link["check"]}"' in letter.html
    assert "To the waiting room" in letter.html
    calendar, event = entry(letter)
    assert calendar["METHOD"] == "REQUEST"
    assert int(event["DTSTART"].dt.timestamp() * 1000) == link["at"]
    assert event["URL"] == event["LOCATION"] == link["url"]
    assert event["ATTENDEE"] == f"mailto:{GRACE}"
    assert event["ORGANIZER"] == "mailto:desk@elm.example"
    assert event["SUMMARY"] == "Video consultation"
    for name in ("Smith", "Ada"):
        assert name not in event["DESCRIPTION"]
    assert desk.check_in(link["url"]).status_code == 409, "too early: tomorrow"


def test_without_a_time_there_is_no_entry(desk: Desk, mailbox: Mailbox) -> None:
    link = desk.link()
    assert desk.fate(desk.send(link))["state"] == "sent"
    kinds = {part.get_content_type() for part in mailbox.to(GRACE).mail.walk()}
    assert kinds == {"multipart/alternative", "text/plain", "text/html"}
    assert desk.check_in(link["url"]).status_code == 201


def test_it_is_moved_and_cancelled_by_the_same_entry(desk: Desk, mailbox: Mailbox) -> None:
    link = desk.link(at=tomorrow(14))
    assert desk.fate(desk.send(link))["state"] == "sent"
    _, first = entry(mailbox.to(GRACE))
    moved = desk.link(id=link["id"], at=tomorrow(16))
    assert moved["id"] == link["id"]
    assert moved["url"] != link["url"]
    assert desk.fate(desk.send(moved, kind="moved"))["state"] == "sent"
    _, second = entry(mailbox.wait(2)[-1])
    assert (second["UID"], second["SEQUENCE"]) == (first["UID"], 1)
    assert second["DTSTART"].dt - first["DTSTART"].dt == dt.timedelta(hours=2)
    assert desk.ask("cancel", {"id": link["id"]}).status_code == 200
    off = desk.send(moved, kind="cancelled", text="It is off.", subject="Cancelled")
    assert desk.fate(off)["state"] == "sent"
    calendar, last = entry(mailbox.wait(3)[-1])
    assert (calendar["METHOD"], last["STATUS"], last["SEQUENCE"]) == ("CANCEL", "CANCELLED", 2)
    assert last["UID"] == first["UID"]
    assert link["url"] not in mailbox.wait(3)[-1].text + mailbox.wait(3)[-1].html
    [row] = desk.ask("sent").json()["sent"]
    assert row["cancelled"]


def test_a_cancelled_link_opens_nothing_and_says_so(desk: Desk) -> None:
    soon = now() + HOUR
    link = desk.link(at=soon)
    assert desk.ask("kept", {"id": link["id"], "room": desk.room.id, "at": soon}).status_code == 200
    assert desk.ask("cancel", {"id": link["id"]}).status_code == 200
    answer = desk.check_in(link["url"])
    assert (answer.status_code, answer.json()["error"]) == (409, "closed")
    assert answer.json()["message"] == "This appointment was cancelled. Ask the practice for a new one."
    moved = desk.link(id=link["id"], at=soon + MINUTE)
    assert desk.ask("kept", {"id": link["id"], "room": desk.room.id, "at": soon + MINUTE}).status_code == 200
    assert desk.check_in(moved["url"]).status_code == 201, "it takes place after all"


def test_what_the_mail_server_says_comes_back(desk: Desk, mailbox: Mailbox) -> None:
    mailbox.answers["nobody@hopper.example"] = "550 5.1.1 No such user"
    said = desk.fate(desk.send(desk.link(), to="nobody@hopper.example"))
    assert said["state"] == "failed"
    assert said["reason"]
    assert "nobody@" not in said["reason"]
    mailbox.hang_up = "dot"
    answer = desk.send(desk.link())
    assert desk.fate(answer)["state"] == "unsure", "the mail server hung up after it had all of it"
    assert len(mailbox.letters) == 1
    mailbox.hang_up = ""
    assert desk.ask("again", {"post": answer.json()["post"]}).json() == {"again": True}
    assert desk.fate(answer)["state"] == "sent"
    assert len(mailbox.wait(2)) == 2, "a person decided that"


# -- by text message, and with a reminder


def test_a_text_message_goes_by_whoever_carries_it(desk: Desk) -> None:
    link = desk.link()
    text = f"Elm: {link['url']}"
    assert desk.fate(desk.send(link, way="text", to="+1 (555) 010-0123", text=text))["state"] == "sent"
    assert [json.loads(line) for line in desk.texts.read_text().splitlines()] == [["+15550100123", text]]


def test_a_reminder_waits_sealed_and_goes_when_the_appointment_is_off(desk: Desk, mailbox: Mailbox) -> None:
    link = desk.link(at=tomorrow())
    words = {"remind_subject": "Reminder", "remind_text": f"Soon:\n{link['url']}\n\nTry:\n{link['check']}"}
    assert desk.fate(desk.send(link, remind=60, **words))["state"] == "sent"
    [row] = desk.ask("sent").json()["sent"]
    assert row["reminder"]
    waiting = outbox(desk.practice)
    assert [(due, expires) for state, due, expires in waiting if state == "waiting"] == [
        (link["at"] - HOUR, link["at"])
    ]
    assert places(desk.practice, GRACE) == set(), "sealed until then"
    assert desk.ask("cancel", {"id": link["id"]}).status_code == 200
    assert [state for state, _, _ in outbox(desk.practice) if state == "waiting"] == []
    assert len(mailbox.letters) == 1


def test_a_reminder_is_of_the_time_that_holds(desk: Desk) -> None:
    """One more message changes nothing of it; another time does, however it was told; the last one asked for counts."""
    link = desk.link(at=tomorrow(14))
    words = {"remind_subject": "Reminder", "remind_text": link["url"]}

    def due() -> list[int]:
        return [due for state, due, _ in outbox(desk.practice) if state == "waiting"]

    assert desk.fate(desk.send(link, remind=60, **words))["state"] == "sent"
    assert desk.fate(desk.send(link, way="text", to="+15550100123"))["state"] == "sent"
    assert due() == [link["at"] - HOUR]
    assert desk.fate(desk.send(link, remind=120, **words))["state"] == "sent"
    assert due() == [link["at"] - 2 * HOUR]
    assert desk.ask("kept", {"id": link["id"], "room": desk.room.id, "at": tomorrow(16)}).status_code == 200
    assert due() == []


def test_a_reminder_that_would_come_too_late_is_refused(desk: Desk) -> None:
    answer = desk.send(desk.link(at=now() + HOUR // 2), remind=60)
    assert (answer.status_code, answer.json()) == (422, {"fields": {"remind": "past"}})
    assert outbox(desk.practice) == []


def outbox(practice: Practice) -> list[tuple[str, int, int]]:
    from sqlalchemy import select

    from housecall.clinics.database import db
    from housecall.clinics.models import Outbox

    with practice.lasting():
        return [tuple(row) for row in db.session.execute(select(Outbox.state, Outbox.due, Outbox.expires))]


# -- what is wrong is named, and nothing is sent then


WRONG: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({"to": ""}, {"to": "required"}),
    ({"to": "grace"}, {"to": "email"}),
    ({"to": "a@b.example, c@d.example"}, {"to": "email"}),
    ({"to": "a@b.example\nBcc: c@d.example"}, {"to": "email"}),
    ({"way": "text", "to": "0123"}, {"to": "phone"}),
    ({"subject": ""}, {"subject": "required"}),
    ({"subject": "a\nb"}, {"subject": "long"}),
    ({"subject": "x" * 201}, {"subject": "long"}),
    ({"text": ""}, {"text": "required"}),
    ({"text": "x" * 4001}, {"text": "long"}),
    ({"text": "Come to us."}, {"text": "link"}),
    ({"room": "another"}, {"room": "unknown"}),
    ({"at": 1}, {"when": "past"}),
    ({"at": "soon"}, {"when": "past"}),
    ({"kind": "moved"}, {"when": "no_time"}),
    ({"id": "x"}, {"room": "unknown"}),
]


def test_what_is_wrong_is_named_and_nothing_is_sent(desk: Desk) -> None:
    for more, fields in WRONG:
        answer = desk.send(desk.link(), **more)
        assert (answer.status_code, answer.json()) == (422, {"fields": fields}), more
    assert outbox(desk.practice) == []
    assert desk.ask("sent").json() == {"sent": []}


def test_only_members_invite_and_only_to_rooms_that_they_serve(desk: Desk) -> None:
    stranger, other = Visitor(desk.practice.url), desk.practice.room()
    for path in ("dialog", "sent", "calendar", "posted/x"):
        assert stranger.get(f"/-/invites/{path}").status_code == 303
    token = stranger.token(f"/{desk.room.slug}")
    for path in ("link", "send", "kept", "cancel", "when", "qr", "entry", "again"):
        assert stranger.post_json(f"/-/invites/{path}", {}, token=token).status_code == 403
    assert desk.ask("link", {"room": other.id}).json() == {"fields": {"room": "unknown"}}
    theirs = at(desk.practice, Path())
    link = theirs.link(at=tomorrow())
    theirs.ask("kept", {"id": link["id"], "room": theirs.room.id, "at": link["at"]})
    assert desk.ask("sent").json() == {"sent": []}
    assert desk.ask("cancel", {"id": link["id"]}).status_code == 422
    taken = desk.ask("link", {"room": desk.room.id, "id": link["id"]})
    assert (taken.status_code, taken.json()) == (422, {"fields": {"room": "unknown"}})


def test_an_invitation_of_another_practice_is_out_of_reach(serve: Callable[..., Practice], tmp_path: Path) -> None:
    both = "".join(
        f'[clinic.{name}]\nname = "{name}"\nhost = "{name}.example"\nplugins = ["invites"]\n' for name in "ab"
    )
    practice = serve(both)
    desks = []
    for name in "ab":
        room = practice.room(clinic=name)
        visitor = Visitor(practice.url, host=f"{name}.example", login=room.login)
        desks.append(Desk(practice, room, visitor, tmp_path, visitor.token("/dashboard")))
    link = desks[0].link(at=tomorrow())
    known = {"id": link["id"], "at": link["at"]}
    assert desks[0].ask("kept", {**known, "room": desks[0].room.id}).status_code == 200
    for path in ("link", "kept", "entry"):
        answer = desks[1].ask(path, {**known, "room": desks[1].room.id})
        assert (answer.status_code, answer.json()) == (422, {"fields": {"room": "unknown"}})
    assert desks[1].ask("cancel", {"id": link["id"]}).status_code == 422
    assert [row["cancelled"] for row in desks[0].ask("sent").json()["sent"]] == [False]


def test_nobody_sends_without_end(desk: Desk) -> None:
    link = desk.link()
    answers = [desk.send(link).status_code for _ in range(13)]
    assert answers == [200] * 12 + [422]


def test_of_a_visit_that_has_begun_there_is_no_second_link(desk: Desk) -> None:
    link = desk.link()
    assert desk.check_in(link["url"]).status_code == 201
    again = desk.ask("link", {"room": desk.room.id, "id": link["id"]})
    assert (again.status_code, again.json()) == (422, {"fields": {"room": "begun"}})


def test_what_was_typed_is_read_by_the_server_and_answered_as_a_moment(desk: Desk) -> None:
    there = dt.datetime.now(dt.UTC).astimezone() + dt.timedelta(days=2)
    said = {"text": f"{there:%d.%m.%Y} 15:30", "zone": "America/New_York", "order": "dmy"}
    answer = desk.ask("when", said).json()
    found = dt.datetime.fromtimestamp(answer["at"] / 1000, dt.UTC)
    import zoneinfo

    assert f"{found.astimezone(zoneinfo.ZoneInfo('America/New_York')):%d.%m.%Y %H:%M}" == said["text"]
    wrong = desk.ask("when", {"text": "when it suits", "zone": "nowhere"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "word")


# -- a link that is shown, and a calendar entry for oneself


def test_a_code_and_an_entry_for_oneself(desk: Desk) -> None:
    link = desk.link(at=tomorrow())
    svg = desk.ask("qr", {"url": link["url"]}).json()["svg"]
    assert svg.startswith("<svg")
    assert "<script" not in svg
    assert desk.ask("qr", {"url": "https://evil.example/"}).status_code == 422
    said = {"id": link["id"], "room": desk.room.id, "at": link["at"], "lang": "de"}
    calendar = icalendar.Calendar.from_ical(desk.ask("entry", said).json()["ics"])
    [event] = calendar.walk("VEVENT")
    assert (calendar["METHOD"], event["SUMMARY"], event["URL"]) == ("PUBLISH", "Videosprechstunde", link["url"])
    assert "ATTENDEE" not in event


def test_a_link_carries_the_passcode_if_chosen(desk: Desk) -> None:
    from housecall import clinics

    with desk.practice.lasting():
        hashed = clinics.rooms.hash_passcode("winter rain", offload=lambda function, *args: function(*args))
        about = {"slug": desk.room.slug, "name": "R", "owner_id": desk.room.member, "media": "video"}
        clinics.rooms.update("main", desk.room.id, **about, reserved=(), actor=None, passcode_hash=hashed)  # type: ignore[arg-type]
    assert desk.check_in(desk.link(passes=False)["url"]).status_code == 422
    assert desk.check_in(desk.link(passes=True)["url"]).status_code == 201


# -- R35: nothing stays


def places(practice: Practice, mark: str) -> set[str]:
    """Where a server's files hold a text."""
    files = [path for path in practice.folder.rglob("*") if path.is_file() and "assets" not in path.parts]
    held = {str(path.name) for path in [*files, practice.log] if mark.encode() in path.read_bytes()}
    return held


def test_what_was_typed_is_gone_when_it_is_sent(desk: Desk, mailbox: Mailbox) -> None:
    """R35: a mark in each field of a mail and of a text message; sent, refused and cancelled."""
    marks = {name: f"Zq{secrets.token_hex(6)}" for name in ("who", "host", "subject", "text", "short", "refused")}
    link = desk.link(at=tomorrow())
    to = f"{marks['who']}@{marks['host']}.example"
    said = {"to": to, "subject": marks["subject"], "text": f"{marks['text']} {link['url']}"}
    assert desk.fate(desk.send(link, **said))["state"] == "sent"
    assert marks["text"] in mailbox.to(to).text, "it was sent"
    number = "+15550100199"
    assert desk.fate(desk.send(link, way="text", to=number, text=f"{marks['short']} {link['url']}"))["state"] == "sent"
    mailbox.answers[f"{marks['refused']}@x.example"] = "550 no"
    assert desk.fate(desk.send(link, to=f"{marks['refused']}@x.example"))["state"] == "failed"
    desk.ask("cancel", {"id": link["id"]})
    token = link["url"].partition("#i=")[2]

    def left() -> list[tuple[str, set[str]]]:
        found = [(mark, places(desk.practice, mark)) for mark in (*marks.values(), number, token)]
        return [(mark, where) for mark, where in found if where]

    eventually(lambda: not left())  # the journal is emptied a moment after the last one is sent
    desk.practice.stop()
    assert left() == []


def test_while_it_waits_it_is_sealed(desk: Desk, mailbox: Mailbox) -> None:
    mark = f"Zq{secrets.token_hex(6)}"
    mailbox.stop()
    link = desk.link()
    answer = desk.send(link, to=f"{mark}@x.example", subject=mark, text=f"{mark} {link['url']}")
    eventually(lambda: desk.ask(f"posted/{answer.json()['post']}").json()["reason"])
    assert desk.ask(f"posted/{answer.json()['post']}").json()["state"] == "waiting"
    assert places(desk.practice, mark) == set()


# -- calendars to follow


def test_a_calendar_is_followed_by_a_secret_address_and_ends_with_it(desk: Desk) -> None:
    link = desk.link(at=tomorrow())
    desk.ask("kept", {"id": link["id"], "room": desk.room.id, "at": link["at"]})
    page = desk.visitor.post("/-/invites/calendar", {"do": "make"}).text
    url = page.split('id="invites-feed" class="copied" readonly value="')[1].split('"')[0]
    path = "/-/invites/feed/" + url.rpartition("/")[2]
    stranger = Visitor(desk.practice.url)
    answer = stranger.get(path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/calendar; charset=utf-8")
    [event] = icalendar.Calendar.from_ical(answer.content).walk("VEVENT")
    assert int(event["DTSTART"].dt.timestamp() * 1000) == link["at"]
    assert link["url"].partition("#i=")[2] not in answer.text
    assert url.rpartition("/")[2].removesuffix(".ics") not in places_text(desk.practice)
    assert stranger.get(path.replace(".ics", "x.ics")).status_code == 404
    other = at(desk.practice, Path())
    made = other.visitor.post("/-/invites/calendar", {"do": "make"}).text
    theirs = "/-/invites/feed/" + made.split("/-/invites/feed/")[1].split('"')[0]
    assert b"VEVENT" not in stranger.get(theirs).content
    again = desk.visitor.post("/-/invites/calendar", {"do": "make"})
    assert stranger.get(path).status_code == 404, "a new address ends the one before"
    fresh = "/-/invites/feed/" + again.text.split("/-/invites/feed/")[1].split('"')[0]
    assert stranger.get(fresh).status_code == 200
    assert "cannot be shown again" in desk.visitor.get("/-/invites/calendar").text
    assert desk.visitor.post("/-/invites/calendar", {"do": "drop"}).status_code == 303
    assert stranger.get(fresh).status_code == 404


def places_text(practice: Practice) -> str:
    database = b"".join(path.read_bytes() for path in (practice.folder / "data").glob("housecall.db*"))
    return database.decode("latin-1")


def test_of_a_member_who_is_disabled_there_is_no_calendar(desk: Desk) -> None:
    from housecall import clinics

    owner = desk.practice.room(role="owner")
    made = desk.visitor.post("/-/invites/calendar", {"do": "make"}).text
    path = "/-/invites/feed/" + made.split("/-/invites/feed/")[1].split('"')[0]
    assert Visitor(desk.practice.url).get(path).status_code == 200
    with desk.practice.lasting():
        clinics.members.set_disabled("main", desk.room.member, True, actor=owner.member)
    assert Visitor(desk.practice.url).get(path).status_code == 404


# -- the practice's own words


def test_a_practice_writes_its_own_words(elm: Callable[..., Practice], tmp_path: Path) -> None:
    owner = at(elm(), tmp_path, role="owner")
    form = {
        "id": "",
        "name": "Short",
        "lang": "pt-BR",
        "subject": "Consulta",
        "text": "Oi {when}\n{link}",
        "short": "{link}",
    }
    for field, value, words in (
        ("name", "", "This is empty."),
        ("lang", "Portuguese", "two or three letters"),
        (
            "text",
            "Oi {nome} {link}",
            "a place that is not known. Known are {practice}, {room}, {when}, {link}, {check}.",
        ),
        ("short", "Oi", "It has no {link}"),
        ("subject", "x" * 201, "This is too long."),
    ):
        answer = owner.visitor.post("/-/invites/words", {**form, field: value, "do": "save"})
        assert (answer.status_code, words in answer.text) == (422, True), f"{field}: {answer.text[-3000:]}"
    assert owner.visitor.post("/-/invites/words", {**form, "do": "save"}).status_code == 303
    dialog = owner.ask("dialog").text
    assert "Consulta" in dialog
    id = owner.visitor.get("/-/invites/words").text.split("words?id=")[1].split('"')[0]
    owner.visitor.post("/-/invites/words", {**form, "id": id, "subject": "Outra", "do": "save"})
    dialog = owner.ask("dialog").text
    assert "Outra" in dialog
    assert "Consulta" not in dialog
    assert owner.visitor.post("/-/invites/words", {"id": id, "do": "drop"}).status_code == 303
    assert "Outra" not in owner.ask("dialog").text
    provider = at(owner.practice, tmp_path)
    assert provider.visitor.get("/-/invites/words").status_code == 404


def test_every_language_has_every_text() -> None:
    import tomllib

    tables = {
        path.stem: tomllib.loads(path.read_text("utf-8")) for path in (ROOT / "plugins/invites/words").glob("*.toml")
    }
    assert len(tables) == 5
    for lang, table in tables.items():
        assert set(table) == {"event", "button", "invitation", "reminder", "moved", "cancelled"}, lang
        for kind in ("invitation", "reminder", "moved", "cancelled"):
            assert set(table[kind]) == {"subject", "text", "short"}
            for name in ("text", "short"):
                text = table[kind][name]
                assert ("{link}" in text) == (kind != "cancelled"), f"{lang} {kind}"
                assert "{when}" in text
                assert "{practice}" in text
        assert "{check}" in table["invitation"]["text"] and "{check}" in table["reminder"]["text"]  # noqa: PT018


# -- opening hours


def test_opening_hours_are_checked_and_told(elm: Callable[..., Practice], tmp_path: Path) -> None:
    owner = at(elm('[clinic.main.invites]\nzone = "Europe/Brussels"\n'), tmp_path, role="owner")
    path = f"/-/invites/hours/{owner.room.slug}"
    assert owner.visitor.get(path).status_code == 404, "nothing is shown where nothing was set"
    form = {"room": owner.room.id, "name": "R", "slug": owner.room.slug, "media": "video", "owner": owner.room.member}
    prefix = f"set-{owner.room.id}-invites"
    wrong = owner.visitor.post("/admin/rooms", {**form, prefix: "1", f"{prefix}-hours": "Mon 9-12\nMoonday 9-12"})
    assert wrong.status_code == 422
    assert "Line 2: “moonday” is no day." in wrong.text
    right = owner.visitor.post(
        "/admin/rooms", {**form, prefix: "1", f"{prefix}-hours": "Mon-Sun 0-24\n2026-12-24 closed"}
    )
    assert right.status_code == 303
    told = Visitor(owner.practice.url).get(path).json()
    assert (told["zone"], told["lines"]) == ("Europe/Brussels", ["Mon-Sun 0-24", "2026-12-24 closed"])
    assert Visitor(owner.practice.url).get("/-/invites/hours/nowhere").status_code == 404


# -- the dialogue


@pytest.fixture
def shown(
    elm: Callable[..., Practice], person: Callable[..., Person], tmp_path: Path
) -> Callable[..., tuple[Desk, Page]]:
    """A provider's dashboard with the dialogue open."""

    def make(toml: str = "", *, mail: bool = True, **options: Any) -> tuple[Desk, Page]:
        practice = elm(toml, mail=mail)
        desk = at(practice, tmp_path)
        options = {"locale": "en-GB", "timezone_id": "Europe/Brussels", **options}
        somebody = person("red", own=f"localhost:{practice.port}", **options)
        somebody.expected.append("status of 422")
        sign_in(somebody.context, practice.url, desk.room.login)
        open_dashboard(somebody.page, practice.url)
        somebody.page.get_by_role("button", name="Invite", exact=True).click()
        expect(somebody.page.get_by_label("Link for one visit")).to_be_attached()
        expect(somebody.page.get_by_label("Message", exact=True).last).to_have_value(re.compile("#i="))
        return desk, somebody.page

    return make


def picture(page: Page, name: str) -> None:
    """With HOUSECALL_PICTURES=folder, pictures to look at."""
    if folder := os.environ.get("HOUSECALL_PICTURES"):
        page.screenshot(path=Path(folder) / f"invites-{name}.png")


def query(href: str) -> dict[str, str]:
    return {name: value[0] for name, value in parse_qs(urlsplit(href).query, keep_blank_values=True).items()}


def way(page: Page, name: str) -> str:
    return page.locator(f'[data-way="{name}"]').get_attribute("href") or ""


SIZES = {"computer": {"width": 1280, "height": 800}, "phone": PHONE}


@pytest.mark.parametrize("size", SIZES)
def test_the_dialogue_by_mouse(
    shown: Callable[..., tuple[Desk, Page]], mailbox: Mailbox, person: Callable[..., Person], size: str
) -> None:
    """A time, its echo in words, the message; sent by mail, told in the dialogue; the patient comes in by the link."""
    desk, page = shown(viewport=SIZES[size])
    picture(page, f"{size}-empty")
    audit(page, "empty", only="dialog")
    page.get_by_label("When").fill("bananas")
    expect(page.locator("#invites-understood")).to_contain_text("“bananas” was not understood.")
    page.get_by_label("When").fill("in 1 hour")
    expect(page.locator("#invites-understood")).to_contain_text("(Central European")
    page.get_by_label("The patient's time zone").select_option("America/New_York")
    expect(page.locator("#invites-understood")).to_contain_text("For the patient:")
    expect(page.locator("#invites-understood")).to_contain_text("(Eastern")
    message = page.locator("#invites-text")
    expect(message).to_have_value(re.compile(r"When: .*\(Eastern"))
    page.get_by_label("E-mail address").fill(GRACE)
    picture(page, f"{size}-filled")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        audit(page, f"filled, {scheme}", only="dialog")
    page.emulate_media(color_scheme="light")
    page.get_by_role("button", name="Send the e-mail").click()
    expect(page.locator(".invites-fates")).to_contain_text(f"E-mail to {GRACE}: sent.")
    picture(page, f"{size}-sent")
    letter = mailbox.to(GRACE)
    assert message.input_value().replace("\r\n", "\n").strip() == letter.text.replace("\r\n", "\n").strip()
    _, event = entry(letter)
    patient = person("green", own=f"localhost:{desk.practice.port}").page
    check_in(patient, str(event["URL"]), "Grace")
    expect(page.locator(".card")).to_have_count(1)


def test_the_dialogue_by_keyboard_only(shown: Callable[..., tuple[Desk, Page]], mailbox: Mailbox) -> None:
    desk, page = shown(viewport=PHONE)
    expect(page.locator("#invites-when")).to_be_focused()
    for field, typed in (("When", "tomorrow 15:30"), ("E-mail address", GRACE)):
        reach(page, page.get_by_label(field).first)
        page.keyboard.type(typed)
    expect(page.locator("#invites-understood")).to_contain_text("15:30")
    reach(page, page.get_by_role("button", name="Send the e-mail"))
    page.keyboard.press("Enter")
    expect(page.locator(".invites-fates")).to_contain_text("sent.")
    assert desk.link
    assert GRACE in mailbox.to(GRACE).to
    reach(page, page.locator("summary", has_text="Link, code and calendar"))
    page.keyboard.press("Enter")
    reach(page, page.get_by_role("button", name="Code for a phone"))
    page.keyboard.press("Enter")
    expect(page.get_by_alt_text("QR code of the link")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name="Invite", exact=True)).to_be_focused()


def reach(page: Page, field: Locator) -> None:
    """Tab until the focus is there."""
    for _ in range(60):
        if field.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab never reaches {field}")


def test_each_way_says_the_same_and_opens_apart(shown: Callable[..., tuple[Desk, Page]]) -> None:
    """mailto:, sms:, Gmail, Outlook and calendars: what they hold, parsed; each in its own tab, without a referrer."""
    desk, page = shown()
    page.get_by_label("When").fill("tomorrow 14:00")
    expect(page.locator("#invites-understood")).to_contain_text("14:00")
    expect(page.locator('[data-part="calendars"]')).to_be_attached()
    page.get_by_label("E-mail address").fill("grace+a&b@hopper.example")
    page.locator("summary", has_text="By text message").click()
    page.get_by_label("Mobile number").fill("+1 555 010 0123")
    page.locator("summary", has_text="Link, code and calendar").click()
    url, text = page.locator("#invites-url").input_value(), page.locator("#invites-text").input_value().strip()
    subject, short = (
        page.locator("#invites-subject").input_value(),
        page.locator("#invites-short").input_value().strip(),
    )
    assert url in text
    assert url in short
    assert "Elm Street Practice" in subject
    mailto = way(page, "mailto")
    assert unquote(urlsplit(mailto).path) == "grace+a&b@hopper.example"
    assert query(mailto) == {"subject": subject, "body": text.replace("\n", "\r\n")}
    assert "+" not in mailto.partition("?")[2]
    gmail = way(page, "gmail")
    assert gmail.startswith("https://mail.google.com/mail/?")
    assert query(gmail) == {"view": "cm", "fs": "1", "to": "grace+a&b@hopper.example", "su": subject, "body": text}
    for name, host in (("outlook", "outlook.live.com"), ("office", "outlook.office.com")):
        assert urlsplit(way(page, name)).netloc == host
        assert query(way(page, name)) == {"to": "grace+a&b@hopper.example", "subject": subject, "body": text}
        assert "+" not in way(page, name).partition("?")[2], "Outlook shows a plus"
    sms = way(page, "sms")
    assert sms.startswith("sms:+15550100123?&body=")
    assert unquote(sms.partition("&body=")[2]) == short
    google = query(way(page, "google"))
    start = dt.datetime.strptime(google["dates"].partition("/")[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    assert (google["action"], google["text"], google["location"]) == ("TEMPLATE", "Video consultation", url)
    for name in ("outlook-calendar", "office-calendar"):
        said = query(way(page, name))
        assert dt.datetime.fromisoformat(said["startdt"]) == start
        assert (said["subject"], said["location"]) == ("Video consultation", url)
    for link in page.locator('dialog a[href^="https:"]').all():
        assert link.get_attribute("target") == "_blank"
        assert set((link.get_attribute("rel") or "").split()) == {"noopener", "noreferrer"}
    with page.expect_download() as download:
        page.get_by_role("button", name="Calendar entry (.ics)").click()
    [event] = icalendar.Calendar.from_ical(Path(download.value.path()).read_bytes()).walk("VEVENT")
    assert event["DTSTART"].dt == start
    page.get_by_role("button", name="Code for a phone").click()
    image = page.get_by_alt_text("QR code of the link")
    expect(image).to_be_visible()
    assert image.evaluate("image => image.decode().then(() => image.naturalWidth > 20)")
    picture(page, "ways")
    audit(page, "all ways", only="dialog")
    assert [row["at"] for row in desk.ask("sent").json()["sent"]] == [int(start.timestamp() * 1000)]


def test_what_somebody_changes_in_the_message_stays(shown: Callable[..., tuple[Desk, Page]], mailbox: Mailbox) -> None:
    """Another time and another room change link and time in it; another language asks before it replaces it."""
    _, page = shown()
    message = page.locator("#invites-text")
    message.fill(message.input_value() + "\n\nPlease be on time.")
    first = page.locator("#invites-url").input_value()
    page.get_by_label("When").fill("tomorrow 14:00")
    expect(page.locator("#invites-understood")).to_contain_text("14:00")
    expect(page.locator("#invites-url")).not_to_have_value(first)
    second = page.locator("#invites-url").input_value()
    expect(message).to_have_value(re.compile("Please be on time."))
    expect(message).to_have_value(re.compile(re.escape(second)))
    assert first not in message.input_value()
    page.get_by_label("Language").select_option("de")
    page.get_by_role("button", name="Keep mine").click()
    expect(message).to_have_value(re.compile("Please be on time."))
    page.get_by_label("Language").select_option("fr")
    page.get_by_role("button", name="Replace it").click()
    expect(message).to_have_value(re.compile("Bonjour"))
    expect(page.locator("#invites-subject")).to_have_value(re.compile("Téléconsultation"))
    page.get_by_label("E-mail address").fill(GRACE)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Invite", exact=True).click()
    expect(page.get_by_label("E-mail address")).to_have_value(GRACE)
    expect(message).to_have_value(re.compile("Bonjour"))
    page.get_by_role("button", name="Send the e-mail").click()
    expect(page.locator(".invites-fates")).to_contain_text("sent.")
    assert "Vers la salle" in mailbox.to(GRACE).html
    page.get_by_role("button", name="Invite somebody else").click()
    expect(page.get_by_label("E-mail address")).to_have_value("")


def test_only_what_can_go_is_shown_and_why_the_rest_cannot_is_said(
    elm: Callable[..., Practice], serve: Callable[..., Practice], person: Callable[..., Person]
) -> None:
    practice = serve('[clinic.main]\nname = "Elm"\nplugins = ["invites"]\n')
    room, somebody = practice.room(), person(own=f"localhost:{practice.port}", locale="en-GB")
    sign_in(somebody.context, practice.url, room.login)
    page = somebody.page
    open_dashboard(page, practice.url)
    invite = page.get_by_role("button", name="Invite", exact=True)
    heading, button = page.get_by_role("heading", name="Waiting room").bounding_box(), invite.bounding_box()
    assert heading is not None
    assert button is not None
    assert heading["y"] < button["y"], "a page begins with its heading"
    invite.click()
    expect(page.locator("#invites-text")).to_have_value(re.compile("#i="))
    expect(page.get_by_role("button", name="Send the e-mail")).to_be_hidden()
    expect(page.get_by_text("This server cannot send e-mail yet")).to_be_visible()
    expect(page.get_by_role("link", name="My mail program")).to_be_visible()
    page.locator("summary", has_text="By text message").click()
    expect(page.get_by_role("button", name="Send the text message")).to_be_hidden()
    expect(page.get_by_text("This server sends no text messages yet")).to_be_visible()
    page.get_by_label("When").fill("tomorrow 14:00")
    expect(page.locator("#invites-understood")).to_contain_text("14:00")
    expect(page.get_by_label("Reminder")).to_be_hidden()


def test_a_failure_comes_back_into_the_open_dialogue(shown: Callable[..., tuple[Desk, Page]], mailbox: Mailbox) -> None:
    _, page = shown(viewport=PHONE)
    page.get_by_label("E-mail address").fill("grace")
    page.get_by_role("button", name="Send the e-mail").click()
    expect(page.get_by_role("alert")).to_contain_text("This is not an e-mail address.")
    expect(page.get_by_label("E-mail address")).to_be_focused()
    mailbox.answers["nobody@hopper.example"] = "550 5.1.1 No such user"
    page.get_by_label("E-mail address").fill("nobody@hopper.example")
    page.get_by_role("button", name="Send the e-mail").click()
    expect(page.locator('.invites-fates [data-state="failed"]')).to_contain_text("not sent.")
    mailbox.hang_up = "dot"
    page.get_by_label("E-mail address").fill(GRACE)
    page.get_by_role("button", name="Send the e-mail").click()
    unsure = page.locator('.invites-fates [data-state="unsure"]')
    expect(unsure).to_contain_text("it may have gone, or not.")
    picture(page, "unsure")
    audit(page, "failed and unsure", only="dialog")
    mailbox.hang_up = ""
    page.get_by_role("button", name="Send it again").click()
    expect(page.locator('.invites-fates [data-state="sent"]')).to_have_count(1)
    mailbox.answers["late@hopper.example"] = "550 5.1.1 No such user"
    page.get_by_label("E-mail address").fill("late@hopper.example")
    page.get_by_role("button", name="Send the e-mail").click()
    page.keyboard.press("Escape")
    expect(page.locator(".toast")).to_contain_text("late@hopper.example: not sent.")


def test_an_appointment_is_moved_and_cancelled_in_the_dialogue(
    shown: Callable[..., tuple[Desk, Page]], mailbox: Mailbox
) -> None:
    _, page = shown(viewport=PHONE)
    page.get_by_label("When").fill("tomorrow 14:00")
    expect(page.locator("#invites-understood")).to_contain_text("14:00")
    page.get_by_label("E-mail address").fill(GRACE)
    page.get_by_role("button", name="Send the e-mail").click()
    expect(page.locator(".invites-fates")).to_contain_text("sent.")
    page.locator("summary", has_text="Invitations that were sent").click()
    picture(page, "list")
    audit(page, "list", only="dialog")
    page.get_by_role("button", name="Move:").click()
    expect(page.get_by_text("type the address again: this server has not kept it.")).to_be_focused()
    expect(page.get_by_label("E-mail address")).to_have_value("")
    page.get_by_label("When").fill("tomorrow 16:00")
    expect(page.locator("#invites-text")).to_have_value(re.compile(r"has a new time(.|\n)*16:00(.|\n)*#i="))
    page.get_by_label("E-mail address").fill(GRACE)
    page.get_by_role("button", name="Send the e-mail").click()
    expect(page.locator('.invites-fates [data-state="sent"]')).to_have_count(2)
    _, moved = entry(mailbox.wait(2)[-1])
    assert moved["SEQUENCE"] == 1
    page.locator("summary", has_text="Invitations that were sent").click()
    page.get_by_role("button", name="Cancel:").click()
    page.get_by_role("button", name="Cancel it", exact=True).last.click()
    expect(page.get_by_text("is cancelled, and its link opens nothing any more.")).to_be_focused()
    picture(page, "cancelled")
    page.get_by_label("E-mail address").fill(GRACE)
    page.get_by_role("button", name="Send the e-mail").click()
    expect(page.locator('.invites-fates [data-state="sent"]')).to_have_count(3)
    calendar, last = entry(mailbox.wait(3)[-1])
    assert (calendar["METHOD"], last["SEQUENCE"]) == ("CANCEL", 2)


def test_the_mail_is_a_page_that_everybody_can_read(
    desk: Desk, mailbox: Mailbox, person: Callable[..., Person]
) -> None:
    """Rendered in Chromium: the practice's name, the words, one button; nothing is fetched from anywhere."""
    link = desk.link(at=tomorrow())
    desk.fate(desk.send(link))
    html = mailbox.to(GRACE).html
    for size, viewport in SIZES.items():
        for scheme in ("light", "dark"):
            reader = person(own="", viewport=viewport, color_scheme=scheme)
            reader.page.set_content(html)
            expect(reader.page.get_by_role("link", name="To the waiting room")).to_have_attribute("href", link["url"])
            width = reader.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
            assert width[0] <= width[1], f"{size}: {width}"
            picture(reader.page, f"mail-{size}-{scheme}")
            assert reader.urls == []


#: [module, function, arguments] of invites-say.js, from a page that has the plugin on.
SAY = """async ([what, ...given]) => {
  const here = document.querySelector("hc-part[data-plugin=invites]").dataset.module.replace("invites.js", "");
  return (await import(`${here}invites-say.js`))[what](...given);
}"""


def test_how_long_a_text_message_is(shown: Callable[..., tuple[Desk, Page]]) -> None:
    _, page = shown()
    page.locator("summary", has_text="By text message").click()
    text, count = page.get_by_label("Text message", exact=True), page.locator("#invites-count")
    for typed, said in (
        ("x" * 160, "160 characters, 1 text message."),
        ("x" * 161, "161 characters, 2 text messages."),
        ("ç" + "x" * 70, "71 characters, 2 text messages. With “ç” fewer fit into each."),
    ):
        text.fill(typed)
        expect(count).to_have_text(said)
    narrow = "{ get() { return () => '3:00\\u202fPM'; } }"  # as many browsers write it, and this one does not
    page.evaluate(f"Object.defineProperty(Intl.DateTimeFormat.prototype, 'format', {narrow})")
    words = page.evaluate(SAY, ["moment", 1_796_000_000_000, "en-US", "America/New_York", False])
    assert words == "3:00 PM", "such a space would double a text message"


def test_a_line_with_a_time_is_left_out_where_there_is_none(shown: Callable[..., tuple[Desk, Page]]) -> None:
    _, page = shown()
    text = "A\n\nWhen: {when}\n\nB {link} {nothing}"
    assert page.evaluate(SAY, ["fill", text, {"when": "", "link": "L"}]) == "A\n\nB L {nothing}"
    assert page.evaluate(SAY, ["fill", text, {"when": "now", "link": "L"}]) == "A\n\nWhen: now\n\nB L {nothing}"


def test_opening_hours_stand_on_the_welcome_page(elm: Callable[..., Practice], person: Callable[..., Person]) -> None:
    from housecall import clinics

    practice = elm('[clinic.main.invites]\nzone = "Europe/Brussels"\n')
    always, never, unset = practice.room(), practice.room(), practice.room()
    with practice.lasting():
        for room, hours in ((always, "Mon-Sun 0-24"), (never, "2030-01-01 9-12")):
            clinics.settings.save("main", "invites", "room", room.id, {"hours": hours}, actor=None)
    page = person(own=f"localhost:{practice.port}", viewport=PHONE, timezone_id="America/New_York").page
    page.goto(always.url)
    place = page.get_by_role("region", name="Opening hours")
    expect(place.locator(".invites-status")).to_have_text("Open now.")
    place.locator("summary").click()
    expect(place.locator("li")).to_have_text(["Mon-Sun 0-24"])
    expect(place).to_contain_text("By the clocks of Europe/Brussels.")
    audit(page, "opening hours")
    picture(page, "hours")
    page.goto(never.url)
    expect(place.locator(".invites-status")).to_have_text("Closed at present.")
    page.goto(unset.url)
    expect(page.locator("main[data-ready]")).to_be_attached()
    expect(page.locator(".invites-hours")).to_have_count(0)


def test_pages_of_words_and_calendar_can_be_used_by_everybody(
    elm: Callable[..., Practice], person: Callable[..., Person]
) -> None:
    practice = elm()
    owner = person(own=f"localhost:{practice.port}", viewport=PHONE)
    sign_in(owner.context, practice.url, practice.room(role="owner").login)
    owner.page.goto(f"{practice.url}/admin")
    owner.page.get_by_role("link", name="Messages of invitations").click()
    audit(owner.page, "words")
    picture(owner.page, "words")
    owner.page.goto(f"{practice.url}/account")
    owner.page.get_by_role("link", name="Calendar of invitations").click()
    owner.page.get_by_role("button", name="Make an address").click()
    expect(owner.page.get_by_label("The address of your calendar")).to_have_value(
        re.compile(r"/-/invites/feed/[\w-]+\.ics")
    )
    audit(owner.page, "calendar")
    picture(owner.page, "calendar")
