"""One request to a gateway: certificate checked, no redirect followed, bounded in time and size, and no inner address.

Whoever asks must know whether the gateway may have heard us, so that nothing is sent twice: `NotSent` says no, `Lost`
says that nobody knows.
"""

import contextlib
import http.client
import io
import ipaddress
import re
import socket
import ssl
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

PATIENCE = 20.0  #: seconds for all of it
CONNECTING = 8.0  #: seconds of them for each address until somebody answers
LARGEST = 64 * 1024  #: bytes of an answer
WORD = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


class NotSent(Exception):
    """The gateway has not heard of it; the text says why, in a sentence without what was to be sent."""


class Lost(Exception):
    """The gateway may have heard of it, and has not answered."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked. Its parts hold numbers, texts and keys, so it shows none of them."""

    method: str
    url: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a gateway said."""

    status: int
    body: str = field(repr=False)


def ask(request, *, inside=(), patience=PATIENCE, clock=time.monotonic):
    """The answer to a request. `inside` names the hosts, with port, of our own network that may be asked.

    Raises NotSent and Lost.
    """
    end = clock() + patience
    parts = urlsplit(request.url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    message = _message(request, parts)
    line = _connected(parts.hostname, port, allowed(parts.hostname, port, inside), end, clock)
    with contextlib.closing(line):
        if parts.scheme == "https":
            line = _secured(line, parts.hostname, end, clock)
        with contextlib.closing(line):
            return _asked(line, message, request.method, end, clock)


def allowed(host, port, inside):
    """Whether a host of our own network is one that the server's owner has named, with this port or without any."""
    return any(each in (host, f"{host}:{port}", f"[{host}]:{port}") for each in inside)


def _message(request, parts):
    """The request as it goes over the line. Raises NotSent for what would break out of it."""
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    host = parts.hostname if ":" not in parts.hostname else f"[{parts.hostname}]"
    headers = {"Host": host + (f":{parts.port}" if parts.port else "")}
    headers |= {"Connection": "close", "Accept": "*/*", "User-Agent": "Housecall", "Accept-Encoding": "identity"}
    headers |= dict(request.headers)
    if request.body or request.method == "POST":
        headers["Content-Length"] = str(len(request.body))
    lines = [f"{request.method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    if not all(WORD.fullmatch(name) for name in headers) or any(re.search(r"[^\x20-\x7e]", line) for line in lines):
        raise NotSent("The request to the gateway would hold letters that have no place in its head.")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + request.body


def _connected(host, port, inner, end, clock):
    """A line to a host whose address was looked at first, so that nobody leads us elsewhere in between."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise NotSent("The gateway's host name is not known.") from None
    why = "The gateway cannot be reached."
    for family, _, _, _, address in found:
        if not inner and not _public(address[0]):
            why = "The gateway's address is inside of this server's network; housecall.toml must name it (inside)."
            continue
        line = socket.socket(family, socket.SOCK_STREAM)
        try:
            line.settimeout(max(0.1, min(CONNECTING, end - clock())))
            line.connect(address)
        except OSError as error:
            line.close()
            refused = isinstance(error, ConnectionRefusedError)
            why = "The gateway refuses connections." if refused else "The gateway cannot be reached."
            continue
        return line
    raise NotSent(why)


def _public(address):
    found = ipaddress.ip_address(address.partition("%")[0])
    found = getattr(found, "ipv4_mapped", None) or found
    return found.is_global and not found.is_multicast


def _secured(line, host, end, clock):
    context = ssl.create_default_context()
    try:
        line.settimeout(max(0.1, end - clock()))
        return context.wrap_socket(line, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        raise NotSent(f"The gateway's certificate is not right: {error.verify_message}.") from None
    except (OSError, ValueError):
        raise NotSent("No secure connection to the gateway could be made.") from None


def _asked(line, message, method, end, clock):
    """Say it, then read until the answer is whole."""
    heard = b""
    try:
        line.settimeout(max(0.1, end - clock()))
        line.sendall(message)
        while True:
            left = end - clock()
            if left <= 0:
                raise Lost("The gateway did not answer in time.")
            line.settimeout(left)
            piece = line.recv(16 * 1024)
            heard += piece
            if len(heard) > LARGEST:
                raise Lost("The gateway's answer is too large.")
            if (answer := _read(heard, method, ended=not piece)) is not None:
                return answer
            if not piece:
                raise Lost("The gateway hung up before it answered.")
    except TimeoutError:
        raise Lost("The gateway did not answer in time.") from None
    except OSError:
        raise Lost("The connection to the gateway broke before it answered.") from None


class _Heard:
    """What http.client wants of a socket: something to read from."""

    def __init__(self, heard):
        self.heard = heard

    def makefile(self, mode):
        return io.BytesIO(self.heard)


def _read(heard, method, *, ended):
    """The answer, once all of it is there; None before that. Raises Lost for what is no HTTP."""
    if b"\r\n\r\n" not in heard:
        return None
    answer = http.client.HTTPResponse(_Heard(heard), method=method)
    try:
        answer.begin()
        if answer.length is None and not answer.chunked and not ended:
            return None  # it lasts until the line is closed
        body = answer.read()
    except http.client.IncompleteRead:
        return None
    except (http.client.HTTPException, ValueError):
        if ended:
            raise Lost("The gateway's answer was not understood.") from None
        return None
    return Answer(status=answer.status, body=body.decode("utf-8", "replace"))
