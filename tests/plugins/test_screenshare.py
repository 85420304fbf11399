"""Screen share (R45-R48): shown and asked for, warned of, stopped by either side, kept over new connections."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from housecall.testing import Person, PluginContract, Practice, check_in, connected, end, open_dashboard, sign_in, start
from housecall.testing.access import PHONE, audit
from housecall.testing.acts import COLOUR, guest_joins, more, wait
from housecall.testing.parts import find
from housecall.testing.people import ARGUMENTS

TOML = '[clinic.main]\nname = "Elm"\nplugins = ["screenshare"]\n'
SCREEN_ALL = "Entire screen"  #: as Chromium calls it
PURPLE, CYAN, YELLOW = (192, 0, 192), (0, 192, 192), (192, 192, 0)
WARNING = "Close or hide first what is private"
CANNOT = "Grace's browser cannot show a screen."

#: The middle of the shown screen.
SCREEN = COLOUR.format(".screen-tile video")

#: What is sent of a camera (1) or a screen (2): the parameters of its encoding.
SENT = (
    "made.findLast(pc => pc.connectionState === 'connected').getTransceivers()[{}].sender.getParameters().encodings[0]"
)

#: The tracks that this page was given of its screens, and what was asked for.
TRACKS = """{
  window.shown = [];
  const devices = navigator.mediaDevices, real = devices?.getDisplayMedia?.bind(devices);
  if (real) devices.getDisplayMedia = async wanted => {
    const stream = await real(wanted);
    shown.push(...stream.getTracks());
    return stream;
  };
}"""

#: A browser as phones have it.
PHONES = "delete MediaDevices.prototype.getDisplayMedia"


class TestScreenshare(PluginContract):
    folder = Path(__file__).resolve().parents[2] / "plugins/screenshare"


@pytest.fixture(scope="module")
def sharer(engines: Playwright) -> Iterator[Browser]:
    """Chromium that, when it is asked for a screen, gives the tab that is called SHARE-ME."""
    browser = engines.chromium.launch(
        executable_path=find("chromium"),
        args=[
            *ARGUMENTS,
            "--allow-loopback-in-peer-connection",
            "--auto-select-tab-capture-source-by-title=SHARE-ME",
        ],
    )
    yield browser
    browser.close()


@dataclass
class Pair:
    practice: Practice
    provider: Person
    patient: Person


@pytest.fixture
def pair(serve: Callable[..., Practice], person: Callable[..., Person], sharer: Browser) -> Callable[..., Pair]:
    """A provider and Grace in a call, who can show a tab."""

    def make(*, phone: bool = False, **options: Any) -> Pair:
        practice = serve(TOML)
        room, own = practice.room(), f"localhost:{practice.port}"
        provider = person("red", own=own, browser=sharer)
        patient = person("green", own=own, browser=sharer, **options)
        sign_in(provider.context, practice.url, room.login)
        provider.context.add_init_script(TRACKS)
        patient.context.add_init_script(PHONES if phone else TRACKS)
        open_dashboard(provider.page, practice.url)
        check_in(patient.page, room.url, "Grace")
        start(provider.page, "Grace")
        connected(provider.page, patient.page)
        return Pair(practice, provider, patient)

    return make


def tab(person: Person) -> Page:
    """A tab of one colour, which the browser gives when a screen is wanted."""
    page = person.context.new_page()
    page.goto("data:text/html,<title>SHARE-ME</title><body style='background:rgb(192,0,192)'>")
    person.page.bring_to_front()
    return page


def sees_screen(page: Page, colour: tuple[int, int, int]) -> None:
    """The far screen turns this colour."""
    wait(
        page,
        f"wanted => {{ const c = ({SCREEN})(); return c && wanted.every((part, i) => Math.abs(part - c[i]) < 60); }}",
        list(colour),
    )


def button(page: Page) -> Any:
    more(page)
    return page.locator("hc-part[data-plugin=screenshare][data-slot='call.more'] button")


def line(page: Page) -> Any:
    return page.locator(".screenshare")


def toast(page: Page, words: str) -> None:
    expect(page.locator(".toast", has_text=words).last).to_be_visible()


def live(page: Page) -> Any:
    return page.evaluate("shown.filter(track => track.readyState === 'live').length")


def test_the_provider_shows_a_tab_and_the_patient_stops_it(pair: Callable[..., Pair]) -> None:
    """R45, R48: by keyboard; the far side has its pixels, also after a new connection and a reload."""
    call = pair()
    provider, patient, shared = call.provider.page, call.patient.page, tab(call.provider)
    for each in (call.provider, call.patient):  # until it is used it costs its button
        asked = {url.rpartition("/")[2] for url in each.urls}
        assert "screenshare.js" in asked
        assert not asked & {"sharing.js", "screenshare.css", "screens.js", "layout.js", "comfort.js", "comfort.css"}
    button(provider).focus()
    provider.keyboard.press("Enter")
    dialog = provider.get_by_role("dialog", name="Show a screen")
    expect(dialog.get_by_text(WARNING)).to_be_visible()
    expect(dialog.get_by_label("Text that must be sharp")).to_be_checked()
    audit(provider, "before a screen is shown")
    provider.keyboard.press("Escape")
    expect(button(provider)).to_be_focused()
    assert live(provider) == 0
    provider.keyboard.press("Enter")
    dialog.get_by_role("button", name="Choose what to show").focus()
    provider.keyboard.press("Enter")
    sees_screen(patient, PURPLE)
    expect(line(provider)).to_contain_text("You show your screen.")
    expect(line(patient)).to_contain_text("Dr Ada Smith shows you a screen.")
    expect(patient.locator(".tile video")).to_be_visible()

    wait(provider, f"() => {SENT.format(2)}.maxFramerate === 15 && {SENT.format(1)}.maxBitrate === 350_000", None)
    assert provider.evaluate("shown[0].contentHint") == "detail"
    line(provider).get_by_role("button", name="Smoother motion").click()
    wait(provider, f"() => {SENT.format(2)}.maxFramerate === 30 && shown[0].contentHint === 'motion'", None)

    provider.get_by_label("Picture at most").select_option("sound")
    expect(patient.locator(".screen-tile .why")).to_have_text("Dr Ada Smith chose sound only for this visit.")
    provider.get_by_label("Picture at most").select_option("hd")
    expect(patient.locator(".screen-tile .why")).to_be_hidden()

    enlarge = patient.get_by_role("button", name="Enlarge")
    enlarge.focus()
    patient.keyboard.press("Enter")
    expect(enlarge).to_have_attribute("aria-pressed", "true")
    expect(patient.locator(".tile video")).to_be_hidden()
    expect(patient.locator(".screen-tile video")).to_be_visible()
    audit(patient, "a large screen")
    patient.keyboard.press("Enter")
    expect(patient.locator(".tile video")).to_be_visible()
    patient.locator("#view").click()
    patient.get_by_role("dialog").get_by_role("button", name="Full screen").click()
    wait(patient, "() => document.fullscreenElement?.id === 'main'", None)  # the whole call, and in it
    full = patient.locator(".screen-tile").get_by_role("button", name="Full screen")
    for selector in (".screen-tile", "#main"):
        full.click()
        wait(patient, "selector => document.fullscreenElement?.matches(selector)", selector)
    patient.evaluate("document.exitFullscreen()")
    wait(patient, "() => !document.fullscreenElement", None)
    patient.evaluate("Element.prototype.requestFullscreen = () => Promise.reject(new TypeError()); 0")
    full.click()
    toast(patient, "Your browser did not allow that.")
    for page in (provider, patient):
        audit(page, "a screen is shown")

    before = patient.evaluate("made.length")
    patient.evaluate("channels.at(-1).close()")  # words are gone, so the two begin anew
    wait(patient, "before => made.length > before && made.at(-1).connectionState === 'connected'", before)
    shared.evaluate("document.body.style.background = 'rgb(0,192,192)'")
    sees_screen(patient, CYAN)
    patient.reload()
    connected(provider, patient)
    sees_screen(patient, CYAN)

    line(patient).get_by_role("button", name="Stop it").click()
    toast(provider, "Grace has stopped the showing of your screen.")
    expect(patient.locator(".screen-tile")).to_have_count(0)
    for page in (provider, patient):
        expect(line(page)).to_be_hidden()
    assert live(provider) == 0
    wait(provider, f"() => {SENT.format(1)}.maxBitrate === 1_500_000", None)


def test_the_provider_asks_and_the_patient_decides(pair: Callable[..., Pair]) -> None:
    """R46-R48: refused, taken back, agreed to; stopped by the asker, by the browser's bar, by the end of the visit."""
    call = pair(viewport=PHONE)
    provider, patient, shared = call.provider.page, call.patient.page, tab(call.patient)
    asked = patient.get_by_role("dialog", name="Dr Ada Smith asks to see your screen")

    def ask() -> None:
        button(provider).click()
        provider.get_by_role("button", name="Ask to see Grace's").click()
        expect(asked.get_by_text(WARNING)).to_be_visible()
        expect(line(provider)).to_contain_text("Grace is asked to show a screen.")

    ask()
    audit(patient, "asked for a screen")
    asked.get_by_role("button", name="Not now").click()
    toast(provider, "Grace does not want to show a screen now.")
    expect(line(provider)).to_be_hidden()
    ask()
    line(provider).get_by_role("button", name="Take back").click()
    expect(asked).to_have_count(0)
    expect(line(provider)).to_be_hidden()
    assert live(patient) == 0

    ask()
    asked.get_by_role("button", name="Choose what to show").click()
    sees_screen(provider, PURPLE)
    expect(line(provider)).to_have_text("Grace shows you a screen.Stop it")
    audit(patient, "showing a screen")
    line(provider).get_by_role("button", name="Stop it").click()
    toast(patient, "Dr Ada Smith has stopped the showing of your screen.")
    expect(provider.locator(".screen-tile")).to_have_count(0)
    assert live(patient) == 0

    button(patient).click()  # unasked
    expect(patient.get_by_role("dialog").get_by_text(WARNING)).to_be_visible()
    patient.get_by_role("button", name="Choose what to show").click()
    sees_screen(provider, PURPLE)
    shared.close()  # the track ends as it does by the browser's own bar
    toast(patient, "Your screen is not shown any more.")
    expect(provider.locator(".screen-tile")).to_have_count(0)

    patient.evaluate(  # what a browser says whose list of screens was closed
        "navigator.mediaDevices.getDisplayMedia = () => Promise.reject(new DOMException('', 'NotAllowedError')); 0"
    )
    ask()
    asked.get_by_role("button", name="Choose what to show").click()
    toast(patient, "Nothing is shown.")
    toast(provider, "Grace agreed, but chose nothing")

    tab(call.provider)
    button(provider).click()
    provider.get_by_role("button", name="Choose what to show").click()
    sees_screen(patient, PURPLE)
    end(provider)
    expect(patient.get_by_role("heading", name="Your visit has ended")).to_be_visible()
    assert live(provider) == 0

    patient.get_by_role("button", name="Check in again").click()
    patient.get_by_label("Your name").fill("Katherine")
    patient.get_by_role("button", name="Check in").first.click()
    start(provider, "Katherine")
    connected(provider, patient)
    for page in (provider, patient):  # nothing stands there of the visit before
        expect(page.locator("hc-part[data-plugin=screenshare][data-mounted]")).to_have_count(2)
        expect(line(page)).to_be_hidden()
        expect(button(page)).to_have_text("Share screen")


