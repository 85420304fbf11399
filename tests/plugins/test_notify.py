"""Notifications (R23, R24): who wants it is told that somebody waits, once, without a patient's name, and may answer.

The first half runs the application in this process, with a clock that the tests set; the second half runs a real
server, a real mail server and a push service, and browsers.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

import plugin_folders
from housecall import clinics, config
from housecall.app import create_app
from housecall.message import Delivery, Message
from housecall.postroom import Postroom
from housecall.runtime import Runtime
from housecall.testing import Mailbox, Person, PluginContract, Practice, Room, Visitor, check_in, sign_in
from housecall.testing.access import PHONE, audit
from housecall.testing.beginning import prepare
from housecall.testing.certificate import certificate
from housecall.testing.practice import eventually, free_port
from housecall.visits import Actor
from housecall.web.sockets import Connection
from push_peer import PushService, Subscriber, claims, decoded, encoded

ROOT = Path(__file__).resolve().parents[2]
TOML = """\
[server]
url = "https://elm.example.org"
[clinic.main]
name = "Elm Street Practice"
plugins = ["notify"]
[clinic.main.core]
phone = "+1 555 0100"
"""
SECOND, MINUTE = 1000, 60_000
PATIENT = "Zenobia Quillfeather"  #: found nowhere but where members see their queue
WISHES = {"ways": ["mail"], "delay": 0, "every": 300, "quiet_from": None, "quiet_until": None, "own_zone": None}


class TestNotify(PluginContract):
    folder = ROOT / "plugins/notify"


# -- in this process, by a clock of the test's own


class Crash(BaseException):
    """The server is gone in the middle of it."""


@dataclass
class Clock:
    """ms since 1970; it stands still until a test moves it. 2030-06-03 is a Monday."""

    at: int = 1_906_711_200_000  # 2030-06-03 10:00 UTC

    def __call__(self) -> int:
        return self.at

    def tick(self, ms: int) -> None:
        self.at += ms


@dataclass
class Elm:
    """A practice whose application runs here. Messages are handed to nobody but `sent`."""

    app: Flask
    clock: Clock
    sent: list[Message] = field(default_factory=list)
    people: Iterator[int] = field(default_factory=itertools.count)

    @property
    def house(self) -> Any:
        return self.app.extensions["housecall"]

    @property
    def plugin(self) -> Any:
        import housecall.plugins.notify

        return housecall.plugins.notify

    def member(self, name: str = "Ada", *, role: str = "provider", own: bool = True, **wishes: Any) -> Any:
        """A member with a room called after them (unless not `own`), who wants to be told."""
        number = next(self.people)
        email = f"{name.lower()}-{number}@elm.example"
        made = clinics.members.create(
            "main", email=email, first_name=name, last_name="Smith", role=role, password="correct horse battery"
        )
        if own:
            clinics.rooms.create("main", slug=f"{name.lower()}-{number}", name=f"Room of {name}", owner_id=made.id)
        self.wish(made, **wishes)
        return made

    def wish(self, member: Any, **wishes: Any) -> None:
        clinics.settings.save("main", "notify", "member", member.id, {**WISHES, **wishes}, actor=None)

    def room(self, member: Any) -> Any:
        return next(room for room in clinics.rooms.of("main") if room.owner_id == member.id)

    def arrives(self, room: Any, *, there: bool = True) -> Any:
        """Somebody checks in, and their page is `there`. The ticket stays with the test as it does with a browser."""
        visit, ticket = self.house.visits.arrive(clinic="main", room=room.id, name=PATIENT)
        if there:
            self.enters(room, ticket)
        return visit.id, ticket

    def enters(self, room: Any, ticket: str) -> None:
        self.house.visits.enter(ticket, clinic="main", room=room.id, page="page" * 8, name=PATIENT)

    def opens(self, member: Any) -> None:
        """The member's dashboard was open until now."""
        sockets = self.house.last_seen.__self__
        sockets.left[member.id] = self.clock()

    def moves(self, visit: str, to: str, member: Any) -> None:
        actor = Actor(kind="member", id=member.id)
        self.house.visits.move(visit, to, actor=actor, name="Ada", page="board" * 8)
        self.anew()

    def look(self, after: int = 0) -> list[Message]:
        """What is sent when it is looked at again, so many ms later."""
        self.clock.tick(after)
        before = len(self.sent)
        with self.app.app_context():
            self.plugin.watch.look("main")
        self.house.postroom.round()
        self.anew()
        return sorted(self.sent[before:], key=lambda message: message.kind)

    def anew(self) -> None:
        """The test reads what others have written since."""
        clinics.database.db.session.rollback()

    def token(self, message: Message) -> str:
        found = re.search(r"/-/notify/answer#([\w.-]+)", message.text)
        assert found, message.text
        return found[1]


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Elm]]:
    """Makes the application; a second time on the same folder it is the same practice after a restart."""
    clock, contexts = Clock(), []
    monkeypatch.setattr("housecall.app.now", clock)
    monkeypatch.setattr(Postroom, "deliverable", lambda self, clinic, kind: True)

    def make(toml: str = TOML) -> Elm:
        (tmp_path / "housecall.toml").write_text(toml, encoding="utf-8")
        site = config.load(tmp_path, environ={})
        prepare(site.database)
        app = create_app(site, Runtime(spawn=lambda function, *given: function(*given)))
        elm = Elm(app=app, clock=clock)
        for name in ("watch", "answers", "browsers", "push"):
            monkeypatch.setattr(getattr(elm.plugin, name), "now", clock)
        monkeypatch.setattr(elm.plugin, "now", clock)
        monkeypatch.setattr(elm.plugin.watch, "began", clock())
        elm.plugin.watch._known.clear()  # what a process has seen goes with it
        elm.plugin._trials.clear()

        def carry(message: Message) -> Delivery:
            elm.sent.append(message)
            return Delivery(state="sent")

        monkeypatch.setattr(elm.house.postroom, "carry", carry)
        context = app.app_context()
        context.push()
        contexts.append((context, app))
        return elm

    yield make
    for context, app in reversed(contexts):
        with app.app_context():
            clinics.database.db.session.remove()
            clinics.database.db.engine.dispose()
        context.pop()


@pytest.fixture
def elm(build: Callable[..., Elm]) -> Elm:
    made = build()
    made.clock.tick(MINUTE)
    made.plugin.watch.look("main")  # it has been running for a while
    return made


def test_off_until_somebody_asks_for_it(elm: Elm) -> None:
    """R18: a member who has said nothing is told nothing."""
    member = elm.member()
    clinics.settings.save("main", "notify", "member", member.id, {}, actor=None)
    elm.arrives(elm.room(member))
    assert elm.look(10 * MINUTE) == []


def test_who_wants_it_is_told_once_and_without_a_name(elm: Elm) -> None:
    member = elm.member(ways=["mail", "text"], delay=0)
    clinics.members.update(member.id, {"mobile": "+1 555 0199"})
    elm.arrives(elm.room(member))
    mail, text = elm.look()
    assert (mail.kind, mail.to, text.kind, text.to) == ("mail", member.email, "text", "+1 555 0199")
    assert mail.subject == "Someone is waiting: Room of Ada"
    for part in (mail.text, mail.html):
        assert "Someone is waiting: Room of Ada." in part
        assert "https://elm.example.org/-/notify/answer#" in part
        assert "https://elm.example.org/dashboard" in part
    assert re.fullmatch(
        r"Someone is waiting: Room of Ada\. Answer: https://elm\.example\.org/-/notify/answer#[\w.-]+", text.text
    )
    assert len(text.text) <= 160, "one text message"
    for message in (mail, text):
        assert not any(word in message.packed() for word in PATIENT.split())
        assert message.owner == "notify"
    assert elm.look(30 * MINUTE) == [], "once a visit"


