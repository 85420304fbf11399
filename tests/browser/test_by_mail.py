"""What goes by mail, in a browser: every form and its mistakes, what becomes of a message, and how mail looks."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from housecall.testing import PASSWORD, Mailbox, Person, Practice, sign_in
from housecall.testing.access import PHONE, audit, bare
from housecall.testing.practice import free_port

DESK = {"width": 1280, "height": 800}
SIZES = [pytest.param(PHONE, id="phone"), pytest.param(DESK, id="desk")]
TOML = """
[clinic.main]
name = "Elm Street Practice"
sign_up = "open"
[clinic.main.core]
email = "desk@elm.example"
phone = "+1 555 0100"
"""


@pytest.fixture
def elm(serve: Callable[..., Practice], mailbox: Mailbox) -> Practice:
    """A practice whose mail goes to `mailbox`."""
    port = free_port()
    return serve(mailbox.toml(f"http://localhost:{port}") + TOML, port=port)


@pytest.fixture
def somebody(elm: Practice, person: Callable[..., Person]) -> Callable[..., Page]:
    """Makes people at this practice; `login` signs in."""

    def make(login: str = "", **options: Any) -> Page:
        made = person(own=f"localhost:{elm.port}", **options)
        made.expected += ["status of 422"]
        if login:
            sign_in(made.context, elm.url, login)
        page: Page = made.page
        return page

    return make


@pytest.fixture
def picture(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[Page, str], None]:
    """Looks at a page as an auditor does, and takes its picture; HOUSECALL_PICTURES=folder keeps them."""
    size = request.node.callspec.id if hasattr(request.node, "callspec") else "desk"

    def take(page: Page, name: str) -> None:
        audit(page, name)
        path = Path(os.environ.get("HOUSECALL_PICTURES") or tmp_path) / f"mail-{name}-{size}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=path, full_page=True)

    return take


def press(page: Page, name: str) -> None:
    """By the keyboard alone: to the button of this name, and Enter."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("name => document.activeElement?.textContent.trim() === name", name):
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"no way by the keyboard to {name!r}")


@pytest.mark.parametrize("size", SIZES)
def test_a_forgotten_password_by_the_keyboard(
    elm: Practice, mailbox: Mailbox, somebody: Callable[..., Page], picture: Any, size: Any
) -> None:
    room, page = elm.room(), somebody(viewport=size)
    page.goto(f"{elm.url}/sign-in")
    picture(page, "sign-in")
    press(page, "Forgotten your password?")
    page.get_by_label("E-mail").fill("nobody")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("This is not an e-mail address.")
    picture(page, "forgot-mistake")
    page.get_by_label("E-mail").fill(room.email)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mailbox")
    picture(page, "forgot-answer")
    page.goto(mailbox.to(room.email).links[0])
    page.get_by_label("Password").fill("walnut ladder cloud")
    picture(page, "new-password")
    page.keyboard.press("Enter")
    expect(page.locator("main[data-state=queue]")).to_be_visible()


@pytest.mark.parametrize("size", SIZES)
def test_an_account_begins_with_its_address(
    elm: Practice, mailbox: Mailbox, somebody: Callable[..., Page], picture: Any, size: Any
) -> None:
    page = somebody(viewport=size)
    page.goto(f"{elm.url}/sign-up")
    picture(page, "sign-up")
    page.get_by_label("E-mail").fill("grace@navy.example")
    page.get_by_role("button", name="Send me a link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mailbox")
    page.goto(mailbox.to("grace@navy.example").links[0])
    expect(page.get_by_label("E-mail")).to_have_value("grace@navy.example")
    expect(page.get_by_label("E-mail")).not_to_be_editable()
    picture(page, "sign-up-proven")
    page.get_by_label("First name").fill("Grace")
    page.get_by_label("Last name").fill("Hopper")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("I am 18 or older.").check()
    page.get_by_role("button", name="Make an account").click()
    expect(page.locator("main[data-state=queue]")).to_be_visible()


@pytest.mark.parametrize("size", SIZES)
def test_another_address(
    elm: Practice, mailbox: Mailbox, somebody: Callable[..., Page], picture: Any, size: Any
) -> None:
    room = elm.room()
    page = somebody(room.login, viewport=size)
    page.goto(f"{elm.url}/account")
    page.get_by_label("E-mail").fill("augusta@elm.example")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".fate")).to_contain_text("Open the link in the mail")
    expect(page.get_by_label("E-mail")).to_have_value(room.email)
    picture(page, "account")
    page.goto(mailbox.to("augusta@elm.example").links[0])
    page.get_by_label("Password").fill("not it at all")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("This is not the password of the account.")
    picture(page, "new-address")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("you sign in with augusta@elm.example")
    picture(page, "new-address-done")


