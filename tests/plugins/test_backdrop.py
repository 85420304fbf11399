"""Background: what is behind a person is hidden before anything is sent, on every way that a camera can go."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from housecall.testing import (
    Person,
    PluginContract,
    Practice,
    Visitor,
    check_in,
    connected,
    end,
    open_dashboard,
    sign_in,
    start,
)
from housecall.testing.access import PHONE, audit, bare
from housecall.testing.acts import begin as begin_visit
from housecall.testing.acts import media_flows, more, wait

#: One red pixel, as a practice's picture.
PICTURE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVQI12P4z8AAAAMBAQAY3Y2wAAAAAElFTkSuQmCC"
)
TOML = f'[clinic.main]\nname = "Elm"\nplugins = ["backdrop"]\n[clinic.main.backdrop]\npicture = "{PICTURE}"\n'

#: In the model's place: whoever is in the left half is the person. `lag`: ms that it takes.
MODEL = """globalThis.SelfieSegmentation = class {
  setOptions() {}
  onResults(listener) { this.listener = listener; }
  async send() {
    if (globalThis.lag) await new Promise(resolve => setTimeout(resolve, lag));
    const segmentationMask = Object.assign(document.createElement("canvas"), { width: 256, height: 144 });
    segmentationMask.getContext("2d").fillRect(0, 0, 128, 144);
    this.listener({ segmentationMask });
  }
  close() { globalThis.released = (globalThis.released ?? 0) + 1; }
}"""

#: Cameras whose pictures are fine stripes: yellow and black in front, blue and black in the rear.
STRIPES = """{
  const devices = navigator.mediaDevices, ask = devices?.getUserMedia;
  window.lit = 0;                                      // cameras whose light is on
  if (devices) {
    const camera = id => ({ kind: "videoinput", deviceId: id, groupId: id, label: id });
    devices.enumerateDevices = async () => [camera("front"), camera("rear")];
    devices.getUserMedia = async wanted => {
      const out = await ask.call(devices, { audio: wanted.audio });
      if (!wanted.video) return out;
      const rear = wanted.video.facingMode?.exact === "environment";
      const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 240 });
      const pen = canvas.getContext("2d");
      const paint = () => {
        pen.fillStyle = "black"; pen.fillRect(0, 0, 320, 240);
        pen.fillStyle = rear ? "#0000ff" : "#ffff00";
        for (let x = 0; x < 320; x += 10) pen.fillRect(x, 0, 5, 240);
      };
      paint(); setInterval(paint, 50);
      const [track] = canvas.captureStream(20).getVideoTracks(), stop = track.stop.bind(track);
      lit += 1;
      track.stop = () => { if (track.readyState === "live") lit -= 1; stop(); };
      const facingMode = rear ? "environment" : "user", deviceId = rear ? "rear" : "front";
      track.getSettings = () => ({ width: 320, height: 240, facingMode, deviceId });
      given.push(track);
      out.addTrack(track);
      return out;
    };
  }
}"""

#: Mean colour and contrast of the left and the right part of a picture, [[r, g, b, contrast], [r, g, b, contrast]].
HALVES = """selector => {
  const video = document.querySelector(selector);
  if (!video?.videoWidth) return null;
  const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 240 });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.drawImage(video, 0, 0, 320, 240);
  return [30, 190].map(x => {
    const { data } = pen.getImageData(x, 60, 100, 100), sum = [0, 0, 0];
    let low = 255, high = 0;
    for (let i = 0; i < data.length; i += 4) {
      for (const c of [0, 1, 2]) sum[c] += data[i + c] / 10_000;
      const bright = Math.max(data[i], data[i + 1], data[i + 2]);
      low = Math.min(low, bright); high = Math.max(high, bright);
    }
    return [...sum, high - low];
  });
}"""

#: Every picture that a page shows of the far side is looked at: `sharp` is what was seen where its right half was not
#: hidden.
WATCH = f"""window.sharp = false; window.looks = 0;
setInterval(() => {{
  const halves = ({HALVES})(".tile video");
  if (!halves) return;
  looks += 1;
  const [, [, , , contrast]] = halves;
  if (contrast > 90 && document.querySelector(".tile").dataset.camera !== "off") sharp = halves;
}}, 40);"""

FAR = ".tile video"
OWN = "#self-stage video"
UNPLUG = """{
  const track = given.findLast(track => track.kind === "video" && track.readyState === "live");
  track.stop();
  track.dispatchEvent(new Event("ended"));
}"""


def behind(page: Page, condition: str, selector: str = FAR) -> None:
    """Wait until the picture is so: `person` is its left half, `wall` its right one, each {r, g, b, contrast}."""
    wait(
        page,
        f"selector => {{ const halves = ({HALVES})(selector); if (!halves) return false;"
        " const [person, wall] = halves.map(([r, g, b, contrast]) => ({ r, g, b, contrast }));"
        f" return {condition}; }}",
        selector,
    )


YELLOW = "person.contrast > 90 && person.r > 70 && person.g > 70 && person.b < 60"
BLUE = "person.contrast > 90 && person.b > 70 && person.r < 60"
BLURRED = "wall.contrast < 70 && wall.r > 60 && wall.r < 200"
RED = "wall.contrast < 70 && wall.r > 180 && wall.g < 70"
SHARP = "wall.contrast > 90"


def model(context: BrowserContext, source: str = MODEL) -> None:
    context.route(
        "**/vendor/selfie_segmentation/selfie_segmentation.js",
        lambda route: route.fulfill(body=source, content_type="text/javascript"),
    )


def pick(page: Page, label: str, *, said: str = "This is how the others see you.") -> None:
    """By keyboard alone: the button, the choice, and out again with the focus where it was."""
    more(page)
    button = page.locator("hc-part[data-plugin=backdrop] button").locator("visible=true")
    button.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="What is seen behind you")
    expect(dialog).to_be_visible()
    choice = dialog.get_by_role("radio", name=label)
    dialog.get_by_role("radio", checked=True).focus()
    for _ in range(4):
        if choice.is_checked():
            break
        page.keyboard.press("ArrowDown")
    expect(choice).to_be_checked()
    expect(dialog.get_by_role("status")).to_have_text(said)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(button).to_be_focused()


class TestBackdrop(PluginContract):
    folder = Path(__file__).resolve().parents[2] / "plugins/backdrop"


def begin(practice: Practice, person: Callable[..., Person], *, source: str = MODEL) -> tuple[Person, Person]:
    """A provider, and a patient who waits, by a phone of two cameras."""
    room, own = practice.room(), f"localhost:{practice.port}"
    provider, patient = person("red", own=own), person("green", own=own, viewport=PHONE, has_touch=True)
    for each in (provider, patient):
        model(each.context, source)
        each.context.add_init_script(WATCH)
    patient.context.add_init_script(STRIPES)
    sign_in(provider.context, practice.url, room.login)
    open_dashboard(provider.page, practice.url)
    check_in(patient.page, room.url, "Grace")
    expect(patient.page.locator("#devices[data-devices=on]")).to_be_visible()
    return provider, patient


def button(page: Page, name: str) -> Locator:
    return page.locator("hc-part[data-plugin=backdrop]").get_by_role("button", name=name, exact=True)


ASKED = """() => performance.getEntriesByType("resource").map(each => each.name)
  .filter(name => name.includes("/asset/backdrop/")).map(name => name.split("/").at(-1)).sort()"""


def test_what_is_behind_a_person_is_hidden_on_every_way_that_a_camera_can_go(
    serve: Callable[..., Practice], person: Callable[..., Person]
) -> None:
    """Chosen by keyboard while waiting; in the call another one, the camera flipped, off and on, unplugged; then the
    practice switches the plugin off. No picture that reaches the other side shows what is behind the person."""
    practice = serve(TOML.replace('plugins = ["backdrop"]\n', ""))
    owner = Visitor(practice.url, login=practice.room(role="owner").login)

    def turn(on: str) -> None:
        assert owner.post("/admin/plugins", {"plugin": "backdrop", "on": on}).status_code == 303

    turn("yes")
    made = begin(practice, person)
    provider, patient = (each.page for each in made)
    expect(button(patient, "Background")).to_be_visible()
    assert patient.evaluate(ASKED) == ["backdrop.css", "backdrop.js"]  # until it is pressed
    pick(patient, "Blurred")
    behind(patient, BLURRED, "#self-waiting video")
    expect(button(patient, "Background, on")).to_be_visible()
    start(provider, "Grace")
    connected(provider, patient)
    behind(provider, f"{YELLOW} && {BLURRED}")
    behind(patient, f"{YELLOW} && {BLURRED}", OWN)
    pick(patient, "The practice")
    behind(provider, f"{YELLOW} && {RED}")
    patient.get_by_role("button", name="Switch between front and rear camera").tap()
    behind(provider, f"{BLUE} && {RED}")
    patient.locator("#camera").click()
    expect(provider.locator(".tile[data-camera=off]")).to_be_visible()
    assert patient.evaluate("lit") == 0  # the camera's light is out
    patient.locator("#camera").click()
    expect(provider.locator(".tile[data-camera=on]")).to_be_visible()
    behind(provider, RED)
    patient.evaluate(UNPLUG)
    expect(patient.locator(".toast").last).to_contain_text("Your camera was unplugged. We go on with another one")
    behind(provider, f"{YELLOW} && {RED}")
    media_flows(provider)
    assert patient.evaluate("lit") == 1
    turn("no")
    expect(button(patient, "Background, on")).to_have_count(0)
    expect(patient.locator(".toast").last).to_contain_text("and your camera with it")
    expect(provider.locator(".tile[data-camera=off]")).to_be_visible()
    assert patient.evaluate("[lit, released]") == [0, 1]
    assert provider.evaluate("looks") > 20
    assert provider.evaluate("sharp") is False  # what was hidden was never seen, until the patient says so
    patient.locator("#camera").click()
    behind(provider, f"{YELLOW} && {SHARP}")


#: A page that nobody looks at: nothing is drawn in it, and its timers come once a second.
UNSEEN = """{
  globalThis.requestAnimationFrame = () => 0;
  HTMLVideoElement.prototype.requestVideoFrameCallback = () => 0;
  const later = globalThis.setTimeout;
  globalThis.setTimeout = (step, ms, ...more) => later(step, Math.max(ms ?? 0, 1000), ...more);
} 0"""


def test_a_provider_chooses_before_the_visit_and_is_seen_so_from_the_first_picture(
    serve: Callable[..., Practice], person: Callable[..., Person]
) -> None:
    """For this visit only; and while the page is hidden its pictures go on coming."""
    practice = serve(TOML)
    provider, patient = (each.page for each in begin(practice, person))
    provider.add_init_script(STRIPES)
    provider.reload()
    expect(provider.locator("main[data-ready]")).to_be_attached()
    audit(provider, "the board")
    pick(provider, "A quiet room")
    start(provider, "Grace")
    connected(provider, patient)
    behind(patient, f"{YELLOW} && wall.contrast < 90 && wall.b > 60")
    provider.evaluate(UNSEEN)
    wait(patient, "() => flow", None)
    before = patient.evaluate("flow.frames")
    wait(patient, "before => flow.frames > before + 45", before)
    pick(provider, "Nothing: as it is", said="You are seen as you are.")
    behind(patient, f"{YELLOW} && {SHARP}")
    assert provider.evaluate("released") == 1  # the model is let go
    pick(provider, "Blurred")
    end(provider)
    expect(provider.locator("main[data-state=queue]")).to_be_visible()
    expect(button(provider, "Background").first).to_be_visible()  # nothing of it is remembered
    assert provider.evaluate("[lit, released]") == [0, 2]


def test_what_is_switched_off_before_a_visit_shows_no_room(
    serve: Callable[..., Practice], person: Callable[..., Person]
) -> None:
    """The provider has chosen on the board: the visit begins without a picture, which comes when it is asked for."""
    practice = serve(TOML.replace('plugins = ["backdrop"]\n', ""))
    owner = Visitor(practice.url, login=practice.room(role="owner").login)
    assert owner.post("/admin/plugins", {"plugin": "backdrop", "on": "yes"}).status_code == 303
    provider, patient = (each.page for each in begin(practice, person))
    pick(provider, "Blurred", said="This is how the others see you.")
    assert owner.post("/admin/plugins", {"plugin": "backdrop", "on": "no"}).status_code == 303
    expect(provider.locator(".toast").last).to_contain_text("and your camera with it")
    start(provider, "Grace")
    connected(provider, patient)
    expect(patient.get_by_text("Dr Ada Smith's camera is off")).to_be_visible()
    provider.get_by_role("button", name="Turn camera on").click()
    expect(patient.locator(".tile[data-camera=on]")).to_be_visible()


#: The server does not let the next visit begin.
REFUSED = """async () => {
  const { Link } = await import("housecall/link.js"), { ask } = Link.prototype;
  Link.prototype.ask = async function (event, ...more) {
    if (event !== "move") return ask.call(this, event, ...more);
    Link.prototype.ask = ask;
    return { error: "failed", message: "not now" };
  };
}"""


def test_what_was_hidden_stays_hidden_when_a_start_fails_a_seat_is_taken_and_a_page_reloaded(
    serve: Callable[..., Practice], person: Callable[..., Person]
) -> None:
    """A start that fails and a seat that is taken leave the background on; a reload leaves no picture at all."""
    practice = serve(TOML)
    provider, patient = begin(practice, person)
    provider.page.add_init_script(STRIPES)
    provider.page.reload()
    expect(provider.page.locator("main[data-ready]")).to_be_attached()
    pick(provider.page, "Blurred")
    provider.page.evaluate(REFUSED)
    provider.page.get_by_role("button", name="Start visit with Grace").click()
    expect(provider.page.locator("#ended")).to_have_text("not now")
    start(provider.page, "Grace")
    connected(provider.page, patient.page)
    behind(patient.page, BLURRED)
    second = provider.context.new_page()
    open_dashboard(second, practice.url)
    for page in (second, provider.page):
        page.get_by_role("button", name="Continue here").click()
        connected(page, patient.page)
    behind(patient.page, BLURRED)
    assert patient.page.evaluate("sharp") is False
    provider.page.reload()
    connected(provider.page, patient.page)
    expect(patient.page.get_by_text("Dr Ada Smith's camera is off")).to_be_visible()
    pick(provider.page, "Blurred")
    provider.page.get_by_role("button", name="Turn camera on").click()
    behind(patient.page, BLURRED)
    assert patient.page.evaluate("sharp") is False


#: A camera that is lent while its background goes. -> whether it is off then, and what was asked for when it came back.
LENT = """async () => {
  const of = name => import(`housecall/${name}.js`);
  const [{ Devices }, { host }, { lend }] = await Promise.all(["devices", "host", "loan"].map(of));
  const devices = new Devices(), { signal } = new AbortController(), asked = [];
  await devices.ask();
  devices.wear({ track: devices.video.clone(), take() {}, stop() {} }, "backdrop");
  const loan = lend(devices, signal), media = navigator.mediaDevices;
  media.getUserMedia = async wanted => {
    asked.push(wanted);
    throw new DOMException("", "NotFoundError");
  };
  const element = document.createElement("hc-part"), scope = { me: {}, devices };
  host({ element, plugin: "backdrop", slot: "call.bar", scope, signal }).devices.withhold("");
  loan.back();
  delete media.getUserMedia;
  devices.stop();
  return [devices.cameraOff, asked.length];
}"""


def test_a_background_that_goes_while_the_camera_is_lent_takes_it_along(
    practice: Practice, person: Callable[..., Person]
) -> None:
    page = person().page
    page.goto(practice.room().url)
    assert page.evaluate(LENT) == [True, 0]


def test_a_visit_by_sound_has_none(serve: Callable[..., Practice], person: Callable[..., Person]) -> None:
    """There is no picture on either side; before the next visit it may be chosen."""
    practice = serve(TOML)
    room, own = practice.room(media="audio"), f"localhost:{practice.port}"
    provider, patient = person("red", own=own), person("green", own=own)
    sign_in(provider.context, practice.url, room.login)
    begin_visit(practice, room, provider.page, patient.page)
    for page in (provider.page, patient.page):
        expect(page.locator("hc-part[data-plugin=backdrop][data-slot='call.bar'][data-mounted]")).to_be_attached()
        expect(button(page, "Background")).to_have_count(0)  # none that is shown
    end(provider.page)
    expect(button(provider.page, "Background").first).to_be_visible()


def test_a_device_that_is_too_slow_shows_nothing_that_was_hidden(
    serve: Callable[..., Practice], person: Callable[..., Person]
) -> None:
    """Fewer pictures, then none: the camera is off, both sides are told, and the person turns it on without."""
    practice = serve(TOML)
    provider, patient = (each.page for each in begin(practice, person))
    pick(patient, "Blurred")
    start(provider, "Grace")
    connected(provider, patient)
    behind(provider, BLURRED)
    patient.evaluate("lag = 400; 0")
    expect(patient.locator(".toast").last).to_contain_text("This device is too slow for a background")
    expect(patient.locator("#said")).to_contain_text("This device is too slow for a background")
    expect(provider.get_by_text("Grace's camera is off")).to_be_visible()
    expect(button(patient, "Background")).to_be_visible()
    assert provider.evaluate("sharp") is False
    patient.get_by_role("button", name="Turn camera on").click()
    behind(provider, f"{YELLOW} && {SHARP}")


def test_what_cannot_be_loaded_is_said_and_changes_nothing(
    serve: Callable[..., Practice], person: Callable[..., Person]
) -> None:
    """The dialog on a phone, light and dark, is everybody's; a model that does not come is told there."""
    practice = serve(TOML)
    somebody = person("green", own=f"localhost:{practice.port}", viewport=PHONE, has_touch=True, locale="en-XA")
    somebody.context.add_init_script(STRIPES)
    somebody.expected.append("planted")
    model(somebody.context, "throw new Error('planted')")
    page = somebody.page
    page.goto(practice.room().url)
    page.locator("#name").fill("Grace")
    page.locator("#check-in button").click()
    page.locator("hc-part[data-plugin=backdrop] button").locator("visible=true").click()
    expect(page.locator("dialog .preview video")).to_be_visible()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        audit(page, f"what is seen behind you, {scheme}")
    assert bare(page, only="dialog[open]") == []
    page.locator("dialog label:has([value=blur])").tap()
    expect(page.locator("dialog [role=status]")).to_contain_text("[Thíš báçkgróúñd çóúld ñót bé lóádéd.")
    expect(page.locator("dialog [value=none]")).to_be_checked()
    behind(page, SHARP, "#self-waiting video")

    held: list[Route] = []  # it fails after the dialog was closed
    somebody.expected.append("ERR_FAILED")
    page.route("**/vendor/selfie_segmentation/selfie_segmentation.js", lambda route: held.append(route))
    with page.expect_request("**/selfie_segmentation.js"):
        page.locator("dialog label:has([value=room])").tap()
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    held.pop().abort()
    expect(page.locator(".toast").last).to_contain_text("[Thíš báçkgróúñd çóúld ñót bé lóádéd.")


