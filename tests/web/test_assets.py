"""The files of the browser side, before anybody asks for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from housecall import clinics, config
from housecall.app import create_app
from housecall.runtime import Runtime


@pytest.fixture
def begun(tmp_path: Path) -> tuple[Any, list[Callable[..., Any]], list[bytes]]:
    """A house that was started: what it began beside the requests, and what is computed off the loop."""
    (tmp_path / "housecall.toml").write_text('[clinic.main]\nname = "Elm"\n', encoding="utf-8")
    site, tasks, pressed = config.load(tmp_path, environ={}), list[Callable[..., Any]](), list[bytes]()

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


def test_nobody_waits_for_brotli(begun: tuple[Any, list[Callable[..., Any]], list[bytes]]) -> None:
    """It is made of each file at the start, beside the requests, and of none when it is asked for."""
    app, tasks, pressed = begun
    house = app.extensions["housecall"]
    assert pressed == [], "the start itself waited for it"
    next(task for task in tasks if task == house.press)()
    assert house.assets.served("js/visit.js") in pressed
    chat = house.assets_of(house.registry.by_id["chat"])
    assert chat.served("chat.js") in pressed
    before = len(pressed)
    answer = app.test_client().get(house.assets.url("js/visit.js"), headers={"Accept-Encoding": "br"})
    assert answer.headers["Content-Encoding"] == "br"
    assert len(pressed) == before
