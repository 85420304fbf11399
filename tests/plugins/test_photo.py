"""Photos (R52, R53): asked for, agreed to, taken by the sender's device in full, looked at, sent; kept by nobody."""

from __future__ import annotations

import io
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from housecall.testing import Person, PluginContract, Practice, check_in, connected, end, open_dashboard, sign_in, start
from housecall.testing.access import PHONE, audit, bare
from housecall.testing.acts import asks_before_leaving, guest_joins, media_flows, more, sees, wait

TOML = '[clinic.main]\nname = "Elm"\nplugins = ["photo"]\n'
RECORDING = str(Path(__file__).parent.parent / "recording_server.py")
RED, GREEN, BLUE, YELLOW = (224, 0, 0), (0, 160, 0), (0, 0, 224), (224, 224, 0)

#: A telephone's camera: small for the call; four fields of colour and a light and a zoom where the best is asked for.
#: `sharp` counts how often; `open` how many cameras were open when it was; `set` what light and zoom were set to;
#: `asks` counts whatever was asked for.
CAMERA = """{
  const devices = navigator.mediaDevices, ask = devices?.getUserMedia;
  Object.assign(window, { sharp: 0, open: 0, asks: 0, set: [], missing: false });
  if (devices) {
    const camera = id => ({ kind: "videoinput", deviceId: id, groupId: id, label: id });
    devices.enumerateDevices = async () => [camera("front"), camera("rear")];
    devices.getUserMedia = async wanted => {
      window.asks += 1;
      if (wanted.video && window.missing) throw new DOMException("none", "NotFoundError");
      const out = await ask.call(devices, wanted.video?.width?.ideal > 2000 ? {} : wanted);
      if (!(wanted.video?.width?.ideal > 2000)) return out;
      window.sharp += 1;
      const live = given.filter(each => each.kind === "video" && each.readyState === "live");
      window.open = Math.max(window.open, live.length);
      const facing = wanted.video.facingMode?.exact ?? wanted.video.facingMode;
      const canvas = Object.assign(document.createElement("canvas"), { width: 2400, height: 1800 });
      const pen = canvas.getContext("2d");
      const paint = () => ["#e00000", "#00a000", "#0000e0", "#e0e000"].forEach((colour, i) => {
        pen.fillStyle = colour;
        pen.fillRect(i % 2 * 1200, i > 1 ? 900 : 0, 1200, 900);
      });
      const [track] = canvas.captureStream(2).getVideoTracks(), settings = track.getSettings.bind(track);
      paint(); setInterval(paint, 500);
      track.getSettings = () => ({ ...settings(), deviceId: facing, facingMode: facing });
      track.getCapabilities = () => ({ torch: facing === "environment", zoom: { min: 1, max: 4, step: 0.5 } });
      track.applyConstraints = async ({ advanced: [how] }) => { set.push(how); };
      given.push(track);
      return new MediaStream([track]);
    };
  }
}"""


class TestPhoto(PluginContract):
    folder = Path(__file__).resolve().parents[2] / "plugins/photo"


@pytest.fixture
def pair(serve: Callable[..., Practice], person: Callable[..., Person]) -> Callable[..., Any]:
    """A provider with an open dashboard and Grace, who waits, on a telephone."""

    def make(*, camera: str | None = CAMERA, colour: str | None = "green", locale: str = "en", **options: Any) -> Any:
        practice = serve(TOML, **options)
        room, own = practice.room(), f"localhost:{practice.port}"
        provider = person("red", own=own, locale=locale, viewport={"width": 1280, "height": 800})
        patient = person(colour, own=own, locale=locale, viewport=PHONE)
        if camera:
            patient.context.add_init_script(camera)
        sign_in(provider.context, practice.url, room.login)
        open_dashboard(provider.page, practice.url)
        if locale == "en":
            check_in(patient.page, room.url, "Grace Hopper")
        else:
            patient.page.goto(room.url)
            expect(patient.page.locator("main[data-ready]")).to_be_attached()
            patient.page.locator("#name").fill("Grace Hopper")
            patient.page.locator("#check-in button").click()
        expect(provider.page.locator(".card hc-part[data-mounted]")).to_be_attached()
        return practice, provider, patient

    return make


def ask(page: Page, what: str, words: str = "") -> None:
    """In whichever place is open."""
    form = page.locator(".photo-ask:visible")
    form.get_by_label("A photo of", exact=True).select_option(label=what)
    form.get_by_label("Words to the patient").fill(words)
    form.get_by_role("button", name="Ask for a photo").click()


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Your provider asks for a photo")


def press(page: Page, name: str) -> None:
    dialog(page).get_by_role("button", name=name, exact=True).click()


