"""A visitor without a browser: HTTP with cookies and form tokens, and the socket, against the real server."""

from __future__ import annotations

import html
import json
import logging
import queue
import re
import secrets
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import requests
import socketio
from requests.adapters import HTTPAdapter

LOG = logging.getLogger(__name__)


class Elsewhere(HTTPAdapter):
    """Sends from a loopback network of its own, so that one visitor's brake does not slow another."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        address = f"127.{secrets.randbelow(250) + 2}.{secrets.randbelow(250) + 2}.1"
        super().init_poolmanager(*args, **options, source_address=(address, 0))


class Visitor:
    """One cookie jar; says what a browser would say about where its requests come from."""

    def __init__(self, url: str, *, host: str | None = None, login: str | None = None):
        self.origin = f"http://{host}" if host else url
        self.host = urlsplit(self.origin).netloc
        self.url = f"http://127.0.0.1:{urlsplit(url).port}"
        self.http = requests.Session()
        self.http.mount("http://", Elsewhere())
        if login:
            self.http.cookies.set("hc-login", login)

    def headers(self, **more: str) -> dict[str, str]:
        return {"Host": self.host, **{k.replace("_", "-"): v for k, v in more.items()}}

    def get(self, path: str, **more: Any) -> requests.Response:
        return self.http.get(self.url + path, headers=self.headers(), allow_redirects=False, timeout=30, **more)

    def token(self, path: str) -> str:
        page = self.get(path).text
        found = re.search(r'name="token" value="([^"]+)"', page) or re.search(r'"token": "([^"]+)"', page)
        assert found, f"no token on {path}"
        return html.unescape(found[1])

    def post(
        self, path: str, form: dict[str, str] | None = None, *, at: str | None = None, **more: Any
    ) -> requests.Response:
        """A form of the page `at` (the same address if not given), sent as a browser does."""
        token = self.token(at or path)
        headers = self.headers(Origin=self.origin, Sec_Fetch_Site="same-origin")
        data = {"token": token, **(form or {})}
        return self.http.post(self.url + path, data=data, headers=headers, allow_redirects=False, timeout=30, **more)

    def post_json(self, path: str, body: Any, *, token: str, raw: bytes | None = None) -> requests.Response:
        headers = self.headers(Origin=self.origin, Sec_Fetch_Site="same-origin", X_Form_Token=token)
        headers["Content-Type"] = "application/json"
        data = raw if raw is not None else json.dumps(body).encode()
        return self.http.post(self.url + path, data=data, headers=headers, timeout=30)

    def check_in(self, slug: str, name: str) -> requests.Response:
        return self.post_json(f"/{slug}/check-in", {"name": name, "lang": "en"}, token=self.token(f"/{slug}"))

    def socket(self, **auth: Any) -> Socket:
        cookies = "; ".join(f"{c.name}={c.value}" for c in self.http.cookies)
        return Socket(self.url, self.headers(Cookie=cookies, Origin=self.origin), auth)

    def seat(self, room: str, **more: Any) -> Socket:
        return self.socket(**{"as": "seat", "room": room, **more})

    def dashboard(self, **more: Any) -> Socket:
        return self.socket(**{"as": "dashboard", **more})


class Refused(Exception):
    """The server did not want this socket; the text is its code."""


class Socket:
    """An open socket that keeps everything it hears."""

    def __init__(self, url: str, headers: dict[str, str], auth: dict[str, Any]):
        self.key = auth.setdefault("key", secrets.token_urlsafe(24))
        auth.setdefault("v", 1)
        headers = dict(headers)
        options = {"origin": headers.pop("Origin"), "host": headers.pop("Host", None)}
        # with loggers of their own they write to what was stderr while the first of them was made
        self.io = socketio.Client(reconnection=False, websocket_extra_options=options, logger=LOG, engineio_logger=LOG)
        self.heard: queue.Queue[tuple[str, Any]] = queue.Queue()
        self.past: list[tuple[str, Any]] = []
        self.io.on("*", lambda event, *data: self.heard.put((event, data[0] if data else None)))
        self.io.on("disconnect", lambda *reason: self.heard.put(("disconnect", None)))
        self.io.on("connect_error", lambda *data: self.heard.put(("connect_error", data[0] if data else None)))
        try:
            self.io.connect(url, headers=headers, auth=auth, transports=["websocket"], wait_timeout=30)
        except socketio.exceptions.ConnectionError:
            self.close()
            said = dict(self._drain()).get("connect_error")
            raise Refused(said.get("message") if isinstance(said, dict) else str(said)) from None

    def ask(self, event: str, *body: Any) -> dict[str, Any]:
        data = body if len(body) > 1 else body[0] if body else None
        answer: dict[str, Any] = self.io.call(event, data, timeout=30)
        return answer

    def hear(self, event: str, timeout: float = 10) -> Any:
        """The next of this event, whatever comes between."""
        while True:
            name, data = self.heard.get(timeout=timeout)
            self.past.append((name, data))
            if name == event:
                return data

    def _drain(self) -> list[tuple[str, Any]]:
        said = []
        while not self.heard.empty():
            said.append(self.heard.get())
        return said

    def close(self) -> None:
        self.io.disconnect()

    def __enter__(self) -> Socket:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()
