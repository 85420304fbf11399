"""Never loses the voice: what two pages send each other follows the line, a provider's choice, a person's own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from housecall.testing.acts import begin, connected, media_flows, no_new_frames, wait
from housecall.testing.people import Person
from housecall.testing.practice import Practice

SAID = """{
  window.said = [];
  addEventListener("DOMContentLoaded", () => new MutationObserver(() =>
    window.said.push(document.getElementById("said").textContent)).observe(
    document.getElementById("said"), { childList: true }));
}"""
#: What the camera's sender does: the parameters of its encoding.
CAMERA = "made.at(-1).getTransceivers()[1].sender.getParameters().encodings[0]"


#: From now on this page's `media` says this of its line, whatever the line is; `ceiling` is what it wants.
PRETEND = """({ ceiling, ...quality }) => {
  window.pretended = { ceiling, quality };
  if (window.claimed) return;
  window.claimed = 1;
  const send = RTCDataChannel.prototype.send;
  RTCDataChannel.prototype.send = function (data) {
    const [type, body, id] = JSON.parse(data);
    if (type === "media") {
      Object.assign(body.quality, window.pretended.quality);
      if (window.pretended.ceiling) body.ceiling = window.pretended.ceiling;
      window.claimed += 1;
    }
    send.call(this, JSON.stringify([type, body, id]));
  };
}"""


def claimed(page: Page, **quality: object) -> None:
    """The page says this of its line, three times."""
    page.evaluate(PRETEND, quality)
    wait(page, "before => window.claimed > before + 2", page.evaluate("window.claimed"))


def choose(page: Page, rung: str) -> None:
    page.get_by_label("Picture at most").select_option(rung)


def in_call(practice: Practice, person: Callable[..., Person], **options: object) -> tuple[Page, Page]:
    """A provider and Grace Hopper see and hear each other, and each line has been looked at once."""
    room = practice.room()
    provider, patient = person("red", login=room.login, **options), person("green", **options)
    for each in (provider, patient):
        each.context.add_init_script(SAID)
    begin(practice, room, provider.page, patient.page)
    for page in (provider.page, patient.page):
        expect(page.locator(".quality")).to_be_visible()
    return provider.page, patient.page


def test_a_provider_chooses_sound_only_and_takes_it_back(practice: Practice, person: Callable[..., Person]) -> None:
    """Both directions stop, without a new negotiation, and both sides are told why; then both pictures come again."""
    provider, patient = in_call(practice, person)
    choose(provider, "sound")
    expect(provider.locator(".tile .why")).to_have_text(
        "You chose sound only. Video comes back when you choose it again."
    )
    expect(patient.locator(".tile .why")).to_have_text("Dr Ada Smith chose sound only for this visit.")
    for page in (provider, patient):
        expect(page.locator(".tile[data-paused] .quiet-face")).to_be_visible()
        no_new_frames(page)
        media_flows(page, video=False)
        expect(page.locator("#self-stage video")).to_be_visible()
    choose(provider, "hd")
    for page in (provider, patient):
        expect(page.locator(".tile .quiet-face")).to_be_hidden()
        media_flows(page)
    assert "You chose at most: sound only." in provider.evaluate("said")
    assert "Dr Ada Smith chose at most: sound only." in patient.evaluate("said")
    assert "Dr Ada Smith chose at most: HD." in patient.evaluate("said")


@pytest.mark.parametrize(("rung", "rate"), [("sd", 600_000), ("low", 120_000)])
def test_a_ceiling_counts_in_both_directions(
    practice: Practice, person: Callable[..., Person], rung: str, rate: int
) -> None:
    provider, patient = in_call(practice, person)
    choose(provider, rung)
    for page in (provider, patient):
        wait(page, f"rate => {CAMERA}.maxBitrate === rate", rate)
        media_flows(page)
    if rung == "low":  # of a camera of 320 x 240
        wait(patient, "() => document.querySelector('.tile video').videoHeight === 180", None)


def test_a_ceiling_is_remembered_over_a_reload_of_the_patients_page(
    practice: Practice, person: Callable[..., Person]
) -> None:
    provider, patient = in_call(practice, person)
    choose(provider, "sound")
    expect(patient.locator(".tile[data-paused]")).to_be_visible()
    patient.reload()
    connected(provider, patient)
    expect(patient.locator(".tile[data-paused]")).to_be_visible()
    expect(provider.locator(".tile[data-paused]")).to_be_visible()
    no_new_frames(provider)


def test_a_new_connection_in_the_place_of_an_old_one_keeps_to_it(
    practice: Practice, person: Callable[..., Person]
) -> None:
    provider, patient = in_call(practice, person)
    choose(provider, "sound")
    expect(provider.locator(".tile[data-paused]")).to_be_visible()
    before = patient.evaluate("made.length")
    patient.evaluate("channels.at(-1).close()")  # words are gone, so the two begin anew
    wait(patient, "before => made.length > before && made.at(-1).connectionState === 'connected'", before)
    connected(provider, patient)
    for page in (provider, patient):
        wait(page, f"() => {CAMERA}.active === false", None)
        no_new_frames(page)
    choose(provider, "hd")
    for page in (provider, patient):
        media_flows(page)


def test_a_camera_that_a_person_switched_off_never_comes_back_by_itself(
    practice: Practice, person: Callable[..., Person]
) -> None:
    provider, patient = in_call(practice, person)
    choose(provider, "sound")
    expect(provider.locator(".tile[data-paused]")).to_be_visible()
    patient.get_by_role("button", name="Turn camera off").click()
    expect(provider.get_by_text("Grace Hopper's camera is off")).to_be_visible()
    choose(provider, "hd")
    media_flows(patient)
    expect(provider.get_by_text("Grace Hopper's camera is off")).to_be_visible()
    no_new_frames(provider)
    assert patient.evaluate("given.filter(track => track.kind === 'video' && track.readyState === 'live').length") == 0
    patient.get_by_role("button", name="Turn camera on").click()
    media_flows(provider)


def test_the_number_is_shown_and_the_other_side_knows(
    serve: Callable[..., Practice], person: Callable[..., Person]
) -> None:
    own = serve('[clinic.main]\nname = "Elm"\n[clinic.main.core]\nphone = "+1 555 0100"\n')
    provider, patient = in_call(own, person, own=f"localhost:{own.port}")
    expect(patient.locator("#instead")).to_be_hidden()
    provider.evaluate(PRETEND, {"sent": "text"})
    number = patient.get_by_role("link", name="+1 555 0100")
    expect(number).to_be_visible()
    expect(number).to_have_attribute("href", "tel:+15550100")
    said = "The line is very weak. If the call breaks, telephone the practice: +1 555 0100"
    wait(patient, "words => said.some(each => each.includes(words))", said)
    expect(provider.locator("#calm")).to_have_text(
        "The line is very weak. Grace Hopper sees the practice's telephone number."
    )
    provider.evaluate(PRETEND, {})
    expect(number).to_be_hidden()
    expect(provider.locator("#calm")).to_be_hidden()


def test_without_a_number_the_patient_is_told_to_stay(practice: Practice, person: Callable[..., Person]) -> None:
    provider, patient = in_call(practice, person)
    provider.evaluate(PRETEND, {"got": "lost"})
    expect(patient.locator("#instead")).to_be_visible()
    expect(patient.locator("#instead")).to_contain_text("leave this page open")
    claimed(patient)
    expect(provider.locator("#calm")).to_be_hidden()


def test_what_another_page_says_of_its_line_is_taken_for_what_it_is(
    practice: Practice, person: Callable[..., Person]
) -> None:
    provider, patient = in_call(practice, person)
    for nonsense in ({"sent": 7, "got": ["lost"], "causes": "ours"}, {"sent": "<b>", "got": None, "causes": [{}, "x"]}):
        claimed(provider, **nonsense)
        expect(patient.locator(".quality")).to_have_accessible_name("Good line")
    media_flows(patient)


def test_only_a_provider_has_a_ceiling(practice: Practice, person: Callable[..., Person]) -> None:
    """A patient's page that claims one is not obeyed."""
    provider, patient = in_call(practice, person)
    expect(patient.get_by_label("Picture at most")).to_have_count(0)
    patient.evaluate(PRETEND, {"ceiling": "sound"})
    wait(patient, "() => window.claimed > 3", None)
    assert provider.evaluate(f"{CAMERA}.active")
    media_flows(patient)


