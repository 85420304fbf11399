"""The plugin sms in a clinic of this process, with an outbox whose clock and restarts are a test's own."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask

from gateway import Gateway
from housecall import config
from housecall.app import create_app
from housecall.clinics import outbox
from housecall.clinics.database import db
from housecall.clinics.models import Outbox
from housecall.postroom import Postroom, post, posted
from housecall.runtime import Runtime, inline
from housecall.testing.beginning import prepare

FOLDER = Path(__file__).resolve().parent.parent / "plugins/sms"


def loaded() -> list[Any]:
    """The plugin's modules, as the server has them."""
    name = "housecall.plugins.sms"
    if name not in sys.modules:
        where = {"submodule_search_locations": [str(FOLDER)]}
        spec = importlib.util.spec_from_file_location(name, FOLDER / "__init__.py", **where)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return [importlib.import_module(f"{name}.{part}") for part in PARTS]


PARTS = ("blanks", "calls", "carriers", "gsm", "limits", "numbers", "reports", "sending", "wire")
blanks, calls, carriers, gsm, limits, numbers, reports, sending, wire = loaded()

NUMBER, MARK = "+32470112233", "Quetzalcoatl"
SHOWN = "+32 470 112 233"


class House:
    """The plugin in a clinic, with an outbox whose clock and restarts are ours."""

    def __init__(self, app: Flask, gateway: Gateway):
        self.app, self.gateway, self.at = app, gateway, 0
        self.house = app.extensions["housecall"]
        self.restart()

    def now(self) -> int:
        return time.time_ns() // 1_000_000 + self.at

    def restart(self) -> None:
        """What is only in memory is gone."""
        calls.MINE, calls.STARTED = f"posting {time.monotonic_ns()}", limits.now()
        runtime = Runtime(spawn=inline)
        self.postroom = Postroom(
            self.house.site, self.house.registry.hooks, runtime, context=self.app.app_context, now=self.now
        )
        with self.app.app_context():
            outbox.recover(self.now())

    def post(self, number: str = NUMBER, text: str = f"{MARK} waits") -> str:
        with self.app.app_context():
            return post("main", "text", number, text=text, owner="sms")

    def round(self) -> None:
        self.postroom.round()

    def through(self) -> None:
        """Let time pass until nothing waits to be tried again."""
        self.round()
        while "waiting" in self.states():
            self.at += 20 * 60_000
            self.round()

    def posted(self, id_: str) -> Any:
        with self.app.app_context():
            return posted("main", id_)

    def states(self) -> list[str]:
        with self.app.app_context():
            return sorted(db.session.scalars(db.select(Outbox.state)))

    def report(self, path: str, form: dict[str, str] | None = None, **more: Any) -> int:
        return self.app.test_client().post(path, data=form or {}, **more).status_code


SETTINGS = """\
way = "http"
url = "{url}/send"
http_body = "to={{to}}&text={{text}}&ref={{ref}}&report={{report}}"
country = "+32"
inside = "{inside}"
daily = 6
daily_number = 4
"""


@contextmanager
def in_process(folder: Path, gateway: Gateway, toml: str = SETTINGS) -> Iterator[House]:
    whole = f'[clinic.main]\nname = "Elm Street Practice"\nplugins = ["sms"]\n[clinic.main.sms]\n{toml}'
    folder.mkdir(exist_ok=True)
    (folder / "housecall.toml").write_text(whole.format(url=gateway.url, inside=gateway.inside), encoding="utf-8")
    site = config.load(folder, environ={})
    prepare(site.database)
    app = create_app(site, Runtime(spawn=inline))
    sending.trouble.clear()
    try:
        assert app.extensions["housecall"].registry.is_on("main", "sms")
        yield House(app, gateway)
    finally:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()
