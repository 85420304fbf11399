"""Mail by SMTP against a real server: secured, signed in, refused, slow, down, and cut off at every step."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from housecall import cli, mail
from housecall.config import MailServer
from housecall.message import Attachment, Delivery, Message
from housecall.testing import Mailbox
from housecall.testing.certificate import certificate

pytest.importorskip("aiosmtpd", reason="aiosmtpd is not installed: pip install 'housecall[testing]'")

ID = "AbCdEfGhIjKlMnOpQrStUv"
SIGN_IN = ("desk", "hush-hush")


def message(**more: Any) -> Message:
    told = {"id": ID, "clinic": "elm", "kind": "mail", "owner": "core", "to": "grace@navy.example", "text": "Come."}
    return Message(**{**told, "subject": "Hello", **more})


def composed(**more: Any) -> EmailMessage:
    made = mail.compose(message(**more), name="Elm Street", sender="desk@elm.example", reply_to="ada@elm.example")
    read = message_from_bytes(made.as_bytes(), policy=policy.default)
    assert isinstance(read, EmailMessage)
    return read


def server(box: Mailbox, **more: Any) -> MailServer:
    user, password = box.sign_in or ("", "")
    told = {"host": "localhost", "port": box.port, "security": box.security, "sender": "desk@elm.example"}
    ca = box.certificate[0] if box.certificate else None
    return MailServer(**{**told, "user": user, "password": password, "ca": ca, **more})


def send(where: MailServer, **more: Any) -> Delivery:
    told = mail.send(where, message(**more), name="Elm Street")
    assert "grace" not in told.reason
    assert "hush" not in told.reason
    return told


@pytest.fixture
def box(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Mailbox]]:
    """Starts mail servers; with TLS, their own certificate is trusted by `server()`."""
    running: list[Mailbox] = []

    def start(security: str = "none", **more: Any) -> Mailbox:
        cert = certificate(tmp_path) if security != "none" else None
        running.append(Mailbox(security=security, certificate=cert, **more).start())
        return running[-1]

    yield start
    for each in running:
        each.stop()


# -- how it is written


def test_the_headers_say_whose_it_is_and_that_a_machine_wrote_it() -> None:
    made = composed(subject="Übung")
    assert made["From"] == "Elm Street <desk@elm.example>"
    assert made["To"] == "grace@navy.example"
    assert made["Reply-To"] == "ada@elm.example"
    assert made["Subject"] == "Übung"
    assert made["Message-ID"] == f"<{ID}@elm.example>"
    assert made["Auto-Submitted"] == "auto-generated"
    assert made["Date"].datetime.tzinfo is not None
    assert set(made.keys()) == {
        "From", "To", "Reply-To", "Subject", "Message-ID", "Auto-Submitted", "Date", "Content-Type",
        "Content-Transfer-Encoding", "MIME-Version",
    }  # fmt: skip
    assert composed(reply_to="visitor@home.example")["Reply-To"] == "visitor@home.example"


def test_an_invitation_to_a_calendar_is_a_way_to_read_it_and_a_file() -> None:
    inline = Attachment(name="", type="text/calendar", body=b"")
    with pytest.raises(ValueError, match="name of an attachment"):
        message(attachments=(inline,))
    kind = "text/calendar; method=REQUEST; charset=utf-8"
    made = composed(
        html="<p>Come.</p>",
        attachments=(
            Attachment(name="invite.ics", type="application/ics", body=b"BEGIN:VCALENDAR"),
            Attachment(name="invite", type=kind, body="BEGIN:VCALENDAR Ü".encode(), inline=True),
        ),
    )
    assert made.get_content_type() == "multipart/mixed"
    alternative, file = made.iter_parts()
    assert [part.get_content_type() for part in alternative.iter_parts()] == [
        "text/plain",
        "text/html",
        "text/calendar",
    ]
    calendar = list(alternative.iter_parts())[2]
    assert calendar["Content-Type"].params["method"] == "REQUEST"
    assert calendar.get_content() == "BEGIN:VCALENDAR Ü"
    assert (file.get_filename(), file.get_content()) == ("invite.ics", b"BEGIN:VCALENDAR")


def test_a_name_with_line_ends_makes_no_header() -> None:
    made = mail.compose(message(), name="Elm\r\nBcc: eve@evil.example", sender="desk@elm.example")
    read = message_from_bytes(made.as_bytes(), policy=policy.default)
    assert read["Bcc"] is None
    assert read["From"].addresses[0].addr_spec == "desk@elm.example"


def test_the_host_of_an_address_is_written_as_the_dns_has_it() -> None:
    assert composed(to="grace@müller.example")["To"] == "grace@xn--mller-kva.example"


# -- how it is handed over


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
@pytest.mark.parametrize("sign_in", [None, SIGN_IN])
def test_it_arrives_as_it_was_written(box: Callable[..., Mailbox], security: str, sign_in: Any) -> None:
    where = box(security, sign_in=sign_in)
    text = "Grüße.\n.a line with a dot\n..two\n" + "long " * 400 + "\n"
    assert send(server(where), text=text, subject="Übung") == Delivery(state="sent", reference=ID)
    (letter,) = where.wait()
    assert letter.text == text
    assert letter.mail["Subject"] == "Übung"
    assert (letter.sender, letter.to, letter.tls) == ("desk@elm.example", "grace@navy.example", security != "none")
    assert letter.user == (sign_in[0] if sign_in else "")
    assert all(len(line) < 1000 and line.isascii() for line in letter.raw.splitlines())


def test_an_address_with_other_letters_goes_where_the_server_takes_it(box: Callable[..., Mailbox]) -> None:
    where = box()
    assert send(server(where), to="jürgen@navy.example").state == "sent"
    assert where.wait()[0].to == "jürgen@navy.example"
    assert "To: jürgen@navy.example\r\n".encode() in where.letters[0].raw


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_server_that_is_another_gets_neither_password_nor_mail(
    box: Callable[..., Mailbox], tmp_path: Path, security: str
) -> None:
    where = box(security, sign_in=SIGN_IN)
    (tmp_path / "other").mkdir()
    foreign, _ = certificate(tmp_path / "other")
    for wrong in ({"ca": foreign}, {"ca": None}):
        told = send(server(where, **wrong))
        assert told == Delivery(state="later", reason="The mail server's certificate is not trusted.", reference=ID)
    assert where.letters == []


def test_a_name_that_is_not_in_the_certificate_is_not_trusted(box: Callable[..., Mailbox], tmp_path: Path) -> None:
    where = Mailbox(security="tls", certificate=certificate(tmp_path, host="mail.elm.example", address="127.9.9.9"))
    where.start()
    assert "certificate is not trusted" in send(server(where)).reason
    where.stop()


def test_without_starttls_nothing_is_said_in_the_clear(box: Callable[..., Mailbox]) -> None:
    where = box()
    told = send(server(where, security="starttls", user="desk", password="hush-hush"))
    assert told == Delivery(state="later", reason="The mail server offers no STARTTLS.", reference=ID)
    assert where.letters == []


def test_a_wrong_password_is_no_fault_of_the_message(box: Callable[..., Mailbox]) -> None:
    where = box("starttls", sign_in=SIGN_IN)
    told = send(server(where, password="wrong"))
    assert told == Delivery(state="later", reason="The mail server did not accept our sign-in (535).", reference=ID)


@pytest.mark.parametrize(
    ("answers", "state", "reason"),
    [
        ({"MAIL": "553 5.7.1 not you"}, "refused", "The mail server refused our own address (553 5.7.1)."),
        ({"MAIL": "451 busy"}, "later", "The mail server refused our own address (451)."),
        ({"grace@navy.example": "550 5.1.1 grace@navy.example?"}, "refused", "refused the address (550 5.1.1)."),
        ({"grace@navy.example": "450 4.2.0 grey"}, "later", "The mail server refused the address (450 4.2.0)."),
        ({"grace@navy.example": "421 going"}, "later", "The mail server refused the address (421)."),
        ({"DATA": "554 5.7.1 spam of grace"}, "refused", "The mail server refused the message (554 5.7.1)."),
        ({"DATA": "452 4.3.1 full"}, "later", "The mail server refused the message (452 4.3.1)."),
    ],
)
def test_each_answer_counts_as_what_it_is(
    box: Callable[..., Mailbox], answers: dict[str, str], state: str, reason: str
) -> None:
    where = box(answers=answers)
    told = send(server(where))
    assert told.state == state
    assert told.reason.endswith(reason)
    assert where.letters == []
    where.answers = {}
    assert send(server(where)).state == "sent"


def test_a_server_that_is_down_or_unknown_is_tried_again(box: Callable[..., Mailbox]) -> None:
    where = box()
    where.stop()
    assert send(server(where)) == Delivery(state="later", reason="The mail server cannot be reached.", reference=ID)
    unknown = send(server(where, host="no-such-host.invalid"))
    assert unknown == Delivery(state="later", reason="The mail server's name is not known.", reference=ID)


@pytest.mark.parametrize(("at", "state", "kept"), [("rcpt", "later", 0), ("data", "unsure", 0), ("dot", "unsure", 1)])
def test_a_line_that_breaks_is_unsure_only_after_the_last_dot(
    box: Callable[..., Mailbox], at: str, state: str, kept: int
) -> None:
    where = box(hang_up=at)
    assert send(server(where)).state == state
    assert len(where.letters) == kept


class Rough:
    """A mail server that says what it is told to, line by line, and then nothing, or hangs up."""

    def __init__(self, *said: str, hang_up: bool = False, dripping: bool = False):
        self.said, self.hang_up, self.dripping = list(said), hang_up, dripping
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.heard = b""
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self) -> None:
        line, _ = self.listener.accept()
        with line:
            for number, each in enumerate(self.said):
                if number:
                    self.heard += line.recv(65536)
                line.sendall(each.encode() + b"\r\n")
            while self.dripping and not self.over.wait(0.05):
                try:
                    line.sendall(b"2")
                except OSError:
                    return
            if not self.hang_up:
                self.over.wait(30)

    def stop(self) -> None:
        self.over.set()
        self.thread.join(30)
        self.listener.close()


HELLO = ("220 mail.test", "250 mail.test", "250 sender", "250 to")


@pytest.mark.parametrize(
    ("said", "more", "state", "reason"),
    [
        ((), {}, "later", "The mail server did not"),
        (("554 not for you",), {}, "later", "The mail server takes no connections (554)."),
        ((), {"hang_up": True}, "later", "The mail server did not greet."),
        (HELLO[:2], {}, "later", "The line to the mail server broke."),
        (HELLO, {}, "later", "The line to the mail server broke."),
        ((*HELLO, "354 go on"), {}, "unsure", "broke when it had the message"),
        ((*HELLO, "354 go on", "nonsense"), {}, "unsure", "broke when it had the message"),
        ((*HELLO, "999 what"), {}, "later", "The mail server refused the message (999)."),
        (HELLO[:2], {"dripping": True}, "later", "The line to the mail server broke."),
    ],
)
def test_a_server_that_falls_silent_is_left(
    monkeypatch: pytest.MonkeyPatch, said: tuple[str, ...], more: dict[str, bool], state: str, reason: str
) -> None:
    for name, seconds in (("WAIT", 0.4), ("AFTER_DOT", 0.4), ("WHOLE", 1.0)):
        monkeypatch.setattr(mail, name, seconds)
    where, begun = Rough(*said, **more), time.monotonic()
    told = mail.send(
        MailServer(host="127.0.0.1", port=where.port, sender="desk@elm.example", security="none"),
        message(),
        name="Elm",
    )
    where.stop()
    assert (told.state, reason in told.reason) == (state, True), told
    assert time.monotonic() - begun < 20, "who drips letters keeps nobody"


# -- what comes back


DSN = """\
From: MAILER-DAEMON@mail.test
To: desk@elm.example
Message-ID: <20261126.ABCDEFGHIJKL@mail.test>
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

