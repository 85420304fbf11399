"""Immutable files of the browser side: hashed addresses, the import map, and the theme's style sheet."""

from __future__ import annotations

import base64
import hashlib
import json
import mimetypes
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from flask import Blueprint, Response, abort, current_app, g, send_file

STATIC = Path(__file__).resolve().parent.parent / "static"
FOREVER = "public, max-age=31536000, immutable"
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2"}

pages = Blueprint("assets", __name__)


class Assets:
    """The files below one folder, served under one hash of them all, so that relative imports keep working."""

    def __init__(self, folder: Path, owner: str):
        self.folder, self.owner = folder, owner

    @cached_property
    def files(self) -> dict[str, Path]:
        return {p.relative_to(self.folder).as_posix(): p for p in sorted(self.folder.rglob("*")) if p.suffix in TYPES}

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

    @cached_property
    def integrity(self) -> dict[str, str]:
        """The hash that each module must have, by its address."""
        hashes = {}
        for name, path in self.files.items():
            if path.suffix == ".js":
                digest = base64.b64encode(hashlib.sha384(path.read_bytes()).digest()).decode()
                hashes[self.base + name] = f"sha384-{digest}"
        return hashes


def importmap(core: Assets, plugins: Iterable[Assets]) -> str:
    """What the bare names of imports mean, and the hash that each module of the page must have."""
    imports = {"housecall/": core.base + "js/", "socket.io-client": core.url("vendor/socket.io.js")}
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
    if owner != assets.owner or digest != assets.hash or name not in assets.files:
        abort(404)
    return _forever(send_file(assets.files[name], mimetype=TYPES[Path(name).suffix]))


@pages.get("/-/theme/<digest>.css")
def theme(digest: str) -> Response:
    for each in current_app.extensions["housecall"].themes.good.values():
        if each.hash == digest:
            return _forever(Response(each.css, mimetype="text/css"))
    abort(404)


def _forever(response: Response) -> Response:
    response.headers["Cache-Control"] = FOREVER
    response.headers.pop("Content-Disposition", None)
    return response


mimetypes.add_type("text/javascript", ".js")
