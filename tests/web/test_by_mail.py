"""What the house sends by mail, through a real server and a real mail server: links, invitations, the contact page."""

from __future__ import annotations

import re
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from housecall import clinics
from housecall.testing import Letter, Mailbox, Practice, Visitor
from housecall.testing.certificate import certificate
from housecall.testing.practice import PASSWORD, eventually, free_port

CLINIC = '[clinic.main]\nname = "Elm Street Practice"\n'
CONTACT = '[clinic.main.core]\nemail = "desk@elm.example"\nphone = "+1 555 0100"\n'


@pytest.fixture
def elm(serve: Callable[..., Practice], mailbox: Mailbox) -> Callable[..., Practice]:
    """Starts a practice whose mail goes to `mailbox`."""

    def start(clinic: str = CLINIC, **more: Any) -> Practice:
        port = free_port()
        return serve(mailbox.toml(f"http://localhost:{port}") + clinic, port=port, **more)

    return start


def token(letter: Letter) -> str:
    """The token of the one link that leads in."""
    found = re.findall(r"/sign-in/link#(\S+)", letter.text)
    assert len(found) == 1, letter.text
    assert found[0] in letter.html
    return str(found[0])


def rows(practice: Practice) -> list[tuple[str, str, str]]:
    with closing(sqlite3.connect(practice.folder / "data/housecall.db")) as database:
        return database.execute("select state, sealed, reason from outbox").fetchall()


def kept(practice: Practice) -> bytes:
    """Everything that the server has written down."""
    files = [path for path in (practice.folder / "data").rglob("*") if path.is_file()]
    return b"".join(path.read_bytes() for path in (*files, practice.log))


# -- a forgotten password


def test_a_forgotten_password_is_replaced_by_a_link(elm: Callable[..., Practice], mailbox: Mailbox) -> None:
    practice = elm()
    room, visitor = practice.room(), Visitor(practice.url)
    assert 'href="/sign-in/forgot"' in visitor.get("/sign-in").text
    assert visitor.post("/sign-in/forgot", {"email": f"  {room.email.upper()} "}).status_code == 200
    letter = mailbox.to(room.email)
    assert letter.links[0].startswith(f"{practice.url}/sign-in/link#")
    assert "Elm Street Practice" in letter.mail["From"]
    link = token(letter)
    for _ in range(3):  # whoever only looks uses nothing up
        assert Visitor(practice.url).get("/sign-in/link").status_code == 200
    assert room.email in visitor.post("/sign-in/link", {"link": link}).text
    set_ = visitor.post("/sign-in/link", {"link": link, "password": "walnut ladder cloud"})
    assert set_.headers["Location"] == "/dashboard"
    assert Visitor(practice.url).post("/sign-in/link", {"link": link}).status_code == 410, "once"


def test_a_visitor_cannot_tell_who_has_an_account(elm: Callable[..., Practice], mailbox: Mailbox) -> None:
    practice = elm(CLINIC + 'sign_up = "open"\n')
    room = practice.room()
    unknown = f"{secrets.token_hex(4)}@elm.example"
    for page in ("/sign-in/forgot", "/sign-up"):
        answers = []
        for email in (room.email, unknown):
            answer = Visitor(practice.url).post(page, {"email": email})
            words = re.sub(r'value="[^"]+"|nonce="[^"]+"', "", answer.text).replace(email, "…")
            answers.append((answer.status_code, words, {k for k in answer.headers if k != "Date"}))
        assert answers[0] == answers[1]
    mailbox.to(unknown)  # the link to sign up; nothing else came there
    mailbox.wait(3)
    assert sorted(each.to for each in mailbox.letters) == sorted([room.email, room.email, unknown])
    subjects = {each.mail["Subject"] for each in mailbox.letters if each.to == room.email}
    assert subjects == {"A new password", "You have an account already"}


