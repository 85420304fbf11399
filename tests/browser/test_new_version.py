"""A new version is installed at noon: pages that are open go on with what they have."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from housecall.testing.acts import check_in, connected, end, media_flows, open_dashboard, start
from housecall.testing.parts import CHECKOUT
from housecall.testing.people import Person, sign_in
from housecall.testing.practice import Practice, Room
from housecall.testing.visitor import Visitor

LATER_PROTOCOL = str(Path(__file__).parent / "later_protocol.py")
VERSION = "document.querySelector('script[type=module][src]').src"


@pytest.fixture
def hand(tmp_path: Path) -> Path:
    """A plugin whose module a page imports only when the call begins."""
    return Path(shutil.copytree(CHECKOUT / "examples/plugins/hand", tmp_path / "plugin/hand"))


@pytest.fixture
def before(serve: Callable[..., Practice], hand: Path) -> Practice:
    """A server that keeps what it serves at its own first start."""
    toml = '[server]\n[clinic.main]\nname = "Elm"\nplugins = ["chat", "hand"]\n'
    return serve(toml, plugins=(hand,), ahead=False)


@pytest.fixture
def install(before: Practice, hand: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Stops the server and starts a later version of everything, in which each module and each style is another."""

    def run() -> None:
        later = tmp_path / "later"
        for name in ("core/housecall", "plugins", "themes"):
            shutil.copytree(CHECKOUT / name, later / name, ignore=shutil.ignore_patterns("__pycache__"))
        for path in (*later.rglob("*"), *hand.rglob("*")):
            if path.suffix in (".js", ".css"):
                path.write_text(path.read_text(encoding="utf-8") + "\n/* later */\n", encoding="utf-8")
        monkeypatch.setenv("PYTHONPATH", str(later / "core"))
        before.stop()
        before.start()

    return run


def in_line(practice: Practice, person: Callable[..., Person]) -> tuple[Person, Person, Room]:
    """Grace Hopper waits, and her provider looks at the queue."""
    room, own = practice.room(), f"localhost:{practice.port}"
    provider, patient = person("red", own=own), person("green", own=own)
    for each in (provider, patient):
        each.expected += ["WebSocket", "net::ERR_"]
    sign_in(provider.context, practice.url, room.login)
    open_dashboard(provider.page, practice.url)
    check_in(patient.page, room.url, "Grace Hopper")
    expect(provider.page.get_by_role("heading", name="Grace Hopper")).to_be_visible()
    return provider, patient, room


def hands_can_be_raised(page: Page, far: Page) -> None:
    """A part that is imported when the call begins is there and works."""
    page.get_by_role("button", name="Raise hand").click()
    expect(far.locator(".toast", has_text="A hand is raised.").first).to_be_visible()


def test_in_the_queue(before: Practice, person: Callable[..., Person], install: Callable[[], None]) -> None:
    """The visit starts after the new version came: what both pages import only now is of their own version."""
    provider, patient, room = in_line(before, person)
    install()
    for page in (provider.page, patient.page):
        expect(page.locator("#link-lost")).to_be_hidden()
    expect(provider.page.locator(".card .name")).to_have_text(["Grace Hopper"])
    expect(patient.page.locator("#place")).to_have_text("You are next.")
    start(provider.page, "Grace Hopper")
    connected(provider.page, patient.page)
    hands_can_be_raised(patient.page, provider.page)
    hands_can_be_raised(provider.page, patient.page)
    for page in (provider.page, patient.page):
        media_flows(page)
        expect(page.locator("hc-part[data-broken]")).to_have_count(0)
    end(provider.page)
    expect(patient.page.get_by_role("heading", name="Your visit has ended")).to_be_visible()
    old = patient.page.evaluate(VERSION)
    patient.page.goto(room.url)
    assert patient.page.evaluate(VERSION) != old, "no new version was installed"


def test_in_a_call(before: Practice, person: Callable[..., Person], install: Callable[[], None]) -> None:
    """The call goes on; a page that is reloaded comes back to it with the new version, beside one with the old."""
    provider, patient, _ = in_line(before, person)
    start(provider.page, "Grace Hopper")
    connected(provider.page, patient.page)
    patient.context.set_offline(True)  # sockets only: the provider's page comes to the new server first
    install()
    expect(provider.page.locator("#link-lost")).to_be_hidden()
    patient.context.set_offline(False)
    expect(provider.page.locator(".card .state")).to_have_text("In your call")
    for page in (provider.page, patient.page):
        media_flows(page)
    hands_can_be_raised(patient.page, provider.page)
    patient.page.reload()
    connected(provider.page, patient.page)
    hands_can_be_raised(provider.page, patient.page)
    for page in (provider.page, patient.page):
        media_flows(page)
    end(patient.page)
    expect(provider.page.get_by_text("The visit has ended after 1 minute.")).to_be_visible()


def test_a_server_that_speaks_otherwise_ends_no_call(before: Practice, person: Callable[..., Person]) -> None:
    """It refuses pages that are open. A call goes on without it, and only afterwards the page says that it is old."""
    provider, patient, _ = in_line(before, person)
    start(provider.page, "Grace Hopper")
    connected(provider.page, patient.page)
    refused: list[str] = []
    for each in (provider, patient):
        each.page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: refused.append(str(frame))))
    before.stop()
    before.command = (sys.executable, "-P", "-W", "error", LATER_PROTOCOL, "run")
    before.start()
    while sum("old_page" in frame for frame in refused) < 2:
        provider.page.wait_for_timeout(50)  # the condition is the answer; this only paces the asking
    for page in (provider.page, patient.page):
        expect(page.locator("main[data-state=call]")).to_be_visible()
        media_flows(page)
    end(provider.page)
    expect(patient.page.get_by_role("heading", name="Your visit has ended")).to_be_visible()
    expect(provider.page.get_by_text("The visit has ended after 1 minute.")).to_be_visible()
    expect(provider.page.get_by_role("heading", name="This page is older than the server.")).to_be_visible()


def test_what_was_served_stays_for_three_versions(before: Practice, install: Callable[[], None], hand: Path) -> None:
    """And only what was: no other file, and of a plugin only where it is on."""
    visitor, room = Visitor(before.url), before.room()
    page = visitor.get(f"/{room.slug}").text
    old = {part.split('"')[0] for part in page.split('"/-/asset/')[1:] if part.split('"')[0].endswith(".js")}
    install()
    for address in old:
        answer = visitor.get(f"/-/asset/{address}")
        assert answer.status_code == 200, address
        assert "/* later */" not in answer.text
        assert "immutable" in answer.headers["Cache-Control"]
    core = next(address for address in old if address.startswith("core/")).split("/")[1]
    for address in (
        f"core/{core}/../../../secret",
        f"core/{core}/..%2f..%2f..%2fsecret",
        f"core/{core}/js",
        "core/../x",
    ):
        assert visitor.get(f"/-/asset/{address}").status_code in (404, 308)
    for number in range(2):
        (hand / "static/hand.js").write_text(f"export function mount() {{}} // {number}", encoding="utf-8")
        before.stop()
        before.start()
    gone = next(address for address in old if address.startswith("hand/"))
    assert visitor.get(f"/-/asset/{gone}").status_code == 404
    kept = next(address for address in old if address.startswith("core/"))
    assert visitor.get(f"/-/asset/{kept}").status_code == 200
