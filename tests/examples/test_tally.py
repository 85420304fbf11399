"""examples/plugins/tally: a table with its migration, a page, a tile, a setting, a job, and hooks that tell."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from housecall.testing import Person, PluginContract, check_in, connected, end, open_dashboard, start
from housecall.testing.access import audit
from housecall.testing.practice import eventually
from housecall.testing.watched import Watched

FOLDER = Path(__file__).resolve().parents[2] / "examples/plugins/tally"
COUNTS = [3, 5, 4, 6, 2, 0, 0, 4, 7, 5, 6, 3, 1, 0, 5, 6, 8, 4, 4, 0, 0, 6, 7, 9, 5, 4, 1]


class TestTally(PluginContract):
    folder = FOLDER


@pytest.fixture
def practice(tmp_path: Path) -> Iterator[Watched]:
    running = Watched(tmp_path / "site", plugins=(FOLDER,), ahead=True)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def admin(practice: Watched, person: Callable[..., Person]) -> Page:
    """An admin who has switched it on."""
    page: Page = person(login=practice.room(role="admin").login).page
    page.goto(f"{practice.url}/admin/plugins")
    page.get_by_role("switch", name="Tally").click()
    expect(page.get_by_role("switch", name="Tally")).to_have_attribute("aria-checked", "true")
    eventually(lambda: counted(practice))  # its hook `toggled` runs beside the answer, and writes today's row
    return page


def counted(practice: Watched) -> list[tuple[str, int]]:
    with closing(sqlite3.connect(practice.folder / "data/housecall.db")) as database:
        return database.execute("select day, visits from tally_day order by day").fetchall()


def plant(practice: Watched, counts: list[int], *, ago: int) -> None:
    """Counts of the days before today; the last of them is `ago` days old."""
    today = dt.datetime.now(dt.UTC).date()
    rows = [(str(today - dt.timedelta(days=ago + i)), visits) for i, visits in enumerate(reversed(counts))]
    with closing(sqlite3.connect(practice.folder / "data/housecall.db")) as database, database:
        database.execute("delete from tally_day")
        database.executemany("insert into tally_day (clinic_id, day, visits) values ('main', ?, ?)", rows)


def test_it_counts_visits_and_nothing_else(practice: Watched, admin: Page, person: Callable[..., Person]) -> None:
    room = practice.room()
    provider = person("red", login=room.login).page
    patient, other = (person(colour).page for colour in ("green", "blue"))
    open_dashboard(provider, practice.url)
    check_in(other, room.url, "Katherine Johnson")
    other.get_by_role("button", name="Leave the waiting room").click()
    other.get_by_role("button", name="Leave", exact=True).click()
    check_in(patient, room.url, "Grace Hopper")
    start(provider, "Grace Hopper")
    connected(provider, patient)
    end(provider)
    tile = admin.get_by_role("link", name="Tally")
    admin.goto(f"{practice.url}/admin")
    tile.click()
    expect(admin.get_by_role("heading", level=1)).to_have_text("Visits of each day")
    today = admin.locator(".totals div", has_text="Today").locator("dd")
    expect(today).to_have_text("1")
    assert [visits for _, visits in counted(practice)] == [1]


def test_four_weeks_as_a_picture_and_as_a_table(practice: Watched, admin: Page, picture: Callable[..., None]) -> None:
    plant(practice, COUNTS, ago=1)
    admin.goto(f"{practice.url}/admin")
    picture(admin, "tally-tile")
    admin.goto(f"{practice.url}/-/tally/")
    expect(admin.locator(".tally-bars rect")).to_have_count(28)
    expect(admin.locator(".totals dd")).to_have_text([str(sum(COUNTS)), "9", "0"])
    picture(admin, "tally-desk")
    admin.set_viewport_size({"width": 390, "height": 844})
    picture(admin, "tally-phone")
    admin.get_by_text("As a table").click()
    expect(admin.locator("tbody tr")).to_have_count(28)
    expect(admin.locator("tbody tr").nth(4)).to_contain_text("9")
    for scheme in ("light", "dark"):
        admin.emulate_media(color_scheme=scheme)
        audit(admin, f"tally, {scheme}")


def test_visitors_do_not_see_it(practice: Watched, admin: Page, person: Callable[..., Person]) -> None:
    visitor = person().page
    visitor.goto(f"{practice.url}/-/tally/")
    expect(visitor.get_by_role("button", name="Sign in")).to_be_visible()


def test_it_says_when_nothing_is_counted(practice: Watched, admin: Page) -> None:
    plant(practice, [5], ago=20)
    admin.goto(f"{practice.url}/admin/plugins")
    expect(admin.get_by_text("No visit has been counted for 20 days.")).to_be_visible()


def test_the_day_is_that_of_the_practice(practice: Watched, admin: Page, picture: Callable[..., None]) -> None:
    admin.goto(f"{practice.url}/admin/settings/tally")
    picture(admin, "tally-settings")
    admin.get_by_label("Time zone").select_option("Pacific/Kiritimati")
    admin.get_by_role("button", name="Save").click()
    expect(admin.get_by_label("Time zone")).to_have_value("Pacific/Kiritimati")
    admin.goto(f"{practice.url}/-/tally/")
    admin.get_by_text("As a table").click()
    ahead = dt.datetime.now(dt.timezone(dt.timedelta(hours=14))).date()
    expect(admin.locator("tbody time").first).to_have_text(str(ahead))


def test_what_is_old_goes(practice: Watched, admin: Page) -> None:
    plant(practice, [1, 2], ago=400)
    assert practice.ask("admin", clinic="main", plugin="tally") == {}  # does all its jobs; none has raised
    assert [visits for _, visits in counted(practice)] == [2]
