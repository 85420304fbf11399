"""Nobody in between: both sides show the same pictures, and what people find is kept and told."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, Route, expect

from housecall.testing.access import PHONE, ZOOMED, audit, bare
from housecall.testing.acts import Visit, begin, check_in, connected, end, open_dashboard, start, wait
from housecall.testing.people import Person
from housecall.testing.practice import Practice, Room
from safety import PICTURES, device_link, open_check, shield


def compare(page: Page, button: str) -> None:
    open_check(page)
    page.get_by_role("button", name=button).click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_both_sides_show_the_same_four_pictures_and_digits(visit: Visit) -> None:
    mine, theirs = open_check(visit.provider), open_check(visit.patient)
    assert len(mine) == 5
    assert mine == theirs


def test_a_browser_that_cannot_tell_the_far_certificate_reads_it_from_the_agreed_description(
    practice: Practice, room: Room, person: Callable[..., Person]
) -> None:
    provider, patient = person("red", login=room.login).page, person("green").page
    patient.add_init_script("delete RTCDtlsTransport.prototype.getRemoteCertificates")
    begin(practice, room, provider, patient)
    assert open_check(patient) == open_check(provider)


def test_what_was_compared_is_marked_by_a_tick_and_by_words(visit: Visit) -> None:
    for page, name in ((visit.provider, "Grace Hopper"), (visit.patient, "Dr Ada Smith")):
        compare(page, "They are the same")
        shield(page, "good")
        expect(page.get_by_role("button", name=f"Compared: nobody is in between you and {name}.")).to_be_focused()
        expect(page.locator("#said")).to_have_text(f"Compared: nobody is in between you and {name}.")
    open_check(visit.patient)
    expect(visit.patient.locator(".safety .notice.good")).to_be_visible()


def test_a_difference_is_shown_on_both_sides_and_may_be_taken_back(visit: Visit) -> None:
    compare(visit.patient, "They differ")
    expect(visit.patient.locator(".finding")).to_have_text(
        "You found that the pictures differ. Somebody may be in between. End the visit and call the practice."
    )
    expect(visit.provider.locator(".finding")).to_have_text(
        "Grace Hopper found that the pictures differ. Somebody may be in between."
        " End the visit and call Grace Hopper by telephone."
    )
    for page in (visit.provider, visit.patient):
        shield(page, "finding")
        expect(page.locator("#said")).to_contain_text("Somebody may be in between.")
    compare(visit.patient, "They are the same")
    for page in (visit.provider, visit.patient):
        expect(page.locator(".finding")).to_have_count(0)
    shield(visit.patient, "good")
    shield(visit.provider, "")


def renewed(page: Page) -> None:
    """The side that makes the offers makes a new connection: as when one could not be mended."""
    page.evaluate("channels.at(-1).close()")


def test_a_new_connection_of_the_same_page_keeps_the_tick_and_has_new_pictures(visit: Visit) -> None:
    before = open_check(visit.patient)
    visit.patient.get_by_role("button", name="They are the same").click()
    compare(visit.provider, "They are the same")
    for page in (visit.provider, visit.patient):
        page.evaluate("window.connections = made.length")
    renewed(visit.patient)
    for page in (visit.provider, visit.patient):
        wait(page, "() => made.length > connections && made.at(-1).connectionState === 'connected'", None)
    open_check(visit.patient)
    wait(visit.patient, "before => document.querySelector('.by-number')?.textContent !== before", before[4])
    for page in (visit.provider, visit.patient):
        shield(page, "good")


def test_a_reload_takes_the_tick_away_and_says_so(visit: Visit) -> None:
    compare(visit.provider, "They are the same")
    compare(visit.patient, "They are the same")
    before = open_check(visit.provider)
    visit.patient.reload()
    connected(visit.patient)
    words = "The page of Grace Hopper is another one now. Compare again."
    expect(visit.provider.locator(".safety .notice")).to_have_text(words)
    expect(visit.provider.locator("#said")).to_have_text(words)
    shield(visit.provider, "")
    shield(visit.patient, "")
    expect(visit.provider.locator(PICTURES)).to_have_count(4)
    after = [*visit.provider.locator(PICTURES).all_text_contents(), visit.provider.locator(".by-number").inner_text()]
    assert after != before
    assert after == open_check(visit.patient)


def test_a_sixth_page_in_one_visit_is_a_finding(visit: Visit) -> None:
    shield(visit.provider, "")
    for _ in range(5):
        expect(visit.provider.locator(".finding")).to_have_count(0)
        visit.patient.reload()
        connected(visit.patient)
        shield(visit.patient, "")
    expect(visit.provider.locator(".finding")).to_contain_text(
        "The page of Grace Hopper was another one more than five times in this visit."
    )
    expect(visit.patient.locator(".finding")).to_have_count(0)


#: An older page, which says other things than ours.
OLD = """{
  const { send } = RTCDataChannel.prototype, other = '["safety",{"commit":7}]';
  RTCDataChannel.prototype.send = function (text) {
    send.call(this, String(text).startsWith('["safety"') ? other : text);
  };
}"""
#: What would be given up after twenty seconds of a call is given up at once (the socket's own patience is as long).
IMPATIENT = """{
  const later = window.setTimeout;
  window.setTimeout = (step, ms, ...rest) =>
    later(step, ms === 20000 && document.querySelector("main[data-state=call]") ? 100 : ms, ...rest);
}"""


def test_a_page_that_does_not_answer_is_not_checked_yet_and_no_finding(
    practice: Practice, room: Room, person: Callable[..., Person]
) -> None:
    provider, patient = person("red", login=room.login).page, person("green").page
    patient.add_init_script(OLD)
    provider.add_init_script(IMPATIENT)
    begin(practice, room, provider, patient)
    shield(provider, "")
    provider.locator(".shield").click()
    expect(provider.locator(".safety .lead")).to_contain_text("Not checked yet")
    expect(provider.get_by_role("button", name="They are the same")).to_have_count(0)
    expect(provider.locator(".finding")).to_have_count(0)


def test_the_dialog_goes_when_the_visit_ends(visit: Visit) -> None:
    open_check(visit.patient)
    end(visit.provider)
    expect(visit.patient.get_by_role("heading", name="Your visit has ended")).to_be_visible()
    expect(visit.patient.get_by_role("dialog")).to_have_count(0)


# -- the practice's own device


def test_a_link_that_names_the_practices_device_is_checked_by_itself(
    practice: Practice, room: Room, person: Callable[..., Person]
) -> None:
    provider, patient = person("red", login=room.login), person("green")
    open_dashboard(provider.page, practice.url)
    link = device_link(provider.page)
    check_in(patient.page, link, "Grace Hopper")
    start(provider.page, "Grace Hopper")
    connected(provider.page, patient.page)
    shield(patient.page, "good")
    own = "Checked: this is the practice's own device."
    expect(patient.page.get_by_role("button", name=own)).to_be_visible()
    shield(provider.page, "")
    open_check(patient.page)
    expect(patient.page.locator(".safety .notice.good")).to_have_text(own)
    patient.page.reload()
    connected(provider.page, patient.page)
    shield(patient.page, "good")
    kept = "async () => (await indexedDB.databases()).map(({ name }) => name)"
    assert patient.page.evaluate(kept) == []
    assert provider.page.evaluate(kept) == ["housecall"]
    patient.page.goto(f"{practice.url}/cookies")
    expect(patient.page.get_by_text("The browser of a member of the practice keeps a key of its own")).to_be_visible()
    assert not [url for each in (provider, patient) for url in each.urls if "k=" in url], "a server was told the key"


def test_another_device_than_the_link_names_is_no_finding_and_is_said(
    practice: Practice, room: Room, person: Callable[..., Person]
) -> None:
    """As when a colleague takes the visit, or the provider sits at another computer."""
    first, provider, patient = person(login=room.login), person("red", login=room.login), person("green")
    open_dashboard(first.page, practice.url)
    link = device_link(first.page)
    first.page.close()
    open_dashboard(provider.page, practice.url)
    assert device_link(provider.page) != link
    check_in(patient.page, link, "Grace Hopper")
    start(provider.page, "Grace Hopper")
    connected(provider.page, patient.page)
    shield(patient.page, "")
    open_check(patient.page)
    expect(patient.page.locator(".safety")).to_contain_text("this one has not shown that it is it")
    expect(patient.page.locator(".finding")).to_have_count(0)


def test_the_link_without_a_device_stays_as_it_is(
    practice: Practice, room: Room, person: Callable[..., Person]
) -> None:
    page = person(login=room.login).page
    open_dashboard(page, practice.url)
    field, tick = page.locator(".links .copied"), page.get_by_label("A link for visits on this device")
    expect(field).to_have_value(room.url)
    link = device_link(page)
    tick.uncheck()
    expect(field).to_have_value(room.url)
    held: list[Route] = []
    page.route("**/js/device-link.js", lambda route: held.append(route))
    page.reload(wait_until="commit")
    tick.check()  # before the page listens
    for route in held:
        route.continue_()
    page.unroute("**/js/device-link.js")
    expect(field).to_have_value(link)


def test_a_browser_that_keeps_no_keys_says_so(practice: Practice, room: Room, person: Callable[..., Person]) -> None:
    page = person(login=room.login).page
    page.add_init_script("IDBFactory.prototype.open = () => { throw new DOMException('', 'InvalidStateError'); }")
    open_dashboard(page, practice.url)
    tick = page.get_by_label("A link for visits on this device")
    tick.click()
    expect(page.get_by_text("This browser keeps no keys")).to_have_count(2)  # one of them is said aloud
    expect(tick).not_to_be_checked()
    expect(page.locator(".links .copied")).to_have_value(room.url)


# -- everybody can use it


def test_the_check_by_keyboard_with_a_screen_reader_and_on_a_phone(
    practice: Practice, room: Room, person: Callable[..., Person]
) -> None:
    options = {"viewport": PHONE, "reduced_motion": "reduce"}
    provider, patient = person("red", login=room.login, **options).page, person("green", **options).page
    begin(practice, room, provider, patient)
    shield(patient, "")
    patient.locator(".shield").focus()
    patient.keyboard.press("Enter")
    dialog = patient.get_by_role("dialog", name="Check that nobody is in between")
    expect(dialog.locator(PICTURES)).to_have_count(4)
    expect(dialog.locator(".safety")).to_be_focused()  # it is read from its beginning
    patient.keyboard.press("Enter")  # and says nothing by itself
    expect(dialog).to_be_visible()
    for scheme in ("light", "dark"):
        for screen in (PHONE, ZOOMED):
            patient.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            patient.set_viewport_size(screen)  # type: ignore[arg-type]
            audit(patient, f"the check, {scheme}, {screen['width']} px")
    patient.set_viewport_size(PHONE)  # type: ignore[arg-type]
    patient.keyboard.press("Escape")
    expect(patient.locator(".shield")).to_be_focused()
    shield(patient, "")
    patient.keyboard.press("Enter")
    expect(dialog.locator(".safety")).to_be_focused()
    for name in ("Close", "They differ"):
        patient.keyboard.press("Tab")
        expect(dialog.get_by_role("button", name=name)).to_be_focused()
    patient.keyboard.press("Enter")
    for page in (patient, provider):
        shield(page, "finding")
        audit(page, "a finding")


def test_no_word_of_the_check_is_bare(practice: Practice, room: Room, person: Callable[..., Person]) -> None:
    options = {"locale": "en-XA"}
    provider, patient = person("red", login=room.login, **options).page, person("green", **options).page
    open_dashboard(provider, practice.url)
    check_in_any(patient, room.url)
    provider.locator(".card .start").click()
    connected(provider, patient)
    for button, page in (("differ", patient), ("same", provider), ("same", patient)):
        page.locator(".shield").click()
        expect(page.locator(PICTURES)).to_have_count(4)
        assert bare(page) == []
        page.locator(f"dialog button[value={button}]").click()
        assert bare(page) == []


def check_in_any(page: Page, url: str) -> None:
    """As a patient does it, in whichever language."""
    page.goto(url)
    expect(page.locator("main[data-ready]")).to_be_attached()
    page.locator("#name").fill("Grace Hopper")
    page.locator("#check-in button").click()
    expect(page.locator("main[data-state=waiting]")).to_be_visible()
