"""A real mail server for tests (aiosmtpd): it keeps what it takes in memory, and can refuse, dawdle and hang up."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any, Self

import pytest

from .practice import free_port

SENDER = "desk@elm.example"


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A mail as it arrived."""

    sender: str  #: of the envelope
    to: str  #: of the envelope
    raw: bytes
    mail: EmailMessage
    tls: bool
    user: str  #: who had signed in

    @property
    def text(self) -> str:
        part = self.mail.get_body(("plain",))
        assert part is not None
        return str(part.get_content()).replace("\r\n", "\n")

    @property
    def html(self) -> str:
        part = self.mail.get_body(("html",))
        return str(part.get_content()) if part is not None else ""

    @property
    def links(self) -> list[str]:
        return re.findall(r"https?://\S+", self.text)


@dataclass
class Mailbox:
    """One mail server on loopback. What it does at each step may be changed while it runs."""

    security: str = "none"  #: "none", "starttls" or "tls"
    certificate: tuple[Path, Path] | None = None  #: the certificate and its key; of `certificate()`
    sign_in: tuple[str, str] | None = None  #: user and password that it asks for
    port: int = field(default_factory=free_port)
    answers: dict[str, str] = field(default_factory=dict)  #: address, "MAIL" or "DATA" -> what it answers
    hang_up: str = ""  #: "rcpt", "data" (before the last dot counts) or "dot" (it has the message, and says nothing)
    on_data: Callable[[Letter], None] | None = None  #: is called with each mail that is complete, before the answer
    letters: list[Letter] = field(default_factory=list)
    _more: threading.Condition = field(default_factory=threading.Condition)
    _loop: asyncio.AbstractEventLoop | None = None
    _thread: threading.Thread | None = None

    # -- running

    def start(self) -> Self:
        ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, args=(ready,), daemon=True)
        self._thread.start()
        assert ready.wait(30), "the mail server did not start"
        return self

    def stop(self) -> None:
        """Down: who connects now is refused."""
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(30)
            self._loop = self._thread = None

    def _serve(self, ready: threading.Event) -> None:
        from aiosmtpd.smtp import SMTP, AuthResult

        loop = self._loop = asyncio.new_event_loop()
        tls = None
        if self.certificate is not None:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(*self.certificate)

        def authenticator(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> Any:
            given = (data.login.decode(), data.password.decode())
            session.housecall_user = given[0] if given == self.sign_in else ""
            return AuthResult(success=given == self.sign_in, handled=False)

        def made() -> Any:
            options: dict[str, Any] = {"hostname": "mail.test", "enable_SMTPUTF8": True, "loop": loop}
            if self.security == "starttls":
                options |= {"tls_context": tls, "require_starttls": True}
            if self.sign_in:
                options |= {"authenticator": authenticator, "auth_required": True}
                options |= {"auth_require_tls": self.security == "starttls"}  # it does not see TLS from the first byte
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it does not like a sign-in without TLS; that is ours to test
                return SMTP(_Handler(self), **options)

        secured = tls if self.security == "tls" else None
        server = loop.run_until_complete(loop.create_server(made, "127.0.0.1", self.port, ssl=secured))
        ready.set()
        loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()

    # -- for tests

    def toml(self, url: str, **more: str | int) -> str:
        """The part of housecall.toml that makes a server at `url` send its mail here."""
        lines = {"host": "localhost", "port": self.port, "security": self.security, "sender": SENDER}
        if self.sign_in:
            lines |= {"user": self.sign_in[0], "password": self.sign_in[1]}
        if self.certificate:
            lines["ca"] = str(self.certificate[0])
        told = "".join(f"{key} = {json.dumps(value)}\n" for key, value in {**lines, **more}.items())
        return f'[server]\nurl = "{url}"\n[server.mail]\n{told}'

    def wait(self, count: int = 1, timeout: float = 30) -> list[Letter]:
        """All letters, once there are `count`; AssertionError when they do not come."""
        with self._more:
            came = self._more.wait_for(lambda: len(self.letters) >= count, timeout)
            assert came, f"{len(self.letters)} of {count} letters came"
            return list(self.letters)

    def to(self, address: str, timeout: float = 30) -> Letter:
        """The latest letter to an address, once there is one."""

        def found() -> list[Letter]:
            return [each for each in self.letters if each.to == address]

        with self._more:
            assert self._more.wait_for(found, timeout), f"nothing came to {address}"
            return found()[-1]

    def keep(self, letter: Letter) -> None:
        with self._more:
            self.letters.append(letter)
            self._more.notify_all()


class _Handler:
    """What the mail server does at each step (aiosmtpd's hooks)."""

    def __init__(self, box: Mailbox):
        self.box = box

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        if answer := self.box.answers.get("MAIL"):
            return answer
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        if self.box.hang_up == "rcpt":
            server.transport.abort()
        if answer := self.box.answers.get(address):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        raw = bytes(envelope.content)
        letter = Letter(
            sender=envelope.mail_from,
            to=envelope.rcpt_tos[0],
            raw=raw,
            mail=BytesParser(policy=policy.default).parsebytes(raw),
            tls=server.transport.get_extra_info("ssl_object") is not None or session.ssl is not None,
            user=getattr(session, "housecall_user", ""),
        )
        if self.box.on_data is not None:
            self.box.on_data(letter)
        if answer := self.box.answers.get("DATA"):
            return answer
        if self.box.hang_up != "data":
            self.box.keep(letter)
        if self.box.hang_up in ("data", "dot"):
            server.transport.abort()
        return "250 OK"


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """A mail server of the test's own, without TLS: `mailbox.toml(url)` goes into the housecall.toml of a practice."""
    pytest.importorskip("aiosmtpd", reason="aiosmtpd is not installed: pip install 'housecall[testing]'")
    running = Mailbox().start()
    yield running
    running.stop()