def test_somebody_who_is_disabled_gets_no_link(elm: Callable[..., Practice], mailbox: Mailbox) -> None:
    practice = elm()
    out, room = practice.room(), practice.room(role="owner")
    with practice.lasting():
        clinics.members.set_disabled("main", out.member, True, actor=room.member)
    for each in (out, room):
        Visitor(practice.url).post("/sign-in/forgot", {"email": each.email})
    mailbox.to(room.email)
    eventually(lambda: [state for state, *_ in rows(practice)] == ["sent"])
    assert [each.to for each in mailbox.letters] == [room.email]


def test_nobody_is_flooded(elm: Callable[..., Practice], mailbox: Mailbox) -> None:
    practice = elm()
    room = practice.room()
    codes = [Visitor(practice.url).post("/sign-in/forgot", {"email": room.email}).status_code for _ in range(5)]
    assert codes == [200, 200, 200, 429, 429]
    mailbox.wait(3)
    assert Visitor(practice.url).post("/sign-in/forgot", {"email": "other@elm.example"}).status_code == 200


def test_a_host_that_a_request_makes_up_is_in_no_mail(elm: Callable[..., Practice], mailbox: Mailbox) -> None:
    practice = elm()
    room = practice.room()
    evil = Visitor(practice.url, host=f"evil.example:{practice.port}")
    assert evil.post("/sign-in/forgot", {"email": room.email}).status_code == 200
    letter = mailbox.to(room.email)
    assert b"evil.example" not in letter.raw
    assert letter.links[0].startswith(practice.url)


def test_where_no_mail_can_go_everything_is_as_before(practice: Practice) -> None:
    visitor = Visitor(practice.url)
    assert "/sign-in/forgot" not in visitor.get("/sign-in").text
    assert "can send you a link" in visitor.get("/sign-in").text
    assert "sends no mail" in visitor.get("/sign-in/forgot").text
    assert visitor.post("/sign-in/forgot", {"email": "a@elm.example"}, at="/sign-in").status_code == 404
    assert "<form" not in visitor.get("/contact").text.split("<main")[1]
    assert visitor.post("/contact", {"email": "a@b.example", "message": "Hi"}, at="/sign-in").status_code == 404
    room = practice.room(role="owner")
    member = Visitor(practice.url, login=room.login)
    assert 'name="email"' not in member.get("/admin/people").text
    profile = {"first_name": "Ada", "last_name": "Smith", "email": f"new-{room.email}"}
    assert member.post("/account", profile).headers["Location"] == "/account?saved=1"
    assert f"new-{room.email}" in member.get("/account").text


# -- an account where sign-up is open


def join(visitor: Visitor, link: str, **more: str) -> Any:
    told = {"invitation": link, "first_name": "Grace", "last_name": "Hopper", "password": PASSWORD, "adult": "yes"}
    return visitor.post("/sign-up", {**told, **more}, at="/sign-in")


def test_an_account_begins_with_an_address_that_is_shown_to_be_ones_own(
    elm: Callable[..., Practice], mailbox: Mailbox
) -> None:
    practice, email = elm(CLINIC + 'sign_up = "open"\n'), "grace@navy.example"
    visitor = Visitor(practice.url)
    assert 'name="password"' not in visitor.get("/sign-up").text
    whole = {"email": email, "first_name": "G", "last_name": "H", "password": PASSWORD, "adult": "yes"}
    assert visitor.post("/sign-up", whole).status_code == 200, "the address alone counts"
    link = token(mailbox.to(email))
    with practice.lasting():
        assert clinics.members.by_email("main", email) is None
    form = visitor.post("/sign-in/link", {"link": link}).text
    assert re.search(rf'value="{email}"[^>]* readonly', form)
    wrong = join(visitor, link, password="short", email="eve@evil.example")
    assert wrong.status_code == 422
    assert re.search(rf'value="{email}"[^>]* readonly', wrong.text)
    assert join(visitor, link, email="eve@evil.example").headers["Location"] == "/dashboard"
    with practice.lasting():
        member = clinics.members.by_email("main", email)
        assert member
        assert member.role == "provider"
        assert clinics.members.by_email("main", "eve@evil.example") is None
    again = join(Visitor(practice.url), link)
    assert (again.status_code, "already in use" in again.text) == (422, True)


