"""The test of a relay from outside, in a real browser against a real coturn: each way, and the one fix of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from coturn import running
from housecall import relay
from housecall.config import load
from housecall.testing.access import PHONE, audit, bare
from housecall.testing.certificate import certificate
from housecall.testing.parts import find
from housecall.testing.people import Person, meet
from housecall.testing.practice import Practice, free_port
from housecall.web import relay_proof

SECRET = "right"


@pytest.fixture
def trusting(chromium: Browser) -> Iterator[Browser]:
    """A browser that takes our own certificate for good."""
    browser = chromium.browser_type.launch(
        executable_path=find("chromium"),
        args=["--allow-loopback-in-peer-connection", "--ignore-certificate-errors"],
    )
    yield browser
    browser.close()


def site(port: int, tls: int) -> str:
    ways = [f"turn:localhost:{port}?transport=udp", f"turn:localhost:{port}?transport=tcp", f"turns:localhost:{tls}"]
    return f'[clinic.main]\nname = "Elm Street Practice"\n[[clinic.main.ice]]\nurls = {ways}\nsecret = "{SECRET}"\n'


def try_it(page: Page, own: Practice) -> None:
    page.goto("about:blank")
    page.goto(f"{own.url}/-/relay#{relay_proof.token(load(own.folder, environ={}).secret, 'main')}")
    expect(page.locator("main[data-ready]")).to_be_attached()


def said(page: Page) -> dict[str, str]:
    """By the name of each way, what became of it."""
    rows = page.locator("#ways li").evaluate_all(
        "all => all.map(row => [row.querySelector('h2').textContent.split(',')[0], row.dataset.said])"
    )
    return dict(rows)


def test_each_way_is_tried_and_each_failure_has_its_one_fix(
    serve: Callable[..., Practice], trusting: Browser, tmp_path: Path
) -> None:
    port, tls = free_port(), free_port()
    own = serve(site(port, tls))
    cert, key = certificate(tmp_path)
    phone = meet(trusting, own.url, viewport=PHONE)
    page = phone.page
    with running(tmp_path, relay.configuration("localhost", SECRET, certificate=str(cert), key=str(key)), port, tls):
        try_it(page, own)
        assert said(page) == dict.fromkeys(("UDP", "TCP", "TLS"), "works")
        expect(page.get_by_text("Every way works.")).to_be_visible()
    with running(tmp_path, relay.configuration("localhost", SECRET), port, free_port()):
        try_it(page, own)
        assert said(page) == {"UDP": "works", "TCP": "works", "TLS": "silent"}
        expect(page.locator("#ways li[data-said=silent]")).to_contain_text(
            f"Open TCP {tls} in the firewall of localhost"
        )
        expect(page.locator("#relay-words")).to_contain_text("Calls get through by UDP, TCP.")
    with running(tmp_path, relay.configuration("localhost", "another"), port, free_port()):
        try_it(page, own)
        assert said(page) == {"UDP": "refused", "TCP": "refused", "TLS": "silent"}
        expect(page.locator("#ways li").first).to_contain_text("static-auth-secret")
    forbids = relay.configuration("localhost", SECRET) + "denied-peer-ip=126.0.0.0-127.255.255.254\n"
    with running(tmp_path, forbids, port, free_port()):
        try_it(page, own)
        assert said(page) == {"UDP": "shut", "TCP": "shut", "TLS": "silent"}
        expect(page.locator("#ways li").first).to_contain_text("denied-peer-ip")
    try_it(page, own)
    assert said(page) == dict.fromkeys(("UDP", "TCP", "TLS"), "silent")
    expect(page.locator("#ways li").first).to_contain_text(f"Open UDP {port}, and UDP 49600 to 49999")
    expect(page.get_by_text("No way works from here.")).to_be_visible()
    phone.context.close()
    phone.check(f"localhost:{own.port}")


@pytest.mark.parametrize("pseudo", [False, True], ids=["axe", "words"])
def test_everybody_can_use_it(serve: Callable[..., Practice], person: Callable[..., Person], pseudo: bool) -> None:
    own = serve(site(free_port(), free_port()))
    options = {"locale": "en-XA"} if pseudo else {}
    visitor = person(own=f"localhost:{own.port}", viewport=PHONE, **options)
    visitor.expected.append("status of 403")
    try_it(visitor.page, own)
    if pseudo:
        assert bare(visitor.page) == []
    else:
        audit(visitor.page, "tested")
    visitor.page.goto("about:blank")
    visitor.page.goto(f"{own.url}/-/relay#forged")
    expect(visitor.page.locator("main[data-ready]")).to_be_attached()
    expect(visitor.page.locator("#ways li")).to_have_count(0)
    if pseudo:
        assert bare(visitor.page) == []
    else:
        expect(visitor.page.get_by_text("This link is too old")).to_be_visible()