def test_whose_dashboard_is_open_is_told_nothing(elm: Elm) -> None:
    member = elm.member(delay=120)
    elm.arrives(elm.room(member))
    elm.look()
    elm.clock.tick(MINUTE)
    elm.opens(member)  # and closed again: they have seen who waits
    assert elm.look(10 * MINUTE) == []
    elm.arrives(elm.room(member))
    elm.look()
    assert len(elm.look(2 * MINUTE)) == 1, "who came after that, they have not seen"


def test_while_a_dashboard_is_open_nothing_is_sent(elm: Elm) -> None:
    member, sockets = elm.member(delay=0), elm.house.last_seen.__self__
    sockets._remember(Connection(sid="sid", clinic="main", page="page" * 8, lang="en", member=member.id))
    elm.arrives(elm.room(member))
    assert elm.look() == elm.look(10 * MINUTE) == []
    sockets.disconnect("sid")
    assert elm.look(10 * MINUTE) == [], "they have seen who waits"
    elm.arrives(elm.room(member))
    assert len(elm.look()) == 1


def test_the_delay_counts_from_when_somebody_waits(elm: Elm) -> None:
    member = elm.member(delay=120)
    elm.arrives(elm.room(member))
    assert elm.look() == []
    assert elm.look(119 * SECOND) == []
    assert len(elm.look(SECOND)) == 1


def test_who_only_knocked_or_is_away_is_not_told_of(elm: Elm) -> None:
    member = elm.member()
    elm.arrives(elm.room(member), there=False)
    assert elm.look() == []


def test_a_flood_is_one_message(elm: Elm) -> None:
    member = elm.member(every=300)
    room = elm.room(member)
    elm.arrives(room)
    assert len(elm.look()) == 1
    for _ in range(9):
        elm.arrives(room)
        assert elm.look(6 * SECOND) == []
    (message,) = elm.look(5 * MINUTE)
    assert message.subject == "10 people are waiting: Room of Ada"
    assert elm.look(5 * MINUTE) == []


def test_several_rooms_are_named_in_one_message(elm: Elm) -> None:
    owner = elm.member("Olga", role="owner", own=False)
    others = [elm.member(name, ways=[]) for name in ("Ben", "Cleo")]
    for other in others:
        elm.arrives(elm.room(other))
    (message,) = elm.look()
    assert message.to == owner.email
    assert message.subject == "2 people are waiting: Room of Ben, Room of Cleo"


@pytest.mark.parametrize(
    ("start", "end", "zone", "is_quiet"),
    [
        ("09:00", "11:00", None, True),
        ("10:02", "11:00", None, False),
        ("22:00", "10:02", None, True),
        ("22:00", "07:00", None, False),
        ("10:01", "10:01", None, False),
        ("11:00", "13:00", "Europe/Berlin", True),  # 12:01 there
        ("09:00", "11:00", "America/New_York", False),  # 06:01 there
        (None, "11:00", None, False),
    ],
)
def test_quiet_hours(elm: Elm, start: str | None, end: str | None, zone: str | None, is_quiet: bool) -> None:
    """The clock stands at 10:01 UTC."""
    member = elm.member(quiet_from=start, quiet_until=end, own_zone=zone)
    elm.arrives(elm.room(member))
    assert (elm.look() == []) is is_quiet


def test_who_still_waits_at_the_end_of_the_quiet_hours_is_told_of_then(elm: Elm) -> None:
    member = elm.member(quiet_from="09:00", quiet_until="10:30")
    elm.arrives(elm.room(member))
    assert elm.look(20 * MINUTE) == []
    assert len(elm.look(10 * MINUTE)) == 1


def test_the_practices_zone_counts_where_a_member_has_none(build: Callable[..., Elm]) -> None:
    elm = build(TOML + '[clinic.main.notify]\nzone = "Europe/Berlin"\n')
    elm.look(MINUTE)
    member = elm.member(quiet_from="12:00", quiet_until="13:00")
    elm.arrives(elm.room(member))
    assert elm.look() == []


def test_rooms_are_chosen(elm: Elm) -> None:
    """Without a word: one's own, and all where none is one's own."""
    ada, ben = elm.member("Ada"), elm.member("Ben", role="owner")
    elm.arrives(elm.room(ada))
    assert [message.to for message in elm.look()] == [ada.email]
    with clinics.database.write() as session:
        session.add(elm.plugin.Wish(member_id=ben.id, room_id=elm.room(ada).id, wanted=True))
        session.add(elm.plugin.Wish(member_id=ada.id, room_id=elm.room(ada).id, wanted=False))
    elm.arrives(elm.room(ada))
    (message,) = elm.look(10 * MINUTE)
    assert message.to == ben.email


def test_who_may_not_serve_the_room_any_more_is_told_nothing(elm: Elm) -> None:
    owner, ada = elm.member("Olga", role="owner", ways=[]), elm.member("Ada")
    room = elm.room(ada)
    clinics.rooms.update(
        "main",
        room.id,
        slug=room.slug,
        name=room.name,
        owner_id=owner.id,
        media="video",
        reserved=(),
        actor=owner.id,
    )
    elm.arrives(room)
    assert elm.look() == []


def test_a_disabled_member_is_told_nothing_and_what_was_under_way_is_taken_back(elm: Elm) -> None:
    owner, ada = elm.member("Olga", role="owner", ways=[]), elm.member("Ada")
    room = elm.room(ada)
    elm.arrives(room)
    elm.plugin.watch.look("main")  # it lies in the outbox
    clinics.members.set_disabled("main", ada.id, True, actor=owner.id)
    elm.house.postroom.round()
    assert elm.sent == []
    elm.arrives(room)
    assert elm.look(10 * MINUTE) == []


def test_what_plugins_know_of_members_and_rooms(build: Callable[..., Elm]) -> None:
    """`members_of` and `rooms_of` of the public API: open accounts, and the rooms that each may serve now."""
    import housecall

    elm = build('[clinic.main]\nname = "Elm"\nhost = "elm.example"\n[clinic.oak]\nname = "Oak"\nhost = "oak.example"\n')
    owner, ada = elm.member("Olga", role="owner", own=False), elm.member("Ada")
    shared = clinics.rooms.create("main", slug="shared", name="Shared", owner_id=None)
    assert {each.id for each in housecall.members_of("main")} == {owner.id, ada.id}
    assert housecall.members_of("oak") == []
    (own,) = housecall.rooms_of("main", ada.id)
    assert (own.name, own.owner) == ("Room of Ada", ada.id)
    assert {each.id for each in housecall.rooms_of("main", owner.id)} == {own.id, shared.id}
    assert {each.id for each in housecall.rooms_of("main")} == {own.id, shared.id}
    assert housecall.rooms_of("oak", owner.id) == housecall.rooms_of("main", "nobody") == []
    clinics.members.set_disabled("main", ada.id, True, actor=owner.id)
    elm.anew()
    assert housecall.rooms_of("main", ada.id) == []
    assert {each.id for each in housecall.members_of("main")} == {owner.id}