def test_a_link_to_sign_up_is_good_here_and_as_long_as_the_practice_is_open(
    elm: Callable[..., Practice], mailbox: Mailbox
) -> None:
    practice = elm(CLINIC + 'sign_up = "open"\n')
    Visitor(practice.url).post("/sign-up", {"email": "grace@navy.example"})
    link = token(mailbox.to("grace@navy.example"))
    for forged in (link[:-2] + "xx", "x" + link, ""):
        assert Visitor(practice.url).post("/sign-in/link", {"link": forged}).status_code == 410
    practice.stop()
    practice.toml = practice.toml.replace('"open"', '"invitation"')
    practice.start()
    assert Visitor(practice.url).post("/sign-in/link", {"link": link}).status_code == 403
    assert join(Visitor(practice.url), link).status_code == 403


# -- another address


def asked_for(practice: Practice, mailbox: Mailbox, email: str) -> tuple[Any, Visitor, str]:
    room = practice.room()
    member = Visitor(practice.url, login=room.login)
    profile = {"first_name": "Augusta", "last_name": "Smith", "email": email}
    assert member.post("/account", profile).headers["Location"].startswith("/account?saved=1&asked=")
    return room, member, token(mailbox.to(email))


def test_another_address_counts_when_its_link_was_opened_by_the_member(
    elm: Callable[..., Practice], mailbox: Mailbox
) -> None:
    practice, email = elm(), "augusta@elm.example"
    room, member, link = asked_for(practice, mailbox, email)
    page = member.get("/account").text
    assert f'value="{room.email}"' in page
    assert 'value="Augusta"' in page, "the rest is saved at once"
    stranger = Visitor(practice.url)  # the mail went to somebody else, by a slip of the hand
    assert 'name="password"' in stranger.post("/sign-in/link", {"link": link}).text
    for wrong in ({}, {"password": ""}, {"password": "guessed wrongly"}):
        assert stranger.post("/sign-in/link", {"link": link, "confirm": "yes", **wrong}).status_code == 422
    done = stranger.post("/sign-in/link", {"link": link, "confirm": "yes", "password": PASSWORD})
    assert f"you sign in with {email}" in done.text
    told = mailbox.to(room.email)
    assert told.mail["Subject"] == "Your address was changed"
    assert email not in told.text
    signed_in = Visitor(practice.url).post("/sign-in", {"email": email, "password": PASSWORD})
    assert signed_in.status_code == 303
    assert Visitor(practice.url).post("/sign-in/link", {"link": link}).status_code == 410, "once"


def test_an_address_of_somebody_else_is_refused_at_once_and_when_it_was_taken_meanwhile(
    elm: Callable[..., Practice], mailbox: Mailbox
) -> None:
    practice, email = elm(), "wanted@elm.example"
    room, member, link = asked_for(practice, mailbox, email)
    other = practice.room()
    profile = {"first_name": "Ada", "last_name": "Smith"}
    for typed, words in ((other.email, "already in use"), ("nobody", "not an e-mail address"), ("", "is empty")):
        answer = member.post("/account", {**profile, "email": typed})
        assert (answer.status_code, words in answer.text) == (422, True)
    with practice.lasting():
        clinics.members.update(other.member, {"email": email})
    late = Visitor(practice.url).post("/sign-in/link", {"link": link, "confirm": "yes", "password": PASSWORD})
    assert (late.status_code, "already in use" in late.text) == (422, True)
    with practice.lasting():
        member_ = clinics.members.by_id(room.member)
        assert member_
        assert member_.email == room.email


