"""The files of the browser side, before anybody asks for them."""

from __future__ import annotations

import operator
from collections.abc import Callable
from pathlib import Path
from typing import Any

import brotli

from housecall import clinics, config
from housecall.app import create_app
from housecall.runtime import Runtime
from housecall.web.assets import Assets
from housecall.web.kept import Kept

Begun = tuple[Any, list[Callable[..., Any]], list[bytes]]


def begin(folder: Path) -> Begun:
    """A house that was started: what it began beside the requests, and what is computed off the loop."""
    (folder / "housecall.toml").write_text('[clinic.main]\nname = "Elm"\n', encoding="utf-8")
    site, tasks, pressed = config.load(folder, environ={}), list[Callable[..., Any]](), list[bytes]()

    def offload(function: Callable[..., Any], *given: Any) -> Any:
        pressed.append(given[0])
        return function(*given)

    def spawn(task: Callable[..., Any], *given: Any) -> None:
        tasks.append(task)

    clinics.database.prepare(site.database)
    app = create_app(site, Runtime(offload=offload, spawn=spawn))
    house = app.extensions["housecall"]
    house.start()
    return app, tasks, pressed


def press(begun: Begun) -> None:
    """What is done of it beside the requests."""
    next(task for task in begun[1] if task == begun[0].extensions["housecall"].press)()


def test_nobody_waits_for_brotli(tmp_path: Path) -> None:
    """It is made of each file at the start, beside the requests, and of none when it is asked for."""
    begun = app, _, pressed = begin(tmp_path)
    house = app.extensions["housecall"]
    assert pressed == [], "the start itself waited for it"
    press(begun)
    assert house.assets.served("js/visit.js") in pressed
    chat = house.assets_of(house.registry.by_id["chat"])
    assert chat.served("chat.js") in pressed
    before = len(pressed)
    answer = app.test_client().get(house.assets.url("js/visit.js"), headers={"Accept-Encoding": "br"})
    assert answer.headers["Content-Encoding"] == "br"
    assert len(pressed) == before


def test_the_next_start_presses_nothing_anew(tmp_path: Path) -> None:
    """What an earlier one has pressed is served from its first request on; of what cannot be read, all is made anew."""
    press(begin(tmp_path))
    app, _, pressed = begun = begin(tmp_path)
    press(begun)
    assert pressed == []
    house = app.extensions["housecall"]
    answer = app.test_client().get(house.assets.url("js/visit.js"), headers={"Accept-Encoding": "br"})
    assert brotli.decompress(answer.data) == house.assets.served("js/visit.js")
    archive = tmp_path / "data/assets/core.br"
    whole = archive.read_bytes()
    for wrong in (whole[: len(whole) // 2], whole.replace(answer.data, bytes(len(answer.data)))):
        archive.write_bytes(wrong)
        app, _, pressed = begun = begin(tmp_path)
        press(begun)
        assert len(pressed) == len(app.extensions["housecall"].assets.small), "only of the core's"
        assert archive.read_bytes() == whole


def test_another_version_is_not_answered_with_what_was_pressed_before(tmp_path: Path) -> None:
    folder, kept = tmp_path / "static", Kept(tmp_path / "assets")
    (folder / "js").mkdir(parents=True)
    for text in ("one", "two"):
        (folder / "js/visit.js").write_text(text, encoding="utf-8")
        assets = Assets(folder, "core")
        assets.known = kept.pressed(assets)
        made = {name: assets.pressed(name, operator.call) for name in assets.small}
        assert brotli.decompress(made["js/visit.js"]) == text.encode()
        kept.press(assets, made)
        assert kept.pressed(assets) == made
