"""The theme lakeside: everybody can use it, by day and by night, on a desk and on a phone."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from housecall.extending.theming import Themes, shipped
from housecall.testing import Person, Practice, Visitor, check_in, connected, open_dashboard, sign_in, start
from housecall.testing.access import PHONE, audit
from housecall.web import language

THEMES = Path(__file__).resolve().parent.parent.parent / "examples/themes"
DESK = {"width": 1280, "height": 800}
SCREENS = {"desk": DESK, "phone": PHONE}
TOML = '[clinic.main]\nname = "Elm Street Practice"\ntheme = "lakeside"\n'


def test_it_can_be_used_and_says_both_schemes_in_full() -> None:
    found = Themes([shipped(), THEMES], language.interface_texts)
    assert found.broken == {}
    lake = found.good["lakeside"]
    assert set(lake.dark) >= {name for name, value in lake.light.items() if value.startswith("#")} - SAME_IN_DARK
    assert [block["type"] for block in lake.blocks] == ["image", "text"]


#: Tokens of the call, which is dark always, and those that serve both.
SAME_IN_DARK = {"stage", "stage-card", "on-stage"}


@pytest.fixture
def lakeside(serve: Callable[..., Practice], tmp_path: Path) -> Practice:
    """A practice that wears it."""
    folder = tmp_path / "elm"
    shutil.copytree(THEMES / "lakeside", folder / "themes/lakeside")
    return serve(TOML, folder=folder)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", SCREENS)
def test_a_visit_by_the_lake(
    lakeside: Practice, person: Callable[..., Person], tmp_path: Path, scheme: str, screen: str
) -> None:
    room, own = lakeside.room(), f"localhost:{lakeside.port}"
    options = {"own": own, "viewport": SCREENS[screen], "color_scheme": scheme, "reduced_motion": "reduce"}
    provider, patient = person("red", **options), person("green", **options)
    sign_in(provider.context, lakeside.url, room.login)

    def look(state: str, page: Page) -> None:
        audit(page, f"{state}, {scheme}, {screen}")
        picture = tmp_path / f"{state}-{scheme}-{screen}.png"
        page.screenshot(path=picture)
        assert picture.stat().st_size > 10_000

    page, board = patient.page, provider.page
    page.goto(room.url)
    expect(page.locator(".lake svg")).to_be_visible()
    expect(page.get_by_text("Lakeside waiting room", exact=True)).to_be_visible()
    expect(page.get_by_role("img", name="A wooden jetty")).to_have_js_property("complete", True)
    look("welcome", page)
    open_dashboard(board, lakeside.url)
    look("nobody-waits", board)
    check_in(page, room.url, "Grace Hopper")
    expect(page.locator("#devices[data-devices=on]")).to_be_visible()
    expect(page.get_by_text("Take a slow breath.").last).to_be_visible()
    look("waiting", page)
    expect(board.locator(".card")).to_be_visible()
    look("one-waits", board)
    start(board, "Grace Hopper")
    connected(board, page)
    look("patient-in-the-call", page)
    look("provider-in-the-call", board)
    board.locator("#end").click()
    board.locator("#ending button[value=end]").click()
    expect(page.locator("main[data-state=after]")).to_be_visible()
    look("after", page)


def test_its_drawings_are_served_and_are_not_scripts(lakeside: Practice) -> None:
    room = lakeside.room()
    page = Visitor(lakeside.url).get(f"/{room.slug}").text
    url = page.split('<img src="')[1].split('"')[0]
    answer = Visitor(lakeside.url).get(url)
    assert answer.headers["Content-Type"].startswith("image/svg+xml")
    assert "script" not in answer.text