#: What is drawn on canvases, as kind and size; and whether one's own picture was ever all red: a machine that is too
#: slow for the model lets it go soon.
DRAWN = f"""{{
  const red = ([r, g]) => r > 180 && g < 70;
  window.covered = false;
  setInterval(() => {{ covered ||= (({HALVES})("#self-waiting video") ?? [[]]).every(red); }}, 100);
}}
{{
  const draw = CanvasRenderingContext2D.prototype.drawImage;
  window.drawn = new Set();
  CanvasRenderingContext2D.prototype.drawImage = function (image, ...place) {{
    drawn.add(`${{image.constructor.name}} ${{image.width}}x${{image.height}}`);
    return draw.call(this, image, ...place);
  }};
}}"""


def test_the_model_itself_runs_under_the_policy_of_the_page(
    serve: Callable[..., Practice], person: Callable[..., Person]
) -> None:
    """MediaPipe's, from our own host alone. It finds nobody in a plain picture: all of that is behind the person."""
    practice = serve(TOML)
    somebody = person("green", own=f"localhost:{practice.port}")
    somebody.expected += [
        "GL Driver Message",
        "TrustedScript",
    ]  # without a graphics card; what is refused below
    somebody.context.add_init_script(DRAWN)
    page, room = somebody.page, practice.room()
    check_in(page, room.url, "Grace")
    expect(page.locator("#devices[data-devices=on]")).to_be_visible()
    button(page, "Background").click()
    page.get_by_role("radio", name="The practice").check()
    wait(page, "() => covered", None, patience=120)
    assert "ImageBitmap 256x144" in page.evaluate("[...drawn]")
    assert "selfie_segmentation_landscape.tflite" in page.evaluate(ASKED)
    assert page.locator("script[src*=selfie]").count() == 0
    policy = Visitor(practice.url).get(f"/{room.slug}").headers["Content-Security-Policy"]
    assert "require-trusted-types-for 'script'; trusted-types default" in policy
    assert set(page.evaluate(SCRIPTS).values()) == {True}


#: Whether an address is refused as a script, though the plugin's own are not.
SCRIPTS = """() => Object.fromEntries(
  ["/-/asset/core/x.js", "https://cdn.example.org/x.js", "data:text/javascript,1"].map(src => {
  try {
    document.createElement("script").src = src;
    return [src, false];
  } catch {
    return [src, true];
  }
}))"""
