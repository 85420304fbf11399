"""Immutable files of the browser side: hashed addresses, the import map, and the theme's style sheet."""

from __future__ import annotations

import base64
import functools
import gzip
import hashlib
import json
import mimetypes
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import brotli
from flask import Blueprint, Response, abort, current_app, g, request
from werkzeug import wrappers as wsgi

from ..extending import settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from ..extending.registry import Plugin

STATIC = Path(__file__).resolve().parent.parent / "static"
FOREVER = "public, max-age=31536000, immutable"
TYPES = {
    **{".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2"},
    **{".wasm": "application/wasm", ".tflite": "application/octet-stream", ".binarypb": "application/octet-stream"},
}
IMPORT = re.compile(r'^import .*? from "(?:\./)?([\w.-]+)";$', re.MULTILINE)
#: A line that is nothing but a comment, and one behind what ends a thought and before no quote; the line itself stays.
REMARK = re.compile(rb"""^[ \t]*//.*$|(?<=[;,{}()\[\]])[ \t]+// [^"'`\n]*$""", re.MULTILINE)
NOTE = re.compile(rb" */\*.*?\*/")  #: of a style sheet, on one line; ours have none inside of quotes
BARE = {"socket.io-client": "vendor/socket.io.js"}  #: what is imported by a name -> our file

PICTURES = ("image/jpeg", "image/png", "image/webp")  #: what is shown of files that people upload as settings
LARGE = 200_000  #: bytes of a file that is not pressed at its best, which takes a second for each 600 kB
SHELF = 500  #: answers that a shelf keeps: our files by a few hosts and a few kinds of browser

pages = Blueprint("assets", __name__)
Forms = Mapping[str, Callable[[], bytes]]  #: by their encodings, the best first


class Assets:
    """The files below one folder, served under one hash of them all, so that relative imports keep working."""

    def __init__(self, folder: Path, owner: str, *, lean: bool = False):
        self.folder, self.owner, self.lean = folder, owner, lean
        self.known: dict[str, bytes] = {}  #: what an earlier start has pressed, by name

    @cached_property
    def files(self) -> dict[str, Path]:
        return {
            p.relative_to(self.folder).as_posix(): p
            for p in sorted(self.folder.rglob("*"))
            if p.suffix in TYPES and p.is_file()
        }

    @cached_property
    def hash(self) -> str:
        """Changes when any file does."""
        digest = hashlib.sha256()
        for name, path in self.files.items():
            digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
        return digest.hexdigest()[:16]

    @property
    def base(self) -> str:
        return f"/-/asset/{self.owner}/{self.hash}/"

    def url(self, name: str) -> str:
        """The address of a file; KeyError for a file that is not there."""
        self.files[name]
        return self.base + name

    def served(self, name: str) -> bytes:
        """A file as it goes over the line: lean ones (our own) without their comments, which people read here."""
        data, comment = self.files[name].read_bytes(), {"js": REMARK, "css": NOTE}.get(name.split("/", 1)[0])
        return comment.sub(b"", data) if self.lean and comment else data

    @functools.cache  # noqa: B019  as long as the files themselves
    def packed(self, name: str, offload: Callable[..., bytes]) -> bytes:
        """The same by gzip."""
        data, press = self.served(name), functools.partial(gzip.compress, mtime=0)
        return offload(press, data) if len(data) > LARGE else press(data)

    @property
    def small(self) -> list[str]:
        """The names of all that is pressed at its best."""
        return [name for name, path in self.files.items() if path.stat().st_size <= LARGE]

    @functools.cache  # noqa: B019
    def pressed(self, name: str, offload: Callable[..., bytes]) -> bytes:
        """The same by Brotli at its best, which takes an eighth less, and a while to make."""
        if name in self.known:
            return self.known[name]
        data = self.served(name)
        return offload(brotli.compress, data, brotli.MODE_GENERIC, 5 if len(data) > LARGE else 11)

    @functools.cache  # noqa: B019
    def needs(self, name: str) -> dict[str, str]:
        """The addresses of a module and of all that it imports when it begins, with their hashes."""
        found, left = dict[str, None](), [name]
        while left:
            each = left.pop()
            if each in found or each not in self.files:
                continue
            found[each] = None
            left += [BARE.get(one, f"js/{one}") for one in IMPORT.findall(self.files[each].read_text("utf-8"))]
        return {self.url(each): self.integrity[self.url(each)] for each in found}

    @cached_property
    def integrity(self) -> dict[str, str]:
        """The hash that each module must have, by its address."""
        hashes = {}
        for name, path in self.files.items():
            if path.suffix == ".js":
                digest = base64.b64encode(hashlib.sha384(self.served(name)).digest()).decode()
                hashes[self.base + name] = f"sha384-{digest}"
        return hashes


