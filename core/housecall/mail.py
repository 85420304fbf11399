"""Mail by SMTP: how a message is written, and how it is handed to the practice's mail server, step by step.

Until the server has been told whose message comes, whatever fails is `later`: nothing is wrong with the message. Then
4xx is later, 5xx refused; a line that breaks before the last dot is later, after it `unsure` (RFC 5321, 4.2.5 and 6.1).
"""

from __future__ import annotations

import contextlib
import datetime as dt
import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import format_datetime
from typing import Any

from .config import MailServer
from .message import Delivery, Message, media_type

WAIT = 30.0  #: seconds for an answer, at most
AFTER_DOT = 120.0  #: seconds for the answer that counts: who hangs up before it does not know what has happened
WHOLE = 300.0  #: seconds for all of it: a server that answers a letter at a time keeps nobody longer
POLICY = policy.SMTP.clone(cte_type="7bit")

Said = Callable[[str], None]  #: hears of each step that was done, in a sentence for operators


def _nothing(_: str) -> None:
    pass


class Trouble(Exception):
    """A step that failed: what became of the message, why (a sentence without any of it), and the one thing to do."""

    def __init__(self, state: str, reason: str, fix: str, answer: str = ""):
        self.state, self.reason, self.fix, self.answer = state, reason, fix, answer
        super().__init__(reason)


def compose(message: Message, *, name: str, sender: str, reply_to: str = "") -> EmailMessage:
    """The mail of a message: mixed(alternative(text, html, what is inline), files). Raises ValueError."""
    to, reply = _address(message.to), _address(message.reply_to or reply_to or sender)
    made = EmailMessage(policy=POLICY if f"{to}{reply}".isascii() else policy.SMTPUTF8)
    made["From"] = Address(display_name=" ".join(name.split()), addr_spec=sender)
    made["To"] = to
    if message.reply_to or reply_to:
        made["Reply-To"] = reply
    made["Subject"] = message.subject
    made["Date"] = format_datetime(dt.datetime.now(dt.UTC))
    made["Message-ID"] = f"<{message.id}@{sender.rpartition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"  # nobody's "I am away" answers it (RFC 3834)
    made.set_content(message.text)
    if message.html:
        made.add_alternative(message.html, subtype="html")
    for each in sorted(message.attachments, key=lambda each: not each.inline):
        kind, params = media_type(each.type)
        main, _, sub = kind.partition("/")
        if each.inline:
            made.add_alternative(each.body, maintype=main, subtype=sub, params=params)
        else:
            made.add_attachment(each.body, maintype=main, subtype=sub, params=params, filename=each.name)
    return made


def _address(written: str) -> Address:
    """An address, its host as the DNS has it. Raises ValueError."""
    local, _, host = written.rpartition("@")
    try:
        return Address(username=local, domain=host.encode("idna").decode())
    except UnicodeError:
        raise ValueError("the host of an address is none") from None


def send(server: MailServer, message: Message, *, name: str, reply_to: str = "", greeting: str = "") -> Delivery:
    """Hand a message over once; what became of it."""
    try:
        mail = compose(message, name=name, sender=server.sender, reply_to=reply_to)
    except ValueError:
        return Delivery(state="refused", reason="This cannot be written as a mail.")
    try:
        hand_over(server, mail, greeting=greeting)
    except Trouble as trouble:
        return Delivery(state=trouble.state, reason=trouble.reason, reference=message.id)
    return Delivery(state="sent", reference=message.id)


def hand_over(server: MailServer, mail: EmailMessage, *, said: Said = _nothing, greeting: str = "") -> None:
    """Give a composed mail, to one address, to the server. Raises Trouble."""
    to = mail["To"].addresses[0].addr_spec
    with session(server, said=said, greeting=greeting) as line:
        try:
            _transaction(line, server.sender, to, mail)
        except Trouble:
            raise
        except smtplib.SMTPNotSupportedError:
            fix = "Use an address with letters from a to z before the @."
            raise Trouble("refused", "The mail server takes no address with such letters.", fix) from None
        except (OSError, smtplib.SMTPException):  # before the last dot: what is half said is thrown away
            raise Trouble("later", "The line to the mail server broke.", "Look at the mail server's log.") from None
        said("The mail server has taken the message.")