@pytest.mark.parametrize("size", SIZES)
def test_an_invitation_shows_what_becomes_of_its_mail(
    elm: Practice, mailbox: Mailbox, somebody: Callable[..., Page], picture: Any, size: Any
) -> None:
    page = somebody(elm.room(role="owner").login, viewport=size)
    page.goto(f"{elm.url}/admin/people")
    picture(page, "people")
    page.get_by_label("E-mail, if the link is to be sent").fill("new@elm.example")
    page.get_by_role("button", name="Invite").click()
    expect(page.locator(".fate")).to_have_text("The mail server has taken the mail with the link to new@elm.example.")
    picture(page, "people-sent")
    mailbox.answers["no@elm.example"] = "550 5.1.1 who?"
    page.get_by_label("E-mail, if the link is to be sent").fill("no@elm.example")
    page.get_by_role("button", name="Invite").click()
    expect(page.locator(".fate")).to_contain_text("Send the link below yourself.")
    expect(page.locator(".fate")).to_contain_text("refused the address (550 5.1.1)")
    expect(page.locator("#invited")).to_be_visible()
    picture(page, "people-failed")
    mailbox.stop()
    page.get_by_label("E-mail, if the link is to be sent").fill("new@elm.example")
    page.get_by_role("button", name="Invite").click()
    expect(page.locator(".fate")).to_contain_text("The mail server cannot be reached. It will be tried again.")
    picture(page, "people-waits")
    page.get_by_label("E-mail, if the link is to be sent").fill("new elm")
    page.get_by_role("button", name="Invite").click()
    expect(page.get_by_role("alert")).to_contain_text("This is not an e-mail address.")
    picture(page, "people-mistake")


@pytest.mark.parametrize("size", SIZES)
def test_a_visitor_writes_to_the_practice(
    elm: Practice, mailbox: Mailbox, somebody: Callable[..., Page], picture: Any, size: Any
) -> None:
    page = somebody(viewport=size)
    page.goto(f"{elm.url}/contact")
    picture(page, "contact")
    page.get_by_label("Your name").fill("Grace Hopper")
    page.get_by_label("What you want to say").fill("When do you open?")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("What you want to say")).to_have_value("When do you open?")
    picture(page, "contact-mistake")
    page.get_by_label("Your e-mail").fill("grace@navy.example")
    page.keyboard.press("Tab")
    press(page, "Send")
    expect(page.locator(".fate")).to_contain_text("The practice's mail server has your message.")
    picture(page, "contact-sent")
    assert "When do you open?" in mailbox.to("desk@elm.example").text


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_how_mail_looks(
    elm: Practice, mailbox: Mailbox, somebody: Callable[..., Page], picture: Any, size: Any, scheme: Any
) -> None:
    room, page = elm.room(), somebody(viewport=size, color_scheme=scheme)
    page.goto(f"{elm.url}/sign-in/forgot")
    page.get_by_label("E-mail").fill(room.email)
    page.keyboard.press("Enter")
    letter = mailbox.to(room.email)
    page.goto("about:blank")
    page.set_content(letter.html)
    expect(page.get_by_role("link", name="Choose a new password")).to_have_attribute("href", letter.links[0])
    width = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert width[0] <= width[1]
    assert "<img" not in letter.html, "a mail tells nobody that it was opened"
    assert "<script" not in letter.html
    box = page.get_by_role("link", name="Choose a new password").bounding_box()
    assert box
    assert box["height"] >= 44
    path = Path(os.environ.get("HOUSECALL_PICTURES", "")) if os.environ.get("HOUSECALL_PICTURES") else None
    if path:
        page.screenshot(path=path / f"mail-letter-{scheme}-{size['width']}.png", full_page=True)
    contrast = page.evaluate(CONTRAST)
    assert min(contrast) >= 4.5, contrast


#: The contrast of each text of a mail with what it stands on (WCAG 1.4.3).
CONTRAST = """() => {
  const part = value => { const v = value / 255; return v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; };
  const light = colour => { const [r, g, b] = colour.match(/[\\d.]+/g).map(Number);
    return .2126 * part(r) + .7152 * part(g) + .0722 * part(b); };
  const ground = node => { for (let at = node; at; at = at.parentElement) {
    const colour = getComputedStyle(at).backgroundColor; if (!/, 0\\)$/.test(colour)) return colour; }
    return "rgb(255, 255, 255)"; };
  return [...document.querySelectorAll("p, a")].filter(each => each.textContent.trim()).map(each => {
    const [a, b] = [light(getComputedStyle(each).color), light(ground(each))].sort((x, y) => y - x);
    return (a + .05) / (b + .05); });
}"""


def test_every_text_of_it_passes_a_catalogue(elm: Practice, mailbox: Mailbox, somebody: Callable[..., Page]) -> None:
    room = elm.room(role="owner")
    page, owner = somebody(locale="en-XA"), somebody(room.login, locale="en-XA")
    for path in ("sign-in", "sign-in/forgot", "sign-up", "contact"):
        page.goto(f"{elm.url}/{path}")
        assert bare(page) == [], path
    page.goto(f"{elm.url}/sign-in/forgot")
    page.locator("#email").fill(room.email)
    page.locator("form.sheet button").click()
    assert bare(page) == []
    assert "[Á ñéw páššwórd]" in str(mailbox.to(room.email).mail["Subject"])
    owner.goto(f"{elm.url}/admin/people")
    owner.locator("#email").fill("new@elm.example")
    owner.locator("form:has(input[value=invite]) button").click()
    expect(owner.locator(".fate.good")).to_be_visible()
    assert bare(owner) == []