class Shelf:
    """WSGI: gives our own files once more as the application gave them, without asking it, its session or a database.

    What stands in it depends on nothing but its key: an address that holds a hash, the host, and what a browser takes.
    """

    def __init__(self, app: WSGIApplication, base: str):
        self.app, self.base, self.kept = app, base, dict[tuple[str, ...], wsgi.Response]()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "GET" or not environ["PATH_INFO"].startswith(self.base):
            return self.app(environ, start_response)
        names = ("wsgi.url_scheme", "HTTP_HOST", "PATH_INFO", "HTTP_ACCEPT_ENCODING")
        key = tuple(environ.get(name, "") for name in names)
        answer = self.kept.get(key)
        if answer is None:
            answer = wsgi.Response.from_app(self.app, environ, buffered=True)
            if answer.status_code == 200 and len(self.kept) < SHELF:
                self.kept[key] = answer
        return answer(environ, start_response)


@functools.cache
def importmap(core: Assets, *plugins: Assets) -> str:
    """What the bare names of imports mean, and the hash that each module of the page must have."""
    imports = {"housecall/": core.base + "js/"} | {name: core.url(file) for name, file in BARE.items()}
    integrity = dict(core.integrity)
    for each in plugins:
        integrity |= each.integrity
    return json.dumps({"imports": imports, "integrity": integrity})


@pages.get("/-/asset/<owner>/<digest>/<path:name>")
def asset(owner: str, digest: str, name: str) -> Response:
    house = current_app.extensions["housecall"]
    plugin, theme = house.registry.get(g.clinic.id, owner), house.themes.good.get(owner.removeprefix("theme-"))
    assets: Assets = house.assets
    if plugin:
        assets = house.assets_of(plugin)
    elif theme and owner.startswith("theme-"):
        assets = house.assets_in(theme.folder, owner)
    if owner != assets.owner:
        abort(404)
    if plugin and name.startswith("setting/"):
        return _setting(plugin, digest, name.removeprefix("setting/"))
    if digest == assets.hash and name in assets.files:
        offload = house.runtime.offload
        forms: Forms = {"br": lambda: assets.pressed(name, offload), "gzip": lambda: assets.packed(name, offload)}
        return _forever(answer(lambda: assets.served(name), forms, TYPES[Path(name).suffix]))
    data = house.kept.find(owner, digest, name)
    if data is None:
        abort(404)
    forms = {"gzip": lambda: gzip.compress(data, mtime=0)}
    return _forever(answer(lambda: data, forms, TYPES[Path(name).suffix]))


@pages.get("/-/<owner>/worker.js")
def worker(owner: str) -> Response:
    """A plugin's service worker, at an address that stays; its scope is what lies below the plugin's own."""
    plugin = current_app.extensions["housecall"].registry.get(g.clinic.id, owner)
    if plugin is None or not plugin.own.worker:
        abort(404)
    return Response((plugin.folder / "static" / plugin.own.worker).read_bytes(), mimetype=TYPES[".js"])


def setting_url(owner: str, name: str, value: str) -> str:
    """The address of a file that the practice has set for a plugin; changes when the file does."""
    return f"/-/asset/{owner}/{hashlib.sha256(value.encode()).hexdigest()[:16]}/setting/{name}"


def _setting(plugin: Plugin, digest: str, name: str) -> Response:
    """A setting of type file, as a picture where it is one; else only to be kept."""
    value = settings.values(current_app.extensions["housecall"].site, g.clinic.id, plugin.own).get(name)
    if not isinstance(value, str) or setting_url(plugin.id, name, value).split("/")[4] != digest:
        abort(404)
    kind, _, data = value.removeprefix("data:").partition(";base64,")
    response = Response(base64.b64decode(data), mimetype=kind if kind in PICTURES else "application/octet-stream")
    return _forever(response)


@pages.get("/-/theme/<digest>.css")
def theme(digest: str) -> Response:
    for each in current_app.extensions["housecall"].themes.good.values():
        if each.hash == digest:
            return _forever(squeezed(each.css, "text/css"))
    abort(404)


def squeezed(text: str, mimetype: str) -> Response:
    """A text, by gzip for those who take it. Not for what shows a secret beside words of the request (BREACH)."""
    return answer(text.encode, {"gzip": lambda: gzip.compress(text.encode(), 5, mtime=0)}, mimetype)


def answer(plain: Callable[[], bytes], forms: Forms, mimetype: str) -> Response:
    """The first form of the same bytes, by its encoding, that the browser takes; or the bytes as they are."""
    encoding = next((each for each in forms if request.accept_encodings[each] > 0), None)
    response = Response(forms[encoding]() if encoding else plain(), mimetype=mimetype)
    response.headers["Vary"] = "Accept-Encoding"
    if encoding:
        response.headers["Content-Encoding"] = encoding
    return response


def _forever(response: Response) -> Response:
    response.headers["Cache-Control"] = FOREVER
    return response


mimetypes.add_type("text/javascript", ".js")