def stands(page: Page, words: str) -> None:
    expect(page.locator(".photo-stands:visible")).to_have_text(words)


def kept(page: Page, button: str) -> tuple[str, Image.Image]:
    """What the view of a photo saves: name and picture."""
    with page.expect_download() as download:
        page.get_by_role("dialog").get_by_role("button", name=button, exact=True).click()
    picture = Image.open(io.BytesIO(Path(download.value.path()).read_bytes()))
    assert dict(picture.getexif()) == {}
    return download.value.suggested_filename, picture


def corners(picture: Image.Image) -> list[tuple[int, ...]]:
    """The colours of the four fields, from the upper left, to the nearest of those that the camera shows."""
    width, height = picture.size
    places = ((1, 1), (3, 1), (1, 3), (3, 3))
    seen = [picture.getpixel((width * x // 4, height * y // 4)) for x, y in places]
    assert all(isinstance(pixel, tuple) for pixel in seen)
    nearest = lambda pixel: min((RED, GREEN, BLUE, YELLOW), key=lambda c: sum(abs(a - b) for a, b in zip(c, pixel)))  # noqa: B905, E731
    return [nearest(pixel) for pixel in seen]


def near(picture: Image.Image, place: tuple[float, float], colour: tuple[int, int, int]) -> bool:
    """Whether a pixel close to this place (in parts of the picture) has about this colour."""
    x, y = int(place[0] * picture.width), int(place[1] * picture.height)
    around = picture.crop((x - 25, y - 25, x + 25, y + 25))
    bytes_ = around.convert("RGB").tobytes()
    pixels = zip(bytes_[::3], bytes_[1::3], bytes_[2::3], strict=True)
    return any(all(abs(a - b) < 60 for a, b in zip(pixel, colour, strict=True)) for pixel in pixels)


def test_a_photo_is_asked_for_agreed_to_taken_and_sent_while_the_picture_is_paused(pair: Callable[..., Any]) -> None:
    """By sound only, the photo still comes in full: larger than the call's picture, and every field where it was."""
    _, provider, patient = pair()
    board, page = provider.page, patient.page
    start(board, "Grace Hopper")
    connected(board, page)
    sees(board, (0, 192, 0))
    before = [url for url in patient.urls + provider.urls if "/asset/photo/" in url]
    assert {url.rpartition("/")[2] for url in before} == {"photo.js"}, "until it is used, it costs its button"
    expect(board.locator(".quality")).to_be_visible()
    board.get_by_label("Picture at most").select_option("sound")
    expect(page.locator(".tile[data-paused]")).to_be_visible()

    board.get_by_role("button", name="Photo", exact=True).focus()
    board.keyboard.press("Enter")
    expect(board.get_by_label("A photo of", exact=True)).to_be_focused()
    ask(board, "A wound", "On your left hand, please")
    expect(dialog(page)).to_contain_text("A photo of: A wound")
    expect(dialog(page)).to_contain_text("On your left hand, please")
    stands(board, "Grace Hopper sees the request: A wound")
    assert page.evaluate("sharp") == 0, "nothing is opened before she agrees"
    expect(dialog(page).get_by_role("button", name="Open the camera")).to_be_focused()
    page.keyboard.press("Enter")
    shoot = dialog(page).get_by_role("button", name="Take the photo")
    expect(shoot).to_be_focused()
    stands(board, "Grace Hopper takes the photo.")
    expect(board.locator(".tile[data-camera=off]")).to_be_visible()
    assert page.evaluate("open") == 0, "the call's camera is open beside it; telephones have one at a time"
    press(page, "Light")
    expect(dialog(page).get_by_role("button", name="Light")).to_have_attribute("aria-pressed", "true")
    dialog(page).get_by_label("Zoom").fill("2")
    press(page, "Other camera")
    expect(dialog(page).get_by_role("button", name="Light")).to_have_count(0)
    press(page, "Other camera")
    expect(dialog(page).get_by_role("button", name="Light")).to_be_visible()
    assert page.evaluate("set") == [{"torch": True}, {"zoom": 2}]
    expect(shoot).to_be_enabled()
    shoot.focus()
    page.keyboard.press("Enter")
    stands(board, "Grace Hopper looks at the photo before it is sent.")
    press(page, "Take again")
    expect(shoot).to_be_enabled()
    press(page, "In 5 seconds")
    expect(dialog(page).get_by_role("button", name="Stop")).to_be_visible()
    expect(dialog(page).get_by_role("button", name="Send")).to_be_focused()
    expect(board.locator(".tile[data-camera=on]")).to_be_visible()  # the call has its camera again
    expect(board.locator(".photo-tile")).to_have_count(0)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Your photo has arrived.").last).to_be_visible()
    expect(dialog(page)).to_have_count(0)
    stands(board, "The photo is here.")

    assert asks_before_leaving(board)
    board.locator(".photo-tile").click()
    name, picture = kept(board, "Save")
    assert not asks_before_leaving(board)
    assert re.fullmatch(r"photo-\d{4}-\d\d-\d\d-\d{4}-a-wound\.jpg", name)
    assert picture.size == (2400, 1800), "the call's picture has 320 x 240"
    assert corners(picture) == [RED, GREEN, BLUE, YELLOW]
    board.get_by_role("dialog").get_by_role("button", name="Close").click()
    more(board)
    board.get_by_label("Picture at most").select_option("hd")
    sees(board, (0, 192, 0))
    end(board)
    expect(page.locator("main[data-state=after]")).to_be_visible()
    board.locator("#after .photo-tile").click()
    assert kept(board, "Save")[1].size == (2400, 1800)
    board.keyboard.press("Escape")
    board.reload()
    expect(board.locator("main[data-ready]")).to_be_attached()
    expect(board.locator(".photo-tile")).to_have_count(0)


def test_a_photo_is_marked_turned_and_compared_with_pointer_and_keyboard(pair: Callable[..., Any]) -> None:
    _, provider, patient = pair()
    board, page = provider.page, patient.page
    start(board, "Grace Hopper")
    connected(board, page)
    board.get_by_role("button", name="Photo", exact=True).click()
    for n in (1, 2):
        form = board.locator(".photo-ask:visible")
        form.get_by_label("A photo of", exact=True).select_option(label="Something else")
        form.get_by_label("Of what?").fill("Grace's knee")
        form.get_by_role("button", name="Ask for a photo").click()
        press(page, "Open the camera")
        press(page, "Take the photo")
        press(page, "Send")
        expect(board.locator(".photo-tile:visible")).to_have_count(n)
    board.locator(".photo-tile").first.click()
    view = board.get_by_role("dialog")
    sheet = view.locator(".photo-sheet").first
    expect(sheet).to_be_focused()
    expect(sheet).to_have_attribute("data-drawn", "0")

    def at(x: float, y: float) -> tuple[float, float]:
        """Where a place of the photo, in parts of it, lies on the screen."""
        box = sheet.bounding_box()
        assert box
        scale = min(box["width"] / 2400, box["height"] / 1800)
        left = box["x"] + (box["width"] - 2400 * scale) / 2
        top = box["y"] + (box["height"] - 1800 * scale) / 2
        return left + x * 2400 * scale, top + y * 1800 * scale

    view.get_by_role("button", name="Pen").click()
    board.mouse.move(*at(0.6, 0.2))
    board.mouse.down()
    board.mouse.move(*at(0.8, 0.2), steps=4)
    board.mouse.up()
    expect(sheet).to_have_attribute("data-drawn", "1")
    view.get_by_role("button", name="Text").click()
    view.get_by_label("Words on the photo").fill("HERE")
    view.get_by_label("Colour of marks").select_option(label="White")
    board.mouse.click(*at(0.1, 0.75))
    expect(sheet).to_have_attribute("data-drawn", "2")
    view.get_by_role("button", name="Arrow").click()
    sheet.focus()
    board.keyboard.press("Space")  # in the middle of the photo
    for _ in range(4):
        board.keyboard.press("ArrowDown")
    board.keyboard.press("Space")
    expect(sheet).to_have_attribute("data-drawn", "3")
    name, picture = kept(board, "Save")
    assert re.fullmatch(r"photo-\d{4}-\d\d-\d\d-\d{4}-s-knee-with-marks\.jpg", name), "a patient's name is in it"
    assert picture.size == (2400, 1800)
    white, red = (255, 255, 255), (255, 59, 48)
    assert near(picture, (0.7, 0.2), red), "the pen's line"
    assert near(picture, (0.12, 0.75), white), "the words"
    assert near(picture, (0.5, 0.55), white), "the arrow that the keyboard led"
    _, picture = kept(board, "Save without marks")
    assert not near(picture, (0.7, 0.2), red)
    view.get_by_role("button", name="Undo").click()
    expect(sheet).to_have_attribute("data-drawn", "2")
    view.get_by_role("button", name="Turn to the right").click()
    _, picture = kept(board, "Save")
    assert picture.size == (1800, 2400)
    assert corners(picture) == [BLUE, RED, YELLOW, GREEN]
    assert near(picture, (0.8, 0.7), red), "the mark has not turned with it"
    assert not near(picture, (0.45, 0.5), white), "what was undone is there"

    view.get_by_label("Compare with").select_option(index=1)
    sheets = view.locator(".photo-sheet")
    expect(sheets).to_have_count(2)
    left, right = (each.bounding_box() for each in sheets.all())
    assert left
    assert right
    assert left["y"] == right["y"]
    assert left["x"] + left["width"] <= right["x"], "they are not side by side"
    view.get_by_role("button", name="Larger").click()
    _, picture = kept(board, "Save")  # of the one that was chosen last
    assert picture.size == (2400, 1800)
    audit(board, "two photos side by side")
    board.screenshot()
    view.get_by_label("Compare with").select_option(index=0)
    for left in (1, 0):  # the keyboard stays where the photos are
        view.get_by_role("button", name="Remove").click()
        board.get_by_role("dialog", name="Remove this photo?").get_by_role("button", name="Remove it").click()
        expect(board.locator(".photo-tile:visible")).to_have_count(left)
        if left:
            expect(board.locator(".photo-tile:visible")).to_be_focused()
            board.keyboard.press("Enter")
    expect(board.get_by_text("No photos yet.")).to_be_focused()


def test_a_real_camera_gives_its_own_photo(pair: Callable[..., Any]) -> None:
    """Chromium's camera by ImageCapture: larger than the picture of the call, and the call has the camera back."""
    _, provider, patient = pair(
        camera="const own = window.ImageCapture?.prototype.takePhoto; window.taken = 0;"
        "if (own) ImageCapture.prototype.takePhoto = function (...given) { taken++; return own.apply(this, given); };",
        colour=None,
    )
    board, page = provider.page, patient.page
    start(board, "Grace Hopper")
    connected(board, page)
    board.get_by_role("button", name="Photo", exact=True).click()
    ask(board, "The throat")
    press(page, "Open the camera")
    press(page, "Take the photo")
    press(page, "Send")
    board.locator(".photo-tile").click()
    _, picture = kept(board, "Save")
    assert page.evaluate("taken") > 0
    expect(page.locator("#self-stage video")).to_be_visible()
    own = page.evaluate(
        "() => { const { width, height } = document.querySelector('#self-stage video').srcObject"
        ".getVideoTracks()[0].getSettings(); return width * height; }"
    )
    assert picture.width * picture.height > own
    board.get_by_role("dialog").get_by_role("button", name="Close").click()
    media_flows(board)


#: What the patient's page reads of last: once it sends, what it sends.
SENT = """{
  const real = Blob.prototype.slice;
  Blob.prototype.slice = function (...given) {
    window.sent = this;
    return real.apply(this, given);
  };
}"""


def holiday(path: Path) -> Path:
    """A picture with an upright flag, a place, and a maker in it; it lies on its side and says so."""
    picture = Image.effect_noise((900, 600), 60).convert("RGB")
    picture.paste((0, 0, 224), (0, 0, 450, 600))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn me to the right
    exif[0x010F] = "Zanzibar optics"
    exif.get_ifd(0x8825).update({1: "N", 2: (51.0, 28.0, 40.0), 3: "W", 4: (0.0, 0.0, 5.0)})
    picture.save(path, "JPEG", exif=exif, quality=95)
    assert b"Zanzibar" in path.read_bytes()
    return path


def test_before_the_call_it_goes_sealed_and_without_its_place(
    pair: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked from the card: refused; then without a camera, a chosen picture instead, which the server cannot read."""
    record = tmp_path / "record"
    monkeypatch.setenv("HOUSECALL_RECORD", str(record))
    practice, provider, patient = pair(
        camera=f"{CAMERA}\n{SENT}", command=(sys.executable, "-W", "error", RECORDING, "run")
    )
    board, page = provider.page, patient.page
    board.locator(".photo-open").click()
    ask(board, "A medicine box")
    press(page, "Not now")
    stands(board, "Grace Hopper would rather not send a photo now.")
    page.evaluate("missing = true")
    ask(board, "The skin", "Zanzibar word")
    press(page, "Open the camera")
    expect(dialog(page).get_by_role("alert")).to_contain_text("No camera was found")
    stands(board, "Grace Hopper has no camera that works here.")
    huge = io.BytesIO()
    Image.new("1", (9000, 8000)).save(huge, "PNG")  # ten kilobytes, which a browser would draw
    for wrong in (
        huge.getvalue(),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\xff\xff\0\0\xff\xff",
    ):
        (tmp_path / "wrong.png").write_bytes(wrong)
        dialog(page).locator("input[type=file]").set_input_files(tmp_path / "wrong.png")
        expect(dialog(page).get_by_role("alert")).to_contain_text("This file cannot be sent as a photo")
    dialog(page).locator("input[type=file]").set_input_files(holiday(tmp_path / "holiday.jpg"))
    press(page, "Send")
    expect(board.locator(".photo-tile:visible")).to_have_count(1)
    board.locator(".photo-tile:visible").click()
    sent = bytes(page.evaluate("async () => [...new Uint8Array(await sent.arrayBuffer())]"))
    there = Image.open(io.BytesIO(sent))
    assert dict(there.getexif()) == {}
    assert b"Zanzibar" not in sent
    assert there.size == kept(board, "Save")[1].size == (600, 900), "it is not upright"
    assert near(there, (0.5, 0.25), BLUE), "its flag is not above"
    board.keyboard.press("Escape")
    pieces = [sent[i : i + 48] for i in range(len(sent) // 4, len(sent) - 48, len(sent) // 5)]
    assert b"photo:" in record.read_bytes(), "the server was not asked"
    files = [record, *(path for path in practice.folder.rglob("*") if path.is_file())]
    for path in files:
        held = path.read_bytes()
        assert not any(piece in held for piece in (*pieces, b"Zanzibar")), f"{path.name} holds the photo"

    ask(board, "The skin")  # once more; the call begins while she holds the photo
    page.evaluate("missing = false")
    press(page, "Open the camera")
    press(page, "Take the photo")
    expect(dialog(page).get_by_role("button", name="Send")).to_be_visible()
    start(board, "Grace Hopper")
    connected(board, page)
    press(page, "Send")
    expect(board.locator(".bar .badge")).to_have_text("1")
    board.get_by_role("button", name="Photo 1 new").click()
    expect(board.locator("#side .photo-tile")).to_have_count(2)


#: A file that has gone from the device since it was chosen.
GONE = """() => {
  const real = Blob.prototype.slice;
  Blob.prototype.slice = function (...given) {
    const part = real.apply(this, given);
    if (this instanceof File) part.arrayBuffer = () => Promise.reject(new DOMException("gone", "NotReadableError"));
    return part;
  };
}"""


def test_a_picture_or_a_camera_that_cannot_be_had_leaves_a_way_on(pair: Callable[..., Any], tmp_path: Path) -> None:
    """The file cannot be read; what the camera needs cannot be loaded, and can a moment later."""
    _, provider, patient = pair()
    board, page = provider.page, patient.page
    board.locator(".photo-open").click()
    ask(board, "The skin")
    page.evaluate(GONE)
    dialog(page).locator("input[type=file]").set_input_files(holiday(tmp_path / "holiday.jpg"))
    expect(dialog(page).get_by_role("alert")).to_contain_text("This file cannot be sent as a photo")
    patient.expected = ["Failed to load resource"]
    page.route("**/loan.js", lambda route: route.abort())
    press(page, "Open the camera")
    expect(dialog(page).get_by_role("alert")).to_have_text("This could not be loaded. Try again in a moment.")
    page.unroute("**/loan.js")
    press(page, "Try again")
    expect(dialog(page).get_by_role("button", name="Take the photo")).to_be_enabled()


#: From now on the page sends these bytes instead of a photo.
TAMPER = """bytes => {
  HTMLCanvasElement.prototype.toBlob = function (then) {
    then(new Blob([new Uint8Array(bytes)], { type: "image/jpeg" }));
  };
}"""


def bomb() -> bytes:
    """A small JPEG that says it is 60,000 pixels wide and high."""
    small = io.BytesIO()
    Image.new("RGB", (64, 64), RED).save(small, "JPEG")
    data = bytearray(small.getvalue())
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = (60_000).to_bytes(2, "big") * 2
    return bytes(data)


#: Keeps what this page is asked for.
ASKED = """{
  window.asked = [];
  new MutationObserver(() => {
    const what = document.querySelector(".photo-what")?.textContent;
    if (what && what !== window.asked.at(-1)) window.asked.push(what);
  }).observe(document, { childList: true, subtree: true });
}"""

#: Asks for a photo as a page that was tampered with would.
ASK = """() => {
  const data = { id: "x".repeat(8), what: "other", other: "your passport", words: "", choose: true };
  const item = { id: "x", at: Date.now(), t: Date.now(), n: 1, data };
  const open = channels.filter(each => each.readyState === "open");
  for (const channel of open) channel.send(JSON.stringify(["say", { event: "photo:ask", after: 0, items: [item] }, 1]));
  return open.length;
}"""


def a_relative(board: Page, person: Callable[..., Person], practice: Practice) -> Page:
    """Otto, who was invited and let in."""
    page = person("blue", own=f"localhost:{practice.port}").page
    guest_joins(board, page, "relative", "Otto")
    expect(page.locator(".tile[data-state=connected]").nth(1)).to_be_visible()
    return page


def test_what_is_no_photo_is_not_shown_and_only_a_provider_asks_for_one(
    pair: Callable[..., Any], person: Callable[..., Person]
) -> None:
    practice, provider, patient = pair(camera=f"{CAMERA}\n{ASKED}")
    board, page = provider.page, patient.page
    start(board, "Grace Hopper")
    connected(board, page)
    otto = a_relative(board, person, practice)
    wait(otto, "() => channels.filter(each => each.readyState === 'open').length === 2", None)
    assert otto.evaluate(ASK) == 2
    expect(otto.locator("hc-part[data-plugin=photo]")).to_have_count(0)
    board.get_by_role("button", name="Photo", exact=True).click()
    html = b"<html><script>parent.hurt = 1</script></html>"
    png = io.BytesIO()
    Image.new("RGB", (64, 64), RED).save(png, "PNG")
    svg = b"<svg xmlns='http://www.w3.org/2000/svg' onload='parent.hurt = 1'><rect width='9' height='9'/></svg>"
    for wrong in (html, svg, bomb(), png.getvalue(), b"\xff\xd8" + html):
        ask(board, "The throat")
        expect(dialog(page)).to_have_count(1)
        expect(dialog(page)).to_contain_text("A photo of: The throat")
        press(page, "Open the camera")
        expect(dialog(page).get_by_role("button", name="Take the photo")).to_be_enabled()
        page.evaluate(TAMPER, list(wrong))
        press(page, "Take the photo")
        press(page, "Send")
        stands(board, "What came is no photo, and is not shown. Ask again if you like.")
    expect(board.locator(".photo-tile")).to_have_count(0)
    assert board.evaluate("window.hurt") is None
    page.get_by_role("button", name="Turn camera off").click()
    expect(board.locator(".tile[data-camera=off]")).to_be_visible()
    ask(board, "A wound")
    press(page, "Open the camera")
    expect(dialog(page).get_by_role("button", name="Take the photo")).to_be_enabled()
    before = page.evaluate("asks")
    board.get_by_role("button", name="Take the request back").click()
    expect(dialog(page)).to_have_count(0)
    expect(page.get_by_text("Your provider does not need the photo any more.").last).to_be_visible()
    live = "given.filter(each => each.kind === 'video' && each.readyState === 'live').length"
    wait(page, f"() => {live} === 0", None)  # a camera that she had turned off stays off
    expect(page.get_by_role("button", name="Turn camera on")).to_be_visible()
    assert page.evaluate("asks") == before, "something was asked for when the camera was given back"
    assert page.evaluate("asked") == ["A photo of: The throat", "A photo of: A wound"], "Otto was heard"


def test_a_patient_who_reloads_is_asked_again_until_the_request_is_settled(pair: Callable[..., Any]) -> None:
    """Before the call and in it, while the photo is being taken; what was answered is not asked again."""
    _, provider, patient = pair(camera=f"{CAMERA}\n{ASKED}")
    board, page = provider.page, patient.page
    board.locator(".photo-open").click()
    ask(board, "The skin", "Left arm")
    stands(board, "Grace Hopper sees the request: The skin")
    page.reload()
    expect(dialog(page)).to_contain_text("A photo of: The skin")
    expect(dialog(page)).to_contain_text("Left arm")
    stands(board, "Grace Hopper sees the request: The skin")
    press(page, "Not now")
    stands(board, "Grace Hopper would rather not send a photo now.")
    start(board, "Grace Hopper")
    connected(board, page)
    board.get_by_role("button", name="Photo", exact=True).click()
    ask(board, "A wound")
    press(page, "Open the camera")
    press(page, "Take the photo")
    stands(board, "Grace Hopper looks at the photo before it is sent.")
    page.reload()
    connected(board, page)
    expect(dialog(page)).to_contain_text("A photo of: A wound")
    stands(board, "Grace Hopper sees the request: A wound")
    press(page, "Open the camera")
    press(page, "Take the photo")
    press(page, "Send")
    stands(board, "The photo is here.")
    expect(board.locator(".photo-tile:visible")).to_have_count(1)
    page.reload()
    connected(board, page)
    ask(board, "The throat")
    expect(dialog(page)).to_have_count(1)
    expect(dialog(page)).to_contain_text("A photo of: The throat")
    assert page.evaluate("asked") == ["A photo of: The throat"], "what was settled was asked again"


def test_a_photo_that_a_reloaded_provider_no_longer_waits_for_is_not_sent_for_ever(pair: Callable[..., Any]) -> None:
    """The provider's page has lost the request: the patient hears so, and is asked anew as ever."""
    _, provider, patient = pair()
    board, page = provider.page, patient.page
    board.locator(".photo-open").click()
    ask(board, "The skin")
    press(page, "Open the camera")
    press(page, "Take the photo")
    expect(dialog(page).get_by_role("button", name="Send")).to_be_visible()
    board.reload()
    expect(board.locator(".card hc-part[data-mounted]")).to_be_attached()
    press(page, "Send")
    expect(page.get_by_text("Your provider does not need the photo any more.").last).to_be_visible()
    expect(dialog(page)).to_have_count(0)
    board.locator(".photo-open").click()
    ask(board, "A wound")
    press(page, "Open the camera")
    press(page, "Take the photo")
    press(page, "Send")
    expect(board.locator(".photo-tile:visible")).to_have_count(1)


def test_a_photo_comes_to_the_page_that_asked_for_it(pair: Callable[..., Any]) -> None:
    practice, provider, patient = pair()
    second = provider.context.new_page()
    open_dashboard(second, practice.url)
    second.locator(".photo-open").click()
    ask(second, "The skin")
    press(patient.page, "Open the camera")
    press(patient.page, "Take the photo")
    press(patient.page, "Send")
    expect(second.locator(".photo-tile:visible")).to_have_count(1)
    expect(patient.page.get_by_text("Your photo has arrived.").last).to_be_visible()


def test_everybody_can_use_it_in_every_language(pair: Callable[..., Any]) -> None:
    """Each step of both sides: its words are in a catalogue, axe finds nothing in light and dark, on a telephone."""
    _, provider, patient = pair(locale="en-XA", camera=CAMERA)
    board, page = provider.page, patient.page

    def look(state: str, at: Page, only: str) -> None:
        names = re.compile(r"Grace Hopper|\d+:\d+.[AP]M|[ ·−↺↻+]+")
        assert bare(at, only=only, names=names) == [], state
        for scheme in ("light", "dark"):
            at.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
            audit(at, f"{state}, {scheme}")

    board.set_viewport_size(PHONE)
    board.locator(".photo-open").click()
    expect(board.locator(".photo-ask")).to_be_visible()
    look("asking, from the card", board, ".photo-place")
    board.locator(".photo-ask button").click()
    asked = page.locator("dialog[open]")
    look("asked", page, "dialog[open]")
    look("has asked", board, ".photo-place")
    asked.locator(".primary").click()
    expect(asked.locator(".primary")).to_be_enabled()
    look("the camera", page, "dialog[open]")
    asked.locator(".primary").click()
    expect(asked.locator("img")).to_be_visible()
    look("the photo", page, "dialog[open]")
    asked.locator(".primary").click()
    board.locator(".photo-tile").click()
    view = board.locator("dialog[open]")
    view.locator("[data-tool=text]").click()
    look("the view", board, "dialog[open]")
    board.keyboard.press("Escape")
    board.locator(".card .start").click()
    connected(board, page)
    board.locator(".bar .round", has=board.locator("circle")).first.click()
    expect(board.locator("#side .photo-tile")).to_be_visible()
    look("beside the call", board, "#side")
    board.locator("#side-close").click()
    board.locator("#end").click()
    board.locator("#ending button[value=end]").click()
    expect(board.locator("#after .photo-tile")).to_be_visible()
    look("after the call", board, "#after")


def send_on(page: Page, button: str, room: str) -> None:
    page.get_by_role("button", name=button).click()
    box = page.get_by_role("dialog", name="Send Grace Hopper on")
    box.get_by_label("To the waiting room of").select_option(label=room)
    box.get_by_role("button", name="Send on").click()
    expect(page.locator("#ended")).to_have_text(f"Grace Hopper waits in the room of {room} now.")


def a_photo_comes(board: Page, page: Page, what: str) -> None:
    ask(board, what)
    press(page, "Open the camera")
    press(page, "Take the photo")
    press(page, "Send")
    stands(board, "The photo is here.")


def test_a_photo_stays_with_a_patient_who_is_sent_on_to_another_room_of_the_same_member(
    serve: Callable[..., Practice], person: Callable[..., Person]
) -> None:
    """From the queue and out of the call; and what the two pages say to each other goes on, too."""
    practice = serve(TOML)
    room, own = practice.room(role="owner", name="Nurse"), f"localhost:{practice.port}"
    practice.room(name="Doctor")
    provider, patient = person("red", own=own), person("green", own=own)
    patient.context.add_init_script(CAMERA)
    sign_in(provider.context, practice.url, room.login)
    board, page = provider.page, patient.page
    open_dashboard(board, practice.url)
    check_in(page, room.url, "Grace Hopper")
    board.locator(".photo-open").click()
    a_photo_comes(board, page, "The skin")
    send_on(board, "Send on Grace Hopper", "Doctor")
    board.locator(".photo-open").click()
    expect(board.locator(".photo-tile:visible")).to_have_count(1)
    assert asks_before_leaving(board)
    a_photo_comes(board, page, "A wound")
    start(board, "Grace Hopper")
    connected(board, page)
    send_on(board, "Send on", "Nurse")
    expect(board.locator("#after")).to_be_hidden()  # her card stands in the queue
    assert asks_before_leaving(board)
    board.locator(".photo-open").click()
    expect(board.locator(".photo-tile:visible")).to_have_count(2)


def test_a_photo_of_a_call_that_ends_by_sending_on_can_still_be_seen_and_is_there_when_the_patient_comes_back(
    serve: Callable[..., Practice], person: Callable[..., Person]
) -> None:
    practice = serve(TOML)
    rooms, own = [practice.room(name="Nurse"), practice.room(name="Doctor")], f"localhost:{practice.port}"
    nurse, doctor, patient = (person(colour, own=own) for colour in ("red", "blue", "green"))
    patient.context.add_init_script(CAMERA)
    for member, room in zip((nurse, doctor), rooms, strict=True):
        sign_in(member.context, practice.url, room.login)
        open_dashboard(member.page, practice.url)
    board, page = nurse.page, patient.page
    check_in(page, rooms[0].url, "Grace Hopper")
    start(board, "Grace Hopper")
    connected(board, page)
    board.get_by_role("button", name="Photo", exact=True).click()
    a_photo_comes(board, page, "The skin")
    more(board)
    send_on(board, "Send on", "Doctor")
    expect(board.locator("#after .photo-tile")).to_be_visible()
    assert asks_before_leaving(board)
    send_on(doctor.page, "Send on Grace Hopper", "Nurse")
    expect(board.locator("#after")).to_be_hidden()
    board.locator(".photo-open").click()
    expect(board.locator(".card .photo-tile")).to_be_visible()
    a_photo_comes(board, page, "A wound")


def test_a_photo_waits_for_a_patient_whose_phone_sleeps_while_the_server_starts_anew(pair: Callable[..., Any]) -> None:
    practice, provider, patient = pair()
    for each in (provider, patient):
        each.expected += ["WebSocket connection", "net::ERR_"]
    board, page = provider.page, patient.page
    address = page.url
    board.locator(".photo-open").click()
    a_photo_comes(board, page, "The skin")
    board.clock.install()
    practice.stop(signal.SIGKILL)
    page.goto("about:blank")
    practice.start()
    expect(board.locator("#link-lost")).to_be_hidden()
    board.clock.fast_forward(70_000)
    expect(board.locator(".card")).to_have_count(0)
    board.clock.fast_forward(70_000)
    expect(board.locator("#link-lost")).to_be_hidden()
    page.goto(address)
    board.locator(".photo-open").click()
    expect(board.locator(".photo-tile:visible")).to_have_count(1)


def test_a_request_of_somebody_who_does_not_begin_the_call_ends_with_its_beginning(
    serve: Callable[..., Practice], person: Callable[..., Person]
) -> None:
    """A photo would wait for them to the end of the visit. Who has begun asks anew."""
    practice = serve(TOML)
    own = f"localhost:{practice.port}"
    first, room = practice.room(role="owner", name="Nurse"), practice.room(name="Doctor")
    asking, other, patient = (person(colour, own=own) for colour in ("red", "blue", "green"))
    patient.context.add_init_script(CAMERA)
    for member, login in ((asking, first.login), (other, room.login)):
        sign_in(member.context, practice.url, login)
        open_dashboard(member.page, practice.url)
    page = patient.page
    check_in(page, room.url, "Grace Hopper")
    asking.page.locator(".photo-open").click()
    ask(asking.page, "The skin")
    press(page, "Open the camera")
    press(page, "Take the photo")
    expect(dialog(page).get_by_role("button", name="Send")).to_be_visible()
    start(other.page, "Grace Hopper")
    expect(page.get_by_text("Your provider does not need the photo any more.").last).to_be_visible()
    expect(dialog(page)).to_have_count(0)
    connected(other.page, page)
    other.page.get_by_role("button", name="Photo", exact=True).click()
    a_photo_comes(other.page, page, "A wound")


def test_a_photo_whose_provider_is_away_says_that_it_waits(pair: Callable[..., Any]) -> None:
    _, provider, patient = pair()
    board, page = provider.page, patient.page
    board.locator(".photo-open").click()
    ask(board, "The skin")
    press(page, "Open the camera")
    press(page, "Take the photo")
    expect(dialog(page).get_by_role("button", name="Send")).to_be_visible()
    board.goto("about:blank")
    press(page, "Send")
    expect(dialog(page).locator(".photo-progress span")).to_have_text("The photo waits until your provider is there.")