def test_whoever_has_no_password_confirms_by_being_signed_in(elm: Callable[..., Practice], mailbox: Mailbox) -> None:
    practice, email = elm(), "keyless@elm.example"
    room, member, link = asked_for(practice, mailbox, email)
    with closing(sqlite3.connect(practice.folder / "data/housecall.db")) as database, database:
        database.execute("update member set password_hash = null where id = ?", (room.member,))
    other = Visitor(practice.url, login=practice.room().login)
    for visitor in (Visitor(practice.url), other):
        form = {"link": link, "confirm": "yes", "password": ""}
        refused = visitor.post("/sign-in/link", form, at="/sign-in/link")
        assert (refused.status_code, "Sign in first." in refused.text) == (422, True)
    assert "you sign in with" in member.post("/sign-in/link", {"link": link, "confirm": "yes"}).text


# -- invitations of staff


def test_an_invitation_goes_by_mail_beside_its_link(elm: Callable[..., Practice], mailbox: Mailbox) -> None:
    practice = elm()
    owner = Visitor(practice.url, login=practice.room(role="owner").login)
    page = owner.post("/admin/people", {"do": "invite", "role": "admin", "email": " New@Elm.example "}).text
    letter = mailbox.to("new@elm.example")
    link = token(letter)
    assert link in page
    assert "Dr Ada Smith invites you" in letter.text
    posted = re.search(r'data-posted="([\w-]+)"', page)
    assert posted
    eventually(lambda: owner.get(f"/-/posted/{posted[1]}").json() == {"state": "sent", "tries": 1, "reason": ""})
    assert join(Visitor(practice.url), link, email="new@elm.example").headers["Location"] == "/dashboard"


def test_an_invitation_to_a_wrong_address_is_not_made(elm: Callable[..., Practice], mailbox: Mailbox) -> None:
    practice = elm()
    room = practice.room(role="owner")
    owner = Visitor(practice.url, login=room.login)
    for typed, words in (("new elm", "not an e-mail address"), (room.email, "already in use")):
        refused = owner.post("/admin/people", {"do": "invite", "role": "staff", "email": typed})
        assert (refused.status_code, words in refused.text, f'value="{typed}"' in refused.text) == (422, True, True)
        assert re.search(r'value="staff" selected', refused.text.split("Invite somebody")[1])
    assert "1 invitation is open" in owner.get("/admin/people").text, "the one of the first start"
    without = owner.post("/admin/people", {"do": "invite", "role": "staff", "email": ""}).text
    assert "/sign-in/link#" in without
    assert "data-posted" not in without


def test_an_invitation_that_fails_is_told(elm: Callable[..., Practice], mailbox: Mailbox) -> None:
    practice = elm()
    mailbox.answers["new@elm.example"] = "550 5.1.1 no such new@elm.example"
    owner = Visitor(practice.url, login=practice.room(role="owner").login)
    page = owner.post("/admin/people", {"do": "invite", "role": "admin", "email": "new@elm.example"}).text
    posted = re.search(r'data-posted="([\w-]+)"', page)
    assert posted
    told = {"state": "failed", "tries": 1, "reason": "The mail server refused the address (550 5.1.1)."}
    eventually(lambda: owner.get(f"/-/posted/{posted[1]}").json() == told)
    assert owner.get("/-/posted/unknown").status_code == 404


DSN = """\
From: MAILER-DAEMON@mail.test
To: desk@elm.example
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: message/delivery-status

Final-Recipient: rfc822; new@elm.example
Action: failed
Status: 5.1.1

--b
Content-Type: text/rfc822-headers

{headers}
--b--
"""