def test_a_patient_whose_page_is_loaded_anew_is_asked_again(pair: Callable[..., Pair]) -> None:
    call = pair()
    provider, patient = call.provider.page, call.patient.page
    asked = patient.get_by_role("dialog", name="Dr Ada Smith asks to see your screen")
    button(provider).click()
    provider.get_by_label("Motion that must be smooth").check()
    provider.get_by_role("button", name="Ask to see Grace's").click()
    expect(asked).to_be_visible()
    patient.reload()
    expect(asked).to_be_visible()
    expect(line(provider)).to_contain_text("Grace is asked to show a screen.")
    tab(call.patient)
    asked.get_by_role("button", name="Choose what to show").click()
    sees_screen(provider, PURPLE)
    assert patient.evaluate("shown[0].contentHint") == "motion"
    expect(line(provider)).to_have_text("Grace shows you a screen.Stop it")
    patient.reload()  # what was answered is not asked again
    connected(provider, patient)
    expect(patient.locator("hc-part[data-plugin=screenshare][data-mounted]")).to_have_count(2)
    expect(line(provider)).to_be_hidden()
    expect(asked).to_have_count(0)


def test_whoever_asks_is_told_that_the_far_page_cannot_load_what_it_takes(pair: Callable[..., Pair]) -> None:
    call = pair()
    provider, patient = call.provider.page, call.patient.page
    call.patient.expected += ["ERR_FAILED"]
    patient.route("**/sharing.js", lambda route: route.abort())
    asked = patient.get_by_role("dialog", name="Dr Ada Smith asks to see your screen")
    for reached in (False, True):
        button(provider).click()
        provider.get_by_role("button", name="Ask to see Grace's").click()
        if reached:
            expect(asked).to_be_visible()
            continue
        toast(provider, "Grace's page could not load what it needs. Try again in a moment.")
        expect(line(provider)).to_be_hidden()
        patient.unroute("**/sharing.js")


