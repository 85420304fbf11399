"""Cameras, microphones and speakers in a call: chosen, unplugged, plugged in, turned round, taken back and given."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from housecall.testing.access import PHONE, audit, bare
from housecall.testing.acts import begin, check_in, connected, media_flows, more, open_dashboard, sees, start, wait
from housecall.testing.parts import find
from housecall.testing.people import Person, meet
from housecall.testing.practice import Practice, Room

People = Callable[..., Person]
BLUE, GREEN = (0, 0, 224), (0, 192, 0)

#: What is plugged in, as a test says it; and what the page has asked the browser for.
PLUGS = """{
  const devices = navigator.mediaDevices, ask = devices?.getUserMedia;
  window.plugs = [
    { kind: "audioinput", deviceId: "mic-1", groupId: "a", label: "Built-in microphone" },
    { kind: "videoinput", deviceId: "cam-1", groupId: "b", label: "Built-in camera" },
    { kind: "audiooutput", deviceId: "out-1", groupId: "a", label: "Built-in speaker" },
  ];
  window.wants = [];
  if (devices) {
    devices.enumerateDevices = async () => plugs;
    devices.getUserMedia = async wanted => {
      wants.push(JSON.parse(JSON.stringify(wanted)));
      return ask.call(devices, wanted);
    };
  }
}"""
LABELS = ("Headset", "Built-in camera", "Built-in microphone", "Built-in speaker")
HEADSET = """() => {
  plugs.push({ kind: "audioinput", deviceId: "mic-2", groupId: "h", label: "Headset" },
             { kind: "audiooutput", deviceId: "out-2", groupId: "h", label: "Headset" });
  navigator.mediaDevices.dispatchEvent(new Event("devicechange"));
}"""

#: A phone: its rear camera is blue.
PHONE_CAMERAS = """{
  const devices = navigator.mediaDevices, ask = devices?.getUserMedia;
  if (devices) {
    const camera = id => ({ kind: "videoinput", deviceId: id, groupId: id, label: id });
    devices.enumerateDevices = async () => [camera("front"), camera("rear")];
    devices.getUserMedia = async wanted => {
      const rear = wanted.video?.facingMode?.exact === "environment";
      const out = await ask.call(devices, wanted);
      if (!rear) return out;
      const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 240 });
      const pen = canvas.getContext("2d");
      const paint = () => { pen.fillStyle = "#0000e0"; pen.fillRect(0, 0, 320, 240); };
      paint(); setInterval(paint, 100);
      const [track] = canvas.captureStream(10).getVideoTracks(), settings = track.getSettings.bind(track);
      track.getSettings = () => ({ ...settings(), facingMode: "environment" });
      for (const old of out.getVideoTracks()) { old.stop(); out.removeTrack(old); }
      out.addTrack(track);
      return out;
    };
  }
}"""


def in_call(practice: Practice, room: Room, person: People, patient: Person) -> Page:
    """The provider's page, in a call with this patient."""
    provider = person("red", login=room.login).page
    begin(practice, room, provider, patient.page)
    return provider


def geared(page: Page) -> None:
    """What is loaded once a call goes is there."""
    wait(page, "() => document.getElementById('flip').onclick !== null", None)


@pytest.fixture
def several(chromium: Browser, practice: Practice) -> Iterator[Person]:
    """Somebody whose browser has three cameras and microphones, with names; the second camera sees depth, no colour."""
    browser = chromium.browser_type.launch(
        executable_path=find("chromium"),
        args=["--use-fake-device-for-media-stream=device-count=3", "--allow-loopback-in-peer-connection"],
    )
    made = meet(browser, practice.url)
    yield made
    made.context.close()
    made.check(f"localhost:{practice.port}")
    browser.close()


USED = """kind => {
  const pc = made.find(pc => pc.connectionState === "connected");
  return pc.getSenders().find(sender => sender.track?.kind === kind)?.track.getSettings().deviceId;
}"""