def test_a_mail_that_comes_back_is_told(elm: Callable[..., Practice], mailbox: Mailbox) -> None:
    practice = elm()
    owner = Visitor(practice.url, login=practice.room(role="owner").login)
    page = owner.post("/admin/people", {"do": "invite", "role": "admin", "email": "new@elm.example"}).text
    posted = re.search(r'data-posted="([\w-]+)"', page)
    assert posted
    eventually(lambda: owner.get(f"/-/posted/{posted[1]}").json()["state"] == "sent")
    headers = mailbox.to("new@elm.example").raw.partition(b"\r\n\r\n")[0].decode().replace("\r\n", "\n")

    def bounce(mail: str) -> str:
        command = [sys.executable, "-W", "error", "-m", "housecall", "mail", "bounce", "--dir", str(practice.folder)]
        done = subprocess.run(command, input=mail.encode(), capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout.decode()

    assert "no report" in bounce("Subject: Hello\n\nAre you there?\n")
    assert "not known any more" in bounce(DSN.format(headers=headers.replace(posted[1], "x" * 22)))
    assert owner.get(f"/-/posted/{posted[1]}").json()["state"] == "sent"
    assert "marked as come back" in bounce(DSN.format(headers=headers))
    told = {"state": "bounced", "tries": 1, "reason": "The mail came back: the address does not take it (5.1.1)."}
    assert owner.get(f"/-/posted/{posted[1]}").json() == told


def test_the_fate_of_a_message_is_told_in_its_own_clinic_only(serve: Callable[..., Practice], mailbox: Mailbox) -> None:
    port = free_port()
    two = '[clinic.elm]\nname = "Elm"\nhost = "elm.test"\n[clinic.oak]\nname = "Oak"\nhost = "oak.test"\n'
    practice = serve(mailbox.toml(f"http://elm.test:{port}") + two, port=port)
    room = practice.room(clinic="elm", role="owner")
    elm, oak = (Visitor(practice.url, host=f"{name}.test:{port}", login=room.login) for name in ("elm", "oak"))
    page = elm.post("/admin/people", {"do": "invite", "role": "admin", "email": "new@elm.example"}).text
    posted = re.search(r'data-posted="([\w-]+)"', page)
    assert posted
    assert elm.get(f"/-/posted/{posted[1]}").status_code == 200
    assert oak.get(f"/-/posted/{posted[1]}").status_code == 404
    assert "http://elm.test/sign-in/link#" in mailbox.to("new@elm.example").text
    assert mailbox.letters[0].mail["From"] == "Elm <desk@elm.example>"


# -- the contact page


WRITTEN = {"name": "Grace\tHopper", "email": "grace@navy.example", "message": "When do you open?\n\nRegards\n.\nG."}


def test_what_a_visitor_writes_reaches_the_practice(elm: Callable[..., Practice], mailbox: Mailbox) -> None:
    practice = elm(CLINIC + CONTACT)
    visitor = Visitor(practice.url)
    sent = visitor.post("/contact", WRITTEN)
    assert sent.status_code == 303
    letter = mailbox.to("desk@elm.example")
    assert letter.mail["Reply-To"] == "grace@navy.example"
    assert letter.mail["Subject"] == "Written on the contact page"
    assert "When do you open?\n\nRegards\n.\nG." in letter.text.replace("\r\n", "\n")
    assert "Grace Hopper <grace@navy.example>" in letter.text
    shown = visitor.get(sent.headers["Location"]).text
    assert "on its way" in shown
    assert "Grace" not in shown


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"email": ""}, "This is empty."),
        ({"email": "grace"}, "not an e-mail address"),
        ({"email": "grace@navy.example\r\nBcc: eve@evil.example"}, "not an e-mail address"),
        ({"message": " \n "}, "This is empty."),
        ({"message": "x" * 5001}, "too long"),
        ({"name": "x" * 81}, "too long"),
    ],
)
def test_a_mistake_keeps_what_was_typed(
    elm: Callable[..., Practice], mailbox: Mailbox, wrong: dict[str, str], words: str
) -> None:
    practice = elm(CLINIC + CONTACT)
    answer = Visitor(practice.url).post("/contact", {**WRITTEN, **wrong})
    assert answer.status_code == 422
    assert words in answer.text
    for name, typed in {**WRITTEN, **wrong}.items():
        shown = typed.strip().splitlines()[0] if typed.strip() else ""
        assert shown.replace("\t", "\t") in answer.text, name
    assert rows(practice) == []