def test_what_lies_in_the_outbox_is_taken_back_when_nobody_waits(elm: Elm) -> None:
    member = elm.member()
    visit, _ = elm.arrives(elm.room(member))
    other, _ = elm.arrives(elm.room(member))
    elm.plugin.watch.look("main")
    elm.moves(visit, "in_call", member)
    assert [posted.state for posted in elm_outbox()] == ["waiting"], "another one still waits"
    elm.moves(other, "in_call", member)
    assert elm_outbox() == []
    elm.house.postroom.round()
    assert elm.sent == []


def elm_outbox() -> list[Any]:
    from housecall.clinics.models import Outbox

    return list(clinics.database.db.session.query(Outbox))


def test_a_patient_who_is_sent_on_waits_there_from_then_on(elm: Elm) -> None:
    ada, ben = elm.member("Ada", ways=[]), elm.member("Ben", delay=120)
    visit, _ = elm.arrives(elm.room(ada))
    elm.look(10 * MINUTE)
    actor = Actor(kind="member", id=ada.id)
    elm.house.visits.transfer(visit, elm.room(ben).id, actor=actor, note="Ada")
    assert elm.look() == []
    assert [message.to for message in elm.look(2 * MINUTE)] == [ben.email]


def test_after_the_visit_nothing_is_left_but_when_somebody_was_told(elm: Elm) -> None:
    member = elm.member()
    visit, _ = elm.arrives(elm.room(member))
    elm.look()
    query = clinics.database.db.session.query
    assert query(elm.plugin.watch.Told).count() == 1
    elm.moves(visit, "ended", member)
    assert query(elm.plugin.watch.Told).count() == 0
    assert query(elm.plugin.watch.Call).count() == 1
    elm.clock.tick(12 * 60 * MINUTE + 1)
    elm.plugin.watch.sweep("main")
    assert query(elm.plugin.watch.Call).count() == 0


# -- restarts


def test_after_a_restart_who_waits_is_told_of_once_dashboards_had_time_to_come_back(build: Callable[..., Elm]) -> None:
    elm = build()
    elm.look(MINUTE)
    member = elm.member(delay=120)
    room = elm.room(member)
    _, ticket = elm.arrives(room)
    assert elm.look(MINUTE) == []
    elm.clock.tick(SECOND)
    again = build()
    assert again.look() == [], "the patient's page is not back yet"
    again.enters(room, ticket)
    assert again.look(29 * SECOND) == []
    assert again.look(SECOND) == [], "two minutes are not over"
    assert len(again.look(30 * SECOND)) == 1, "counted from when the patient came"


@pytest.mark.parametrize("back", [False, True], ids=["away", "back"])
def test_after_a_restart_open_dashboards_have_time_to_come_back(build: Callable[..., Elm], back: bool) -> None:
    elm = build()
    member = elm.member(delay=0)
    room = elm.room(member)
    _, ticket = elm.arrives(room)
    elm.clock.tick(SECOND)
    again = build()
    again.enters(room, ticket)
    assert again.look() == []
    if back:
        again.opens(member)
    assert again.look(29 * SECOND) == []
    assert len(again.look(SECOND)) == (0 if back else 1)


def test_after_a_restart_nobody_is_told_twice(build: Callable[..., Elm]) -> None:
    elm = build()
    elm.look(MINUTE)
    member = elm.member()
    room = elm.room(member)
    _, ticket = elm.arrives(room)
    assert len(elm.look()) == 1
    elm.clock.tick(SECOND)
    again = build()
    again.look()
    again.enters(room, ticket)
    assert again.look(10 * MINUTE) == []


@pytest.mark.parametrize("carried", [False, True], ids=["before it was sent", "after it was sent"])
@pytest.mark.parametrize("point", range(8))
def test_a_crash_at_any_point_loses_nothing_and_sends_nothing_twice(
    build: Callable[..., Elm], monkeypatch: pytest.MonkeyPatch, point: int, carried: bool
) -> None:
    """The points: before and after the call is written down, each of two messages is posted, the call is marked."""
    elm = build()
    elm.look(MINUTE)
    member = elm.member(ways=["mail", "text"])
    clinics.members.update(member.id, {"mobile": "+15550199"})
    room = elm.room(member)
    _, ticket = elm.arrives(room)
    steps, real_post, real_write = itertools.count(), elm.plugin.watch.post, elm.plugin.watch.write

    def step() -> None:
        if next(steps) == point:
            raise Crash

    def post(*given: Any, **more: Any) -> None:
        step()
        real_post(*given, **more)
        step()

    @contextmanager
    def write() -> Iterator[Any]:
        step()
        with real_write() as session:
            yield session
        step()

    with monkeypatch.context() as patched:
        patched.setattr(elm.plugin.watch, "post", post)
        patched.setattr(elm.plugin.watch, "write", write)
        with pytest.raises(Crash):
            elm.plugin.watch.look("main")
    if carried:
        elm.house.postroom.round()
    elm.clock.tick(SECOND)
    again = build()
    again.look()
    again.enters(room, ticket)
    for _ in range(4):
        again.look(15 * SECOND)
    kinds = sorted(message.kind for message in elm.sent + again.sent)
    assert kinds == ["mail", "text"]


# -- the answer


@pytest.fixture
def asked(elm: Elm) -> tuple[Elm, Any, str, str]:
    """A member was told that somebody waits: the house, the member, the visit, and the link's token."""
    member = elm.member()
    visit, _ = elm.arrives(elm.room(member))
    (message,) = elm.look()
    return elm, member, visit, elm.token(message)


def heard(elm: Elm, monkeypatch: pytest.MonkeyPatch, tell: Callable[[str, dict[str, Any]], None]) -> None:
    """From now on `tell` is told what the pages of a visit are told."""

    def in_visit(plugin: str, visit: str) -> Any:
        return SimpleNamespace(emit=lambda event, body: tell(visit, body))

    monkeypatch.setattr(elm.plugin.answers, "in_visit", in_visit)