def test_another_camera_microphone_and_speaker_are_chosen_in_the_call(
    practice: Practice, room: Room, person: People, several: Person
) -> None:
    page = several.page
    provider = in_call(practice, room, person, several)
    media_flows(provider)
    offer = page.evaluate("made.find(pc => pc.connectionState === 'connected').localDescription.sdp")
    before = {kind: page.evaluate(USED, kind) for kind in ("video", "audio")}
    page.get_by_role("button", name="Devices").click()
    dialog = page.get_by_role("dialog", name="Camera, microphone and speaker")
    for label, kind in (("Camera", "video"), ("Microphone", "audio")):
        select = dialog.get_by_label(label, exact=True)
        expect(select).to_be_visible()
        other = next(
            v for v in select.locator("option").evaluate_all("all => all.map(o => o.value)")[::-1] if v != before[kind]
        )
        select.select_option(other)
        named = select.locator("option").evaluate_all(
            "(all, value) => all.find(o => o.value === value).textContent", other
        )
        expect(dialog.get_by_text(f"In use now: {named}")).to_be_visible()
        wait(page, f"([kind, other]) => ({USED})(kind) === other", [kind, other])
    speaker = dialog.get_by_label("Speaker")
    last = speaker.locator("option").evaluate_all("all => all.at(-1).value")
    speaker.select_option(last)
    wait(page, "last => document.querySelector('.tile audio').sinkId === last", last)
    dialog.get_by_role("button", name="Done").click()
    expect(page.get_by_role("button", name="Devices")).to_be_focused()
    media_flows(provider)
    assert page.evaluate("made.find(pc => pc.connectionState === 'connected').localDescription.sdp") == offer
    expect(provider.locator(".tile[data-muted=false][data-camera=on]")).to_be_visible()