def test_a_machine_that_fills_in_everything_and_one_that_writes_too_often_reach_nobody(
    elm: Callable[..., Practice], mailbox: Mailbox
) -> None:
    practice = elm(CLINIC + CONTACT)
    visitor = Visitor(practice.url)
    caught = visitor.post("/contact", {**WRITTEN, "website": "https://spam.example"})
    assert caught.status_code == 303
    assert "on its way" in visitor.get(caught.headers["Location"]).text
    assert rows(practice) == []
    codes = [visitor.post("/contact", WRITTEN).status_code for _ in range(6)]
    assert codes[-1] == 429
    assert codes.count(303) == 4, "the machine's try counts, too"
    last = visitor.post("/contact", WRITTEN)
    assert "When do you open?" in last.text
    assert "too many tries" in last.text
    mailbox.wait(4)


# -- by every kind of line


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize("mode", ["eventlet", "threading"])
def test_mail_goes_secured_and_signed_in_in_both_modes(
    serve: Callable[..., Practice], tmp_path: Path, security: str, mode: str
) -> None:
    box = Mailbox(security=security, certificate=certificate(tmp_path), sign_in=("desk", "hush-hush")).start()
    port = free_port()
    toml = box.toml(f"http://localhost:{port}").replace("[server]", f'[server]\nasync_mode = "{mode}"', 1)
    practice = serve(toml + CLINIC, port=port)
    room = practice.room()
    Visitor(practice.url).post("/sign-in/forgot", {"email": room.email})
    letter = box.to(room.email)
    assert (letter.tls, letter.user) == (True, "desk")
    eventually(lambda: [row[:2] for row in rows(practice)] == [("sent", "")])
    box.stop()


def test_a_server_that_is_another_gets_no_mail(serve: Callable[..., Practice], tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    foreign, _ = certificate(tmp_path / "other")
    box = Mailbox(security="starttls", certificate=certificate(tmp_path), sign_in=("desk", "hush-hush")).start()
    port = free_port()
    practice = serve(box.toml(f"http://localhost:{port}", ca=str(foreign)) + CLINIC, port=port)
    Visitor(practice.url).post("/sign-in/forgot", {"email": practice.room().email})
    eventually(lambda: [row[2] for row in rows(practice)] == ["The mail server's certificate is not trusted."])
    assert box.letters == []
    assert "hush" not in practice.log.read_text()
    box.stop()


def test_a_mail_server_that_says_nothing_holds_up_nobody(serve: Callable[..., Practice], mailbox: Mailbox) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=8) as silent:
        port = free_port()
        toml = mailbox.toml(f"http://localhost:{port}", port=silent.getsockname()[1], host="127.0.0.1")
        practice = serve(toml + CLINIC, port=port)
        visitor = Visitor(practice.url)
        for _ in range(2):
            visitor.post("/sign-in/forgot", {"email": practice.room().email})
        eventually(lambda: [row[0] for row in rows(practice)] == ["sending"] * 2)
        begun = time.monotonic()
        for _ in range(5):
            assert visitor.get("/sign-in").status_code == 200
        assert time.monotonic() - begun < 20, "it waits 30 s for each"
        assert [row[0] for row in rows(practice)] == ["sending"] * 2


# -- nothing is lost, nothing twice, nothing stays


def test_what_waits_for_the_mail_server_survives_a_killed_server_and_goes_once(
    elm: Callable[..., Practice], mailbox: Mailbox
) -> None:
    practice = elm()
    room = practice.room()
    mailbox.stop()
    Visitor(practice.url).post("/sign-in/forgot", {"email": room.email})
    eventually(lambda: [row[0] for row in rows(practice)] == ["waiting"] and rows(practice)[0][2])
    assert "cannot be reached" in rows(practice)[0][2]
    practice.stop(signal.SIGKILL)
    mailbox.start()
    with closing(sqlite3.connect(practice.folder / "data/housecall.db")) as database, database:
        database.execute("update outbox set due = 0")  # the minute has passed
    practice.start()
    eventually(lambda: [row[:2] for row in rows(practice)] == [("sent", "")])
    assert len(mailbox.letters) == 1