def test_sound_goes_before_the_picture_and_is_sent_twice(practice: Practice, person: Callable[..., Person]) -> None:
    """On both sides, the one that offered and the one that answered: RED comes first, and priority is high."""
    for page in in_call(practice, person):
        sender = "made.at(-1).getTransceivers()[0].sender.getParameters()"
        wait(page, f"() => {sender}.encodings[0].priority === 'high'", None)
        assert page.evaluate(f"{sender}.codecs[0].mimeType") == "audio/red"


def test_a_browser_that_cannot_choose_codecs_is_in_the_call_all_the_same(
    practice: Practice, person: Callable[..., Person]
) -> None:
    room = practice.room()
    provider, patient = person("red", login=room.login), person("green")
    patient.context.add_init_script(
        "delete RTCRtpTransceiver.prototype.setCodecPreferences; delete RTCRtpReceiver.getCapabilities"
    )
    begin(practice, room, provider.page, patient.page)
    media_flows(provider.page)
    media_flows(patient.page)


def test_a_badge_tells_how_good_the_line_is_and_why_by_keyboard_and_by_tap(
    practice: Practice, person: Callable[..., Person]
) -> None:
    _, patient = in_call(practice, person)
    badge = patient.locator(".quality")
    expect(badge).to_have_accessible_name("Good line")
    cause = patient.locator(".cause")
    expect(cause).to_be_hidden()
    badge.click()
    expect(cause).to_contain_text("You send: HD.")
    expect(cause).to_be_visible()
    badge.click()
    expect(cause).to_be_hidden()
    expect(patient.locator(".shield")).to_be_visible()
    patient.locator("#mute").focus()
    for _ in range(2):
        patient.keyboard.press("Shift+Tab")
    expect(badge).to_be_focused()
    expect(cause).to_be_visible()