def test_devices_are_chosen_while_waiting(practice: Practice, room: Room, several: Person) -> None:
    check_in(several.page, room.url, "Grace Hopper")
    expect(several.page.locator("#devices[data-devices=on]")).to_be_visible()
    current = "() => document.querySelector('#self-waiting video').srcObject.getVideoTracks()[0].getSettings().deviceId"
    before = several.page.evaluate(current)
    several.page.get_by_role("button", name="Devices").first.click()
    select = several.page.get_by_role("dialog").get_by_label("Camera", exact=True)
    expect(select).to_be_visible()
    other = select.locator("option").evaluate_all("all => all.at(-1).value")
    assert other != before
    select.select_option(other)
    wait(several.page, f"other => ({current})() === other", other)
    several.page.keyboard.press("Escape")
    expect(several.page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize(("kind", "name"), [("audio", "microphone"), ("video", "camera")])
def test_what_is_unplugged_in_the_call_has_another_in_its_place(
    practice: Practice, room: Room, person: People, kind: str, name: str
) -> None:
    patient = person("green")
    provider = in_call(practice, room, person, patient)
    media_flows(provider)
    patient.page.evaluate(
        "kind => { const track = given.findLast(track => track.kind === kind);"
        " track.stop(); track.dispatchEvent(new Event('ended')); }",
        kind,
    )
    expect(patient.page.locator(".toast")).to_contain_text(f"Your {name} was unplugged. We go on with another one:")
    expect(patient.page.locator("#said")).to_contain_text(f"Your {name} was unplugged. We go on")
    expect(patient.page.locator("#trouble")).to_be_hidden()
    media_flows(provider)
    sees(provider, GREEN)
    expect(provider.locator(".tile[data-muted=false][data-camera=on]")).to_be_visible()
    assert patient.page.evaluate("given.filter(track => track.readyState === 'live').length") == 2


def test_what_is_unplugged_while_waiting_has_another_in_its_place(
    practice: Practice, room: Room, person: People
) -> None:
    provider, patient = person(login=room.login).page, person("green").page
    open_dashboard(provider, practice.url)
    check_in(patient, room.url, "Grace Hopper")
    expect(patient.locator("#devices[data-devices=on]")).to_be_visible()
    patient.evaluate("{ const [track] = given.splice(0, 1); track.stop(); track.dispatchEvent(new Event('ended')); }")
    expect(patient.locator(".toast")).to_contain_text("was unplugged. We go on with another one:")
    expect(provider.locator(".card .ready")).to_have_text("Camera and microphone work")


#: Nothing is plugged in while `empty`.
EMPTY = """window.empty = false; {
  const devices = navigator.mediaDevices, ask = devices?.getUserMedia;
  if (devices) devices.getUserMedia = async wanted => {
    if (empty) throw new DOMException("", "NotFoundError");
    return ask.call(devices, wanted);
  };
}"""


def test_what_is_plugged_in_after_a_visit_is_there_in_the_next(room: Room, person: People) -> None:
    """Nobody is asked for it in between."""
    patient = person("green")
    patient.context.add_init_script(EMPTY)
    page = patient.page
    page.add_init_script("window.empty = true")
    check_in(page, room.url, "Grace Hopper")
    expect(page.locator("#devices-words")).to_contain_text("Neither a camera nor a microphone was found")
    page.get_by_role("button", name="Leave the waiting room").click()
    page.get_by_role("button", name="Leave", exact=True).click()
    expect(page.get_by_role("heading", name="You have left the waiting room")).to_be_visible()
    page.evaluate("empty = false; navigator.mediaDevices.dispatchEvent(new Event('devicechange'))")
    assert page.evaluate("given") == []
    page.get_by_role("button", name="Check in again").click()
    page.get_by_label("Your name").fill("Grace Hopper")
    page.get_by_role("button", name="Check in").first.click()
    expect(page.locator("#devices-words")).to_have_text("Your camera and microphone work.")


def test_the_last_one_that_is_unplugged_is_told_and_taken_again(practice: Practice, room: Room, person: People) -> None:
    provider, patient = person(login=room.login).page, person("green")
    patient.context.add_init_script(PLUGS)
    patient.context.add_init_script(EMPTY)
    open_dashboard(provider, practice.url)
    check_in(patient.page, room.url, "Grace Hopper")
    expect(patient.page.locator("#devices[data-devices=on]")).to_be_visible()
    patient.page.evaluate(
        "{ empty = true; const track = given.find(track => track.kind === 'audio');"
        " track.stop(); track.dispatchEvent(new Event('ended')); }"
    )
    expect(patient.page.locator("#devices-words")).to_contain_text("No microphone was found")
    expect(provider.locator(".card .ready")).to_have_text("No microphone: none was found")
    patient.page.evaluate("empty = false; navigator.mediaDevices.dispatchEvent(new Event('devicechange'))")
    expect(patient.page.locator("#devices-words")).to_have_text("Your camera and microphone work.")
    expect(provider.locator(".card .ready")).to_have_text("Camera and microphone work")
    patient.page.get_by_role("button", name="Turn camera off").click()
    patient.page.evaluate(  # and the camera that is off is left alone
        "{ wants.length = 0; const track = given.findLast(track => track.kind === 'audio');"
        " track.stop(); track.dispatchEvent(new Event('ended')); }"
    )
    expect(patient.page.locator(".toast")).to_contain_text("Your microphone was unplugged.")
    assert [bool(wanted["video"]) for wanted in patient.page.evaluate("wants")] == [False]


def test_what_is_plugged_in_is_offered_and_not_taken(practice: Practice, room: Room, person: People) -> None:
    patient = person("green")
    patient.context.add_init_script(PLUGS)
    provider, page = in_call(practice, room, person, patient), patient.page
    geared(page)
    asked = page.evaluate("wants.length")
    page.evaluate(HEADSET)
    expect(page.locator(".offer")).to_have_count(1)  # one thing, though it hears and speaks
    expect(page.locator("#said")).to_contain_text("New: Headset")
    assert page.evaluate("wants.length") == asked
    page.get_by_role("button", name="Not now").click()
    expect(page.locator(".offer")).to_have_count(0)
    page.evaluate("plugs.length = 3; navigator.mediaDevices.dispatchEvent(new Event('devicechange'))")
    page.evaluate(HEADSET)
    page.get_by_role("button", name="Use it").click()
    wait(page, "asked => wants.length === asked + 1", asked)
    assert page.evaluate("wants.at(-1).audio.deviceId") == {"exact": "mic-2"}
    media_flows(provider)
    page.evaluate("plugs.length = 3; navigator.mediaDevices.dispatchEvent(new Event('devicechange'))")
    expect(page.locator(".toast")).to_have_text("Your speaker was unplugged. We go on with another one.")
    page.evaluate(HEADSET)
    expect(page.locator(".offer")).to_have_count(1)
    page.evaluate("plugs.length = 3; navigator.mediaDevices.dispatchEvent(new Event('devicechange'))")
    expect(page.locator(".offer")).to_have_count(0)


def test_a_phone_turns_to_its_rear_camera_which_is_not_mirrored(practice: Practice, room: Room, person: People) -> None:
    patient = person("green", viewport=PHONE, has_touch=True)
    patient.context.add_init_script(PHONE_CAMERAS)
    provider, page = in_call(practice, room, person, patient), patient.page
    sees(provider, GREEN)
    mirrored = "getComputedStyle(document.querySelector('#self-stage video')).transform"
    assert page.evaluate(mirrored).startswith("matrix(-1")
    flip = page.get_by_role("button", name="Switch between front and rear camera")
    flip.tap()
    sees(provider, BLUE)
    assert page.evaluate(mirrored) == "none"
    expect(page.locator("#said")).to_have_text("The rear camera is on.")
    flip.tap()
    sees(provider, GREEN)
    expect(page.locator("#said")).to_have_text("The front camera is on.")
    assert page.evaluate(mirrored).startswith("matrix(-1")


def test_a_computer_is_not_asked_to_turn(practice: Practice, room: Room, person: People) -> None:
    patient = person("green")
    patient.context.add_init_script(PHONE_CAMERAS)
    in_call(practice, room, person, patient)
    geared(patient.page)
    expect(patient.page.locator("#flip")).to_be_hidden()


def test_a_permission_taken_back_in_the_call_is_told_and_comes_back(
    practice: Practice, room: Room, person: People
) -> None:
    """Chromium's own devices and permissions, nothing pretended."""
    patient = person()
    provider, page = in_call(practice, room, person, patient), patient.page
    media_flows(provider)
    patient.context.clear_permissions()
    expect(page.locator("#trouble")).to_contain_text("Your browser does not allow the")
    expect(page.locator("#trouble.gone").get_by_role("button", name="back on")).to_be_visible()
    expect(provider.get_by_text("Grace Hopper's camera is off")).to_be_visible()
    patient.context.grant_permissions(["camera", "microphone"])
    expect(page.locator("#trouble")).to_be_hidden()
    expect(provider.locator(".tile[data-muted=false][data-camera=on]")).to_be_visible()
    media_flows(provider)


HOLD = """kind => {
  const track = given.findLast(track => track.kind === kind);
  Object.defineProperty(track, "muted", { value: true });
  track.dispatchEvent(new Event("mute"));
}"""
ASLEEP = """{
  let seen = "visible";
  Object.defineProperty(Document.prototype, "visibilityState", { get: () => seen });
  window.turn = state => { seen = state; document.dispatchEvent(new Event("visibilitychange")); };
}"""


@pytest.mark.parametrize("way", ["button", "return"])
def test_what_a_telephone_call_holds_back_is_brought_back(
    practice: Practice, room: Room, person: People, way: str
) -> None:
    """As iPhones do it: the tracks stay and give nothing. By the large button, or by coming back to the page."""
    patient = person("green", viewport=PHONE)
    patient.context.add_init_script(ASLEEP)
    provider, page = in_call(practice, room, person, patient), patient.page
    media_flows(provider)
    page.evaluate("turn('hidden')")
    page.evaluate(HOLD, "video")
    button = page.get_by_role("button", name="Turn camera back on")
    expect(button).to_be_visible()
    expect(page.locator("#trouble")).to_contain_text("Your device holds the camera back")
    box = button.bounding_box()
    assert box
    assert box["height"] >= 50
    before = page.evaluate("given.length")
    if way == "button":
        button.click()
    else:
        page.evaluate("turn('visible')")
    expect(page.locator("#trouble")).to_be_hidden()
    assert page.evaluate("given.length") == before + 1
    media_flows(provider)


def test_a_bell_that_a_telephone_call_has_interrupted_rings_again(room: Room, person: People) -> None:
    patient = person("green")
    patient.context.add_init_script(ASLEEP)
    patient.context.add_init_script(
        "{ const { get } = Object.getOwnPropertyDescriptor(BaseAudioContext.prototype, 'state');"
        " window.interrupted = false; Object.defineProperty(BaseAudioContext.prototype, 'state',"
        " { get() { return interrupted ? 'interrupted' : get.call(this); } });"
        " const resume = AudioContext.prototype.resume; window.resumed = 0;"
        " AudioContext.prototype.resume = function () { resumed += 1; return resume.call(this); } }"
    )
    check_in(patient.page, room.url, "Grace Hopper")
    wait(patient.page, "() => resumed === 1", None)  # opened by the press of the button
    patient.page.evaluate("interrupted = true; turn('hidden'); 0")
    assert patient.page.evaluate("resumed") == 1
    patient.page.evaluate("turn('visible')")
    wait(patient.page, "() => resumed === 2", None)


def test_what_comes_back_by_itself_is_left_alone(practice: Practice, room: Room, person: People) -> None:
    patient = person("green")
    in_call(practice, room, person, patient)
    patient.page.evaluate(HOLD, "audio")
    expect(patient.page.get_by_role("button", name="Turn microphone back on")).to_be_visible()
    before = patient.page.evaluate("given.length")
    patient.page.evaluate("given.findLast(track => track.kind === 'audio').dispatchEvent(new Event('unmute'))")
    expect(patient.page.locator("#trouble")).to_be_hidden()
    assert patient.page.evaluate("given.length") == before


@pytest.mark.parametrize("pseudo", [False, True], ids=["axe", "words"])
def test_everybody_can_use_what_is_said_of_devices(
    practice: Practice, room: Room, person: People, pseudo: bool
) -> None:
    options = {"locale": "en-XA"} if pseudo else {}
    patient = person("green", viewport=PHONE, has_touch=True, reduced_motion="reduce", **options)
    patient.context.add_init_script(PLUGS)
    provider = person("red", login=room.login).page
    open_dashboard(provider, practice.url)
    page = patient.page
    page.goto(room.url)
    page.locator("#name").fill("Grace Hopper")
    page.locator("#check-in button").click()
    expect(page.locator("main[data-state=waiting]")).to_be_visible()
    start(provider, "Grace Hopper")
    connected(provider, page)

    def look(state: str) -> None:
        if pseudo:
            assert [left for left in bare(page) if left not in LABELS] == []
        else:
            audit(page, state)

    geared(page)
    page.evaluate("plugs.push({ kind: 'videoinput', deviceId: 'cam-2', groupId: 'c', label: '2' }); 0")
    page.evaluate(HEADSET)
    expect(page.locator(".offer")).to_have_count(2)
    look("offered")
    more(page)
    page.locator("#choose").click()
    expect(page.locator("#choose-video")).to_be_visible()
    look("choosing")
    page.keyboard.press("Escape")
    page.evaluate(HOLD, "video")
    expect(page.locator("#trouble.gone")).to_be_visible()
    look("held back")