def test_a_server_killed_in_the_middle_of_sending_does_not_send_again(
    elm: Callable[..., Practice], mailbox: Mailbox
) -> None:
    practice = elm()
    owner = practice.room(role="owner")
    mailbox.on_data = lambda letter: practice.process.kill()  # type: ignore[union-attr]  # it has all of it
    Visitor(practice.url).post("/sign-in/forgot", {"email": owner.email})
    mailbox.to(owner.email)
    assert practice.process is not None
    practice.process.wait(30)
    practice.process, mailbox.on_data = None, None
    assert [row[0] for row in rows(practice)] == ["sending"]
    practice.start()
    eventually(lambda: [row[0] for row in rows(practice)] == ["unsure"])
    assert "may have arrived or not" in rows(practice)[0][2]
    other = practice.room()
    Visitor(practice.url).post("/sign-in/forgot", {"email": other.email})
    mailbox.to(other.email)  # it goes on with what came later
    assert [each.to for each in mailbox.letters] == [owner.email, other.email]
    assert "One message was interrupted" in Visitor(practice.url, login=owner.login).get("/admin").text


def test_of_what_was_sent_nothing_stays_anywhere(elm: Callable[..., Practice], mailbox: Mailbox) -> None:
    practice = elm(CLINIC + CONTACT)
    marks = {name: f"Zq{secrets.token_hex(8)}" for name in ("name", "email", "message")}
    mailbox.stop()
    typed = {"name": marks["name"], "email": f"{marks['email']}@navy.example", "message": marks["message"]}
    assert Visitor(practice.url).post("/contact", typed).status_code == 303
    eventually(lambda: rows(practice) and rows(practice)[0][2])
    sealed = rows(practice)[0][1].encode()
    pieces = [sealed[at : at + 50] for at in range(0, len(sealed) - 50, 50)]
    assert any(piece in kept(practice) for piece in pieces), "this test reads nothing"
    for mark in marks.values():
        assert mark.encode() not in kept(practice), "while it waits it is sealed"
    mailbox.start()
    with closing(sqlite3.connect(practice.folder / "data/housecall.db")) as database, database:
        database.execute("update outbox set due = 0")
    practice.stop()
    practice.start()
    letter = mailbox.to("desk@elm.example")
    assert all(mark.lower() in letter.text.lower() for mark in marks.values())
    eventually(lambda: not any(piece in kept(practice) for piece in pieces))
    for mark in marks.values():
        assert mark.encode().lower() not in kept(practice).lower()


# -- plugins that carry


CARRIER = {
    "plugin.toml": 'id = "carrier"\nname = "Carrier"\nversion = "1.0"\napi = "1.0"\nsummary = "Carries."\n'
    '[settings.answer]\ntype = "text"\nlabel = "Answer"\ndefault = "sent"\n',
    "__init__.py": """
import pathlib

from flask import Blueprint, request

import housecall
from housecall import Delivery, hookimpl, settings

pages = Blueprint("carrier_pages", __name__)


@pages.get("/post")
def post():
    return housecall.post("main", request.args["kind"], request.args["to"], text="Come.", owner="carrier")


@pages.get("/can")
def can():
    return {kind: housecall.deliverable("main", kind) for kind in ("mail", "text", "push")}


@pages.get("/do/<what>/<id>")
def do(what, id):
    return {"done": getattr(housecall, what)("main", id)}


@pages.get("/report/<id>/<state>")
def report(id, state):
    return {"done": housecall.report("main", f"its {id}", state, "The phone is off.")}


@hookimpl
def blueprints():
    return [pages]


@hookimpl
def can_deliver(clinic, kind):
    return True if kind == "text" else None


@hookimpl
def deliver(message):
    answer = settings("carrier", clinic=message.clinic)["answer"]
    if message.kind != "text":
        return None
    with open(pathlib.Path(__file__).with_name("carried"), "a") as file:
        file.write(message.id + "\\n")
    if answer == "raise":
        raise ValueError(message.to)
    if answer == "wrong":
        return True
    return Delivery(state=answer, reason=f"No room for {message.to}.", reference=f"its {message.id}")
""",
}