def test_an_answer_is_shown_to_who_waits(asked: tuple[Elm, Any, str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    elm, _, visit, token = asked
    told: list[dict[str, Any]] = []
    heard(elm, monkeypatch, lambda visit, body: told.append({"visit": visit, **body}))
    elm.plugin.answers.give("main", token, "soon")
    assert told == [{"visit": visit, "what": "soon", "name": "Ada Smith", "at": elm.clock(), "phone": ""}]
    elm.clock.tick(MINUTE)
    elm.plugin.answers.give("main", token, "call")
    assert told[-1]["phone"] == "+1 555 0100"
    view = elm.house.visits.view(elm.house.visits.get(visit))
    assert elm.plugin.answers.of(view)["what"] == "call", "the last one, for a page that is drawn anew"


def test_an_answer_goes_to_all_whom_the_message_counted_and_to_nobody_who_came_later(
    elm: Elm, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = elm.member()
    first, _ = elm.arrives(elm.room(member))
    elm.look()
    second, _ = elm.arrives(elm.room(member))
    (message,) = elm.look(5 * MINUTE)
    elm.arrives(elm.room(member))
    assert len(elm.look(5 * MINUTE)) == 1
    told: list[str] = []
    heard(elm, monkeypatch, lambda visit, body: told.append(visit))
    elm.plugin.answers.give("main", elm.token(message), "coming")
    assert sorted(told) == sorted([first, second])


def refusal(elm: Elm, token: str, clinic: str = "main") -> str:
    with pytest.raises(elm.plugin.answers.Refused) as refused:
        elm.plugin.answers.give(clinic, token, "coming")
    return str(refused.value)


@pytest.mark.parametrize("to", ["in_call", "ended"])
def test_when_the_visit_has_begun_or_ended_the_link_opens_nothing(asked: tuple[Elm, Any, str, str], to: str) -> None:
    elm, member, visit, token = asked
    elm.moves(visit, to, member)
    assert refusal(elm, token) == "over"


def test_a_link_is_good_for_an_hour(asked: tuple[Elm, Any, str, str]) -> None:
    elm, _, _, token = asked
    elm.clock.tick(60 * MINUTE - 1)
    elm.plugin.answers.read("main", token)
    elm.clock.tick(1)
    assert refusal(elm, token) == "old"


def test_what_was_forged_or_is_foreign_opens_nothing(asked: tuple[Elm, Any, str, str]) -> None:
    elm, _, _, token = asked
    id, _, signature = token.partition(".")
    forged = (
        "",
        ".",
        id,
        f"{id}.",
        f"{id}.{'0' * len(signature)}",
        f"{id}.{signature[:-1]}",
        f"{id[:-1]}.{signature}",
        f"x{token}",
        f"{secrets.token_urlsafe(12)}.{signature}",
        "é" * 40,
    )
    for each in forged:
        assert refusal(elm, each) == "unknown", each
    assert refusal(elm, token, clinic="other") == "unknown"


def test_who_was_disabled_or_has_lost_the_room_cannot_answer(elm: Elm) -> None:
    owner, ada = elm.member("Olga", role="owner", ways=[]), elm.member("Ada")
    room = elm.room(ada)
    elm.arrives(room)
    (message,) = elm.look()
    clinics.rooms.update(
        "main", room.id, slug=room.slug, name=room.name, owner_id=None, media="video", reserved=(), actor=owner.id
    )
    assert refusal(elm, elm.token(message)) == "unknown"
    clinics.rooms.update(
        "main", room.id, slug=room.slug, name=room.name, owner_id=ada.id, media="video", reserved=(), actor=owner.id
    )
    elm.plugin.answers.read("main", elm.token(message))
    clinics.members.set_disabled("main", ada.id, True, actor=owner.id)
    assert refusal(elm, elm.token(message)) == "unknown"


# -- browsers


KEYS = {"p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"}
KEYS["auth"] = "BTBZMqHH6r4Tts7J_aSIgg"


@pytest.mark.parametrize(
    ("endpoint", "code"),
    [
        ("https://fcm.googleapis.com/fcm/send/abc", ""),
        ("https://updates.push.services.mozilla.com/wpush/v2/abc", ""),
        ("https://web.push.apple.com/abc", ""),
        ("https://wns2-par02p.notify.windows.com/w/?token=abc", ""),
        ("https://fcm.googleapis.com:443/fcm/send/abc", ""),
        ("http://fcm.googleapis.com/fcm/send/abc", "service"),
        ("https://fcm.googleapis.com:8443/fcm/send/abc", "service"),
        ("https://fcm.googleapis.com.evil.example/abc", "service"),
        ("https://evil.example/fcm.googleapis.com", "service"),
        ("https://fcm.googleapis.com@evil.example/", "service"),
        ("https://evil.example\\@fcm.googleapis.com/", "service"),
        ("https://notify.windows.com.evil.example/", "service"),
        ("https://evilnotify.windows.com/", "service"),
        ("https://127.0.0.1/", "service"),
        ("https://[::1]/", "service"),
        ("https://[::1/", "service"),
        ("https://localhost/", "service"),
        ("https://169.254.169.254/latest/meta-data", "service"),
        ("https://fcm.googleapis.com/" + "x" * 2000, "invalid"),
        ("", "service"),
        (None, "invalid"),
    ],
)
def test_only_known_push_services_are_spoken_to(elm: Elm, endpoint: Any, code: str) -> None:
    member = elm.member()
    signed_in = _signed_in(member)
    if not code:
        elm.plugin.browsers.keep("main", signed_in, {"endpoint": endpoint, "keys": KEYS})
        assert [elm.plugin.browsers.subscription(row)["endpoint"] for row in elm.plugin.browsers.of(member.id)] == [
            endpoint
        ]
        return
    with pytest.raises(elm.plugin.browsers.Refused, match=code):
        elm.plugin.browsers.keep("main", signed_in, {"endpoint": endpoint, "keys": KEYS})
    assert elm.plugin.browsers.of(member.id) == []


@pytest.mark.parametrize(
    "keys",
    [
        None,
        {},
        {"p256dh": KEYS["p256dh"]},
        {**KEYS, "auth": "short"},
        {**KEYS, "p256dh": "A" * 87},
        {**KEYS, "auth": 5},
    ],
)
def test_keys_that_are_none_are_refused(elm: Elm, keys: Any) -> None:
    given = {"endpoint": "https://fcm.googleapis.com/a", "keys": keys}
    with pytest.raises(elm.plugin.browsers.Refused, match="invalid"):
        elm.plugin.browsers.keep("main", _signed_in(elm.member()), given)


def _signed_in(member: Any, login: str = "login-hash") -> Any:
    from housecall.web.plugin_pages import SignedIn

    return SignedIn(id=member.id, name="Ada", role="provider", login=login, browser="Firefox, Linux")


def test_the_operator_may_name_further_services(build: Callable[..., Elm]) -> None:
    elm = build(TOML + '[clinic.main.notify]\nservices = "push.example.org 10.0.0.5:8443"\n')
    for endpoint in ("https://push.example.org/a", "https://10.0.0.5:8443/a"):
        assert elm.plugin.browsers.known("main", endpoint)
    for endpoint in ("https://10.0.0.5/a", "https://push.example.org:8443/a", "http://push.example.org/a"):
        assert not elm.plugin.browsers.known("main", endpoint)


def test_the_page_for_operators_shows_what_works(build: Callable[..., Elm]) -> None:
    shown = re.search(r"```toml\n(.*?)```", (ROOT / "docs/notifications.md").read_text(encoding="utf-8"), re.S)
    assert shown
    assert build(TOML + shown[1]).plugin.browsers.own_services("main") == ["push.example.org", "10.0.0.5:8443"]


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2607:f8b0:4004::1", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),  # noqa: S104
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::ffff:10.0.0.1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
    ],
)
def test_which_addresses_are_of_the_public_network(elm: Elm, address: str, public: bool) -> None:
    assert elm.plugin.push.everywhere(address) is public


def test_a_known_name_that_leads_into_the_house_is_not_followed(elm: Elm, monkeypatch: pytest.MonkeyPatch) -> None:
    member = elm.member(ways=["push"])
    elm.plugin.browsers.keep("main", _signed_in(member), {"endpoint": "https://web.push.apple.com/a", "keys": KEYS})
    (row,) = elm.plugin.browsers.of(member.id)
    found = [(2, 1, 6, "", ("17.1.2.3", 443)), (2, 1, 6, "", ("10.0.0.1", 443))]
    monkeypatch.setattr(elm.plugin.push.socket, "getaddrinfo", lambda *_, **__: found)
    monkeypatch.setattr(elm.plugin.push.socket, "create_connection", lambda *_: pytest.fail("it was followed"))
    delivery = elm.plugin.push.deliver(_push(row.id))
    assert (delivery.state, delivery.reason) == ("refused", "The push service is not on the public network.")


def _push(to: str) -> Message:
    return Message(id="m" * 22, clinic="main", kind="push", owner="notify", to=to, text='{"title": "x"}')


def test_a_message_is_what_the_rfc_says(elm: Elm) -> None:
    """The example of RFC 8291, Appendix A: the same keys and the same salt make the same bytes."""
    from cryptography.hazmat.primitives.asymmetric import ec

    private = int.from_bytes(decoded("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big")
    made = elm.plugin.push.encrypt(
        b"When I grow up, I want to be a watermelon",
        decoded("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
        decoded("BTBZMqHH6r4Tts7J_aSIgg"),
        ours=ec.derive_private_key(private, ec.SECP256R1()),
        salt=decoded("DGv6ra1nlYgDCS1FRnbzlw"),
    )
    assert encoded(made) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95"
        "bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


def test_a_login_that_is_ended_takes_its_browser_with_it(elm: Elm) -> None:
    member = elm.member(ways=["push"])
    for login in ("one", "two"):
        token = clinics.logins.start(member.id, "test", agent="", address="127.0.0.1")
        given = {"endpoint": f"https://web.push.apple.com/{login}", "keys": KEYS}
        elm.plugin.browsers.keep("main", _signed_in(member, clinics.logins.digest(token)), given)
    elm.arrives(elm.room(member))
    clinics.logins.revoke(clinics.logins.digest(token))
    elm.anew()
    (message,) = elm.look()
    (row,) = elm.plugin.browsers.of(member.id)
    assert message.to == row.id
    clinics.logins.revoke_all(member.id)  # a new password, or the account was disabled
    elm.anew()
    assert elm.plugin.browsers.of(member.id) == []
    elm.arrives(elm.room(member))
    assert elm.look(10 * MINUTE) == []


def test_a_login_that_only_runs_out_leaves_its_browser(elm: Elm) -> None:
    member = elm.member(ways=["push"])
    token = clinics.logins.start(member.id, "test", agent="", address="127.0.0.1")
    given = {"endpoint": "https://web.push.apple.com/a", "keys": KEYS}
    elm.plugin.browsers.keep("main", _signed_in(member, clinics.logins.digest(token)), given)
    clinics.lifetimes.sweep(elm.clock() + 100 * 86_400_000)
    assert len(elm.plugin.browsers.of(member.id)) == 1
    elm.clock.tick(90 * 86_400_000)
    assert elm.plugin.browsers.of(member.id) == [], "after ninety days without a visit it is forgotten"
    elm.plugin.watch.sweep("main")
    assert clinics.database.db.session.query(elm.plugin.browsers.Browser).count() == 0


def test_a_browser_belongs_to_who_is_signed_in_there_now(elm: Elm) -> None:
    ada, ben = elm.member("Ada"), elm.member("Ben")
    given = {"endpoint": "https://web.push.apple.com/shared", "keys": KEYS}
    elm.plugin.browsers.keep("main", _signed_in(ada), given)
    elm.plugin.browsers.keep("main", _signed_in(ben), given)
    assert elm.plugin.browsers.of(ada.id) == []
    assert len(elm.plugin.browsers.of(ben.id)) == 1
    for number in range(12):
        elm.plugin.browsers.keep("main", _signed_in(ben), {**given, "endpoint": f"https://web.push.apple.com/{number}"})
    assert len(elm.plugin.browsers.of(ben.id)) == elm.plugin.browsers.MOST


def test_what_is_kept_of_a_browser_cannot_be_read_in_the_database(elm: Elm) -> None:
    member = elm.member()
    given = {"endpoint": "https://web.push.apple.com/zanzibar", "keys": KEYS}
    elm.plugin.browsers.keep("main", _signed_in(member), given)
    elm.plugin.push.public()
    rows = [
        str(vars(row))
        for kind in (elm.plugin.browsers.Browser, elm.plugin.push.Key)
        for row in clinics.database.db.session.query(kind)
    ]
    assert len(rows) == 2
    assert not re.search("zanzibar|PRIVATE|" + "|".join(KEYS.values()), "".join(rows))


def test_another_key_of_the_server_makes_new_ones(build: Callable[..., Elm]) -> None:
    elm = build(TOML.replace("[server]", f'[server]\nsecret = "{"a" * 40}"'))
    member = elm.member(ways=["push"])
    elm.plugin.browsers.keep("main", _signed_in(member), {"endpoint": "https://web.push.apple.com/a", "keys": KEYS})
    before = elm.plugin.push.public()
    assert elm.plugin.push.public() == before
    again = build(TOML.replace("[server]", f'[server]\nsecret = "{"b" * 40}"'))
    assert again.plugin.push.public() != before
    (row,) = again.plugin.browsers.of(member.id)
    assert again.plugin.push.deliver(_push(row.id)).state == "refused"
    assert again.plugin.browsers.of(member.id) == []


def test_quiet_time_needs_both_ends(elm: Elm) -> None:
    check = elm.plugin.check_settings
    assert check({"quiet_from": "22:00", "quiet_until": None}).keys() == {"quiet_until"}
    assert check({"quiet_from": None, "quiet_until": "07:00"}).keys() == {"quiet_from"}
    assert check({"quiet_from": "07:00", "quiet_until": "07:00"}).keys() == {"quiet_until"}
    assert check({"quiet_from": None, "quiet_until": None}) == {}
    assert check({"quiet_from": "22:00", "quiet_until": "07:00"}) == {}


# -- a push service on loopback


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PushService]:
    """A push service whose certificate everybody trusts who is started from here."""
    folder = tmp_path / "tls"
    folder.mkdir()
    pair = certificate(folder)
    monkeypatch.setenv("SSL_CERT_FILE", str(pair[0]))
    running = PushService(pair)
    yield running
    running.stop()


@pytest.fixture
def subscribed(build: Callable[..., Elm], service: PushService) -> tuple[Elm, Any, Subscriber]:
    """A member with a browser whose push service is the one on loopback, and its row."""
    elm = build(TOML + f'[clinic.main.notify]\nservices = "{service.host}"\n')
    member, browser = elm.member(ways=["push"]), Subscriber(service)
    elm.plugin.browsers.keep("main", _signed_in(member), browser.json)
    (row,) = elm.plugin.browsers.of(member.id)
    return elm, row, browser


def test_a_push_is_encrypted_for_the_browser_and_signed_by_the_server(
    subscribed: tuple[Elm, Any, Subscriber], service: PushService
) -> None:
    """RFC 8291 by an independent reader, RFC 8292 by its own rules, and the headers of RFC 8030."""
    elm, row, browser = subscribed
    assert elm.plugin.push.deliver(_push(row.id)) == Delivery(state="sent")
    (given,) = service.given
    assert given.path == "/push/one?key=secret-one"
    assert browser.read(given) == {"title": "x"}
    said, key = claims(given)
    assert key == elm.plugin.push.public()
    assert said["aud"] == f"https://{service.host}"
    assert said["sub"] == "https://elm.example.org"
    assert 0 < said["exp"] - elm.clock() // 1000 <= 24 * 3600
    headers = {name.lower(): value for name, value in given.headers.items()}
    assert headers["content-encoding"] == "aes128gcm"
    assert (headers["ttl"], headers["urgency"], headers["topic"]) == ("600", "high", "waiting")
    assert b"title" not in given.body


@pytest.mark.parametrize(
    ("status", "state", "there"),
    [
        (200, "sent", True),
        (201, "sent", True),
        (302, "refused", True),
        (400, "refused", True),
        (403, "refused", True),
        (404, "refused", False),
        (410, "refused", False),
        (413, "refused", True),
        (429, "later", True),
        (500, "later", True),
        (503, "later", True),
        (0, "unsure", True),
    ],
)
def test_what_each_answer_of_a_push_service_means(
    subscribed: tuple[Elm, Any, Subscriber], service: PushService, status: int, state: str, there: bool
) -> None:
    """Gone is forgotten; what may have arrived is not sent again; nobody is led elsewhere."""
    elm, row, _ = subscribed
    id, member = row.id, row.member_id
    service.answers = [status]
    assert elm.plugin.push.deliver(_push(id)).state == state
    assert len(service.given) == 1
    assert bool(elm.plugin.browsers.of(member)) is there


def test_a_push_service_that_is_down_or_not_the_one_it_says_is_asked_later(
    subscribed: tuple[Elm, Any, Subscriber], service: PushService, monkeypatch: pytest.MonkeyPatch
) -> None:
    elm, row, _ = subscribed
    monkeypatch.delenv("SSL_CERT_FILE")
    assert elm.plugin.push.deliver(_push(row.id)).state == "later", "its certificate is not to be trusted"
    service.stop()
    assert elm.plugin.push.deliver(_push(row.id)).state == "later"
    assert service.given == []


def test_nothing_is_pushed_to_a_browser_that_is_not_known_or_whose_member_was_disabled(
    subscribed: tuple[Elm, Any, Subscriber], service: PushService
) -> None:
    elm, row, _ = subscribed
    assert elm.plugin.push.deliver(_push("nobody")).state == "refused"
    with clinics.database.write() as session:  # as if nobody had heard of it
        session.get_one(clinics.models.Member, row.member_id).disabled_at = elm.clock()
    assert elm.plugin.push.deliver(_push(row.id)).state == "refused"
    assert service.given == []


# -- a real server


#: Carries text messages: it writes them down.
TEXTER = plugin_folders.plain(
    "texter",
    python="""\
import json, os

from housecall import Delivery


@hookimpl
def can_deliver(kind):
    return True if kind == "text" else None


@hookimpl
def deliver(message):
    if message.kind != "text":
        return None
    with open(os.environ["HOUSECALL_TEXTS"], "a") as out:
        out.write(json.dumps([message.to, message.text]) + "\\n")
    return Delivery(state="sent")
""",
)


@dataclass
class Street:
    """A practice with mail, text messages and push on loopback, and a provider who wants all three."""

    practice: Practice
    room: Room
    mailbox: Mailbox
    service: PushService
    texts: Path

    @property
    def member(self) -> Visitor:
        return Visitor(self.practice.url, login=self.room.login)

    def wish(self, **wishes: Any) -> None:
        with self.practice.lasting():
            clinics.settings.save("main", "notify", "member", self.room.member, {**WISHES, **wishes}, actor=None)

    def subscribe(self, browser: Subscriber) -> None:
        member = self.member
        answer = member.post_json("/-/notify/browsers", browser.json, token=member.token("/account"))
        assert answer.status_code == 201, answer.text

    def told(self) -> list[list[str]]:
        return [json.loads(line) for line in self.texts.read_text().splitlines()] if self.texts.exists() else []


@pytest.fixture
def street(
    serve: Callable[..., Practice],
    mailbox: Mailbox,
    service: PushService,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Street:
    texts, port = tmp_path / "texts.jsonl", free_port()
    monkeypatch.setenv("HOUSECALL_TEXTS", str(texts))
    folder = plugin_folders.write(tmp_path / "site", TEXTER)
    toml = mailbox.toml(f"http://localhost:{port}") + TOML.split('org"\n', 1)[1]
    toml = toml.replace('["notify"]', '["notify", "texter"]') + f'[clinic.main.notify]\nservices = "{service.host}"\n'
    practice = serve(toml, folder=folder, port=port)
    room = practice.room(mobile="+15550199", specialty="Cardiology")
    return Street(practice=practice, room=room, mailbox=mailbox, service=service, texts=texts)


def link_in(text: str) -> str:
    found = re.search(r"http://\S+/-/notify/answer#([\w.-]+)", text)
    assert found, text
    return found[1]


def test_by_each_way_and_back_and_nothing_stays(street: Street) -> None:
    """Mail, text and push arrive; a GET uses nothing up; the answer reaches the patient; then no marker is found."""
    street.wish(ways=["push", "mail", "text"])
    browser = Subscriber(street.service, "zanzibar")
    street.subscribe(browser)
    patient = Visitor(street.practice.url)
    assert patient.check_in(street.room.slug, PATIENT).status_code == 201
    with patient.seat(street.room.id, name=PATIENT) as seat:
        visit = seat.hear("welcome")["visit"]["id"]
        letter = street.mailbox.to(street.room.email)
        (given,) = street.service.wait(1)
        eventually(street.told)
        pushed = browser.read(given)
        assert pushed["title"] == letter.mail["Subject"] == "Someone is waiting: Dr Ada Smith"
        ((to, text),) = street.told()
        assert to == "+15550199"
        assert text.startswith("Someone is waiting: Dr Ada Smith. Answer: http://localhost:")
        for said in (json.dumps(pushed), letter.raw.decode(), letter.html, text):
            assert not any(word in said for word in PATIENT.split())
        token = link_in(text)
        assert token in letter.html
        assert pushed["answer"].endswith(token)

        scanner = Visitor(street.practice.url)
        for _ in range(3):
            assert scanner.get("/-/notify/answer").status_code == 200
        stranger = Visitor(street.practice.url)
        page = stranger.post("/-/notify/answer", {"link": token, "answer": "soon"})
        assert page.status_code == 200
        assert "about 10 minutes" in page.text
        assert not any(word in page.text for word in PATIENT.split())
        heard = seat.hear("said")
        assert heard["event"] == "notify:answer"
        assert (heard["body"]["what"], heard["body"]["name"]) == ("soon", "Dr Ada Smith")
        asked = {"event": "notify:look", "visit": visit, "id": "1", "body": {}}
        assert seat.ask("say", asked)["answer"]["what"] == "soon"
        forged = {"event": "notify:answer", "visit": visit, "id": "2", "body": heard["body"]}
        assert seat.ask("say", forged)["error"] == "forbidden"

        with street.member.dashboard() as board:
            board.hear("welcome")
            assert board.ask("move", {"visit": visit, "to": "in_call", "rev": None})["ok"]
            late = stranger.post("/-/notify/answer", {"link": token, "answer": "coming"})
            assert late.status_code == 410
            assert "Nobody waits any more" in late.text
            assert board.ask("move", {"visit": visit, "to": "ended", "rev": None})["ok"]
    signature = token.rpartition(".")[2]
    markers = [*PATIENT.split(), "Someone is waiting", "zanzibar", signature, *browser.json["keys"].values()]
    eventually(lambda: not found_in(street.practice, markers))


def found_in(practice: Practice, markers: list[str]) -> set[str]:
    """The markers that some file of the server still holds."""
    files = [practice.log, *(path for path in practice.folder.rglob("*") if path.is_file() and not path.is_symlink())]
    bodies = [path.read_bytes() for path in files if path.exists()]
    return {marker for marker in markers for body in bodies if marker.encode() in body}


def test_the_answer_needs_a_form_of_ours(street: Street) -> None:
    stranger = Visitor(street.practice.url)
    for form in ({"link": "a.b", "answer": "dance"}, {"link": "a.b"}):
        assert stranger.post("/-/notify/answer", form).status_code == 400
    assert stranger.post("/-/notify/answer", {"link": "a.b", "answer": "soon"}).status_code == 410
    bare = stranger.http.post(
        f"{stranger.url}/-/notify/answer",
        headers=stranger.headers(),
        data={"link": "a.b", "answer": "soon"},
        timeout=30,
    )
    assert bare.status_code == 403


def test_a_members_own_things_are_for_that_member_alone(street: Street) -> None:
    other, member = street.practice.room(), street.member
    stranger, colleague = Visitor(street.practice.url), Visitor(street.practice.url, login=other.login)
    street.subscribe(Subscriber(street.service))
    for path in ("mine", "rooms", "browsers", "browsers/forget", "test", "test/now"):
        token = stranger.token("/sign-in")
        assert stranger.post_json(f"/-/notify/{path}", {}, token=token).status_code == 403, path
    token = member.token("/account")
    (row,) = member.post_json("/-/notify/mine", {}, token=token).json()["browsers"]
    theirs = colleague.token("/account")
    assert colleague.post_json("/-/notify/mine", {}, token=theirs).json()["browsers"] == []
    colleague.post_json("/-/notify/browsers/forget", {"id": row["id"]}, token=theirs)
    assert len(member.post_json("/-/notify/mine", {}, token=token).json()["browsers"]) == 1, "it is not theirs"
    choice = {"room": street.room.id, "wanted": True}
    assert colleague.post_json("/-/notify/rooms", choice, token=theirs).status_code == 400, "they may not serve it"
    assert member.post_json("/-/notify/rooms", choice, token=token).status_code == 200
    for bad in ({}, {"room": street.room.id}, {"room": 5, "wanted": True}, {"room": street.room.id, "wanted": "yes"}):
        assert member.post_json("/-/notify/rooms", bad, token=token).status_code == 400, bad
    for wrong in ({}, {"endpoint": "https://evil.example/", "keys": KEYS}, {"endpoint": 5}):
        assert member.post_json("/-/notify/browsers", wrong, token=token).status_code == 422, wrong


def test_a_test_says_what_became_of_each_message(street: Street) -> None:
    street.wish(ways=["push", "mail"])
    browser = Subscriber(street.service)
    street.subscribe(browser)
    street.service.answers = [410]
    member = street.member
    token = member.token("/account")
    sent = member.post_json("/-/notify/test", {}, token=token)
    assert sent.json() == {"ways": ["mail", "push"]}
    assert member.post_json("/-/notify/test", {}, token=token).status_code == 429

    def stands() -> dict[str, str]:
        messages = member.post_json("/-/notify/test/now", {}, token=token).json()["messages"]
        return {message["way"]: message["state"] for message in messages}

    eventually(lambda: stands() == {"mail": "sent", "push": "failed"})
    assert street.mailbox.to(street.room.email).mail["Subject"] == "A test of your notifications"
    assert member.post_json("/-/notify/mine", {}, token=token).json()["ways"] == [["push", "browser"], ["mail", ""]]


def test_where_it_is_off_its_worker_is_not_there(street: Street) -> None:
    visitor = Visitor(street.practice.url)
    answer = visitor.get("/-/notify/worker.js")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert answer.headers["Cache-Control"] == "no-store"
    for other in ("texter", "nobody"):
        assert visitor.get(f"/-/{other}/worker.js").status_code == 404
    policy = visitor.get("/sign-in").headers["Content-Security-Policy"]
    assert "worker-src 'self'" in policy
    assert "trusted-types worker" in policy


# -- browsers


#: A browser that can subscribe: with the keys of the test, since real push services are not within reach.
SUBSCRIBES = """json => {
  const made = () => ({ endpoint: json.endpoint, toJSON: () => json,
    unsubscribe: async () => { sessionStorage.removeItem("subscribed"); return true; } });
  PushManager.prototype.subscribe = async ({ applicationServerKey }) => {
    window.subscribedFor = btoa(String.fromCharCode(...applicationServerKey));
    sessionStorage.setItem("subscribed", "yes");
    return made();
  };
  PushManager.prototype.getSubscription = async () => sessionStorage.getItem("subscribed") ? made() : null;
}"""


def picture(page: Page, name: str, **options: Any) -> None:
    """With HOUSECALL_PICTURES=folder, pictures to look at."""
    if folder := os.environ.get("HOUSECALL_PICTURES"):
        page.screenshot(path=Path(folder) / f"notify-{name}.png", **options)


def provider(street: Street, person: Callable[..., Person], browser: Subscriber | None = None, **options: Any) -> Page:
    """The member's own browser, which may show notifications."""
    made = person("red", own=f"localhost:{street.practice.port}", **options)
    made.expected.append("status of 422")  # a form that has a mistake
    made.context.grant_permissions(["camera", "microphone", "notifications"], origin=street.practice.url)
    if browser:
        made.context.add_init_script(f"({SUBSCRIBES})({json.dumps(browser.json)})")
    sign_in(made.context, street.practice.url, street.room.login)
    return made.page


def at_account(page: Page, street: Street) -> None:
    page.goto(f"{street.practice.url}/account")
    expect(page.locator("hc-part[data-plugin=notify][data-mounted]")).to_be_attached()


@pytest.mark.parametrize("size", [PHONE, {"width": 1280, "height": 800}], ids=["phone", "desk"])
def test_a_member_chooses_ways_rooms_and_devices(
    street: Street, person: Callable[..., Person], size: dict[str, int]
) -> None:
    browser = Subscriber(street.service)
    page = provider(street, person, browser, viewport=size)
    name = "phone" if size is PHONE else "desk"
    at_account(page, street)
    own = page.locator(".notify")
    expect(own.locator(".notify-ways li")).to_have_text("You have chosen no way above, so nothing is sent.")
    expect(own.get_by_role("button", name="Send me a test")).to_be_disabled()
    page.get_by_label("On my devices").check()
    page.get_by_label("By e-mail").check()
    page.get_by_label("By text message to my mobile").check()
    page.get_by_label("Quiet from").fill("22:00")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".summary")).to_contain_text("Quiet time needs a beginning and an end.")
    page.get_by_label("Quiet until").fill("07:00")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(page.get_by_label("By e-mail")).to_be_checked()
    expect(own.locator(".notify-ways li")).to_have_text(
        ["On my devices: turn it on below, in each browser", "By e-mail: ready", "By text message: ready"]
    )
    expect(own.get_by_label("Dr Ada Smith")).to_be_checked()

    own.get_by_role("button", name="Turn on in this browser").click()
    expect(own.locator(".notify-state")).to_have_text("Notifications are on in this browser.")
    expect(own.get_by_role("button", name="Turn off in this browser")).to_be_focused()
    expect(page.locator("#said")).to_have_text("Notifications are on in this browser.")
    expect(own.locator(".notify-ways li").first).to_have_text("On my devices: ready")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        audit(page, f"the account, {scheme}")
        picture(page, f"account-{name}-{scheme}", full_page=True)
    page.emulate_media(color_scheme="light")

    own.get_by_role("button", name="Send me a test").click()
    expect(own.locator(".notify-results li")).to_have_text(
        ["On my devices: sent", "By e-mail: sent", "By text message: sent"], use_inner_text=True
    )
    (given,) = street.service.wait(1)
    assert browser.read(given)["title"] == "A test of your notifications"
    _, key = claims(given)
    assert page.evaluate("window.subscribedFor").rstrip("=").replace("+", "-").replace("/", "_") == key
    picture(page, f"test-{name}", full_page=True)

    own.get_by_label("Dr Ada Smith").uncheck()
    expect(page.locator("#said")).to_have_text("You are not told who waits in Dr Ada Smith.")
    page.reload()
    expect(own.get_by_label("Dr Ada Smith")).not_to_be_checked()
    expect(own.locator(".notify-state")).to_have_text("Notifications are on in this browser.")
    street.subscribe(Subscriber(street.service, "other"))
    page.reload()
    expect(own.locator(".notify-browsers li")).to_have_count(1)
    picture(page, f"two-{name}", full_page=True)
    own.locator(".notify-browsers").get_by_role("button").click()
    expect(own.locator(".notify-browsers li")).to_have_count(0)
    street.wish(ways=["mail"])
    page.reload()
    expect(own.locator(".notify-state")).to_contain_text("“On my devices” is not chosen above")
    own.get_by_role("button", name="Turn off in this browser").click()
    expect(own.locator(".notify-state")).to_have_text("Notifications are off in this browser.")
    expect(own.get_by_role("button", name="Turn on in this browser")).to_be_focused()


def test_a_browser_that_may_not_notify_says_what_to_do(street: Street, person: Callable[..., Person]) -> None:
    page = provider(street, person)
    page.context.clear_permissions()
    page.context.add_init_script("Object.defineProperty(Notification, 'permission', { get: () => 'denied' })")
    at_account(page, street)
    expect(page.locator(".notify-state")).to_contain_text("Your browser blocks notifications of this page.")
    expect(page.get_by_role("button", name="Turn on in this browser")).to_be_hidden()
    other = provider(street, person)
    other.context.add_init_script("delete window.PushManager")
    at_account(other, street)
    expect(other.locator(".notify-state")).to_contain_text("add this page to the Home Screen")


def test_the_worker_shows_what_is_pushed_and_a_press_opens_the_waiting_room(
    street: Street, person: Callable[..., Person]
) -> None:
    """Chromium's own push handler, by the protocol of its developer tools."""
    browser = Subscriber(street.service)
    page = provider(street, person, browser)
    street.wish(ways=["push"])
    at_account(page, street)
    session = page.context.new_cdp_session(page)
    registrations: list[dict[str, Any]] = []
    session.on("ServiceWorker.workerRegistrationUpdated", lambda event: registrations.extend(event["registrations"]))
    session.send("ServiceWorker.enable")
    page.get_by_role("button", name="Turn on in this browser").click()
    expect(page.locator(".notify-state")).to_have_text("Notifications are on in this browser.")
    patient = Visitor(street.practice.url)
    patient.check_in(street.room.slug, PATIENT)
    with patient.seat(street.room.id, name=PATIENT) as seat:
        seat.hear("welcome")
        (given,) = street.service.wait(1)
    own = next(each for each in registrations if each["scopeURL"].endswith("/-/notify/"))
    push = {"origin": street.practice.url, "registrationId": own["registrationId"]}
    session.send("ServiceWorker.deliverPushMessage", {**push, "data": json.dumps(browser.read(given))})
    note = eventually(lambda: shown_notes(page))[0]
    assert note["title"] == "Someone is waiting: Dr Ada Smith"
    assert note["actions"] == ["Answer"]
    assert not any(word in json.dumps(note) for word in PATIENT.split())
    (worker,) = page.context.service_workers
    opened = """async action => {
      const opened = [];
      self.clients.openWindow = async path => { opened.push(path); };
      const [notification] = await self.registration.getNotifications();
      const event = new NotificationEvent("notificationclick", { notification, action });
      const waits = [];
      event.waitUntil = promise => waits.push(promise);
      self.dispatchEvent(event);
      await Promise.all(waits);
      return opened;
    }"""
    (answer,) = worker.evaluate(opened, "answer")
    assert re.fullmatch(r"/-/notify/answer#[\w.-]+", answer)
    session.send("ServiceWorker.deliverPushMessage", {**push, "data": "not JSON"})
    eventually(lambda: shown_notes(page))
    assert worker.evaluate(opened, "") == ["/dashboard"]


def shown_notes(page: Page) -> list[dict[str, Any]]:
    """The notifications that stand there."""
    found: list[dict[str, Any]] = page.evaluate(
        "async () => (await (await navigator.serviceWorker.getRegistration('/-/notify/')).getNotifications())"
        ".map(({ title, data, actions }) => ({ title, data, actions: (actions ?? []).map(({ title }) => title) }))"
    )
    return found


@pytest.mark.parametrize("size", [PHONE, {"width": 1280, "height": 800}], ids=["phone", "desk"])
def test_one_tap_answers_and_the_patient_reads_it(
    street: Street, person: Callable[..., Person], size: dict[str, int]
) -> None:
    street.wish(ways=["mail"])
    name, own = "phone" if size is PHONE else "desk", f"localhost:{street.practice.port}"
    patient = person("green", own=own, viewport=PHONE).page
    check_in(patient, street.room.url, PATIENT)
    expect(patient.locator(".notify-answer")).to_be_hidden()
    url = street.mailbox.to(street.room.email).text
    address = re.search(r"http://\S+/-/notify/answer#[\w.-]+", url)
    assert address
    tapping = person(own=own, viewport=size)  # signed in to nothing
    tapping.expected.append("status of 410")
    page = tapping.page
    page.goto(address[0])
    expect(page.get_by_role("heading", name="Somebody is waiting")).to_be_visible()
    assert "#" not in page.url
    audit(page, "the answer")
    picture(page, f"answer-{name}")
    page.get_by_role("button", name="10 minutes").click()
    expect(page.get_by_role("status")).to_contain_text("about 10 minutes")
    picture(page, f"answered-{name}")
    audit(page, "answered")
    expect(patient.locator(".notify-answer")).to_have_text(re.compile(r"Dr Ada Smith will be with you at about \d"))
    expect(patient.locator(".toast")).to_contain_text("Dr Ada Smith will be with you")
    expect(patient.locator("#said")).to_contain_text("Dr Ada Smith will be with you")
    picture(patient, "patient")
    audit(patient, "the answer is shown")
    page.get_by_role("button", name="Please call us").click()
    expect(patient.locator(".notify-answer a")).to_have_attribute("href", "tel:+15550100")
    expect(patient.locator(".notify-answer")).to_have_text("Dr Ada Smith asks you to call: +1 555 0100")
    patient.reload()
    expect(patient.locator(".notify-answer")).to_have_text("Dr Ada Smith asks you to call: +1 555 0100")
    board = provider(street, person, viewport=size)
    board.goto(f"{street.practice.url}/dashboard")
    expect(board.locator(".card .notify-answer")).to_have_text(re.compile(r"Dr Ada Smith, .+: please call us"))
    picture(board, f"card-{name}")
    board.get_by_role("button", name="Start visit").click()
    expect(board.locator("main[data-state=call]")).to_be_visible()
    page.get_by_role("button", name="I am coming").click()
    expect(page.get_by_role("heading", name="Nobody waits any more")).to_be_visible()
    picture(page, f"over-{name}")
    audit(page, "over")
    page.goto(f"{street.practice.url}/-/notify/answer")
    expect(page.get_by_role("alert")).to_contain_text("This link is not complete.")
    expect(page.get_by_role("button", name="I am coming")).to_be_hidden()