@contextlib.contextmanager
def session(server: MailServer, *, said: Said = _nothing, greeting: str = "") -> Iterator[smtplib.SMTP]:
    """A line to the server, secured and signed in. Raises Trouble."""
    line = _connected(server, said, greeting)
    alarm = threading.Timer(WHOLE, _cut, (line,))
    alarm.daemon = True
    alarm.start()
    try:
        _secured(server, line, said)
        _signed_in(server, line, said)
        yield line
    finally:
        alarm.cancel()
        with contextlib.suppress(OSError, smtplib.SMTPException):
            if line.sock is not None:
                line.sock.settimeout(5)
                line.quit()
        line.close()


def _cut(line: smtplib.SMTP) -> None:
    with contextlib.suppress(OSError):
        if line.sock is not None:
            line.sock.shutdown(socket.SHUT_RDWR)


def _connected(server: MailServer, said: Said, greeting: str) -> smtplib.SMTP:
    where = f"{server.host}, port {server.port}"
    try:
        found = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
    except OSError:
        fix = "Check server.mail.host, and that this machine's DNS works."
        raise Trouble("later", "The mail server's name is not known.", fix) from None
    said(f"{server.host} is {', '.join(sorted({str(each[4][0]) for each in found}))}.")
    name = greeting or "localhost"
    try:
        if server.security == "tls":
            line: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, local_hostname=name, timeout=WAIT, context=_trust(server)
            )
        else:
            line = smtplib.SMTP(server.host, server.port, local_hostname=name, timeout=WAIT)
    except ssl.SSLError as error:
        raise _no_tls(server, error) from None
    except smtplib.SMTPResponseException as error:
        fix = "It may be busy, or refuse this machine's address: ask who runs it."
        reason = f"The mail server takes no connections ({error.smtp_code})."
        raise Trouble("later", reason, fix, _words(error)) from None
    except TimeoutError:
        fix = "Check server.mail.port, and that a firewall lets this machine out; many providers close port 25."
        raise Trouble("later", "The mail server did not answer in time.", fix) from None
    except smtplib.SMTPServerDisconnected:
        fix = 'Perhaps it speaks TLS from the first byte on this port: security = "tls".'
        raise Trouble("later", "The mail server did not greet.", fix) from None
    except (OSError, smtplib.SMTPException):
        fix = "Check server.mail.host and port, and that the mail server runs."
        raise Trouble("later", "The mail server cannot be reached.", fix) from None
    said(f"Connected to {where}.")
    return line


def _secured(server: MailServer, line: smtplib.SMTP, said: Said) -> None:
    try:
        if server.security == "starttls":
            line.starttls(context=_trust(server))
    except smtplib.SMTPNotSupportedError:
        fix = 'Choose the port that offers it (587), or security = "tls" (465).'
        raise Trouble("later", "The mail server offers no STARTTLS.", fix) from None
    except ssl.SSLError as error:
        raise _no_tls(server, error) from None
    except (OSError, smtplib.SMTPException):
        fix = "Look at the mail server's log; its TLS may be set up wrongly."
        raise Trouble("later", "The mail server did not begin TLS.", fix) from None
    if isinstance(line.sock, ssl.SSLSocket):
        said(f"{line.sock.version()}, with a certificate for {server.host}.")
    else:
        said("Without TLS: what is sent can be read on the way.")


class _Trust:
    """As smtplib uses an SSLContext; a line that cannot be secured is closed, and not left to the collector."""

    def __init__(self, context: ssl.SSLContext):
        self.context = context

    def wrap_socket(self, sock: socket.socket, server_hostname: str) -> ssl.SSLSocket:
        line = self.context.wrap_socket(sock, server_hostname=server_hostname, do_handshake_on_connect=False)
        try:
            line.do_handshake()
        except BaseException:
            line.close()
            raise
        return line


def _trust(server: MailServer) -> Any:
    """Certificates are checked, by name, against the system's authorities or those of `ca`. Raises Trouble."""
    try:
        return _Trust(ssl.create_default_context(cafile=str(server.ca) if server.ca else None))
    except OSError:
        fix = "server.mail.ca must be a file of certificates in PEM."
        raise Trouble("later", "The certificates to trust cannot be read.", fix) from None


