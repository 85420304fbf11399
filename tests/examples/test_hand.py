"""examples/plugins/hand: one module, one event between the pages of a call, without Python."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import expect

from housecall.testing import PluginContract, check_in, connected, open_dashboard, start

FOLDER = Path(__file__).resolve().parents[2] / "examples/plugins/hand"


class TestHand(PluginContract):
    folder = FOLDER


def test_a_hand_is_raised_and_lowered(house: Callable[..., Any], picture: Callable[..., None]) -> None:
    practice = house("hand")
    provider, patient = practice.provider(), practice.patient()
    open_dashboard(provider, practice.practice.url)
    check_in(patient, practice.room.url, "Grace Hopper")
    start(provider, "Grace Hopper")
    connected(provider, patient)
    mine, theirs = (page.get_by_role("button", name="Raise hand") for page in (patient, provider))

    mine.click()
    expect(mine).to_have_attribute("aria-pressed", "true")
    expect(theirs.locator(".badge")).to_have_text("1")
    expect(theirs).to_have_attribute("aria-pressed", "false")
    expect(provider.locator(".toast")).to_have_text("A hand is raised.")
    expect(provider.locator("#said")).to_have_text("A hand is raised.")
    expect(patient.locator(".badge")).to_be_hidden()
    picture(patient, "hand-patient")
    picture(provider, "hand-provider")

    mine.click()
    expect(mine).to_have_attribute("aria-pressed", "false")
    expect(theirs.locator(".badge")).to_be_hidden()
    expect(provider.locator("#said")).to_have_text("A hand is lowered.")


def test_a_hand_goes_with_the_page_that_raised_it(house: Callable[..., Any]) -> None:
    practice = house("hand")
    provider, patient = practice.provider(), practice.patient()
    open_dashboard(provider, practice.practice.url)
    check_in(patient, practice.room.url, "Grace Hopper")
    start(provider, "Grace Hopper")
    connected(provider, patient)
    patient.get_by_role("button", name="Raise hand").click()
    badge = provider.get_by_role("button", name="Raise hand").locator(".badge")
    expect(badge).to_have_text("1")
    patient.goto("about:blank")
    expect(badge).to_be_hidden(timeout=30_000)