Sorry.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.test

Final-Recipient: rfc822; grace@navy.example
Action: {action}
Status: 5.1.1 (bad mailbox)

--b
Content-Type: {kind}

Message-ID: <{id}@{domain}>
Subject: Hello

--b--
"""


def dsn(**more: str) -> bytes:
    told = {"action": "failed", "kind": "text/rfc822-headers", "id": ID, "domain": "elm.example"}
    return DSN.format(**{**told, **more}).encode()


def test_a_delivery_report_says_which_message_came_back() -> None:
    for kind in ("text/rfc822-headers", "message/rfc822"):
        assert mail.bounced(dsn(kind=kind), "desk@elm.example") == ([ID], "5.1.1")
    assert mail.bounced(dsn(domain="evil.example"), "desk@elm.example") == ([], "5.1.1")
    assert mail.bounced(dsn(action="delayed"), "desk@elm.example") is None
    for raw in (b"", b"\xff\x00", b"Subject: Hi\n\nFinal-Recipient: x\nAction: failed", dsn()[:300]):
        assert mail.bounced(raw, "desk@elm.example") is None


# -- `housecall mail test`


@pytest.fixture
def site(tmp_path: Path) -> Callable[[str], Path]:
    def make(toml: str) -> Path:
        (tmp_path / "housecall.toml").write_text(f'{toml}[clinic.main]\nname = "Elm Street"\n', encoding="utf-8")
        return tmp_path

    return make


def tried(folder: Path, capsys: pytest.CaptureFixture[str], address: str = "ada@elm.example") -> tuple[int, str]:
    code = cli.main(["mail", "test", address, "--dir", str(folder)])
    said = capsys.readouterr()
    return code, said.out + said.err


@pytest.fixture(autouse=True)
def _lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """pytest's own stdout cannot be told to flush lines."""
    monkeypatch.setattr("sys.stdout.reconfigure", lambda **_: None, raising=False)


