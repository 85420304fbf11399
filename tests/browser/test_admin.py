"""The pages of plugins and settings in a browser: a switch reaches visits that go on, and everybody can use them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from housecall.testing import Person, Practice, sign_in
from housecall.testing.access import PHONE, ZOOMED, audit, bare
from housecall.testing.acts import check_in, connected, open_dashboard, start
from housecall.testing.visitor import Visitor
from plugin_folders import LAMP, POSTER, TALLY, plain, write

Serve = Callable[..., Practice]
People = Callable[..., Person]


def turn(page: Page, url: str, name: str, on: bool) -> None:
    """Use a switch of /admin/plugins, as an owner does."""
    page.goto(f"{url}/admin/plugins")
    switch = page.get_by_role("switch", name=name, exact=True)
    expect(switch).to_have_attribute("aria-checked", "false" if on else "true")
    switch.click()
    expect(page.get_by_role("status")).to_contain_text(f"{name} is {'on' if on else 'off'}.")
    expect(page.get_by_role("switch", name=name, exact=True)).to_have_attribute("aria-checked", str(on).lower())


def test_a_switch_reaches_open_pages_at_once_in_mid_visit(serve: Serve, person: People) -> None:
    own = serve()
    host, room = f"localhost:{own.port}", own.room()
    owner, provider = person(own=host), person("red", own=host)
    patient, waiter = person("green", own=host), person("blue", own=host)
    sign_in(owner.context, own.url, own.room(role="owner").login)
    sign_in(provider.context, own.url, room.login)
    open_dashboard(provider.page, own.url)
    check_in(patient.page, room.url, "Grace Hopper")
    check_in(waiter.page, room.url, "Katherine Johnson")
    start(provider.page, "Grace Hopper")
    connected(provider.page, patient.page)
    everybody = (provider.page, patient.page, waiter.page)
    for page in everybody:
        page.evaluate("window.same = true")
        expect(page.locator("hc-part")).to_have_count(0)
    for on in (True, False, True):
        turn(owner.page, own.url, "Chat", on)
        for page in everybody:
            parts = page.locator("hc-part[data-plugin=chat]")
            if on:
                expect(parts.first).to_be_attached()
            else:
                expect(parts).to_have_count(0)
            assert page.evaluate("window.same")  # nobody's page was loaded again
        connected(provider.page, patient.page)
    expect(provider.page.locator("hc-part[data-plugin=chat][data-slot='call.bar'] button")).to_be_visible()
    expect(waiter.page.locator("hc-part[data-plugin=chat][data-slot='waiting.aside']")).to_have_attribute(
        "data-mounted", ""
    )


def test_a_switch_is_used_by_keyboard_alone(serve: Serve, person: People) -> None:
    own = serve()
    owner = person(own=f"localhost:{own.port}")
    sign_in(owner.context, own.url, own.room(role="owner").login)
    page = owner.page
    page.goto(f"{own.url}/admin/plugins")
    switch = page.get_by_role("switch", name="Chat", exact=True)
    switch.focus()
    page.keyboard.press("Space")
    expect(switch).to_have_attribute("aria-checked", "true")


def test_a_part_of_a_page_without_a_visit_is_mounted_with_its_scope(
    serve: Serve, person: People, tmp_path: Path
) -> None:
    own = serve(folder=write(tmp_path / "site", POSTER))
    host, room = f"localhost:{own.port}", own.room(role="owner")
    owner, visitor = person(own=host), person(own=host)
    sign_in(owner.context, own.url, room.login)
    turn(owner.page, own.url, "Poster", True)
    for path, words in (
        ("admin", "admin.home - provider null"),
        ("account", "account.home - provider null"),
        ("admin/rooms", "room.settings white provider null"),
    ):
        owner.page.goto(f"{own.url}/{path}")
        expect(owner.page.locator(".poster .live").first).to_have_text(words)
        expect(owner.page.locator("#said")).to_have_text("Hung up")
    visitor.page.goto(f"{own.url}/sign-in")
    expect(visitor.page.locator(".poster .live")).to_have_text("sign_in.methods - nobody null")


SCREENS = (PHONE, ZOOMED, {"width": 1280, "height": 800})


def audit_on_all_screens(page: Page, state: str) -> None:
    for screen in SCREENS:
        page.set_viewport_size(screen)  # type: ignore[arg-type]
        audit(page, f"{state}, {screen['width']} px")


@pytest.mark.parametrize(("theme", "scheme"), [("calm", "light"), ("calm", "dark"), ("evening", "light")])
def test_axe_finds_nothing_on_the_pages_of_a_practice(
    serve: Serve, person: People, tmp_path: Path, theme: str, scheme: str
) -> None:
    toml = f'[clinic.main]\nname = "Elm Street Practice"\ntheme = "{theme}"\n'
    toml += '[clinic.main.lamp]\nwatts = 15\nshape = "long"\n'
    broken = plain("wobbly", '[[fragment]]\nslot = "waiting.asde"\nmodule = "x.js"\n')
    restricted = plain("clara", "restricted = true\n")
    own = serve(toml, folder=write(tmp_path / "site", LAMP, POSTER, TALLY, broken, restricted))
    owner = person(own=f"localhost:{own.port}", color_scheme=scheme)
    owner.expected.append("status of 422")
    room = own.room(role="owner")
    sign_in(owner.context, own.url, room.login)
    page, look = owner.page, f"{theme}, {scheme}"
    for name in ("Lamp", "Poster", "Tally"):
        turn(page, own.url, name, True)
    assert page.evaluate("getComputedStyle(document.body).fontFamily").startswith('"Avenir') == (theme == "evening")
    for summary in page.locator("summary").all():
        summary.click()
    audit_on_all_screens(page, f"plugins, {look}")
    page.goto(f"{own.url}/admin/settings/lamp")
    page.get_by_label("Goes out after").fill("soon")
    page.get_by_label("Key of the switchboard").fill("open sesame")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("does not look right")
    audit_on_all_screens(page, f"settings refused, {look}")
    page.get_by_label("Goes out after").fill("5 min")
    page.get_by_label("Key of the switchboard").fill("open sesame")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Saved.")
    audit_on_all_screens(page, f"settings saved, {look}")
    for path in ("admin", "admin/rooms", "account"):
        page.goto(f"{own.url}/{path}")
        for summary in page.locator("main summary").all():
            summary.click()
        expect(page.locator("hc-part[data-mounted]").first).to_be_attached()
        audit_on_all_screens(page, f"{path}, {look}")
    for path in ("admin/people", "admin/look", f"dashboard/room/{room.id}", "dashboard/history", "account/logins"):
        page.goto(f"{own.url}/{path}")
        audit_on_all_screens(page, f"{path}, {look}")


def test_no_text_of_these_pages_is_bare(serve: Serve, person: People, tmp_path: Path) -> None:
    toml = '[clinic.main]\nname = "Elm Street Practice"\n[clinic.main.lamp]\nwatts = 15\n'
    own = serve(toml, folder=write(tmp_path / "site", LAMP, plain("clara", "restricted = true\n")))
    owner = person(own=f"localhost:{own.port}", locale="en-XA")
    sign_in(owner.context, own.url, own.room(role="owner").login)
    page = owner.page
    page.goto(f"{own.url}/admin/plugins")
    page.locator("#plugin-lamp [role=switch]").click()
    expect(page.get_by_role("status")).to_be_visible()
    assert bare(page) == []
    for path in ("admin/settings/lamp?saved=1", "admin/rooms?saved=1", "account?saved=1"):
        page.goto(f"{own.url}/{path}")
        assert bare(page) == [], path


def test_a_demoted_member_sees_the_cards_of_other_rooms_no_more(practice: Practice, person: People) -> None:
    owner, admin, other = practice.room(role="owner"), practice.room(role="admin"), practice.room()
    member, patient = person(login=admin.login), person("green")
    open_dashboard(member.page, practice.url)
    check_in(patient.page, other.url, "Katherine Johnson")
    card = member.page.get_by_role("heading", name="Katherine Johnson")
    expect(card).to_be_visible()
    form = {"do": "role", "member": admin.member, "role": "provider"}
    assert Visitor(practice.url, login=owner.login).post("/admin/people", form).status_code == 303
    expect(card).to_be_hidden()
    form["role"] = "admin"
    assert Visitor(practice.url, login=owner.login).post("/admin/people", form).status_code == 303
    expect(card).to_be_visible()
