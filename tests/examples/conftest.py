"""A practice with one of the examples on, somebody who works there, and pictures to look at."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from housecall.testing import Person, Practice, Room, sign_in

EXAMPLES = Path(__file__).resolve().parents[2] / "examples/plugins"
PHONE = {"viewport": {"width": 390, "height": 844}}


@dataclass(frozen=True, kw_only=True)
class House:
    """A practice that has an example on, and one provider's room."""

    practice: Practice
    room: Room
    person: Callable[..., Person]

    def meet(self, colour: str, **options: Any) -> Page:
        """Somebody with a browser of their own."""
        page: Page = self.person(colour, own=f"localhost:{self.practice.port}", **options).page
        return page

    def provider(self, **options: Any) -> Page:
        """The owner of the room, signed in."""
        page = self.meet("red", **options)
        sign_in(page.context, self.practice.url, self.room.login)
        return page

    def patient(self, **options: Any) -> Page:
        """A patient with a phone."""
        return self.meet("green", **{**PHONE, **options})

    def arrive(self, page: Page) -> None:
        """Check in where steps have to be done before one waits."""
        page.goto(self.room.url)
        page.get_by_label("Your name").fill("Grace Hopper")
        page.get_by_role("button", name="Check in").first.click()
        expect(page.locator("main[data-state=arriving]")).to_be_visible()


@pytest.fixture
def house(serve: Callable[..., Practice], person: Callable[..., Person]) -> Callable[..., House]:
    """Makes a practice that has these examples on; `toml` are their settings."""

    def make(*plugins: str, toml: str = "", role: str = "provider", **options: Any) -> House:
        whole = f'[clinic.main]\nname = "Elm Street Practice"\nplugins = {list(plugins)}\n{toml}'
        practice = serve(whole, plugins=tuple(EXAMPLES / plugin for plugin in plugins), **options)
        return House(practice=practice, room=practice.room(role=role), person=person)

    return make


@pytest.fixture
def picture(tmp_path: Path) -> Callable[[Page, str], None]:
    """Takes a picture; with HOUSECALL_PICTURES=folder they are kept there."""

    def take(page: Page, name: str) -> None:
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{name}: the page is wider than the screen"
        path = Path(os.environ.get("HOUSECALL_PICTURES") or tmp_path) / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=path)
        assert path.stat().st_size > 5000, f"{name}: there is nothing to see"

    return take
