"""The form of what a waiting room shows: what was chosen stays chosen through previews and mistakes, and is saved."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from housecall.testing import Person, Practice, Room
from housecall.testing.access import audit


@pytest.fixture
def editor(practice: Practice, room: Room, person: Callable[..., Person]) -> Person:
    """A provider at the form of an own room."""
    somebody = person(login=room.login)
    somebody.page.goto(f"{practice.url}/dashboard/room/{room.id}")
    return somebody


def photo(folder: Path, colour: str = "#204060") -> Path:
    path = folder / "house.png"
    Image.new("RGB", (400, 300), colour).save(path)
    return path


def loaded(page: Page, selector: str) -> int:
    """The width of a picture, once it is there."""
    page.wait_for_function("s => document.querySelector(s)?.naturalWidth > 0", arg=selector)
    return int(page.evaluate("s => document.querySelector(s).naturalWidth", selector))


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def test_a_chosen_picture_is_previewed_and_then_saved(
    editor: Person, room: Room, person: Callable[..., Person], tmp_path: Path
) -> None:
    page = editor.page
    page.get_by_label("Choose a picture").set_input_files(photo(tmp_path))
    page.get_by_label("What the picture shows").fill("Our house")
    press(page, "Preview")
    expect(page.get_by_role("heading", name="Preview, not saved yet")).to_be_focused()
    assert loaded(page, ".previewed img") == 400
    expect(page.locator(".previewed img")).to_have_attribute("alt", "Our house")
    audit(page, "preview")
    assert page.evaluate("document.getElementById('photo').files.length") == 1
    page.get_by_label("Words for the waiting room").fill("Ring **twice**")
    press(page, "Preview")
    expect(page.locator(".previewed strong")).to_have_text("twice")
    assert loaded(page, ".previewed img") == 400
    press(page, "Save")
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(page.locator(".previewed")).to_have_count(0)
    assert loaded(page, "img.kept") == 400
    patient = person().page
    patient.goto(room.url)
    kept = patient.locator(".practice-words img").first
    expect(kept).to_have_attribute("alt", "Our house")


def test_a_mistake_keeps_the_picture_and_says_what_is_missing(editor: Person, tmp_path: Path) -> None:
    editor.expected = ["422"]
    page = editor.page
    page.get_by_label("Choose a picture").set_input_files(photo(tmp_path))
    for button in ("Preview", "Save"):
        press(page, button)
        expect(page.get_by_role("alert")).to_be_focused()
        expect(page.locator("#alt-error")).to_contain_text("This is empty.")
        assert page.evaluate("document.getElementById('photo').files.length") == 1
    page.get_by_label("What the picture shows").fill("Our house")
    press(page, "Save")
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert loaded(page, "img.kept") == 400


def test_a_picture_that_is_to_go_goes_after_a_preview_too(editor: Person, tmp_path: Path) -> None:
    page = editor.page
    page.get_by_label("Choose a picture").set_input_files(photo(tmp_path))
    page.get_by_label("What the picture shows").fill("Our house")
    press(page, "Save")
    page.get_by_label("Remove this picture").check()
    press(page, "Preview")
    expect(page.locator(".previewed img")).to_have_count(0)
    expect(page.get_by_label("Remove this picture")).to_be_checked()
    press(page, "Save")
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(page.locator("img.kept")).to_have_count(0)


def test_a_server_that_does_not_answer_costs_nothing(editor: Person, tmp_path: Path) -> None:
    editor.expected = ["ERR_FAILED"]
    page = editor.page
    page.get_by_label("Choose a picture").set_input_files(photo(tmp_path))
    page.get_by_label("What the picture shows").fill("Our house")
    page.route("**", lambda route: route.abort())
    press(page, "Save")
    expect(page.get_by_text("was not reached")).to_be_visible()
    page.unroute("**")
    press(page, "Save")
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert loaded(page, "img.kept") == 400


def test_a_chosen_video_is_previewed(editor: Person, tmp_path: Path) -> None:
    pytest.importorskip("av")
    path = tmp_path / "hello.webm"
    path.write_bytes(b"\x1aE\xdf\xa3 no film, but a chosen file")
    page = editor.page
    page.get_by_label("Choose a video").set_input_files(path)
    page.get_by_label("What the video shows and says").fill("We say hello.")
    press(page, "Preview")
    expect(page.locator(".previewed video")).to_have_attribute("src", re.compile("^blob:"))
    expect(page.locator(".previewed details")).to_contain_text("We say hello.")
    assert page.evaluate("document.getElementById('video').files.length") == 1