@pytest.fixture
def carried(elm: Callable[..., Practice], tmp_path: Any) -> Callable[..., tuple[Practice, Visitor, Callable[[], int]]]:
    """A practice with a plugin that carries texts and answers so; how often it was asked to."""

    def start(answer: str) -> tuple[Practice, Visitor, Callable[[], int]]:
        folder = tmp_path / "carrier"
        folder.mkdir()
        for name, text in CARRIER.items():
            (folder / name).write_text(text, encoding="utf-8")
        toml = f'{CLINIC}plugins = ["carrier"]\n[clinic.main.carrier]\nanswer = "{answer}"\n'
        practice = elm(toml, plugins=(folder,))
        place = folder / "carried"
        return practice, Visitor(practice.url), lambda: len(place.read_text().split()) if place.exists() else 0

    return start


@pytest.mark.parametrize(
    ("answer", "state", "reason"),
    [
        ("sent", "sent", "No room for …."),
        ("refused", "failed", "No room for …."),
        ("later", "waiting", "No room for …."),
        ("unsure", "unsure", "No room for …."),
        ("raise", "unsure", "The plugin carrier failed while it was sending."),
        ("wrong", "unsure", "The plugin carrier failed while it was sending."),
    ],
)
def test_what_a_plugin_says_of_a_message_counts(carried: Any, answer: str, state: str, reason: str) -> None:
    practice, visitor, times = carried(answer)
    id = visitor.get("/-/carrier/post?kind=text&to=%2B3247000001").text
    told = {"state": state, "tries": 1, "reason": reason}
    eventually(lambda: visitor.get(f"/-/posted/{id}").json() == told)
    assert times() == 1
    assert "3247000001" not in practice.log.read_text()


def test_an_unsure_message_goes_again_when_a_person_says_so(carried: Any) -> None:
    _, visitor, times = carried("unsure")
    id = visitor.get("/-/carrier/post?kind=text&to=%2B3247000001").text
    eventually(lambda: visitor.get(f"/-/posted/{id}").json()["state"] == "unsure")
    assert not visitor.get(f"/-/carrier/do/withdraw/{id}").json()["done"]
    assert visitor.get(f"/-/carrier/do/again/{id}").json()["done"]
    eventually(lambda: times() == 2)
    eventually(lambda: visitor.get(f"/-/posted/{id}").json() == {
        "state": "unsure", "tries": 2, "reason": "No room for …."
    })  # fmt: skip
    assert visitor.get(f"/-/carrier/report/{id}/delivered").json()["done"]
    assert visitor.get(f"/-/posted/{id}").json()["state"] == "delivered"
    assert not visitor.get(f"/-/carrier/do/again/{id}").json()["done"]


def test_mail_that_no_plugin_takes_goes_to_the_mail_server(carried: Any, mailbox: Mailbox) -> None:
    _, visitor, times = carried("sent")
    assert visitor.get("/-/carrier/can").json() == {"mail": True, "text": True, "push": False}
    visitor.get("/-/carrier/post?kind=mail&to=grace%40navy.example")
    assert mailbox.to("grace@navy.example").text == "Come.\n"
    id = visitor.get("/-/carrier/post?kind=push&to=x").text
    eventually(lambda: visitor.get(f"/-/posted/{id}").json()["state"] == "failed")
    assert times() == 0
