"""examples/plugins/chaperone: a visit that may not begin yet, a step for some visits, a handler in Python."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import expect

from housecall.testing import Person, PluginContract, check_in, connected, open_dashboard, sign_in, start

FOLDER = Path(__file__).resolve().parents[2] / "examples/plugins/chaperone"


class TestChaperone(PluginContract):
    folder = FOLDER
    toml = "[clinic.main.chaperone]\nconfirm = 'never'"  # the contract's provider starts without confirming


def test_no_visit_begins_before_somebody_has_confirmed(house: Callable[..., Any], picture: Callable[..., None]) -> None:
    practice = house("chaperone")
    provider, patient = practice.provider(), practice.patient()
    open_dashboard(provider, practice.practice.url)
    practice.arrive(patient)
    picture(patient, "chaperone-step")
    form = patient.locator("form[data-step='chaperone:offer']")
    form.get_by_label("I would like a chaperone").check()
    form.get_by_role("button").click()
    expect(patient.locator("main[data-state=waiting]")).to_be_visible()
    card = provider.locator(".card")
    card.get_by_text("Answers").click()
    expect(card.locator("dd")).to_have_text("I would like a chaperone Yes")

    card.get_by_role("button", name="Start visit").click()
    expect(provider.locator("#ended")).to_have_text("Confirm first that a chaperone was offered.")
    picture(provider, "chaperone-refused")
    card.get_by_role("button", name="Chaperone offered").click()
    expect(card.get_by_text("Chaperone confirmed")).to_be_visible()
    picture(provider, "chaperone-confirmed")
    provider.reload()
    expect(card.get_by_text("Chaperone confirmed")).to_be_visible()
    start(provider, "Grace Hopper")
    connected(provider, patient)


def test_whoever_is_asked_in_person_need_not_answer(house: Callable[..., Any]) -> None:
    practice = house("chaperone")
    first, second, patient = practice.provider(), practice.provider(), practice.patient()
    for page in (first, second):
        open_dashboard(page, practice.practice.url)
    practice.arrive(patient)
    first.get_by_role("button", name="Chaperone offered").click()
    expect(patient.locator("main[data-state=waiting]")).to_be_visible()
    expect(second.get_by_text("Chaperone confirmed")).to_be_visible()


def test_only_some_visits_are_asked(house: Callable[..., Any]) -> None:
    practice = house("chaperone")
    audio = practice.practice.room(media="audio")
    provider, patient = practice.meet("red", login=audio.login), practice.patient()
    sign_in(provider.context, practice.practice.url, audio.login)
    open_dashboard(provider, practice.practice.url)
    check_in(patient, audio.url, "Grace Hopper")
    expect(provider.get_by_role("button", name="Start visit")).to_be_visible()
    expect(provider.locator("hc-part[data-plugin=chaperone][data-mounted]")).to_be_attached()
    expect(provider.get_by_role("button", name="Chaperone offered")).to_be_hidden()
    start(provider, "Grace Hopper")


def test_settings_that_do_not_go_together(serve: Callable[..., Any], person: Callable[..., Person]) -> None:
    practice = serve(plugins=(FOLDER,))
    admin = person("red", own=f"localhost:{practice.port}")
    sign_in(admin.context, practice.url, practice.room(role="admin").login)
    page = admin.page
    page.goto(f"{practice.url}/admin/plugins")
    page.get_by_role("switch", name="Chaperone").click()
    expect(page.get_by_role("switch", name="Chaperone")).to_have_attribute("aria-checked", "true")
    page.goto(f"{practice.url}/admin/settings/chaperone")
    page.get_by_label("Nobody").check()
    admin.expected += ["422", "400"]
    page.get_by_role("button", name="Save").click()
    expect(page.locator("p.error")).to_contain_text("Nobody is asked")
    page.get_by_label("Never").check()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("p.error")).to_have_count(0)
    expect(page.get_by_label("Nobody")).to_be_checked()