def _no_tls(server: MailServer, error: ssl.SSLError) -> Trouble:
    if isinstance(error, ssl.SSLCertVerificationError):
        why = f" ({error.verify_message})" if error.verify_message else ""
        fix = f"server.mail.host must be the name in the certificate{why}; one of your own goes to server.mail.ca."
        return Trouble("later", "The mail server's certificate is not trusted.", fix)
    fix = 'Perhaps this port begins without TLS: security = "starttls".'
    return Trouble("later", "TLS with the mail server failed.", fix)


def _signed_in(server: MailServer, line: smtplib.SMTP, said: Said) -> None:
    if not server.user:
        said("Without signing in.")
        return
    try:
        line.login(server.user, server.password)
    except smtplib.SMTPAuthenticationError as error:
        fix = "Check server.mail.user and password; some providers want a password made for applications."
        reason = f"The mail server did not accept our sign-in ({error.smtp_code})."
        raise Trouble("later", reason, fix, _words(error)) from None
    except (OSError, smtplib.SMTPException):
        fix = "Leave out server.mail.user and password, or choose the port for sending (587 or 465)."
        raise Trouble("later", "The mail server offers no sign-in that we know.", fix) from None
    said(f"Signed in as {server.user}.")


def _transaction(line: smtplib.SMTP, sender: str, to: str, mail: EmailMessage) -> None:
    """From MAIL to the last dot. Whatever smtplib or the line raises here was before the dot."""
    utf8 = getattr(mail.policy, "utf8", False)
    body = re.sub(rb"(?m)^\.", b"..", mail.as_bytes().rstrip(b"\r\n") + b"\r\n")
    line.ehlo_or_helo_if_needed()
    options = ["SMTPUTF8", "BODY=8BITMIME"] if utf8 else []
    if line.has_extn("size"):
        options.append(f"SIZE={len(body)}")
    fix = "server.mail.sender must be an address that may be sent from here; perhaps it wants a sign-in."
    _taken(line.mail(sender, options), "The mail server refused our own address", fix)
    fix = "Check the address. If it is right, ask who runs the mail server."
    _taken(line.rcpt(to), "The mail server refused the address", fix)
    fix = "Ask who runs the mail server."
    _taken(line.docmd("DATA"), "The mail server refused the message", fix)
    line.send(body)
    assert line.sock is not None
    line.sock.settimeout(AFTER_DOT)
    answer = (0, b"")
    with contextlib.suppress(OSError, smtplib.SMTPException):
        line.send(b".\r\n")
        answer = line.getreply()
    if not 200 <= answer[0] < 600:
        reason = "The line to the mail server broke when it had the message, so it may have been sent or not."
        raise Trouble("unsure", reason, "Look whether it has arrived, before it is sent again.")
    _taken(answer, "The mail server refused the message", fix)


def _taken(answer: tuple[int, bytes], what: str, fix: str) -> None:
    """2xx and 3xx go on; 4xx is later, 5xx refused, and anything else is no SMTP."""
    code, words = answer
    if 200 <= code < 400:
        return
    enhanced = re.match(rb"[245]\.\d{1,3}\.\d{1,3}\b", words)
    number = f"{code} {enhanced[0].decode()}" if enhanced else str(code)
    state = "refused" if 500 <= code < 600 else "later"
    told = words.decode("utf-8", "replace")
    raise Trouble(state, f"{what} ({number}).", fix, f"{code} {told}")


def _words(error: smtplib.SMTPResponseException) -> str:
    words = error.smtp_error
    return f"{error.smtp_code} {words.decode('utf-8', 'replace') if isinstance(words, bytes) else words}"


def bounced(raw: bytes, sender: str) -> tuple[list[str], str] | None:
    """What a delivery report (RFC 3464) says: ids that it may be about, and the status; None when none has failed."""
    mail = BytesParser(policy=policy.default).parsebytes(raw)
    status = ""
    for part in mail.walk():
        if part.get_content_type() == "message/delivery-status":
            for block in part.get_payload():
                if isinstance(block, EmailMessage) and str(block.get("Action", "")).strip().lower() == "failed":
                    status = str(block.get("Status", "")).strip() or "5.0.0"
    if not status:
        return None
    domain = re.escape(sender.rpartition("@")[2].encode())
    ids = [found.decode() for found in re.findall(rb"(?im)^message-id:\s*<([\w-]{22})@" + domain + rb">", raw)]
    return ids, re.sub(r"[^0-9.].*", "", status)[:12]
