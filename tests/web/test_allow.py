"""Where a plugin says that there may be no more, pages say so in its words, keep what was typed, and change nothing."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from html import unescape
from pathlib import Path

import pytest

from housecall.testing import PASSWORD, Practice, Visitor
from plugin_folders import LAMP, plain, write

WARDEN = plain(
    "warden",
    "restricted = true\n",
    """
@hookimpl
def allow(clinic, what, amount):
    if what in ("members", "rooms") and amount > 2:
        return f"Two {what} at most. Ask <the> warden."
    return "No lamps here. Ask <the> warden." if what == "plugin:lamp" else None
""",
)
TOML = '[server]\nplugins = ["warden"]\n[clinic.main]\nname = "Elm Street Practice"\nsign_up = "open"\n'
SIGN_UP = {"first_name": "Grace", "last_name": "Hopper", "email": "grace@elm.example", "adult": "yes"}


@pytest.fixture
def practice(serve: Callable[..., Practice], tmp_path: Path) -> Practice:
    """Two members with two rooms: all that there may be."""
    return serve(TOML, folder=write(tmp_path / "site", WARDEN, LAMP, plain("anna")))


@pytest.fixture
def owner(practice: Practice) -> Visitor:
    practice.room(role="provider")
    return Visitor(practice.url, login=practice.room(role="owner").login)


def words(page: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page)))


def test_nobody_is_invited_who_could_not_come_in(owner: Visitor) -> None:
    answer = owner.post("/admin/people", {"do": "invite", "role": "staff"})
    assert answer.status_code == 422
    assert "Two members at most. Ask <the> warden." in words(answer.text)
    assert "Ask &lt;the&gt; warden." in answer.text
    assert "sign-in/link#" not in answer.text


def test_who_was_disabled_is_not_enabled_beyond_it(practice: Practice, owner: Visitor) -> None:
    other = practice.room(role="staff").member  # by the server itself, which no page asks
    assert owner.post("/admin/people", {"do": "disable", "member": other}).status_code == 303
    answer = owner.post("/admin/people", {"do": "enable", "member": other})
    assert answer.status_code == 422
    assert "Two members at most." in words(answer.text)
    assert re.search(r'class="dim"', owner.get("/admin/people").text)


def test_a_sign_up_is_refused_in_words_and_keeps_what_was_typed(practice: Practice, owner: Visitor) -> None:
    visitor = Visitor(practice.url)
    answer = visitor.post("/sign-up", {**SIGN_UP, "password": PASSWORD})
    assert answer.status_code == 422
    assert "Two members at most. Ask <the> warden." in words(answer.text)
    assert 'value="grace@elm.example"' in answer.text
    assert "hc-login" not in visitor.http.cookies


MAIL = '[server.mail]\nhost = "127.0.0.1"\nport = 9\nsecurity = "none"\nsender = "desk@elm.example"\n[clinic.main]'


def test_no_mail_goes_to_somebody_who_could_not_join(serve: Callable[..., Practice], tmp_path: Path) -> None:
    toml = TOML.replace("[clinic.main]", f'url = "http://localhost"\n{MAIL}')
    practice = serve(toml, folder=write(tmp_path / "mailed", WARDEN))
    for _ in range(2):
        practice.room()
    answer = Visitor(practice.url).post("/sign-up", {"email": "grace@elm.example"})
    assert answer.status_code == 422
    assert "Two members at most. Ask <the> warden." in words(answer.text)
    with closing(sqlite3.connect(practice.folder / "data/housecall.db")) as database:
        assert database.execute("select count(*) from outbox").fetchone() == (0,)


def test_the_form_promises_no_room_that_there_may_not_be(practice: Practice, owner: Visitor) -> None:
    assert "get a waiting room of your own" not in words(Visitor(practice.url).get("/sign-up").text)


def test_a_room_is_refused_in_words_and_keeps_what_was_typed(owner: Visitor) -> None:
    answer = owner.post("/admin/rooms", {"name": "Third", "slug": "third", "media": "video"})
    assert answer.status_code == 422
    assert "Two rooms at most." in words(answer.text)
    assert 'value="third"' in answer.text
    assert owner.get("/third").status_code == 404


def test_a_plugin_is_refused_in_words(owner: Visitor) -> None:
    answer = owner.post("/admin/plugins", {"plugin": "lamp", "on": "yes"})
    assert answer.status_code == 422
    assert "No lamps here. Ask <the> warden." in words(answer.text)
    assert owner.post("/admin/plugins", {"plugin": "anna", "on": "yes"}).status_code == 303


def test_one_that_was_on_is_held_back_at_the_next_start_and_its_card_says_so(
    serve: Callable[..., Practice], tmp_path: Path
) -> None:
    practice = serve(TOML.replace('plugins = ["warden"]\n', ""), folder=write(tmp_path / "site", WARDEN, LAMP))
    owner = Visitor(practice.url, login=practice.room(role="owner").login)
    assert owner.post("/admin/plugins", {"plugin": "lamp", "on": "yes"}).status_code == 303
    assert owner.get("/admin/settings/lamp").status_code == 200
    practice.stop()
    practice.toml = TOML
    practice.start()
    card = re.search(r'<article class="plugin" id="plugin-lamp".*?</article>', owner.get("/admin/plugins").text, re.S)
    assert card
    assert 'data-state="withheld"' in card[0]
    told = "No lamps here. Ask <the> warden. It is held back, and keeps its settings and what it has stored."
    assert told in words(card[0])
    assert "Held back" in words(card[0])
    assert 'aria-checked="false"' in card[0]
    assert owner.get("/admin/settings/lamp").status_code == 404
    practice.stop()
    practice.toml = TOML.replace('plugins = ["warden"]\n', "")
    practice.start()
    assert owner.get("/admin/settings/lamp").status_code == 200
