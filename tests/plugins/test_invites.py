"""Invitations (R30-R35): by every way that they go, and nothing of whom they are for stays behind."""

from __future__ import annotations

import datetime as dt
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import icalendar
import pytest
import requests

from housecall.testing import Mailbox, PluginContract, Practice, Room, Visitor
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
