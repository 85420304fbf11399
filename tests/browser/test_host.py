"""The host API where no bundled plugin uses it yet (contracts §12), each by the plugin `toolbox` in a real visit."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from housecall.testing import Person, PluginContract, Practice, connected, end, open_dashboard, sign_in, start
from housecall.testing.access import audit
from housecall.testing.acts import wait

FOLDER = Path(__file__).parent / "toolbox"
TOML = '[clinic.main]\nname = "Elm Street Practice"\nplugins = ["toolbox"]\n'


class TestToolbox(PluginContract):
    folder = FOLDER


@pytest.fixture
def people(serve: Callable[..., Practice], person: Callable[..., Person]) -> tuple[Page, Page, Page]:
    """A provider and an owner, each with an open dashboard, and a patient at the step of the check-in."""
    practice = serve(TOML, plugins=(FOLDER,))
    room, owner = practice.room(), practice.room(role="owner")
    own = f"localhost:{practice.port}"
    made = [person(colour, own=own) for colour in ("red", "blue", "green")]
    for each, login in zip(made, (room.login, owner.login), strict=False):
        sign_in(each.context, practice.url, login)
        open_dashboard(each.page, practice.url)
    patient = made[2].page
    patient.goto(room.url)
    patient.get_by_label("Your name").fill("Grace Hopper")
    patient.get_by_role("button", name="Check in").first.click()
    expect(patient.locator("main[data-state=arriving]")).to_be_visible()
    return made[0].page, made[1].page, patient


def wait_in_line(patient: Page) -> None:
    patient.get_by_role("button", name="Good morning").click()
    expect(patient.get_by_role("heading", name="You are checked in")).to_be_visible()


#: The colour of the far screen.
CENTRE = """() => {
  const video = document.querySelector(".screen-tile video");
  if (!video?.videoWidth) return "";
  const canvas = Object.assign(document.createElement("canvas"), { width: 8, height: 8 });
  const pen = canvas.getContext("2d");
  pen.drawImage(video, 0, 0, 8, 8);
  const [red, , blue] = pen.getImageData(4, 4, 1, 1).data;
  return blue > 120 ? "blue" : red > 120 ? "yellow" : "";
}"""


def tool(page: Page, name: str) -> None:
    page.locator(f".toolbox-stage [data-do={name}]").click()


def said(page: Page) -> Any:
    out = page.locator(".toolbox-stage output")
    expect(out).not_to_be_empty()
    return json.loads(out.text_content() or "")


def test_a_step_that_is_a_part_answers_and_is_done(people: tuple[Page, Page, Page]) -> None:
    provider, _, patient = people
    expect(patient.locator("#steps hc-part[data-mounted]")).to_contain_text("A word before you wait")
    expect(provider.get_by_text("Answering questions")).to_be_visible()
    audit(patient, "a step that is a part")
    wait_in_line(patient)
    answers = provider.locator(".card .answers")
    expect(answers.locator("dt")).to_have_text("A word before you wait")
    expect(answers.locator("dd")).to_have_text(["words Good morning", "well Yes"])


def test_what_is_sent_to_one_reaches_nobody_else(people: tuple[Page, Page, Page]) -> None:
    provider, owner, patient = people
    wait_in_line(patient)
    for each in (provider, owner):
        expect(each.locator(".card hc-part[data-mounted]")).to_be_attached()
    expect(patient.locator(".waiting hc-part[data-mounted]")).to_be_attached()
    provider.locator(".toolbox-hello").click()
    expect(provider.locator(".card .toolbox-heard")).to_have_text("only you. all of you. ")
    expect(owner.locator(".card .toolbox-heard")).to_have_text("all of you. ")
    expect(patient.locator(".waiting .toolbox-heard")).to_have_text("invalid")


def test_a_part_over_the_pictures_sees_the_call_and_asks(people: tuple[Page, Page, Page]) -> None:
    provider, _, patient = people
    wait_in_line(patient)
    start(provider, "Grace Hopper")
    connected(provider, patient)
    for page in (provider, patient):
        expect(page.locator(".stage hc-part[data-mounted]")).to_be_attached()
        tool(page, "look")
        assert said(page) == {
            "state": "connected",
            "local": {"audio": "live", "camera": "live", "screen": None},
            "remote": {"audio": "live", "camera": "live", "screen": "live"},
            "nobody": None,
            "stats": ["inbound-rtp", "outbound-rtp"],
            "none": None,
        }

    tool(patient, "ask")
    dialog = patient.get_by_role("dialog", name="Which one?")
    expect(dialog).to_contain_text("Choose well.")
    audit(patient, "a dialog of a part")
    dialog.get_by_role("button", name="Right").click()
    assert said(patient) == "right"
    tool(patient, "ask")
    patient.keyboard.press("Escape")
    assert said(patient) == ""
    expect(dialog).to_have_count(0)

    for answer, button in ((True, "Do it"), (False, "Leave it")):
        tool(patient, "sure")
        sure = patient.get_by_role("dialog", name="Really?")
        expect(sure).to_contain_text("It cannot be undone.")
        sure.get_by_role("button", name=button).click()
        assert said(patient) is answer

    tool(patient, "work")
    progress = patient.get_by_role("progressbar", name="Working")
    expect(progress).to_be_visible()
    expect(progress).to_have_js_property("value", 0.25)
    tool(patient, "work")
    expect(progress).to_have_count(0)

    tool(patient, "work")
    tool(patient, "ask")
    expect(dialog).to_be_visible()
    end(provider)  # what a part has opened goes with it
    expect(patient.get_by_role("heading", name="Your visit has ended")).to_be_visible()
    expect(dialog).to_have_count(0)
    expect(progress).to_have_count(0)


def test_a_part_shows_one_more_picture(people: tuple[Page, Page, Page]) -> None:
    """One screen at a time; it is replaced, removed, told of, and stopped with the part that added it."""
    provider, _, patient = people
    wait_in_line(patient)
    start(provider, "Grace Hopper")
    connected(provider, patient)
    expect(patient.locator(".stage hc-part[data-mounted]")).to_be_attached()
    screen = provider.locator(".screen-tile video")
    tool(patient, "show")
    assert said(patient) == {"codes": [None, "unknown"], "screen": "live"}
    expect(screen).to_be_visible()
    wait(provider, f"() => ({CENTRE})() === 'blue'", None)
    tool(patient, "another")
    wait(provider, f"() => ({CENTRE})() === 'yellow'", None)
    tool(patient, "show")
    assert said(patient)["codes"] == ["full", "unknown"]
    tool(provider, "shows")
    told = said(provider)
    assert told["far"] == {"mic": True, "camera": True, "screen": True}
    assert told["nobody"] is None
    assert told["changes"] > 0
    tool(patient, "hide")
    expect(screen).to_have_count(0)
    tool(patient, "show")
    expect(screen).to_be_visible()
    end(provider)
    expect(patient.get_by_role("heading", name="Your visit has ended")).to_be_visible()
    wait(patient, "() => toolboxTrack.readyState === 'ended'", None)