def test_a_browser_that_cannot_says_so_before_anybody_asks(pair: Callable[..., Pair]) -> None:
    call = pair(phone=True, viewport=PHONE)
    provider, patient = call.provider.page, call.patient.page
    expect(button(patient)).to_be_hidden()
    for again in (False, True):
        if again:  # a page of the provider that comes later is told, too
            provider.reload()
            connected(provider, patient)
        wait(provider, "() => channels.some(each => each.readyState === 'open')", None)
        expect(provider.locator("hc-part[data-plugin=screenshare][data-mounted]")).to_have_count(2)
        button(provider).click()
        expect(provider.get_by_role("dialog").get_by_text(CANNOT)).to_be_visible()
        expect(provider.get_by_role("button", name="Ask to see Grace's")).to_have_count(0)
        provider.keyboard.press("Escape")
    tab(call.provider)  # it sees one all the same
    button(provider).click()
    provider.get_by_role("button", name="Choose what to show").click()
    sees_screen(patient, PURPLE)
    audit(patient, "a screen on a phone")


def test_a_curtain_hides_screens_too(pair: Callable[..., Pair], person: Callable[..., Person]) -> None:
    call = pair()
    provider, patient = call.provider.page, call.patient.page
    nurse = person("blue", own=f"localhost:{call.practice.port}").page
    guest_joins(provider, nurse, "chaperone", "Nina")
    expect(nurse.locator(".tile[data-state=connected]")).to_have_count(2)
    tab(call.provider)
    button(provider).click()
    provider.get_by_role("button", name="Choose what to show").click()
    sees_screen(patient, PURPLE)
    wait(nurse, "() => flow.energy > 0", None)
    expect(nurse.locator(".screen-tile")).to_have_count(0)
    assert nurse.evaluate("flow.frames") == 0, "a picture came through the curtain"
    provider.get_by_role("button", name="Guests", exact=True).click()
    provider.get_by_role("button", name="Show picture to Nina (chaperone)").click()
    sees_screen(nurse, PURPLE)
    provider.get_by_role("button", name="Hide picture from Nina (chaperone)").click()
    expect(nurse.locator(".screen-tile")).to_have_count(0)


