"""A push service on loopback, over TLS: it keeps what it is given, and answers as a test wants."""

from __future__ import annotations

import base64
import json
import ssl
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from housecall.testing.practice import eventually

P256 = ec.SECP256R1()


@dataclass(frozen=True, kw_only=True)
class Given:
    """One request as the service got it."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class PushService:
    """Runs in threads of this process until `stop`."""

    certificate: tuple[Path, Path]
    answers: list[int] = field(default_factory=list)  #: statuses of the next requests; 0 hangs up; then 201
    given: list[Given] = field(default_factory=list)

    def __post_init__(self) -> None:
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                service.given.append(Given(path=self.path, headers=dict(self.headers), body=body))
                status = service.answers.pop(0) if service.answers else 201
                if not status:
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("Content-Length", "0")
                if 300 <= status < 400:
                    self.send_header("Location", f"https://localhost:{service.port}/elsewhere")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: Any) -> None:
                """Who does not trust our certificate hangs up."""

        self._server = Server(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.certificate)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def host(self) -> str:
        return f"localhost:{self.port}"

    def wait(self, count: int = 1) -> list[Given]:
        eventually(lambda: len(self.given) >= count)
        return list(self.given)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)


class Subscriber:
    """A browser's half of a subscription: its keys, and what it reads with them (http_ece, which is not ours)."""

    def __init__(self, service: PushService, name: str = "one"):
        self.key, self.auth = ec.generate_private_key(P256), b"0123456789abcdef"
        self.endpoint = f"https://{service.host}/push/{name}?key=secret-{name}"

    @property
    def json(self) -> dict[str, Any]:
        """As PushSubscription.toJSON() has it."""
        raw = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {
            "endpoint": self.endpoint,
            "expirationTime": None,
            "keys": {"p256dh": encoded(raw), "auth": encoded(self.auth)},
        }

    def read(self, given: Given) -> dict[str, Any]:
        plain = http_ece.decrypt(given.body, private_key=self.key, auth_secret=self.auth, version="aes128gcm")
        found: dict[str, Any] = json.loads(plain)
        return found


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def claims(given: Given) -> tuple[dict[str, Any], str]:
    """What the signature of a request says, once it is the right one, and the public key that it is of (RFC 8292)."""
    kind, _, rest = given.headers["Authorization"].partition(" ")
    assert kind == "vapid"
    parts = dict(part.strip().split("=", 1) for part in rest.split(","))
    head, body, signature = parts["t"].split(".")
    raw = decoded(signature)
    assert len(raw) == 64
    numbers = (int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    public = ec.EllipticCurvePublicKey.from_encoded_point(P256, decoded(parts["k"]))
    public.verify(utils.encode_dss_signature(*numbers), f"{head}.{body}".encode(), ec.ECDSA(SHA256()))
    assert json.loads(decoded(head)) == {"typ": "JWT", "alg": "ES256"}
    return json.loads(decoded(body)), parts["k"]