def test_the_test_says_each_step(
    box: Callable[..., Mailbox], site: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    where = box("starttls", sign_in=SIGN_IN)
    code, said = tried(site(where.toml("https://elm.example")), capsys)
    assert code == 0
    steps = [
        r"localhost is .*127\.0\.0\.1",
        rf"Connected to localhost, port {where.port}\.",
        r"TLSv1\.[23], with a certificate for localhost\.",
        r"Signed in as desk\.",
        r"The mail server has taken the message\.",
        r"the mailbox of ada@elm\.example",
    ]
    for step, line in zip(steps, said.splitlines(), strict=True):
        assert re.search(step, line), said
    assert where.wait()[0].mail["Subject"] == "Test of Elm Street"
    assert "hush" not in said


@pytest.mark.parametrize(
    ("more", "answers", "fix"),
    [
        ({"host": "no-such-host.invalid"}, {}, "Check server.mail.host"),
        ({"port": 1}, {}, "Check server.mail.host and port"),
        ({"password": "wrong"}, {}, "Check server.mail.user and password"),
        ({"security": "tls"}, {}, 'security = "starttls"'),
        ({}, {"MAIL": "553 no"}, "It said: 553 no\nserver.mail.sender must be"),
        ({}, {"ada@elm.example": "550 5.1.1 who?"}, "It said: 550 5.1.1 who?\nCheck the address."),
    ],
)
def test_the_test_says_what_to_do_about_each_failure(
    box: Callable[..., Mailbox],
    site: Callable[[str], Path],
    capsys: pytest.CaptureFixture[str],
    more: dict[str, Any],
    answers: dict[str, str],
    fix: str,
) -> None:
    where = box("starttls", sign_in=SIGN_IN, answers=answers)
    code, said = tried(site(where.toml("https://elm.example", **more)), capsys)
    assert code == 1
    assert fix in said
    assert "Traceback" not in said


def test_the_test_needs_a_server_and_an_address(
    box: Callable[..., Mailbox], site: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = tried(site(""), capsys)
    assert (code, "server.mail is not set" in said) == (1, True)
    code, said = tried(site(box().toml("https://elm.example")), capsys, "nobody")
    assert (code, "is no address" in said) == (1, True)


def test_check_tries_the_mail_server_and_sends_nothing(
    box: Callable[..., Mailbox], site: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    where = box("starttls", sign_in=SIGN_IN)

    def check(**more: Any) -> str:
        cli.main(["check", str(site(where.toml("https://elm.example", **more)))])
        return capsys.readouterr().out

    assert "mail" not in check()
    assert "server.mail: The mail server did not accept our sign-in (535). Check" in check(password="wrong")
    assert where.letters == []
    cli.main(["check", str(site(""))])
    assert "server.mail is not set" in capsys.readouterr().out


def test_server_of_this_machine_is_told_from_others() -> None:
    here = MailServer(host="localhost", port=25, sender="a@b.example", security="none")
    assert here.local
    assert not replace(here, host="mail.elm.example").local
    assert "hush" not in repr(replace(here, password="hush"))