def test_firefox_sees_what_chromium_shows(
    serve: Callable[..., Practice], person: Callable[..., Person], sharer: Browser, firefox: Browser
) -> None:
    practice = serve(TOML)
    room, own = practice.room(), f"localhost:{practice.port}"
    provider, patient = person("red", own=own, browser=sharer), person("green", own=own, browser=firefox)
    sign_in(provider.context, practice.url, room.login)
    open_dashboard(provider.page, practice.url)
    check_in(patient.page, room.url, "Grace")
    start(provider.page, "Grace")
    connected(provider.page, patient.page)
    tab(provider)
    button(provider.page).click()
    provider.page.get_by_role("button", name="Choose what to show").click()
    sees_screen(patient.page, PURPLE)


@contextmanager
def display(*, ordered: bool) -> Iterator[dict[str, str]]:
    """The environment of programs with a screen of their own, black where there is no window; `ordered`: one may be
    shown alone, which takes what keeps windows in order."""
    screen, manager = find("Xvfb"), find("evilwm" if ordered else "true")
    if screen is None or manager is None:
        pytest.skip("Xvfb or evilwm is not installed: apt-get install xvfb evilwm")
    heard, said = os.pipe()
    command = [screen, "-displayfd", str(said), "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=[said], stderr=subprocess.DEVNULL) as server:
        os.close(said)
        with os.fdopen(heard) as number:
            environment = {**os.environ, "DISPLAY": f":{number.readline().strip()}"}
        with subprocess.Popen([manager, "-fn", "fixed"], env=environment, stderr=subprocess.DEVNULL):
            try:
                yield environment
            finally:
                server.terminate()  # and what keeps windows in order with it


@pytest.fixture
def windows(engines: Playwright, request: pytest.FixtureRequest) -> Iterator[Browser]:
    """Chromium with real windows; asked for a screen it gives what has the name that is the parameter."""
    with display(ordered=request.param != SCREEN_ALL) as environment:
        browser = engines.chromium.launch(
            executable_path=find("chromium"),
            headless=False,
            env=environment,
            args=[
                *ARGUMENTS,
                "--allow-loopback-in-peer-connection",
                "--window-position=0,0",
                "--window-size=1280,800",
                f"--auto-select-desktop-capture-source={request.param}",
            ],
        )
        yield browser
        browser.close()


@pytest.mark.parametrize(
    ("windows", "kind"), [(SCREEN_ALL, "monitor"), ("SHARE-ME - Chromium", "window")], indirect=["windows"]
)
def test_a_whole_screen_or_one_window_is_shown(
    kind: str, serve: Callable[..., Practice], windows: Browser, person: Callable[..., Person]
) -> None:
    """By a browser with real windows: of the screen the far side sees whatever lies on it, of a window that alone,
    also while others lie above it."""
    practice = serve(TOML)
    room, own = practice.room(), f"localhost:{practice.port}"
    provider, patient = person("red", own=own, browser=windows), person("green", own=own)
    sign_in(provider.context, practice.url, room.login)
    provider.context.add_init_script(TRACKS)
    open_dashboard(provider.page, practice.url)
    check_in(patient.page, room.url, "Grace")
    start(provider.page, "Grace")
    connected(provider.page, patient.page)

    def window(title: str, colour: str) -> Page:
        """Above those that are there."""
        page = person(own=own, browser=windows).page
        page.goto(f"data:text/html,<title>{title}</title><body style='background:{colour}'>")
        return page

    def share() -> None:
        button(provider.page).click()
        provider.page.get_by_role("button", name="Choose what to show").click()
        expect(patient.page.locator(".screen-tile video")).to_be_visible()

    if kind == "monitor":  # what is above the browser's own words that it is shown
        share()
    first = window("SHARE-ME", "rgb(192,0,192)")
    if kind == "window":  # one that is there
        share()
    sees_screen(patient.page, PURPLE)
    assert provider.page.evaluate("shown[0].getSettings().displaySurface") == kind
    window("OTHER", "rgb(192,192,0)")
    first.evaluate("document.body.style.background = 'rgb(0,192,192)'")
    sees_screen(patient.page, YELLOW if kind == "monitor" else CYAN)
    line(patient.page).get_by_role("button", name="Stop it").click()
    expect(patient.page.locator(".screen-tile")).to_have_count(0)
    assert live(provider.page) == 0
